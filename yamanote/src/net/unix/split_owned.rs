//! The halves of a Unix socket connection that own it together.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use crate::net::UnixStream;
use crate::net::unix::SocketAddr;

/// The half of a [`UnixStream`] that reads, made by [`UnixStream::into_split`].
///
/// The socket is closed when both halves are gone.
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
/// use yamanote::net::UnixStream;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (one, mut other) = UnixStream::pair()?;
/// let (read, _write) = one.into_split();
/// // Reading is a task's business from now on.
/// let lines = yamanote::spawn(async move {
///     let mut lines = BufReader::new(read).lines();
///     let mut count = 0;
///     while let Ok(Some(_)) = lines.next_line().await {
///         count += 1;
///     }
///     count
/// });
/// other.write_all(b"one\ntwo\n").await?;
/// drop(other);
/// assert_eq!(lines.await?, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OwnedReadHalf {
    stream: Arc<UnixStream>,
}

/// The half of a [`UnixStream`] that writes, made by [`UnixStream::into_split`].
///
/// Dropping it closes the writing direction, so that the peer sees the end of the stream, unless it is
/// [forgotten](OwnedWriteHalf::forget).
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
/// use yamanote::net::UnixStream;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (one, mut other) = UnixStream::pair()?;
/// let (_read, mut write) = one.into_split();
/// yamanote::spawn(async move {
///     write.write_all(b"all of it").await.unwrap();
///     // Dropped here, and the other side sees the end.
/// });
/// let mut text = String::new();
/// other.read_to_string(&mut text).await?;
/// assert_eq!(text, "all of it");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OwnedWriteHalf {
    /// Whether the drop has to close the writing direction.
    ends_stream: bool,
    stream: Arc<UnixStream>,
}

/// The error of [`reunite`](OwnedReadHalf::reunite): the halves are not of the same stream. It holds them.
///
/// # Examples
/// ```
/// use yamanote::net::UnixStream;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (one, other) = UnixStream::pair()?;
/// let (read, write) = one.into_split();
/// let (others_read, _others_write) = other.into_split();
/// // Not of the same stream: both come back in the error.
/// let error = write.reunite(others_read).unwrap_err();
/// assert!(error.1.reunite(read).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

pub(super) fn split_owned(stream: UnixStream) -> (OwnedReadHalf, OwnedWriteHalf) {
    let stream = Arc::new(stream);
    (OwnedReadHalf { stream: Arc::clone(&stream) }, OwnedWriteHalf { stream, ends_stream: true })
}

fn reunite(read: OwnedReadHalf, write: OwnedWriteHalf) -> Result<UnixStream, ReuniteError> {
    if !Arc::ptr_eq(&read.stream, &write.stream) {
        return Err(ReuniteError(read, write));
    }
    write.forget();
    // Only two halves are ever made of a stream, and the other is gone.
    Ok(Arc::into_inner(read.stream).expect("the last half owns the stream"))
}

impl fmt::Display for ReuniteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the halves do not belong to the same socket")
    }
}

impl Error for ReuniteError {}

impl OwnedReadHalf {
    /// Puts the halves together again.
    ///
    /// # Errors
    /// With both halves when they are not of the same stream.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::UnixStream;
    ///
    /// let (read, write) = UnixStream::pair()?.0.into_split();
    /// let stream: UnixStream = read.reunite(write).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn reunite(self, other: OwnedWriteHalf) -> Result<UnixStream, ReuniteError> {
        reunite(self, other)
    }

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
    /// let (one, other) = UnixStream::pair()?;
    /// let (read, _write) = one.into_split();
    /// other.try_write(b"text")?;
    /// let ready = read.ready(Interest::READABLE).await?;
    /// assert!(ready.is_readable() && !ready.is_read_closed());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.stream.ready(interest).await
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
    /// let (one, other) = UnixStream::pair()?;
    /// let (read, _write) = one.into_split();
    /// other.try_write(b"text")?;
    /// read.readable().await?;
    /// assert_eq!(read.try_read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
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
    /// let (one, other) = UnixStream::pair()?;
    /// let (read, _write) = one.into_split();
    /// let mut buf = [0; 8];
    /// assert_eq!(read.try_read(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// drop(other);
    /// read.readable().await?;
    /// assert_eq!(read.try_read(&mut buf)?, 0); // the end of the stream
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(buf)
    }

    /// As [`try_read`](OwnedReadHalf::try_read), into several buffers.
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
    /// let (one, other) = UnixStream::pair()?;
    /// let (read, _write) = one.into_split();
    /// other.try_write(&[1, 2, 3])?;
    /// read.readable().await?;
    /// let (mut first, mut rest) = ([0; 1], [0; 8]);
    /// let n = read.try_read_vectored(&mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut rest)])?;
    /// assert_eq!((n, first, rest[0]), (3, [1], 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.stream.try_read_vectored(bufs)
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
    /// let (read, _write) = UnixStream::connect(&path).await?.into_split();
    /// assert_eq!(read.peer_addr()?.as_pathname(), Some(&*path));
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    /// The address of this end.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixStream::pair()?;
    /// let (read, _write) = one.into_split();
    /// assert!(read.local_addr()?.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }
}

impl OwnedWriteHalf {
    /// Puts the halves together again.
    ///
    /// # Errors
    /// With both halves when they are not of the same stream.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// let (read, write) = one.into_split();
    /// let one = write.reunite(read)?;
    /// one.try_write(b"text")?;
    /// # drop(other);
    /// # Ok(())
    /// # }
    /// ```
    pub fn reunite(self, other: OwnedReadHalf) -> Result<UnixStream, ReuniteError> {
        reunite(other, self)
    }

    /// Drops the half without closing the writing direction.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// let (_read, write) = one.into_split();
    /// write.forget();
    /// // There is nothing, but it is not the end of the stream.
    /// assert_eq!(other.try_read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn forget(mut self) {
        self.ends_stream = false;
    }

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
    /// let (one, _other) = UnixStream::pair()?;
    /// let (_read, write) = one.into_split();
    /// let ready = write.ready(Interest::WRITABLE).await?;
    /// assert!(ready.is_writable() && !ready.is_write_closed());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.stream.ready(interest).await
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
    /// let (one, other) = UnixStream::pair()?;
    /// let (_read, write) = one.into_split();
    /// while write.try_write(&[0; 4096]).is_ok() {} // until it is full
    /// other.readable().await?;
    /// while other.try_read(&mut [0; 4096]).is_ok() {} // and empty again
    /// write.writable().await?;
    /// assert!(write.try_write(b"text").is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
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
    /// let (one, other) = UnixStream::pair()?;
    /// let (_read, write) = one.into_split();
    /// write.writable().await?;
    /// assert_eq!(write.try_write(b"text")?, 4);
    /// drop(other);
    /// assert_eq!(write.try_write(b"text").unwrap_err().kind(), ErrorKind::BrokenPipe);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.stream.try_write(buf)
    }

    /// As [`try_write`](OwnedWriteHalf::try_write), from several buffers.
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
    /// let (one, other) = UnixStream::pair()?;
    /// let (_read, write) = one.into_split();
    /// write.writable().await?;
    /// let n = write.try_write_vectored(&[IoSlice::new(b"key="), IoSlice::new(b"value")])?;
    /// other.readable().await?;
    /// assert_eq!(other.try_read(&mut [0; 16])?, n);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream.try_write_vectored(bufs)
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
    /// let (_read, write) = UnixStream::connect(&path).await?.into_split();
    /// assert_eq!(write.peer_addr()?.as_pathname(), Some(&*path));
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    /// The address of this end.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixStream::pair()?;
    /// let (_read, write) = one.into_split();
    /// assert!(write.local_addr()?.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.ends_stream {
            // Nobody is left to tell of an error.
            let _ = self.stream.shutdown_std(Shutdown::Write);
        }
    }
}

impl AsyncRead for OwnedReadHalf {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.poll_read_priv(cx, buf)
    }
}

impl AsyncWrite for OwnedWriteHalf {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_write_priv(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_write_vectored_priv(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: there is no buffer.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = self.stream.shutdown_std(Shutdown::Write);
        if result.is_ok() {
            // Done; the drop need not repeat it.
            self.ends_stream = false;
        }
        Poll::Ready(result)
    }
}

impl AsRef<UnixStream> for OwnedReadHalf {
    fn as_ref(&self) -> &UnixStream {
        &self.stream
    }
}

impl AsRef<UnixStream> for OwnedWriteHalf {
    fn as_ref(&self) -> &UnixStream {
        &self.stream
    }
}
