//! Writing bytes without blocking: the [`AsyncWrite`] trait and its implementations for pointers and
//! for memory.

use crate::io::PollIo;
use std::io::{self, IoSlice};
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Writes bytes to a destination without blocking the thread.
///
/// The counterpart of [`std::io::Write`] for tasks: where a blocking write would sleep, the methods arrange
/// for the current task to be woken and return [`Poll::Pending`]. Nothing has been written then; the caller
/// tries again with the same or other bytes.
///
/// Methods that can be awaited are in the extension trait `AsyncWriteExt`.
///
/// # Examples
/// ```
/// use std::io;
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
/// use yamanote::io::{AsyncWrite, AsyncWriteExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// /// Counts what is written.
/// struct Meter(usize);
///
/// impl AsyncWrite for Meter {
///     fn poll_write(
///         mut self: Pin<&mut Self>,
///         _: &mut Context<'_>,
///         bytes: &[u8],
///     ) -> Poll<io::Result<usize>> {
///         self.0 += bytes.len();
///         Poll::Ready(Ok(bytes.len()))
///     }
///
///     fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
///         Poll::Ready(Ok(()))
///     }
///
///     fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
///         Poll::Ready(Ok(()))
///     }
/// }
///
/// let mut meter = Meter(0);
/// meter.write_all(b"some text").await.unwrap();
/// assert_eq!(meter.0, 9);
/// # }
/// ```
pub trait AsyncWrite {
    /// Tries to write some of `buf` and tells how many bytes were taken.
    ///
    /// The answer is at most `buf.len()`, and 0 for a `buf` that is not empty means that the destination
    /// takes no more bytes. Bytes that were taken may still sit in a buffer of the destination, see
    /// [`poll_flush`](Self::poll_flush).
    ///
    /// # Errors
    /// Whatever the destination fails with; no byte of `buf` was taken then.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::io::Cursor;
    /// use std::pin::Pin;
    /// use yamanote::io::AsyncWrite;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut space = [0; 4];
    /// let mut destination = Cursor::new(&mut space[..]);
    /// let n = poll_fn(|cx| Pin::new(&mut destination).poll_write(cx, b"too long")).await?;
    /// assert_eq!(n, 4);
    /// // It takes no more.
    /// assert_eq!(poll_fn(|cx| Pin::new(&mut destination).poll_write(cx, b"long")).await?, 0);
    /// assert_eq!(space, *b"too ");
    /// # Ok(())
    /// # }
    /// ```
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;

    /// Tries to bring everything written so far to where it belongs.
    ///
    /// On [`Poll::Pending`] the task is woken once more progress may be possible.
    ///
    /// # Errors
    /// Whatever the destination fails with; an unknown part of the bytes may have got through.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::pin::Pin;
    /// use yamanote::io::{AsyncWrite, AsyncWriteExt, BufWriter};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut writer = BufWriter::new(Vec::new());
    /// writer.write_all(b"text").await?;
    /// assert!(writer.get_ref().is_empty());
    /// poll_fn(|cx| Pin::new(&mut writer).poll_flush(cx)).await?;
    /// assert_eq!(writer.get_ref(), b"text");
    /// # Ok(())
    /// # }
    /// ```
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends writing: flushes, and tells the other side, where there is one, that no more will come.
    ///
    /// Call it until it is `Ready`. Types in which nothing has to be ended return `Ready(Ok(()))` at once.
    /// For a TCP stream it shuts down the sending direction. Reading is not affected. Wrappers that
    /// buffer flush their own buffer and then shut down what they wrap; afterwards writing is an error,
    /// while flushing is not.
    ///
    /// # Errors
    /// Whatever the destination fails with. A shutdown after which the peer cannot be reached is not
    /// necessarily an error.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::pin::Pin;
    /// use yamanote::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut here, mut there) = duplex(64);
    /// here.write_all(b"the last word").await?;
    /// poll_fn(|cx| Pin::new(&mut here).poll_shutdown(cx)).await?;
    /// let mut text = String::new();
    /// there.read_to_string(&mut text).await?; // finds the end
    /// assert_eq!(text, "the last word");
    /// # Ok(())
    /// # }
    /// ```
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// As [`poll_write`](Self::poll_write), for bytes that lie in several buffers.
    ///
    /// They are taken in order, the last of them perhaps in part. Unless overridden it writes the first
    /// buffer that is not empty.
    ///
    /// # Errors
    /// As for `poll_write`.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::io::IoSlice;
    /// use std::pin::Pin;
    /// use yamanote::io::AsyncWrite;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut message = Vec::new();
    /// let pieces = [IoSlice::new(b"length: 4\n\n"), IoSlice::new(b"text")];
    /// let n = poll_fn(|cx| Pin::new(&mut message).poll_write_vectored(cx, &pieces)).await?;
    /// assert_eq!((n, &message[..]), (15, &b"length: 4\n\ntext"[..]));
    /// # Ok(())
    /// # }
    /// ```
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| &**buf);
        self.poll_write(cx, first)
    }

    /// Whether [`poll_write_vectored`](Self::poll_write_vectored) is better than joining the buffers and
    /// calling `poll_write`. `false` unless overridden.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWrite, BufWriter};
    ///
    /// assert!(Vec::new().is_write_vectored());
    /// // A buffer takes pieces as well as the whole.
    /// assert!(BufWriter::new(yamanote::io::sink()).is_write_vectored());
    /// ```
    fn is_write_vectored(&self) -> bool {
        false
    }
}

impl<T: ?Sized + AsyncWrite + Unpin> AsyncWrite for Box<T> {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        Pin::<&mut T>::new(self.get_mut()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        Pin::<&mut T>::new(self.get_mut()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        (**self).is_write_vectored()
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        Pin::<&mut T>::new(self.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        Pin::<&mut T>::new(self.get_mut()).poll_shutdown(cx)
    }
}

impl<T: ?Sized + AsyncWrite + Unpin> AsyncWrite for &mut T {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        Pin::<&mut T>::new(self.get_mut()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        Pin::<&mut T>::new(self.get_mut()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        (**self).is_write_vectored()
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        Pin::<&mut T>::new(self.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        Pin::<&mut T>::new(self.get_mut()).poll_shutdown(cx)
    }
}

impl<P> AsyncWrite for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncWrite,
{
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        self.as_deref_mut().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        self.as_deref_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        (**self).is_write_vectored()
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.as_deref_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.as_deref_mut().poll_shutdown(cx)
    }
}

/// Memory is written by the standard library's `Write`, which neither blocks nor buffers there.
macro_rules! write_to_memory {
    ($($(#[$doc:meta])* $memory:ty;)+) => {$(
        $(#[$doc])*
        impl AsyncWrite for $memory {
            #[inline]
            fn poll_write(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
                buf: &[u8],
            ) -> PollIo<usize> {
                Poll::Ready(io::Write::write(self.get_mut(), buf))
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> PollIo<usize> {
                Poll::Ready(io::Write::write_vectored(self.get_mut(), bufs))
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            #[inline]
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> PollIo {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> PollIo {
                Poll::Ready(Ok(()))
            }
        }
    )+};
}

write_to_memory! {
    /// Appends to the vector.
    Vec<u8>;
    /// Overwrites from the cursor on; takes nothing once the end of the slice is reached.
    io::Cursor<&mut [u8]>;
    /// Overwrites from the cursor on and grows the vector at its end.
    io::Cursor<&mut Vec<u8>>;
    /// Overwrites from the cursor on and grows the vector at its end.
    io::Cursor<Vec<u8>>;
    /// Overwrites from the cursor on; takes nothing once the end of the slice is reached.
    io::Cursor<Box<[u8]>>;
}
