//! Nothing: [`Empty`].

use std::fmt;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, PollIo, ReadBuf};
use crate::task::coop::poll_proceed;

/// A source without any bytes, and a destination that swallows them.
///
/// Made by [`empty`].
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncReadExt, Empty};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// Reads from a file, or nothing without one.
/// struct Input(Result<yamanote::fs::File, Empty>);
///
/// let mut input = Input(Err(io::empty()));
/// let n = match &mut input.0 {
///     Ok(file) => file.read(&mut [0; 8]).await?,
///     Err(empty) => empty.read(&mut [0; 8]).await?,
/// };
/// assert_eq!(n, 0);
/// # Ok(())
/// # }
/// ```
pub struct Empty {
    _private: (),
}

/// Makes a source that is at its end, and swallows what is written to it.
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncReadExt, AsyncWriteExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> io::Result<()> {
/// let mut buf = [0; 8];
/// assert_eq!(io::empty().read(&mut buf).await?, 0);
/// assert_eq!(io::empty().write(&buf).await?, 8);
/// # Ok(())
/// # }
/// ```
pub fn empty() -> Empty {
    Empty { _private: () }
}

/// Takes a unit of the cooperative budget: nothing here ever has to wait.
pub(super) fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    ready!(poll_proceed(cx)).made_progress();
    Poll::Ready(())
}

impl AsyncRead for Empty {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, _: &mut ReadBuf<'_>) -> PollIo {
        ready!(poll_budget(cx));
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for Empty {
    #[inline]
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        ready!(poll_budget(cx));
        Poll::Ready(Ok(&[]))
    }

    #[inline]
    fn consume(self: Pin<&mut Self>, _: usize) {}
}

impl AsyncWrite for Empty {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        ready!(poll_budget(cx));
        Poll::Ready(Ok(buf.len()))
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        ready!(poll_budget(cx));
        Poll::Ready(Ok(total_len(bufs)))
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        true
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        ready!(poll_budget(cx));
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        ready!(poll_budget(cx));
        Poll::Ready(Ok(()))
    }
}

/// Every place is the start.
impl AsyncSeek for Empty {
    #[inline]
    fn start_seek(self: Pin<&mut Self>, _: SeekFrom) -> io::Result<()> {
        Ok(())
    }

    #[inline]
    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        ready!(poll_budget(cx));
        Poll::Ready(Ok(0))
    }
}

/// How many bytes there are; as many as one write may report.
pub(super) fn total_len(bufs: &[IoSlice<'_>]) -> usize {
    bufs.iter().fold(0, |sum: usize, buf| sum.saturating_add(buf.len()))
}

impl fmt::Debug for Empty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Empty { .. }")
    }
}
