//! Copying from a reader to a writer, and the engine of it, [`Transfer`], which
//! [`copy_bidirectional`](super::copy_bidirectional) uses too.
//!
//! No deadlock. A writer may hold bytes back until it is flushed, and whoever feeds the reader may wait for just
//! these bytes. So whenever there is nothing to read at the moment, and nothing to write, the writer is flushed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::relay::{Relay, Relayed};
use super::{DEFAULT_BUFFER_SIZE, is_interrupted};
use crate::io::{AsyncRead, AsyncWrite, PollIo, ReadBuf};
use crate::task::coop::poll_proceed;

/// A copy under way: the bytes at `start..end` of the buffer were read and are still to be written.
#[derive(Debug)]
pub(super) struct Transfer {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes written so far.
    copied: u64,
    /// The reader has reached its end.
    ended: bool,
    /// The writer was written to since it was last flushed.
    unflushed: bool,
    /// Takes over where there is much to copy between sockets.
    pub(super) relay: Relay,
}

impl Transfer {
    pub(super) fn new(buffer_size: usize) -> Self {
        Transfer {
            buffer: vec![0; buffer_size].into_boxed_slice(),
            start: 0,
            end: 0,
            copied: 0,
            ended: false,
            unflushed: false,
            relay: Relay::default(),
        }
    }

    /// Copies until the end of the reader, flushes, and tells how many bytes there were.
    ///
    /// Each round, a read and the write of what it brought, costs a unit of the cooperative budget: both sides may
    /// be in memory and never have to wait.
    pub(super) fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        mut reader: Pin<&mut R>,
        mut writer: Pin<&mut W>,
    ) -> PollIo<u64>
    where
        R: ?Sized + AsyncRead,
        W: ?Sized + AsyncWrite,
    {
        loop {
            if self.start == self.end && !self.ended {
                if self.relay.is_on() {
                    let relayed = self.relay.poll(cx, &*reader, &*writer, &mut self.copied);
                    self.ended = ready!(relayed)? == Relayed::Ended;
                }
                self.end = self.relay.rescue(&mut self.buffer)?;
            }
            let coop = ready!(poll_proceed(cx));

            // Fill the buffer's tail even if there is something to write: fewer and larger writes.
            let (mut has_read, mut reader_waits) = (false, false);
            if !self.ended && self.end < self.buffer.len() {
                match self.poll_fill(cx, reader.as_mut()) {
                    Poll::Ready(result) => {
                        result?;
                        coop.made_progress();
                        has_read = true;
                    }
                    Poll::Pending => reader_waits = true,
                }
            }

            let before = self.copied;
            let written = self.poll_drain(cx, writer.as_mut());
            if self.copied != before {
                coop.made_progress();
            }
            match written {
                Poll::Ready(result) => result?,
                // Make use of the time to fill the buffer.
                Poll::Pending if has_read => continue,
                Poll::Pending => return Poll::Pending,
            }

            // The buffer is empty.
            if self.ended {
                ready!(writer.as_mut().poll_flush(cx))?;
                coop.made_progress();
                return Poll::Ready(Ok(self.copied));
            }
            if !reader_waits {
                continue;
            }
            if self.unflushed {
                ready!(writer.as_mut().poll_flush(cx))?;
                coop.made_progress();
                self.unflushed = false;
            }
            return Poll::Pending;
        }
    }

    /// One read behind what the buffer has.
    fn poll_fill<R: AsyncRead + ?Sized>(&mut self, cx: &mut Context<'_>, reader: Pin<&mut R>) -> PollIo {
        let room = &mut self.buffer[self.end..];
        let len = room.len();
        let mut buf = ReadBuf::new(room);
        match ready!(reader.poll_read(cx, &mut buf)) {
            Ok(()) => {
                let n = buf.filled().len();
                assert!(n <= len, "the reader replaced the buffer it was given");
                self.ended = n == 0;
                self.end += n;
                self.relay.note_read(n, len);
            }
            // The caller comes back.
            Err(e) if is_interrupted(&e) => {}
            Err(e) => return Poll::Ready(Err(e)),
        }
        Poll::Ready(Ok(()))
    }

    /// Writes until the buffer is empty.
    fn poll_drain<W: AsyncWrite + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        mut writer: Pin<&mut W>,
    ) -> PollIo {
        while self.start < self.end {
            match ready!(writer.as_mut().poll_write(cx, &self.buffer[self.start..self.end])) {
                Ok(0) => {
                    let e = "the writer takes no more bytes";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, e)));
                }
                Ok(n) => {
                    assert!(n <= self.end - self.start, "the writer took more than it was given");
                    self.start += n;
                    self.copied += n as u64;
                    self.unflushed = true;
                }
                Err(e) if is_interrupted(&e) => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        (self.start, self.end) = (0, 0);
        Poll::Ready(Ok(()))
    }
}

/// Copies everything from `reader` to `writer`, flushes, and tells how many bytes there were.
///
/// It ends at the end of `reader`. In between it goes through a buffer of 8 KiB; a reader that has a
/// buffer of its own is better copied by [`copy_buf`](crate::io::copy_buf). While nothing can be read,
/// `writer` is flushed, so that nothing that was read is held back.
///
/// On Linux the system moves the bytes itself while there is much to move at a time between two TCP or Unix streams, or
/// owned halves of such.
///
/// # Cancel safety
/// Not cancel safe: bytes that were read and not yet written are lost when the future is dropped.
///
/// # Errors
/// Whatever either side fails with, at once; of kind [`WriteZero`](io::ErrorKind::WriteZero) if `writer` takes no
/// more bytes. Disturbed reads and writes ([`Interrupted`](io::ErrorKind::Interrupted)) are repeated.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut reader: &[u8] = b"to be copied";
/// let mut writer = Vec::new();
/// assert_eq!(yamanote::io::copy(&mut reader, &mut writer).await?, 12);
/// assert_eq!(writer, b"to be copied");
/// # Ok(())
/// # }
/// ```
pub async fn copy<R, W>(reader: &mut R, writer: &mut W) -> io::Result<u64>
where
    R: AsyncRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    let mut transfer = Transfer::new(DEFAULT_BUFFER_SIZE);
    std::future::poll_fn(|cx| transfer.poll(cx, Pin::new(&mut *reader), Pin::new(&mut *writer))).await
}
