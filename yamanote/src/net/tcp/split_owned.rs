//! The halves of a TCP connection that own it together.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use crate::net::TcpStream;

/// The half of a [`TcpStream`] that reads, made by [`TcpStream::into_split`].
///
/// The socket is closed when both halves are gone.
#[derive(Debug)]
pub struct OwnedReadHalf {
    stream: Arc<TcpStream>,
}

/// The half of a [`TcpStream`] that writes, made by [`TcpStream::into_split`].
///
/// Dropping it closes the writing direction, so that the peer sees the end of the stream, unless it is
/// [forgotten](OwnedWriteHalf::forget).
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
/// use yamanote::net::{TcpStream, tcp::OwnedWriteHalf};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// async fn speak(mut write: OwnedWriteHalf) -> std::io::Result<()> {
///     write.write_all(b"good bye").await
///     // Dropped, it ends its direction; the other one goes on.
/// }
///
/// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let connecting = TcpStream::connect(listener.local_addr()?);
/// # let (client, server) = yamanote::join!(connecting, listener.accept());
/// # let (client, server) = (client?, server?.0);
/// # let mut client = client;
/// let (_read, write) = server.into_split();
/// yamanote::spawn(speak(write));
/// let mut text = String::new();
/// client.read_to_string(&mut text).await?;
/// assert_eq!(text, "good bye");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OwnedWriteHalf {
    /// Whether the drop has to close the writing direction.
    ends_stream: bool,
    stream: Arc<TcpStream>,
}

/// The error of [`reunite`](OwnedReadHalf::reunite): the halves are not of the same stream. It holds them.
///
/// # Examples
/// ```
/// use yamanote::net::TcpStream;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let connecting = TcpStream::connect(listener.local_addr()?);
/// # let (client, server) = yamanote::join!(connecting, listener.accept());
/// # let (client, server) = (client?, server?.0);
/// let (read, write) = client.into_split();
/// let (others_read, _others_write) = server.into_split();
/// // Not of the same stream: both come back in the error.
/// let error = write.reunite(others_read).unwrap_err();
/// assert!(error.1.reunite(read).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

pub(super) fn split_owned(stream: TcpStream) -> (OwnedReadHalf, OwnedWriteHalf) {
    let stream = Arc::new(stream);
    (OwnedReadHalf { stream: Arc::clone(&stream) }, OwnedWriteHalf { stream, ends_stream: true })
}

fn reunite(read: OwnedReadHalf, write: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
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
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let (read, write) = TcpStream::connect(listener.local_addr()?).await?.into_split();
    /// let stream: TcpStream = read.reunite(write).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn reunite(self, other: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        reunite(self, other)
    }

    /// As [`peek`](OwnedReadHalf::peek), for use in a `poll` function.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::io::ReadBuf;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// let (mut read, _write) = client.into_split();
    /// server.try_write(b"text")?;
    /// let mut space = [0; 2];
    /// let mut buf = ReadBuf::new(&mut space);
    /// // Looks at what fits and takes nothing.
    /// assert_eq!(poll_fn(|cx| read.poll_peek(cx, &mut buf)).await?, 2);
    /// assert_eq!(buf.filled(), b"te");
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_peek(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        self.stream.poll_peek(cx, buf)
    }

    /// Reads without taking what is read out of the socket; see [`TcpStream::peek`].
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been read.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// client.try_write(b"text")?;
    /// let (mut read, _write) = server.into_split();
    /// assert_eq!(read.peek(&mut [0; 8]).await?, 4);
    /// assert_eq!(read.try_read(&mut [0; 8])?, 4); // still there
    /// # Ok(())
    /// # }
    /// ```
    pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(buf);
        poll_fn(|cx| self.poll_peek(cx, &mut buf)).await
    }

    /// Waits for any of the readiness in `interest`; see [`TcpStream::ready`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// let (read, _write) = client.into_split();
    /// drop(server);
    /// let ready = read.ready(Interest::READABLE).await?;
    /// // Readable, but only to find the end of the stream.
    /// assert!(ready.is_readable() && ready.is_read_closed());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.stream.ready(interest).await
    }

    /// Waits until reading may make progress; see [`TcpStream::readable`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// client.try_write(b"text")?;
    /// let (read, _write) = server.into_split();
    /// read.readable().await?;
    /// assert_eq!(read.try_read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
    }

    /// Reads what there is, without waiting; see [`TcpStream::try_read`].
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// # let _client = client;
    /// let (read, _write) = server.into_split();
    /// assert_eq!(read.try_read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
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
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// let (read, _write) = client.into_split();
    /// server.try_write(&[1, 2, 3])?;
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
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// let (read, _write) = client.into_split();
    /// assert_eq!(read.peer_addr()?, server.local_addr()?);
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
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// # drop(server);
    /// let address = client.local_addr()?;
    /// let (read, _write) = client.into_split();
    /// assert_eq!(read.local_addr()?, address);
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
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// # drop(server);
    /// let (read, write) = client.into_split();
    /// let client: TcpStream = write.reunite(read)?;
    /// # drop(client);
    /// # Ok(())
    /// # }
    /// ```
    pub fn reunite(self, other: OwnedReadHalf) -> Result<TcpStream, ReuniteError> {
        reunite(other, self)
    }

    /// Drops the half without closing the writing direction.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// let (read, write) = client.into_split();
    /// write.forget(); // its direction stays open
    /// # yamanote::task::yield_now().await;
    /// assert_eq!(server.try_read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # drop(read);
    /// # Ok(())
    /// # }
    /// ```
    pub fn forget(mut self) {
        self.ends_stream = false;
    }

    /// Waits for any of the readiness in `interest`; see [`TcpStream::ready`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, _server) = (client?, server?.0);
    /// let (_read, write) = client.into_split();
    /// let ready = write.ready(Interest::WRITABLE).await?;
    /// assert!(ready.is_writable() && !ready.is_write_closed());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.stream.ready(interest).await
    }

    /// Waits until writing may make progress; see [`TcpStream::writable`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// # let _server = server;
    /// let (_read, write) = client.into_split();
    /// write.writable().await?;
    /// assert_eq!(write.try_write(b"text")?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
    }

    /// Writes what there is room for, without waiting; see [`TcpStream::try_write`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// # let _server = server;
    /// let (_read, write) = client.into_split();
    /// write.writable().await?;
    /// assert_eq!(write.try_write(b"text")?, 4);
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
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, mut server) = (client?, server?.0);
    /// let (_read, write) = client.into_split();
    /// write.writable().await?;
    /// let n = write.try_write_vectored(&[IoSlice::new(b"key="), IoSlice::new(b"value")])?;
    /// let mut buf = vec![0; n];
    /// server.read_exact(&mut buf).await?;
    /// assert_eq!(buf, b"key=value");
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
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// let (_read, write) = client.into_split();
    /// assert_eq!(write.peer_addr()?, server.local_addr()?);
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
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// let (_read, write) = client.into_split();
    /// assert_eq!(write.local_addr()?, server.peer_addr()?);
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

impl AsRef<TcpStream> for OwnedReadHalf {
    fn as_ref(&self) -> &TcpStream {
        &self.stream
    }
}

impl AsRef<TcpStream> for OwnedWriteHalf {
    fn as_ref(&self) -> &TcpStream {
        &self.stream
    }
}
