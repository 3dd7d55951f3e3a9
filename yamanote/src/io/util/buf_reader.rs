//! A buffer in front of a source: [`BufReader`].
//!
//! Seeking. The source is ahead of what was given out by the bytes still buffered, which relative seeks have to
//! take into account. The buffer is dropped only when the seek has succeeded: after a failed one, reading goes
//! on where it was. If offset and buffered bytes together do not fit into an `i64`, there are two seeks: back to the
//! place the user sees, then by the offset.

use std::fmt;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::DEFAULT_BUFFER_SIZE;
use crate::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, PollIo, ReadBuf};

pin_project! {
    /// Reads from its source in large pieces and gives them out in small ones.
    ///
    /// Many small reads from a socket or file cost a system call each; through a `BufReader` most of
    /// them cost a copy. Reads at least as large as the buffer go past it while it is empty. For sources in
    /// memory it has no use.
    ///
    /// Bytes that are buffered when it is dropped, or taken apart, are lost; and so is the order if
    /// one source is read through two of them.
    pub struct BufReader<R> {
        #[pin]
        pub(super) inner: R,
        pub(super) buffer: Buffer,
        pub(super) seek: SeekState,
    }
}

/// The bytes at `start..end` are still to be given out.
pub(super) struct Buffer {
    memory: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    #[track_caller]
    fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "capacity must be greater than zero");
        Buffer { memory: vec![0; capacity].into_boxed_slice(), start: 0, end: 0 }
    }

    fn unread(&self) -> &[u8] {
        &self.memory[self.start..self.end]
    }

    fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    fn consume(&mut self, amount: usize) {
        self.start = (self.start + amount).min(self.end);
    }

    fn poll_fill<R: AsyncRead>(&mut self, reader: Pin<&mut R>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        if self.start == self.end {
            let mut buf = ReadBuf::new(&mut self.memory);
            ready!(reader.poll_read(cx, &mut buf))?;
            let n = buf.filled().len();
            // A reader that replaced the buffer could claim more than there is.
            assert!(n <= self.memory.len(), "the reader replaced the buffer it was given");
            (self.start, self.end) = (0, n);
        }
        Poll::Ready(Ok(self.unread()))
    }
}

/// How far a seek has got.
#[derive(Clone, Copy, Debug)]
pub(super) enum SeekState {
    Idle,
    /// Asked for, not passed on to the source.
    Submitted(SeekFrom),
    /// The source is moving to where the user is; the offset is to follow.
    Rewinding(i64),
    /// The source is moving to the target.
    Moving,
}

impl<R: AsyncRead> BufReader<R> {
    /// A reader with a buffer of 8 KiB.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncBufReadExt, BufReader};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader = BufReader::new(&b"first\nsecond\n"[..]);
    /// let mut line = String::new();
    /// reader.read_line(&mut line).await?;
    /// assert_eq!(line, "first\n");
    /// assert_eq!(reader.buffer(), b"second\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(inner: R) -> Self {
        Self::with_capacity(DEFAULT_BUFFER_SIZE, inner)
    }

    /// A reader with a buffer of `capacity` bytes.
    ///
    /// # Panics
    /// If `capacity` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncBufReadExt, BufReader};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut reader = BufReader::with_capacity(3, &b"some text"[..]);
    /// assert_eq!(reader.fill_buf().await?, b"som");
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn with_capacity(capacity: usize, inner: R) -> Self {
        BufReader { inner, buffer: Buffer::new(capacity), seek: SeekState::Idle }
    }

    /// The source.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::BufReader;
    ///
    /// let reader = BufReader::new(&b"text"[..]);
    /// assert_eq!(reader.get_ref().len(), 4);
    /// ```
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// The source, to be changed. What is read from it directly comes after what is buffered.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncReadExt, BufReader};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut reader = BufReader::with_capacity(4, std::io::Cursor::new(b"abcdefgh"));
    /// let mut first = [0];
    /// reader.read_exact(&mut first).await?;
    /// // The source is where the buffer ends, not where reading is.
    /// assert_eq!(reader.get_mut().position(), 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The source, pinned. What is read from it directly comes after what is buffered.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use yamanote::io::{AsyncReadExt, BufReader};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut reader = pin!(BufReader::with_capacity(4, &b"abcdefgh"[..]));
    /// reader.as_mut().read_exact(&mut [0; 1]).await?;
    /// let mut next = [0; 2];
    /// reader.as_mut().get_pin_mut().read_exact(&mut next).await?;
    /// assert_eq!(next, *b"ef"); // four are buffered
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut R> {
        self.project().inner
    }

    /// Gives the source back. What is buffered is lost.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncReadExt, BufReader};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut reader = BufReader::with_capacity(2, &b"text"[..]);
    /// assert_eq!(reader.read_u8().await?, b't');
    /// // The buffer is lost, with the one more byte that was in it.
    /// assert_eq!(reader.into_inner(), b"xt");
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// The bytes that are buffered. Does not fill an empty buffer, unlike
    /// [`fill_buf`](crate::io::AsyncBufReadExt::fill_buf).
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncBufReadExt, BufReader};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut reader = BufReader::new(&b"one\ntwo"[..]);
    /// reader.read_line(&mut String::new()).await?;
    /// assert_eq!(reader.buffer(), b"two"); // read already, and not asked for yet
    /// # Ok(())
    /// # }
    /// ```
    pub fn buffer(&self) -> &[u8] {
        self.buffer.unread()
    }
}

impl<R: AsyncRead> AsyncRead for BufReader<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        let me = self.project();
        if me.buffer.unread().is_empty() && buf.remaining() >= me.buffer.memory.len() {
            return me.inner.poll_read(cx, buf);
        }
        let bytes = ready!(me.buffer.poll_fill(me.inner, cx))?;
        let amount = bytes.len().min(buf.remaining());
        buf.put_slice(&bytes[..amount]);
        me.buffer.consume(amount);
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncRead> AsyncBufRead for BufReader<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        let me = self.project();
        me.buffer.poll_fill(me.inner, cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        self.project().buffer.consume(amt);
    }
}

/// Seeks to a byte, counted as the user sees it: what is buffered has not been read.
///
/// A successful seek drops the buffer, even if the target lies within it. After
/// [`SeekFrom::Current`] with an offset that overflows together with the buffered bytes, the source is
/// moved twice, and if the second move fails the position is that of the first: unchanged, the buffer empty.
impl<R: AsyncRead + AsyncSeek> AsyncSeek for BufReader<R> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        // It is up to `poll_complete` to pass it on: only there can be waited between two moves.
        *self.project().seek = SeekState::Submitted(position);
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        let mut me = self.project();
        loop {
            let unread = me.buffer.unread().len();
            match *me.seek {
                SeekState::Idle => {
                    let position = ready!(me.inner.poll_complete(cx))?;
                    return Poll::Ready(Ok(position.saturating_sub(unread as u64)));
                }
                SeekState::Submitted(position) => {
                    // Whatever comes of it, it is not to be tried a second time.
                    *me.seek = SeekState::Idle;
                    // A boxed slice has at most `isize::MAX` bytes.
                    let unread = unread as i64;
                    let (target, next) = match position {
                        SeekFrom::Current(offset) => match offset.checked_sub(unread) {
                            Some(sum) => (SeekFrom::Current(sum), SeekState::Moving),
                            None => (SeekFrom::Current(-unread), SeekState::Rewinding(offset)),
                        },
                        absolute => (absolute, SeekState::Moving),
                    };
                    me.inner.as_mut().start_seek(target)?;
                    *me.seek = next;
                }
                SeekState::Rewinding(offset) => {
                    let result = ready!(me.inner.as_mut().poll_complete(cx));
                    *me.seek = SeekState::Idle;
                    result?;
                    me.buffer.clear();
                    me.inner.as_mut().start_seek(SeekFrom::Current(offset))?;
                    *me.seek = SeekState::Moving;
                }
                SeekState::Moving => {
                    let result = ready!(me.inner.poll_complete(cx));
                    *me.seek = SeekState::Idle;
                    let position = result?;
                    me.buffer.clear();
                    return Poll::Ready(Ok(position));
                }
            }
        }
    }
}

/// Writes go to the source as they are.
impl<R: AsyncRead + AsyncWrite> AsyncWrite for BufReader<R> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        self.get_pin_mut().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        self.get_pin_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.get_pin_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.get_pin_mut().poll_shutdown(cx)
    }
}

impl<R: fmt::Debug> fmt::Debug for BufReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unread, capacity) = (self.buffer.unread().len(), self.buffer.memory.len());
        let mut debug = f.debug_struct("BufReader");
        debug.field("reader", &self.inner).field("buffer", &format_args!("{unread}/{capacity}")).finish()
    }
}
