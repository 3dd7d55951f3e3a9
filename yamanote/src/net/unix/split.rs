//! The halves of a Unix socket connection that borrow it.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use crate::net::UnixStream;
use crate::net::unix::SocketAddr;

/// The half of a [`UnixStream`] that reads, borrowed by [`UnixStream::split`].
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
/// use yamanote::net::UnixStream;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut one, mut other) = UnixStream::pair()?;
/// other.write_all(b"question").await?;
/// let (mut read, mut write) = one.split();
/// let mut question = [0; 8];
/// read.read_exact(&mut question).await?;
/// write.write_all(b"answer").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ReadHalf<'a>(&'a UnixStream);

/// The half of a [`UnixStream`] that writes, borrowed by [`UnixStream::split`].
///
/// Dropping it changes nothing;
/// [`shutdown`](crate::io::AsyncWriteExt::shutdown) closes the writing direction.
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
/// use yamanote::net::UnixStream;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut one, mut other) = UnixStream::pair()?;
/// let (_read, mut write) = one.split();
/// write.write_all(b"all of it").await?;
/// write.shutdown().await?;
/// let mut text = String::new();
/// other.read_to_string(&mut text).await?;
/// assert_eq!(text, "all of it");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WriteHalf<'a>(&'a UnixStream);

pub(super) fn split(stream: &mut UnixStream) -> (ReadHalf<'_>, WriteHalf<'_>) {
    (ReadHalf(stream), WriteHalf(stream))
}

impl ReadHalf<'_> {
    /// Waits for any of the readiness in `interest`; see [`UnixStream::ready`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, other) = UnixStream::pair()?;
    /// drop(other);
    /// let (read, _write) = one.split();
    /// assert!(read.ready(Interest::READABLE).await?.is_read_closed());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.0.ready(interest).await
    }

    /// Waits until reading may make progress; see [`UnixStream::readable`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, other) = UnixStream::pair()?;
    /// other.try_write(b"text")?;
    /// let (read, _write) = one.split();
    /// read.readable().await?;
    /// assert_eq!(read.try_read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.0.readable().await
    }

    /// Reads what there is, without waiting; see [`UnixStream::try_read`].
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, _other) = UnixStream::pair()?;
    /// let (read, _write) = one.split();
    /// assert_eq!(read.try_read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buf)
    }

    /// As [`try_read`](ReadHalf::try_read), into several buffers.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// use std::io::IoSliceMut;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, other) = UnixStream::pair()?;
    /// other.try_write(b"key=value")?;
    /// let (read, _write) = one.split();
    /// read.readable().await?;
    /// let (mut key, mut value) = ([0; 4], [0; 5]);
    /// read.try_read_vectored(&mut [IoSliceMut::new(&mut key), IoSliceMut::new(&mut value)])?;
    /// assert_eq!((&key, &value), (b"key=", b"value"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.try_read_vectored(bufs)
    }

    /// The address of the other end.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, _other) = UnixStream::pair()?;
    /// let (read, _write) = one.split();
    /// assert!(read.peer_addr()?.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The address of this end.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, _other) = UnixStream::pair()?;
    /// let (read, _write) = one.split();
    /// assert!(read.local_addr()?.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl WriteHalf<'_> {
    /// Waits for any of the readiness in `interest`; see [`UnixStream::ready`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, _other) = UnixStream::pair()?;
    /// let (_read, write) = one.split();
    /// assert!(write.ready(Interest::WRITABLE).await?.is_writable());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.0.ready(interest).await
    }

    /// Waits until writing may make progress; see [`UnixStream::writable`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, _other) = UnixStream::pair()?;
    /// let (_read, write) = one.split();
    /// write.writable().await?;
    /// assert_eq!(write.try_write(b"text")?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.0.writable().await
    }

    /// Writes what there is room for, without waiting; see [`UnixStream::try_write`].
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, _other) = UnixStream::pair()?;
    /// let (_read, write) = one.split();
    /// write.writable().await?;
    /// while write.try_write(&[0; 4096]).is_ok() {}
    /// // Full, since nobody reads.
    /// assert_eq!(write.try_write(b"more").unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.try_write(buf)
    }

    /// As [`try_write`](WriteHalf::try_write), from several buffers.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room.
    ///
    /// # Examples
    /// ```
    /// use std::io::IoSlice;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, other) = UnixStream::pair()?;
    /// let (_read, write) = one.split();
    /// write.writable().await?;
    /// let n = write.try_write_vectored(&[IoSlice::new(b"key="), IoSlice::new(b"value")])?;
    /// other.readable().await?;
    /// assert_eq!(other.try_read(&mut [0; 16])?, n);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(bufs)
    }

    /// The address of the other end.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::{UnixListener, UnixStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("socket");
    /// let _listener = UnixListener::bind(&path)?;
    /// let mut client = UnixStream::connect(&path).await?;
    /// let (_read, write) = client.split();
    /// assert_eq!(write.peer_addr()?.as_pathname(), Some(&*path));
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The address of this end.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, _other) = UnixStream::pair()?;
    /// let (_read, write) = one.split();
    /// assert!(write.local_addr()?.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl AsyncRead for ReadHalf<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_read_priv(cx, buf)
    }
}

impl AsyncWrite for WriteHalf<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write_priv(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write_vectored_priv(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: there is no buffer.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shutdown_std(Shutdown::Write))
    }
}

impl AsRef<UnixStream> for ReadHalf<'_> {
    fn as_ref(&self) -> &UnixStream {
        self.0
    }
}

impl AsRef<UnixStream> for WriteHalf<'_> {
    fn as_ref(&self) -> &UnixStream {
        self.0
    }
}
