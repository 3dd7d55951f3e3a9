//! A pipe in memory, in one direction: [`SimplexStream`].
//!
//! [`Pipe`] is the bytes under way and the wakers of both ends, without any lock. Its operations never run or drop
//! a waker: they hand it out as [`Aside`], for whoever has put a lock around the pipe to deal with once the
//! lock is released ([`duplex`](super::duplex) does). A waker is foreign code and may well use the pipe.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use super::split::{ReadHalf, WriteHalf, split};
use crate::io::{AsyncRead, AsyncWrite, PollIo, ReadBuf};
use crate::task::coop::poll_proceed;

/// The bytes under way.
#[derive(Debug)]
pub(super) struct Pipe {
    /// In one piece, behind those that were read already. A ring would not have such, but reads and writes in two
    /// pieces; and most of the time everything is read before more is written.
    bytes: Vec<u8>,
    /// So many were read.
    start: usize,
    capacity: usize,
    /// One of the ends is gone.
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// A waker to be dealt with outside any lock.
#[derive(Debug)]
#[must_use]
pub(super) enum Aside {
    Nothing,
    Wake(Waker),
    Drop(#[allow(dead_code, reason = "dropping it is its use")] Waker),
}

impl Aside {
    #[inline]
    fn wake(woken: Option<Waker>) -> Self {
        woken.map_or(Aside::Nothing, Aside::Wake)
    }

    /// Keeps the waker of `cx` in `slot`.
    #[inline]
    fn register(slot: &mut Option<Waker>, cx: &mut Context<'_>) -> Self {
        match slot {
            Some(waker) if waker.will_wake(cx.waker()) => Aside::Nothing,
            _ => slot.replace(cx.waker().clone()).map_or(Aside::Nothing, Aside::Drop),
        }
    }

    /// Wakes whom the operation has to wake, and drops what it replaced.
    #[inline]
    pub(super) fn run(self) {
        if let Aside::Wake(waker) = self {
            waker.wake();
        }
    }
}

impl Pipe {
    /// # Panics
    /// If `capacity` is 0: a pipe that never takes a byte.
    #[track_caller]
    pub(super) fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "the capacity of a pipe must be greater than zero");
        Pipe { bytes: Vec::new(), start: 0, capacity, closed: false, reader: None, writer: None }
    }

    #[inline(always)] // What it returns is five words, to be looked at at once.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> (PollIo, Aside) {
        let unread = &self.bytes[self.start..];
        let amount = unread.len().min(buf.remaining());
        if amount > 0 {
            buf.put_slice(&unread[..amount]);
            self.start += amount;
            if self.start == self.bytes.len() {
                self.bytes.clear();
                self.start = 0;
            }
            return (Poll::Ready(Ok(())), Aside::wake(self.writer.take()));
        }
        if self.closed || buf.remaining() == 0 {
            return (Poll::Ready(Ok(())), Aside::Nothing);
        }
        (Poll::Pending, Aside::register(&mut self.reader, cx))
    }

    #[inline(always)] // As `poll_read`.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> (PollIo<usize>, Aside) {
        self.poll_write_pieces(cx, buf.is_empty(), std::iter::once(buf))
    }

    pub(super) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> (PollIo<usize>, Aside) {
        let empty = bufs.iter().all(|buf| buf.is_empty());
        self.poll_write_pieces(cx, empty, bufs.iter().map(|buf| &**buf))
    }

    #[inline(always)] // Made for each of the two.
    fn poll_write_pieces<'a>(
        &mut self,
        cx: &mut Context<'_>,
        empty: bool,
        bufs: impl Iterator<Item = &'a [u8]>,
    ) -> (PollIo<usize>, Aside) {
        if self.closed {
            return (Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())), Aside::Nothing);
        }
        if empty {
            return (Poll::Ready(Ok(0)), Aside::Nothing);
        }
        let unread = self.bytes.len() - self.start;
        let room = self.capacity - unread;
        if room == 0 {
            return (Poll::Pending, Aside::register(&mut self.writer, cx));
        }
        if self.start > unread {
            // No more bytes move than were read since the last time, and never is more than half of it waste.
            self.bytes.copy_within(self.start.., 0);
            self.bytes.truncate(unread);
            self.start = 0;
        }
        let mut left = room;
        for buf in bufs {
            let amount = buf.len().min(left);
            self.bytes.extend_from_slice(&buf[..amount]);
            left -= amount;
            if left == 0 {
                break;
            }
        }
        (Poll::Ready(Ok(room - left)), Aside::wake(self.reader.take()))
    }

    /// No more will be written. What is under way can still be read.
    pub(super) fn close_write(&mut self) -> Aside {
        self.closed = true;
        Aside::wake(self.reader.take())
    }

    /// No more will be read.
    pub(super) fn close_read(&mut self) -> Aside {
        self.closed = true;
        Aside::wake(self.writer.take())
    }
}

/// A pipe in memory: what is written to it can be read from it.
///
/// It takes up to as many bytes as it was made for; then writing waits for reading. After
/// [`shutdown`](crate::io::AsyncWriteExt::shutdown) reading gets what is still in it and then the end, and
/// writing fails with [`BrokenPipe`](io::ErrorKind::BrokenPipe).
///
/// Usually made by [`simplex`], which gives a half to each side; [`duplex`](crate::io::duplex) is a pair of them.
#[derive(Debug)]
pub struct SimplexStream {
    pipe: Pipe,
}

/// Makes a pipe in memory with an end to read from and an end to write to.
///
/// It holds up to `max_buf_size` bytes; then writing waits for reading. Dropping an end does not tell the other
/// one: end writing by [`shutdown`](crate::io::AsyncWriteExt::shutdown).
///
/// # Panics
/// If `max_buf_size` is 0.
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncReadExt, AsyncWriteExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> io::Result<()> {
/// let (mut reader, mut writer) = io::simplex(64);
/// writer.write_all(b"through").await?;
/// writer.shutdown().await?;
/// let mut received = String::new();
/// reader.read_to_string(&mut received).await?;
/// assert_eq!(received, "through");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn simplex(max_buf_size: usize) -> (ReadHalf<SimplexStream>, WriteHalf<SimplexStream>) {
    split(SimplexStream::new_unsplit(max_buf_size))
}

impl SimplexStream {
    /// Makes a pipe with both ends in one, which holds up to `max_buf_size` bytes.
    ///
    /// For what splits streams itself; else see [`simplex`].
    ///
    /// # Panics
    /// If `max_buf_size` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncReadExt, AsyncWriteExt, SimplexStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut pipe = SimplexStream::new_unsplit(16);
    /// pipe.write_u16(0x0102).await?;
    /// assert_eq!(pipe.read_u16().await?, 0x0102);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn new_unsplit(max_buf_size: usize) -> SimplexStream {
        SimplexStream { pipe: Pipe::new(max_buf_size) }
    }
}

impl SimplexStream {
    fn poll_put(
        &mut self,
        cx: &mut Context<'_>,
        put: impl FnOnce(&mut Pipe, &mut Context<'_>) -> (PollIo<usize>, Aside),
    ) -> PollIo<usize> {
        let coop = ready!(poll_proceed(cx));
        let (poll, aside) = put(&mut self.pipe, cx);
        aside.run();
        if poll.is_ready() {
            coop.made_progress();
        }
        poll
    }
}

impl AsyncRead for SimplexStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        let coop = ready!(poll_proceed(cx));
        let (poll, aside) = self.pipe.poll_read(cx, buf);
        aside.run();
        if poll.is_ready() {
            coop.made_progress();
        }
        poll
    }
}

impl AsyncWrite for SimplexStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        self.poll_put(cx, |pipe, cx| pipe.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        self.poll_put(cx, |pipe, cx| pipe.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> PollIo {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> PollIo {
        self.pipe.close_write().run();
        Poll::Ready(Ok(()))
    }
}
