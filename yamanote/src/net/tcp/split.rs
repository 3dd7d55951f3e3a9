//! The halves of a TCP connection that borrow it.

use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use crate::net::TcpStream;

/// The half of a [`TcpStream`] that reads, borrowed by [`TcpStream::split`].
///
/// # Examples
/// ```
/// use yamanote::io::AsyncReadExt;
/// use yamanote::net::{TcpStream, tcp::ReadHalf};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// async fn hear(mut read: ReadHalf<'_>) -> std::io::Result<u8> {
///     read.read_u8().await
/// }
///
/// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let connecting = TcpStream::connect(listener.local_addr()?);
/// # let (client, server) = yamanote::join!(connecting, listener.accept());
/// # let (client, server) = (client?, server?.0);
/// # let mut server = server;
/// client.try_write(b"x")?;
/// let (read, _write) = server.split();
/// assert_eq!(hear(read).await?, b'x');
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ReadHalf<'a>(&'a TcpStream);

/// The half of a [`TcpStream`] that writes, borrowed by [`TcpStream::split`].
///
/// Dropping it changes nothing;
/// [`shutdown`](crate::io::AsyncWriteExt::shutdown) closes the writing direction.
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
/// use yamanote::net::{TcpStream, tcp::WriteHalf};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// async fn speak(mut write: WriteHalf<'_>) -> std::io::Result<()> {
///     write.write_u8(b'x').await
/// }
///
/// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let connecting = TcpStream::connect(listener.local_addr()?);
/// # let (client, server) = yamanote::join!(connecting, listener.accept());
/// # let (client, server) = (client?, server?.0);
/// # let (mut client, mut server) = (client, server);
/// speak(server.split().1).await?;
/// assert_eq!(client.read_u8().await?, b'x');
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WriteHalf<'a>(&'a TcpStream);

pub(super) fn split(stream: &mut TcpStream) -> (ReadHalf<'_>, WriteHalf<'_>) {
    (ReadHalf(stream), WriteHalf(stream))
}

impl ReadHalf<'_> {
    /// As [`peek`](ReadHalf::peek), for use in a `poll` function.
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
    /// # let (mut client, server) = (client?, server?.0);
    /// server.try_write(b"text")?;
    /// let (mut read, _write) = client.split();
    /// let mut space = [0; 8];
    /// let mut buf = ReadBuf::new(&mut space);
    /// let n = poll_fn(|cx| read.poll_peek(cx, &mut buf)).await?;
    /// assert_eq!(n, 4);
    /// assert_eq!(buf.filled(), b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_peek(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        self.0.poll_peek(cx, buf)
    }

    /// Reads without taking what is read out of the socket; see [`TcpStream::peek`].
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been read.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, server) = (client?, server?.0);
    /// server.try_write(b"text")?;
    /// let (mut read, _write) = client.split();
    /// let mut first = [0];
    /// read.peek(&mut first).await?;
    /// assert_eq!(first, *b"t");
    /// // It is still there.
    /// let mut all = [0; 4];
    /// read.read_exact(&mut all).await?;
    /// assert_eq!(all, *b"text");
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
    /// # let (mut client, server) = (client?, server?.0);
    /// let (read, _write) = client.split();
    /// server.try_write(b"text")?;
    /// let ready = read.ready(Interest::READABLE).await?;
    /// assert!(ready.is_readable());
    /// assert!(!ready.is_read_closed());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.0.ready(interest).await
    }

    /// Waits until reading may make progress; see [`TcpStream::readable`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, server) = (client?, server?.0);
    /// let (read, _write) = client.split();
    /// server.try_write(b"text")?;
    /// read.readable().await?;
    /// let mut buf = [0; 8];
    /// assert_eq!(read.try_read(&mut buf)?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.0.readable().await
    }

    /// Reads what there is, without waiting; see [`TcpStream::try_read`].
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, server) = (client?, server?.0);
    /// let (read, _write) = client.split();
    /// let mut buf = [0; 8];
    /// assert_eq!(read.try_read(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// drop(server);
    /// read.readable().await?;
    /// assert_eq!(read.try_read(&mut buf)?, 0); // the end of the stream
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
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, server) = (client?, server?.0);
    /// server.try_write(b"head body")?;
    /// let (read, _write) = client.split();
    /// read.readable().await?;
    /// let (mut head, mut rest) = ([0; 5], [0; 16]);
    /// let n = read.try_read_vectored(&mut [IoSliceMut::new(&mut head), IoSliceMut::new(&mut rest)])?;
    /// assert_eq!((&head, &rest[..n - 5]), (b"head ", &b"body"[..]));
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
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, server) = (client?, server?.0);
    /// let (read, _write) = client.split();
    /// assert_eq!(read.peer_addr()?, server.local_addr()?);
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
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, server) = (client?, server?.0);
    /// let (read, _write) = client.split();
    /// assert_eq!(read.local_addr()?, server.peer_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl WriteHalf<'_> {
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
    /// # let (mut client, _server) = (client?, server?.0);
    /// let (_read, write) = client.split();
    /// // A new connection has room.
    /// assert!(write.ready(Interest::WRITABLE).await?.is_writable());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.0.ready(interest).await
    }

    /// Waits until writing may make progress; see [`TcpStream::writable`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, _server) = (client?, server?.0);
    /// let (_read, write) = client.split();
    /// let mut sent = 0;
    /// // Until the buffers on both sides are full.
    /// while let Ok(n) = write.try_write(&[0; 1 << 16]) {
    ///     sent += n;
    ///     if sent > 1 << 20 {
    ///         break;
    ///     }
    ///     write.writable().await?;
    /// }
    /// assert!(sent > 1 << 16);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.0.writable().await
    }

    /// Writes what there is room for, without waiting; see [`TcpStream::try_write`].
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, mut server) = (client?, server?.0);
    /// let (_read, write) = client.split();
    /// write.writable().await?;
    /// let n = write.try_write(b"text")?;
    /// let mut buf = [0; 8];
    /// assert_eq!(server.read(&mut buf).await?, n);
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
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, mut server) = (client?, server?.0);
    /// let (_read, write) = client.split();
    /// write.writable().await?;
    /// // One system call, and one packet with luck.
    /// let n = write.try_write_vectored(&[IoSlice::new(b"head "), IoSlice::new(b"body")])?;
    /// let mut buf = vec![0; n];
    /// server.read_exact(&mut buf).await?;
    /// assert_eq!(buf, b"head body");
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
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, server) = (client?, server?.0);
    /// let (_read, write) = client.split();
    /// assert_eq!(write.peer_addr()?, server.local_addr()?);
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
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, server) = (client?, server?.0);
    /// let (read, write) = client.split();
    /// assert_eq!(write.local_addr()?, read.local_addr()?);
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

impl AsRef<TcpStream> for ReadHalf<'_> {
    fn as_ref(&self) -> &TcpStream {
        self.0
    }
}

impl AsRef<TcpStream> for WriteHalf<'_> {
    fn as_ref(&self) -> &TcpStream {
        self.0
    }
}
