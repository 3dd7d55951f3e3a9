//! A TCP connection.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;

use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use crate::net::addr::{ToSocketAddrs, no_address, to_socket_addrs};
use crate::net::tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use crate::sys::poll::TCP_STREAM;

/// A TCP connection between a local and a remote socket.
///
/// Made by [`connect`](TcpStream::connect), or accepted by a [`TcpListener`](crate::net::TcpListener). Read
/// and write through [`AsyncReadExt`](crate::io::AsyncReadExt) and
/// [`AsyncWriteExt`](crate::io::AsyncWriteExt), or by waiting for readiness and trying.
///
/// Dropping it closes the connection; what has been written is still sent.
/// [`AsyncWriteExt::shutdown`](crate::io::AsyncWriteExt::shutdown) closes the writing direction only.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
/// use yamanote::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let mut client = TcpStream::connect(listener.local_addr()?).await?;
/// let (mut server, _) = listener.accept().await?;
///
/// client.write_all(b"hello").await?;
/// drop(client);
/// let mut text = String::new();
/// server.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// ```
pub struct TcpStream {
    pub(in crate::net) io: PollEvented<mio::net::TcpStream>,
}

impl TcpStream {
    /// Opens a connection. Of several addresses, the first that can be connected to is taken.
    ///
    /// To set options before connecting, use a [`TcpSocket`](crate::net::TcpSocket).
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When no address was found or none could be connected to; then the last one's error.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let stream = TcpStream::connect(("localhost", listener.local_addr()?.port())).await?;
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        let mut last = None;
        for addr in to_socket_addrs(addr).await? {
            let attempt = match mio::net::TcpStream::connect(addr) {
                Ok(socket) => TcpStream::connected(socket).await,
                Err(error) => Err(error),
            };
            match attempt {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    /// Waits until a connection in progress has come about or failed.
    pub(crate) async fn connected(socket: mio::net::TcpStream) -> io::Result<TcpStream> {
        let stream = TcpStream { io: PollEvented::connecting(socket, TCP_STREAM)? };
        // A socket that failed to connect is reported writable, too.
        stream.io.registration().ready(Interest::WRITABLE).await?;
        match stream.io.take_error()? {
            Some(error) => Err(error),
            None => Ok(stream),
        }
    }

    /// A connection that comes from `accept`: it has room to write, and its peer, who has been waiting, may
    /// well have sent something, so reading is worth a try.
    #[track_caller]
    pub(crate) fn accepted(socket: mio::net::TcpStream) -> io::Result<TcpStream> {
        let io = PollEvented::assumed(socket, TCP_STREAM, Ready::READABLE | Ready::WRITABLE)?;
        Ok(TcpStream { io })
    }

    /// Takes over a connection of the standard library's.
    ///
    /// It has to be in non-blocking mode already; otherwise the thread will block.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::TcpStream;
    ///
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// stream.set_nonblocking(true)?;
    /// let stream = TcpStream::from_std(stream)?;
    /// stream.writable().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        Ok(TcpStream {
            io: PollEvented::with_interest(mio::net::TcpStream::from_std(stream), TCP_STREAM)?,
        })
    }

    /// Hands the connection to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    /// When it cannot be taken from the runtime.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let stream = TcpStream::connect(listener.local_addr()?).await?;
    /// let stream: std::net::TcpStream = stream.into_std()?;
    /// stream.set_nonblocking(false)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        self.io.into_inner().map(Into::into)
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
    /// assert_eq!(client.local_addr()?, server.peer_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
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
    /// assert_eq!(client.peer_addr()?, server.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr()
    }

    /// Takes the socket's pending error (`SO_ERROR`).
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
    /// assert!(client.take_error()?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.take_error()
    }

    /// As [`peek`](TcpStream::peek), for use in a `poll` function. Returns how many bytes were put into
    /// `buf`. Only the last caller of this and the reading `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::io::{AsyncWriteExt, ReadBuf};
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// # let mut client = client;
    /// client.write_all(b"x").await?;
    /// let mut space = [0; 8];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// let n = poll_fn(|cx| server.poll_peek(cx, &mut buffer)).await?;
    /// assert_eq!((n, buffer.filled()), (1, &b"x"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let before = buf.filled().len();
        // SAFETY: `peek` initialises the bytes it reports.
        ready!(unsafe {
            self.io.poll_read(cx, buf, false, |io, buf| io.try_io(|| SockRef::from(io).peek(buf)))
        })?;
        Poll::Ready(Ok(buf.filled().len() - before))
    }

    /// Waits for any of the readiness in `interest` and tells what there is of it.
    ///
    /// Meant to be followed by a `try_` method, which may still find nothing: then wait again.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped: the readiness is reported again until a `try_` method
    /// has found it wrong.
    ///
    /// # Errors
    /// When the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::io::Interest;
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let ready = client.ready(Interest::READABLE | Interest::WRITABLE).await?;
    /// assert!(ready.is_writable());
    /// client.try_write(b"hello")?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.io.registration().ready(interest).await?.ready)
    }

    /// Waits until reading may make progress: `ready(Interest::READABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](TcpStream::ready).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use std::io::ErrorKind;
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (server, _) = listener.accept().await?;
    /// client.try_write(b"hello")?;
    /// let mut buf = [0; 16];
    /// let n = loop {
    ///     server.readable().await?;
    ///     match server.try_read(&mut buf) {
    ///         Err(error) if error.kind() == ErrorKind::WouldBlock => {}
    ///         result => break result?,
    ///     }
    /// };
    /// assert_eq!(&buf[..n], b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// As [`readable`](TcpStream::readable), for use in a `poll` function. Only the last caller of this and
    /// the reading `poll` functions is woken.
    ///
    /// # Errors
    /// When the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::io::AsyncWriteExt;
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// # let mut client = client;
    /// client.write_all(b"x").await?;
    /// poll_fn(|cx| server.poll_read_ready(cx)).await?;
    /// assert_eq!(server.try_read(&mut [0; 8])?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.registration().poll_ready(cx, Direction::Read).map_ok(drop)
    }

    /// Reads what there is, without waiting. `Ok(0)` is the end of the stream, or an empty buffer.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; see
    /// [`readable`](TcpStream::readable).
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
    /// let mut buffer = [0; 8];
    /// assert_eq!(server.try_read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// client.try_write(b"text")?;
    /// let n = loop {
    ///     server.readable().await?;
    ///     match server.try_read(&mut buffer) {
    ///         // Readiness may be a false alarm.
    ///         Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
    ///         result => break result?,
    ///     }
    /// };
    /// assert_eq!(&buffer[..n], b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || (&*self.io).read(buf))
    }

    /// As [`try_read`](TcpStream::try_read), into several buffers, filled one after another.
    ///
    /// # Examples
    /// ```
    /// use std::io::IoSliceMut;
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// client.try_write(b"headbody")?;
    /// server.readable().await?;
    /// let (mut head, mut body) = ([0; 4], [0; 4]);
    /// let n = server.try_read_vectored(&mut [IoSliceMut::new(&mut head), IoSliceMut::new(&mut body)])?;
    /// assert_eq!((n, &head, &body), (8, b"head", b"body"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || (&*self.io).read_vectored(bufs))
    }

    /// Waits until writing may make progress: `ready(Interest::WRITABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](TcpStream::ready).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// client.writable().await?;
    /// assert_eq!(client.try_write(b"hello")?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// As [`writable`](TcpStream::writable), for use in a `poll` function. Only the last caller of this and
    /// the writing `poll` functions is woken.
    ///
    /// # Errors
    /// When the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// poll_fn(|cx| client.poll_write_ready(cx)).await?;
    /// assert_eq!(client.try_write(b"x")?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.registration().poll_ready(cx, Direction::Write).map_ok(drop)
    }

    /// Writes what there is room for, without waiting.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; see
    /// [`writable`](TcpStream::writable).
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// # let mut server = server;
    /// client.writable().await?;
    /// assert_eq!(client.try_write(b"text")?, 4); // as much as there was room for
    /// let mut text = [0; 4];
    /// server.read_exact(&mut text).await?;
    /// assert_eq!(&text, b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::WRITABLE, || (&*self.io).write(buf))
    }

    /// As [`try_write`](TcpStream::try_write), from several buffers, one after another.
    ///
    /// # Examples
    /// ```
    /// use std::io::IoSlice;
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// client.writable().await?;
    /// assert_eq!(client.try_write_vectored(&[IoSlice::new(b"head"), IoSlice::new(b"body")])?, 8);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::WRITABLE, || (&*self.io).write_vectored(bufs))
    }

    /// Runs an operation of your own on the socket, unless it is known that it would block.
    ///
    /// When `f` answers [`WouldBlock`](io::ErrorKind::WouldBlock), the readiness in `interest` is cleared.
    /// So `f` must return it only if the socket itself did, and must not use methods of this type, which
    /// keep track of readiness on their own.
    ///
    /// # Errors
    /// Those of `f`, and `WouldBlock` without a call of it.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::io::Interest;
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// // Never called before the socket was found ready; what it says clears the readiness again.
    /// let result = client.try_io(Interest::WRITABLE, || -> std::io::Result<()> {
    ///     Err(ErrorKind::WouldBlock.into())
    /// });
    /// assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io<R>(&self, interest: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.registration().try_io_raw(interest, || self.io.try_io(f))
    }

    /// Runs an operation of your own on the socket until it does anything but block, waiting for readiness
    /// in between.
    ///
    /// The conditions of [`try_io`](TcpStream::try_io) hold. `f` may be called several times.
    ///
    /// # Errors
    /// Those of `f`, and one when the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// // Called again and again, until it does not say `WouldBlock`.
    /// let n = client.async_io(Interest::WRITABLE, || client.try_write(b"x")).await?;
    /// assert_eq!(n, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        self.io.registration().async_io_raw(interest, || self.io.try_io(&mut f)).await
    }

    /// Reads without taking what is read out of the socket: the next read gets it again. Waits if there is
    /// nothing.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been read.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::io::AsyncReadExt;
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut server, _) = listener.accept().await?;
    /// client.try_write(b"hello")?;
    /// let (mut seen, mut read) = ([0; 5], [0; 5]);
    /// let n = server.peek(&mut seen).await?;
    /// server.read_exact(&mut read).await?;
    /// assert_eq!(seen[..n], read[..n]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.registration().async_io(Interest::READABLE, || self.io.peek(buf)).await
    }

    /// Closes the reading, the writing or both directions.
    pub(super) fn shutdown_std(&self, how: Shutdown) -> io::Result<()> {
        match self.io.shutdown(how) {
            // The peer was faster, or this is the second time: the direction is closed.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    /// Whether small writes are sent at once (`TCP_NODELAY`).
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
    /// client.set_nodelay(true)?;
    /// assert!(client.nodelay()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn nodelay(&self) -> io::Result<bool> {
        self.io.nodelay()
    }

    /// Sets whether small writes are sent at once (`TCP_NODELAY`), or may be held back until more comes or
    /// earlier ones are acknowledged.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// client.set_nodelay(true)?;
    /// assert!(client.nodelay()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.io.set_nodelay(nodelay)
    }

    /// How long closing the socket lingers over unsent data (`SO_LINGER`).
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
    /// assert_eq!(client.linger()?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        SockRef::from(&*self.io).linger()
    }

    /// Sets how long closing the socket lingers over unsent data (`SO_LINGER`).
    ///
    /// Deprecated because closing, also by a drop, then *blocks the thread* for up to that time. For
    /// [`Duration::ZERO`], which closes at once and resets the connection, there is
    /// [`set_zero_linger`](TcpStream::set_zero_linger).
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, _server) = (client?, server?.0);
    /// #[allow(deprecated)]
    /// client.set_linger(Some(Duration::from_secs(1)))?;
    /// assert_eq!(client.linger()?, Some(Duration::from_secs(1)));
    /// # Ok(())
    /// # }
    /// ```
    #[deprecated = "closing a socket with a linger time blocks the thread; see `set_zero_linger`"]
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        SockRef::from(&*self.io).set_linger(linger)
    }

    /// Makes closing the socket throw unsent data away and reset the connection (`SO_LINGER` of zero).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use std::time::Duration;
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// client.set_zero_linger()?;
    /// assert_eq!(client.linger()?, Some(Duration::ZERO));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_zero_linger(&self) -> io::Result<()> {
        SockRef::from(&*self.io).set_linger(Some(Duration::ZERO))
    }

    /// The time-to-live of packets sent (`IP_TTL`).
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
    /// client.set_ttl(10)?;
    /// assert_eq!(client.ttl()?, 10);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ttl(&self) -> io::Result<u32> {
        self.io.ttl()
    }

    /// Sets the time-to-live of packets sent (`IP_TTL`).
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
    /// client.set_ttl(10)?;
    /// assert_eq!(client.ttl()?, 10);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.io.set_ttl(ttl)
    }

    /// Splits into a half to read from and one to write to that borrow the stream, at no cost.
    ///
    /// For halves that go to different tasks there is [`into_split`](TcpStream::into_split).
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
    /// use yamanote::net::TcpStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// # let (mut client, mut server) = (client, server);
    /// # client.write_all(b"question").await?;
    /// let (mut read, mut write) = server.split();
    /// let mut question = [0; 8];
    /// // Both at once, in the same task.
    /// yamanote::try_join!(read.read_exact(&mut question), write.write_all(b"answer"))?;
    /// assert_eq!(&question, b"question");
    /// # Ok(())
    /// # }
    /// ```
    pub fn split<'a>(&'a mut self) -> (ReadHalf<'a>, WriteHalf<'a>) {
        super::split::split(self)
    }

    /// Splits into a half to read from and one to write to that own the stream together. Dropping the
    /// writing half closes the writing direction.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (server, _) = listener.accept().await?;
    /// // An echo server.
    /// let (mut read, mut write) = server.into_split();
    /// yamanote::spawn(async move { yamanote::io::copy(&mut read, &mut write).await });
    ///
    /// let (mut read, mut write) = client.into_split();
    /// write.write_all(b"hello").await?;
    /// drop(write);
    /// let mut text = String::new();
    /// read.read_to_string(&mut text).await?;
    /// assert_eq!(text, "hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        super::split_owned::split_owned(self)
    }

    // What the traits' methods do; they want a unique reference that the halves do not have.

    pub(crate) fn poll_read_priv(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Of a stream that has urgent bytes in it a read may get less than there is; `poll_read` knows.
        // SAFETY: `recv` initialises the bytes it reports.
        unsafe { self.io.poll_read(cx, buf, true, |io, buf| io.try_io(|| SockRef::from(io).recv(buf))) }
    }

    pub(super) fn poll_write_priv(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.poll_write(cx, buf)
    }

    pub(super) fn poll_write_vectored_priv(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.poll_write_vectored(cx, bufs)
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_read_priv(cx, buf)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_priv(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored_priv(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: there is no buffer.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown_std(Shutdown::Write))
    }
}

impl TryFrom<std::net::TcpStream> for TcpStream {
    type Error = io::Error;

    /// The same as [`TcpStream::from_std`].
    fn try_from(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::from_std(stream)
    }
}

impl AsRef<TcpStream> for TcpStream {
    fn as_ref(&self) -> &TcpStream {
        self
    }
}

impl std::fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (*self.io).fmt(f)
    }
}
