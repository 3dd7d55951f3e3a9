//! Moving around in a stream of bytes: the [`AsyncSeek`] trait and its implementations for pointers and
//! for memory.

use crate::io::PollIo;
use std::io::{self, SeekFrom};
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Changes the position in a stream of bytes without blocking the thread.
///
/// The counterpart of [`std::io::Seek`] for tasks, in two steps: [`start_seek`](Self::start_seek) submits
/// the request, [`poll_complete`](Self::poll_complete) waits for it.
///
/// Methods that can be awaited are in the extension trait `AsyncSeekExt`.
///
/// # Examples
/// ```
/// use std::io::{self, SeekFrom};
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
/// use yamanote::io::{AsyncSeek, AsyncSeekExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// Knows where it is, and nothing else.
/// struct Position(u64);
///
/// impl AsyncSeek for Position {
///     fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
///         let SeekFrom::Start(position) = position else {
///             return Err(io::ErrorKind::Unsupported.into());
///         };
///         self.0 = position;
///         Ok(())
///     }
///
///     fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
///         Poll::Ready(Ok(self.0))
///     }
/// }
///
/// let mut stream = Position(0);
/// assert_eq!(stream.seek(SeekFrom::Start(7)).await?, 7);
/// assert!(stream.seek(SeekFrom::End(0)).await.is_err());
/// # Ok(())
/// # }
/// ```
pub trait AsyncSeek {
    /// Submits a seek to `position`, which may lie behind the end of the stream but not before its
    /// start.
    ///
    /// Returning `Ok(())` means that the request was accepted, not that it succeeded: that is for
    /// [`poll_complete`](Self::poll_complete) to tell, and until it has, no other operation should be
    /// tried.
    ///
    /// # Errors
    /// When the position is invalid, or when another operation is still under way: wait for it with
    /// `poll_complete` first.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::io::{Cursor, SeekFrom};
    /// use std::pin::Pin;
    /// use yamanote::io::AsyncSeek;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut text = Cursor::new(b"some text");
    /// Pin::new(&mut text).start_seek(SeekFrom::End(-4))?;
    /// assert_eq!(poll_fn(|cx| Pin::new(&mut text).poll_complete(cx)).await?, 5);
    /// // Before the start:
    /// assert!(Pin::new(&mut text).start_seek(SeekFrom::Current(-6)).is_err());
    /// # Ok(())
    /// # }
    /// ```
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()>;

    /// Waits for the submitted seek and tells the position, counted from the start of the stream.
    ///
    /// Without a submitted seek the answer need not be meaningful; implementations tell the current position
    /// where they know it.
    ///
    /// # Errors
    /// When the seek failed; the position is then unspecified.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::io::SeekFrom;
    /// use std::pin::Pin;
    /// use yamanote::fs::File;
    /// use yamanote::io::AsyncSeek;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = tempfile::NamedTempFile::new()?;
    /// # let path = file.path();
    /// std::fs::write(path, "some text")?;
    /// let mut file = File::open(path).await?;
    /// Pin::new(&mut file).start_seek(SeekFrom::End(0))?;
    /// let len = poll_fn(|cx| Pin::new(&mut file).poll_complete(cx)).await?;
    /// assert_eq!(len, 9);
    /// # Ok(())
    /// # }
    /// ```
    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>>;
}

impl<T: ?Sized + AsyncSeek + Unpin> AsyncSeek for Box<T> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::<&mut T>::new(self.get_mut()).start_seek(position)
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        Pin::<&mut T>::new(self.get_mut()).poll_complete(cx)
    }
}

impl<T: ?Sized + AsyncSeek + Unpin> AsyncSeek for &mut T {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::<&mut T>::new(self.get_mut()).start_seek(position)
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        Pin::<&mut T>::new(self.get_mut()).poll_complete(cx)
    }
}

impl<P> AsyncSeek for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncSeek,
{
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        self.as_deref_mut().start_seek(position)
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        self.as_deref_mut().poll_complete(cx)
    }
}

impl<T: AsRef<[u8]> + Unpin> AsyncSeek for io::Cursor<T> {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        io::Seek::seek(&mut *self, position).map(drop)
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> PollIo<u64> {
        Poll::Ready(Ok(self.position()))
    }
}
