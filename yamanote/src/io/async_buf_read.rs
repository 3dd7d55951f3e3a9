//! Reading from a source that has a buffer of its own: the [`AsyncBufRead`] trait and its
//! implementations for pointers and for memory.

use std::io::{self, BufRead};
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::async_read::AsyncRead;
use crate::io::PollIo;

/// Reads from a buffer that the source fills itself.
///
/// The counterpart of [`std::io::BufRead`] for tasks. The two methods go together: `poll_fill_buf` shows
/// what is buffered, and `consume` says how much of that has been used and shall not be shown again.
///
/// Methods that can be awaited are in the extension trait `AsyncBufReadExt`. A source without a buffer
/// gets one from `BufReader`.
///
/// # Examples
/// ```
/// use std::future::poll_fn;
/// use std::pin::Pin;
/// use yamanote::io::{AsyncBufRead, BufReader};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// How many bytes there are before the end, looking at each where it lies, without copying any.
/// async fn count(mut source: impl AsyncBufRead + Unpin) -> std::io::Result<usize> {
///     let mut count = 0;
///     loop {
///         let n = poll_fn(|cx| Pin::new(&mut source).poll_fill_buf(cx).map_ok(<[u8]>::len)).await?;
///         if n == 0 {
///             return Ok(count);
///         }
///         count += n;
///         Pin::new(&mut source).consume(n);
///     }
/// }
/// assert_eq!(count(BufReader::with_capacity(4, &b"some text"[..])).await?, 9);
/// # Ok(())
/// # }
/// ```
pub trait AsyncBufRead: AsyncRead {
    /// Shows the buffered bytes, after filling the buffer if it is empty.
    ///
    /// An empty slice means that the source has reached its end. On [`Poll::Pending`] the task is woken
    /// once there may be bytes.
    ///
    /// Showing bytes does not use them up: without a call of [`consume`](Self::consume) the next call shows
    /// them again.
    ///
    /// # Errors
    /// Whatever the source fails with while it fills the buffer.
    ///
    /// # Examples
    /// ```
    /// use std::pin::{Pin, pin};
    /// use std::task::{Context, Poll, Waker};
    /// use yamanote::io::AsyncBufRead;
    ///
    /// let mut cx = Context::from_waker(Waker::noop());
    /// let mut source = pin!(&b"text"[..]);
    /// let Poll::Ready(Ok(shown)) = source.as_mut().poll_fill_buf(&mut cx) else { panic!() };
    /// assert_eq!(shown, b"text");
    /// // Shown, not used up.
    /// let Poll::Ready(Ok(again)) = source.as_mut().poll_fill_buf(&mut cx) else { panic!() };
    /// assert_eq!(again, b"text");
    /// ```
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>>;

    /// Marks `amt` bytes of those shown last by [`poll_fill_buf`](Self::poll_fill_buf) as used.
    ///
    /// More than were shown must not be consumed; implementations may panic or skip bytes when they are.
    ///
    /// # Examples
    /// ```
    /// use std::pin::Pin;
    /// use yamanote::io::AsyncBufRead;
    ///
    /// let mut source = &b"some text"[..];
    /// Pin::new(&mut source).consume(5);
    /// assert_eq!(source, b"text");
    /// ```
    fn consume(self: Pin<&mut Self>, amt: usize);
}

impl<T: ?Sized + AsyncBufRead + Unpin> AsyncBufRead for Box<T> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        Pin::<&mut T>::new(self.get_mut()).poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        Pin::<&mut T>::new(self.get_mut()).consume(amt);
    }
}

impl<T: ?Sized + AsyncBufRead + Unpin> AsyncBufRead for &mut T {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        Pin::<&mut T>::new(self.get_mut()).poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        Pin::<&mut T>::new(self.get_mut()).consume(amt);
    }
}

impl<P> AsyncBufRead for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncBufRead,
{
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        self.as_deref_mut().poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        self.as_deref_mut().consume(amt);
    }
}

impl AsyncBufRead for &[u8] {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> PollIo<&[u8]> {
        let rest: &[u8] = *self;
        Poll::Ready(Ok(rest))
    }

    fn consume(mut self: Pin<&mut Self>, amt: usize) {
        let rest = &self[amt..];
        self.set(rest);
    }
}

impl<T: AsRef<[u8]> + Unpin> AsyncBufRead for io::Cursor<T> {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> PollIo<&[u8]> {
        Poll::Ready(self.get_mut().fill_buf())
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        self.get_mut().consume(amt);
    }
}
