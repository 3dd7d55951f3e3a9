//! A buffer in front of a destination: [`BufWriter`].

use std::fmt;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{DEFAULT_BUFFER_SIZE, is_interrupted};
use crate::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, PollIo, ReadBuf};

pin_project! {
    /// Collects small writes and passes them on in large pieces.
    ///
    /// Many small writes to a socket or file cost a system call each; through a `BufWriter` most of them
    /// cost a copy. Writes at least as large as the buffer go past it once it is empty. For destinations
    /// in memory it has no use.
    ///
    /// **Dropping it drops what is buffered**: nothing can be waited for in a destructor. So
    /// [`flush`](crate::io::AsyncWriteExt::flush) it, or [`shutdown`](crate::io::AsyncWriteExt::shutdown).
    pub struct BufWriter<W> {
        #[pin]
        pub(super) inner: W,
        pub(super) buffer: Vec<u8>,
        // How much of the buffer, from its front, the destination has already. Not 0 only while a flush is
        // under way.
        pub(super) written: usize,
        pub(super) seek: SeekState,
    }
}

/// How far a seek has got.
#[derive(Clone, Copy, Debug)]
pub(super) enum SeekState {
    Idle,
    /// Asked for, not passed on to the destination: the buffer has to be written before.
    Submitted(SeekFrom),
    /// The destination is moving.
    Moving,
}

impl<W: AsyncWrite> BufWriter<W> {
    /// A writer with a buffer of 8 KiB.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWriteExt, BufWriter};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut writer = BufWriter::new(Vec::new());
    /// writer.write_all(b"abc").await?;
    /// assert!(writer.get_ref().is_empty());
    /// writer.flush().await?;
    /// assert_eq!(writer.get_ref(), b"abc");
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(inner: W) -> Self {
        Self::with_capacity(DEFAULT_BUFFER_SIZE, inner)
    }

    /// A writer with a buffer of `capacity` bytes.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWriteExt, BufWriter};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut writer = BufWriter::with_capacity(4, Vec::new());
    /// writer.write_all(b"more than four").await?; // does not fit, and goes through
    /// assert_eq!(writer.get_ref(), b"more than four");
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_capacity(capacity: usize, inner: W) -> Self {
        BufWriter { inner, buffer: Vec::with_capacity(capacity), written: 0, seek: SeekState::Idle }
    }

    /// The destination.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWriteExt, BufWriter};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut writer = BufWriter::new(Vec::new());
    /// writer.write_all(b"text").await?;
    /// writer.flush().await?;
    /// assert_eq!(writer.get_ref(), b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    /// The destination, to be changed. What is written to it directly overtakes what is buffered.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWriteExt, BufWriter};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut writer = BufWriter::new(Vec::new());
    /// writer.write_all(b"body").await?;
    /// // The buffer has not been written yet.
    /// writer.get_mut().extend_from_slice(b"head ");
    /// writer.flush().await?;
    /// assert_eq!(writer.into_inner(), b"head body");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// The destination, pinned. What is written to it directly overtakes what is buffered.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use yamanote::io::{AsyncWriteExt, BufWriter};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut writer = pin!(BufWriter::new(Vec::new()));
    /// writer.as_mut().get_pin_mut().write_all(b"past the buffer").await?;
    /// assert_eq!(writer.get_ref(), b"past the buffer");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut W> {
        self.project().inner
    }

    /// Gives the destination back. What is buffered is lost.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWriteExt, BufWriter};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut writer = BufWriter::new(Vec::new());
    /// writer.write_all(b"text").await?;
    /// writer.flush().await?; // what is still in the buffer would be lost
    /// assert_eq!(writer.into_inner(), b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_inner(self) -> W {
        self.inner
    }

    /// The bytes that are buffered.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWriteExt, BufWriter};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut writer = BufWriter::new(Vec::new());
    /// writer.write_all(b"text").await?;
    /// assert_eq!(writer.buffer(), b"text");
    /// writer.flush().await?;
    /// assert_eq!((writer.buffer(), writer.get_ref().as_slice()), (&b""[..], &b"text"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn buffer(&self) -> &[u8] {
        &self.buffer[self.written..]
    }

    /// Writes the buffer out, so that it is empty.
    fn poll_flush_buffer(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        let mut me = self.project();
        while *me.written < me.buffer.len() {
            match ready!(me.inner.as_mut().poll_write(cx, &me.buffer[*me.written..])) {
                Ok(0) => {
                    let e = "the destination takes no more of what is buffered";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, e)));
                }
                Ok(n) => *me.written += n,
                Err(e) if is_interrupted(&e) => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        me.buffer.clear();
        *me.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Makes sure that `amount` more bytes, or else nothing, are within the buffer's capacity.
    fn poll_make_room(self: Pin<&mut Self>, cx: &mut Context<'_>, amount: usize) -> PollIo {
        if self.buffer.len().saturating_add(amount) > self.buffer.capacity() {
            self.poll_flush_buffer(cx)
        } else {
            Poll::Ready(Ok(()))
        }
    }
}

impl<W: AsyncWrite> AsyncWrite for BufWriter<W> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        ready!(self.as_mut().poll_make_room(cx, buf.len()))?;
        let me = self.project();
        if buf.len() >= me.buffer.capacity() {
            return me.inner.poll_write(cx, buf);
        }
        me.buffer.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        if self.inner.is_write_vectored() {
            let total = bufs.iter().fold(0_usize, |sum, buf| sum.saturating_add(buf.len()));
            ready!(self.as_mut().poll_make_room(cx, total))?;
            let me = self.project();
            if total >= me.buffer.capacity() {
                return me.inner.poll_write_vectored(cx, bufs);
            }
            for buf in bufs {
                me.buffer.extend_from_slice(buf);
            }
            return Poll::Ready(Ok(total));
        }

        // Slices have to go one by one. The first decides whether the buffer must be emptied, as in a plain
        // write; the others come along while they fit.
        let mut bufs = bufs.iter().skip_while(|buf| buf.is_empty());
        let Some(first) = bufs.next() else { return Poll::Ready(Ok(0)) };
        ready!(self.as_mut().poll_make_room(cx, first.len()))?;
        let me = self.project();
        if first.len() >= me.buffer.capacity() {
            return me.inner.poll_write(cx, first);
        }
        me.buffer.extend_from_slice(first);
        let mut total = first.len();
        for buf in bufs {
            if buf.len() > me.buffer.capacity() - me.buffer.len() {
                break;
            }
            me.buffer.extend_from_slice(buf);
            total += buf.len();
        }
        Poll::Ready(Ok(total))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        ready!(self.as_mut().poll_flush_buffer(cx))?;
        self.get_pin_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        ready!(self.as_mut().poll_flush_buffer(cx))?;
        self.get_pin_mut().poll_shutdown(cx)
    }
}

/// Seeks to a byte, after writing out what is buffered.
impl<W: AsyncWrite + AsyncSeek> AsyncSeek for BufWriter<W> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        *self.project().seek = SeekState::Submitted(position);
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        if let SeekState::Submitted(position) = self.seek {
            ready!(self.as_mut().poll_flush_buffer(cx))?;
            let me = self.as_mut().project();
            *me.seek = SeekState::Idle;
            me.inner.start_seek(position)?;
            *me.seek = SeekState::Moving;
        }
        let buffered = self.buffer().len() as u64;
        let me = self.project();
        let position = ready!(me.inner.poll_complete(cx));
        *me.seek = SeekState::Idle;
        // Without a seek, the user is ahead of the destination.
        Poll::Ready(position.map(|position| position.saturating_add(buffered)))
    }
}

/// Reads come from what is wrapped as they are.
impl<W: AsyncWrite + AsyncRead> AsyncRead for BufWriter<W> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        self.get_pin_mut().poll_read(cx, buf)
    }
}

/// Reads come from what is wrapped as they are.
impl<W: AsyncWrite + AsyncBufRead> AsyncBufRead for BufWriter<W> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        self.get_pin_mut().poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        self.get_pin_mut().consume(amt);
    }
}

impl<W: fmt::Debug> fmt::Debug for BufWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unwritten, capacity) = (self.buffer.len() - self.written, self.buffer.capacity());
        let mut debug = f.debug_struct("BufWriter");
        debug
            .field("writer", &self.inner)
            .field("buffer", &format_args!("{unwritten}/{capacity}"))
            .finish()
    }
}
