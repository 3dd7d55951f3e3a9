//! A destination that swallows everything: [`Sink`].

use std::fmt;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::empty::{poll_budget, total_len};
use crate::io::{AsyncWrite, PollIo};

/// A destination that swallows what is written to it.
///
/// Made by [`sink`].
///
/// # Examples
/// ```
/// use yamanote::io::{self, Sink};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// How much there is to read.
/// async fn len(mut source: impl io::AsyncRead + Unpin) -> io::Result<u64> {
///     let mut nowhere: Sink = io::sink();
///     io::copy(&mut source, &mut nowhere).await
/// }
/// assert_eq!(len(&b"some text"[..]).await?, 9);
/// # Ok(())
/// # }
/// ```
pub struct Sink {
    _private: (),
}

/// Makes a destination that swallows what is written to it.
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncWriteExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> io::Result<()> {
/// assert_eq!(io::sink().write(&[1, 2, 3]).await?, 3);
/// # Ok(())
/// # }
/// ```
pub fn sink() -> Sink {
    Sink { _private: () }
}

impl AsyncWrite for Sink {
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

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Sink { .. }")
    }
}
