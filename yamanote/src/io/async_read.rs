//! Reading bytes without blocking: the [`AsyncRead`] trait and its implementations for pointers and
//! for memory.
//!
//! Next: [`read_buf`](super::read_buf), what a read fills; the methods for users are in
//! `AsyncReadExt` (feature `io-util`).

use std::io;
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::read_buf::ReadBuf;
use crate::io::PollIo;

/// Reads bytes from a source without blocking the thread.
///
/// The counterpart of [`std::io::Read`] for tasks: where a blocking read would sleep, `poll_read` arranges
/// for the current task to be woken and returns [`Poll::Pending`].
///
/// Implementations keep these promises:
///
/// - `Poll::Ready(Ok(()))`: the bytes that were read have been appended to the filled part of `buf`. If
///   nothing was appended although there was room, the source has reached its end; this may happen to be
///   temporary (a growing file).
/// - `Poll::Pending`: nothing was appended to `buf`, and the task is woken once another attempt may
///   succeed.
/// - `Poll::Ready(Err(e))`: nothing was appended to `buf`.
///
/// Programs rarely call `poll_read` themselves: the extension trait `AsyncReadExt` has methods that can be
/// awaited.
///
/// # Examples
/// ```
/// use std::io;
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
/// use yamanote::io::{AsyncRead, AsyncReadExt, ReadBuf};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// /// Counts down to zero.
/// struct Countdown(u8);
///
/// impl AsyncRead for Countdown {
///     fn poll_read(
///         mut self: Pin<&mut Self>,
///         _: &mut Context<'_>,
///         buffer: &mut ReadBuf<'_>,
///     ) -> Poll<io::Result<()>> {
///         // Nothing put into the buffer is the end.
///         if self.0 > 0 && buffer.remaining() > 0 {
///             buffer.put_slice(&[self.0]);
///             self.0 -= 1;
///         }
///         Poll::Ready(Ok(()))
///     }
/// }
///
/// let mut bytes = Vec::new();
/// Countdown(3).read_to_end(&mut bytes).await.unwrap();
/// assert_eq!(bytes, [3, 2, 1]);
/// # }
/// ```
pub trait AsyncRead {
    /// Tries to append bytes to `buf`.
    ///
    /// Appends at most `buf.remaining()` bytes and leaves those already filled as they are. It must not
    /// replace `*buf` by another buffer; callers may panic when it did.
    ///
    /// # Errors
    /// Whatever the source fails with. Unlike blocking readers it never answers
    /// [`WouldBlock`](io::ErrorKind::WouldBlock): that is [`Poll::Pending`].
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::pin::Pin;
    /// use yamanote::io::{AsyncRead, ReadBuf};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut source = &b"some text"[..];
    /// let mut space = [0; 6];
    /// let mut buf = ReadBuf::new(&mut space);
    /// buf.put_slice(b">");
    /// poll_fn(|cx| Pin::new(&mut source).poll_read(cx, &mut buf)).await?;
    /// // Behind what was there, up to the end of the buffer.
    /// assert_eq!((buf.filled(), source), (&b">some "[..], &b"text"[..]));
    /// # Ok(())
    /// # }
    /// ```
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>>;
}

impl<T: ?Sized + AsyncRead + Unpin> AsyncRead for Box<T> {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        Pin::<&mut T>::new(self.get_mut()).poll_read(cx, buf)
    }
}

impl<T: ?Sized + AsyncRead + Unpin> AsyncRead for &mut T {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        Pin::<&mut T>::new(self.get_mut()).poll_read(cx, buf)
    }
}

impl<P> AsyncRead for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncRead,
{
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        self.as_deref_mut().poll_read(cx, buf)
    }
}

/// Takes the bytes off the front of the slice.
impl AsyncRead for &[u8] {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        let amount = self.len().min(buf.remaining());
        let (taken, rest) = self.split_at(amount);
        buf.put_slice(taken);
        *self = rest;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsRef<[u8]> + Unpin> AsyncRead for io::Cursor<T> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        let bytes = (*self).get_ref().as_ref();
        // A position past the end is legal; nothing is there to be read.
        let start = usize::try_from(self.position()).map_or(bytes.len(), |p| p.min(bytes.len()));
        let amount = (bytes.len() - start).min(buf.remaining());
        buf.put_slice(&bytes[start..start + amount]);
        let position = self.position() + amount as u64;
        self.set_position(position);
        Poll::Ready(Ok(()))
    }
}
