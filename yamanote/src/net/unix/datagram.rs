//! A Unix socket for datagrams.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::path::Path;
use std::task::{Context, Poll, ready};

use socket2::SockRef;

use crate::engine::io::poll_evented::{BOTH, PollEvented};
use crate::engine::io::source::Direction;
use crate::io::{Interest, ReadBuf, Ready};
use crate::net::unix::SocketAddr;
use crate::sys;

/// A Unix socket for datagrams.
///
/// Either *connected* to one peer, to use [`send`](UnixDatagram::send) and [`recv`](UnixDatagram::recv), or
/// open to all, to use [`send_to`](UnixDatagram::send_to) and [`recv_from`](UnixDatagram::recv_from). All
/// methods take a shared reference: to use one socket from several tasks, put it into an
/// [`Arc`](std::sync::Arc).
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::net::UnixDatagram;
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("socket");
/// let server = UnixDatagram::bind(&path)?;
/// let client = UnixDatagram::unbound()?;
/// client.send_to(b"hello", &path).await?;
///
/// let mut buf = [0; 64];
/// let (n, from) = server.recv_from(&mut buf).await?;
/// assert_eq!(&buf[..n], b"hello");
/// assert!(from.is_unnamed());
/// # Ok(())
/// # }
/// ```
pub struct UnixDatagram {
    pub(in crate::net) io: PollEvented<mio::net::UnixDatagram>,
}

impl UnixDatagram {
    #[track_caller]
    pub(crate) fn from_mio(socket: mio::net::UnixDatagram) -> io::Result<UnixDatagram> {
        Ok(UnixDatagram { io: PollEvented::new(socket)? })
    }

    /// Makes a socket at a path, where it creates a file. On Linux, a path that starts with a null byte
    /// names a socket in the abstract namespace.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// With kind [`AddrInUse`](io::ErrorKind::AddrInUse) when there is something at the path, and others of
    /// the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    /// let (one, other) = (UnixDatagram::bind(&here)?, UnixDatagram::bind(&there)?);
    /// one.send_to(b"hello", &there).await?;
    /// let (n, from) = other.recv_from(&mut [0; 16]).await?;
    /// assert_eq!((n, from.as_pathname()), (5, Some(here.as_path())));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        let addr = sys::unix::addr_of(path.as_ref())?;
        UnixDatagram::from_mio(mio::net::UnixDatagram::bind_addr(&addr)?)
    }

    /// Makes two sockets that are connected to each other.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::UnixDatagram;
    ///
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// let mut buf = [0; 64];
    /// assert_eq!(b.recv(&mut buf).await?, 5);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (a, b) = mio::net::UnixDatagram::pair()?;
        let new = |socket| PollEvented::assumed(socket, BOTH, Ready::WRITABLE);
        Ok((UnixDatagram { io: new(a)? }, UnixDatagram { io: new(b)? }))
    }

    /// Makes a socket without an address.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let receiver = UnixDatagram::bind(&path)?;
    /// let sender = UnixDatagram::unbound()?; // can send, and has no name to answer to
    /// sender.send_to(b"hello", &path).await?;
    /// assert_eq!(receiver.recv(&mut [0; 16]).await?, 5);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn unbound() -> io::Result<UnixDatagram> {
        UnixDatagram::from_mio(mio::net::UnixDatagram::unbound()?)
    }

    /// Takes over a socket of the standard library's.
    ///
    /// It has to be in non-blocking mode already; otherwise the thread will block.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = std::os::unix::net::UnixDatagram::pair()?;
    /// one.set_nonblocking(true)?;
    /// let one = UnixDatagram::from_std(one)?;
    /// other.send(b"from a thread of its own")?;
    /// assert_eq!(one.recv(&mut [0; 64]).await?, 24);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(datagram: std::os::unix::net::UnixDatagram) -> io::Result<UnixDatagram> {
        UnixDatagram::from_mio(mio::net::UnixDatagram::from_std(datagram))
    }

    /// Hands the socket to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    /// When it cannot be taken from the runtime.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// other.send(b"text").await?;
    /// let one = one.into_std()?;
    /// one.set_nonblocking(false)?; // it stays non-blocking otherwise
    /// assert_eq!(one.recv(&mut [0; 64])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_std(self) -> io::Result<std::os::unix::net::UnixDatagram> {
        self.io.into_inner().map(Into::into)
    }

    /// Connects the socket to the one at a path: it sends to that by default, and receives from it only. May
    /// be repeated.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let receiver = UnixDatagram::bind(&path)?;
    /// let sender = UnixDatagram::unbound()?;
    /// sender.connect(&path)?; // from now on `send` is enough
    /// sender.send(b"hello").await?;
    /// assert_eq!(receiver.recv(&mut [0; 16]).await?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        SockRef::from(&*self.io).connect(&socket2::SockAddr::unix(path)?)
    }

    /// The address the socket is bound to.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let socket = UnixDatagram::bind(&path)?;
    /// assert_eq!(socket.local_addr()?.as_pathname(), Some(path.as_path()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr().map(SocketAddr)
    }

    /// The address the socket is connected to.
    ///
    /// # Errors
    /// With kind [`NotConnected`](io::ErrorKind::NotConnected) when it is not.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("receiver");
    /// let _receiver = UnixDatagram::bind(&path)?;
    /// let sender = UnixDatagram::unbound()?;
    /// assert_eq!(sender.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
    /// sender.connect(&path)?;
    /// assert_eq!(sender.peer_addr()?.as_pathname(), Some(&*path));
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr().map(SocketAddr)
    }

    /// Takes the socket's pending error (`SO_ERROR`).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixDatagram::pair()?;
    /// assert!(one.take_error()?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.take_error()
    }

    /// Closes the reading, the writing or both directions.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// use std::net::Shutdown;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// one.shutdown(Shutdown::Both)?;
    /// assert!(other.send(b"too late").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.io.shutdown(how)
    }

    fn send_to_addr(&self, buf: &[u8], target: &socket2::SockAddr) -> io::Result<usize> {
        SockRef::from(&*self.io).send_to(buf, target)
    }

    /// Sends a datagram to the socket at a path. Returns how many bytes were sent.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been sent.
    ///
    /// # Errors
    /// When there is no socket at the path, the datagram is too long, and others of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let receiver = UnixDatagram::bind(&path)?;
    /// UnixDatagram::unbound()?.send_to(b"hello", &path).await?;
    /// assert_eq!(receiver.recv(&mut [0; 16]).await?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let target = socket2::SockAddr::unix(target)?;
        self.io.registration().async_io(Interest::WRITABLE, || self.send_to_addr(buf, &target)).await
    }

    /// As [`send_to`](UnixDatagram::send_to), for use in a `poll` function. Only the last caller of this and
    /// the other sending `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("receiver");
    /// let receiver = UnixDatagram::bind(&path)?;
    /// let sender = UnixDatagram::unbound()?;
    /// let n = poll_fn(|cx| sender.poll_send_to(cx, b"text", &path)).await?;
    /// assert_eq!(receiver.recv(&mut [0; 8]).await?, n);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: P,
    ) -> Poll<io::Result<usize>> {
        let target = socket2::SockAddr::unix(target)?;
        self.io.registration().poll_io(cx, Direction::Write, |_| self.send_to_addr(buf, &target))
    }

    /// As [`send_to`](UnixDatagram::send_to), without waiting.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; see
    /// [`writable`](UnixDatagram::writable).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("receiver");
    /// let receiver = UnixDatagram::bind(&path)?;
    /// let sender = UnixDatagram::unbound()?;
    /// sender.writable().await?;
    /// sender.try_send_to(b"text", &path)?;
    /// assert_eq!(receiver.recv(&mut [0; 8]).await?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let target = socket2::SockAddr::unix(target)?;
        self.io.registration().try_io(Interest::WRITABLE, || self.send_to_addr(buf, &target))
    }

    /// Receives a datagram. Returns its length and its sender. What does not fit into the buffer is lost.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been received.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let receiver = UnixDatagram::bind(&path)?;
    /// UnixDatagram::unbound()?.send_to(b"hello", &path).await?;
    /// let (n, from) = receiver.recv_from(&mut [0; 16]).await?;
    /// assert!(n == 5 && from.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (n, from) =
            self.io.registration().async_io(Interest::READABLE, || self.io.recv_from(buf)).await?;
        Ok((n, SocketAddr(from)))
    }

    /// As [`recv_from`](UnixDatagram::recv_from), for use in a `poll` function. Only the last caller of this
    /// and the other receiving `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::io::ReadBuf;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// one.send(b"text").await?;
    /// let mut space = [0; 16];
    /// let mut buf = ReadBuf::new(&mut space);
    /// let from = poll_fn(|cx| other.poll_recv_from(cx, &mut buf)).await?;
    /// assert_eq!(buf.filled(), b"text");
    /// assert!(from.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let mut from = None;
        // SAFETY: `recv_from` initialises the bytes it reports.
        ready!(unsafe {
            self.io.poll_read(cx, buf, false, |io, buf| {
                let (n, addr) = sys::unix::recv_from(io, buf)?;
                from = Some(addr);
                Ok(n)
            })
        })?;
        Poll::Ready(Ok(SocketAddr(from.expect("set by the read that succeeded"))))
    }

    /// As [`recv_from`](UnixDatagram::recv_from), without waiting.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; see
    /// [`readable`](UnixDatagram::readable).
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// let mut buf = [0; 16];
    /// assert_eq!(other.try_recv_from(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// one.send(b"text").await?;
    /// other.readable().await?;
    /// let (n, _from) = other.try_recv_from(&mut buf)?;
    /// assert_eq!(&buf[..n], b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (n, from) = self.io.registration().try_io(Interest::READABLE, || self.io.recv_from(buf))?;
        Ok((n, SocketAddr(from)))
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
    /// use yamanote::io::Interest;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// one.send(b"text").await?;
    /// let ready = other.ready(Interest::READABLE | Interest::WRITABLE).await?;
    /// if ready.is_writable() {
    ///     other.try_send(b"answer")?;
    /// }
    /// other.readable().await?;
    /// assert_eq!(other.try_recv(&mut [0; 16])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.io.registration().ready(interest).await?.ready)
    }

    /// Waits until sending may make progress: `ready(Interest::WRITABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](UnixDatagram::ready).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixDatagram::pair()?;
    /// one.writable().await?;
    /// assert_eq!(one.try_send(b"hello")?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// As [`writable`](UnixDatagram::writable), for use in a `poll` function. Only the last caller of this and
    /// the sending `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixDatagram::pair()?;
    /// poll_fn(|cx| one.poll_send_ready(cx)).await?;
    /// assert_eq!(one.try_send(b"text")?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.registration().poll_ready(cx, Direction::Write).map_ok(drop)
    }

    /// Waits until receiving may make progress: `ready(Interest::READABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](UnixDatagram::ready).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// one.send(b"hello").await?;
    /// other.readable().await?;
    /// assert_eq!(other.try_recv(&mut [0; 16])?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// As [`readable`](UnixDatagram::readable), for use in a `poll` function. Only the last caller of this and
    /// the receiving `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// one.send(b"text").await?;
    /// poll_fn(|cx| other.poll_recv_ready(cx)).await?;
    /// assert_eq!(other.try_recv(&mut [0; 16])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.registration().poll_ready(cx, Direction::Read).map_ok(drop)
    }

    /// Sends a datagram to the peer the socket is connected to. Returns how many bytes were sent.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been sent.
    ///
    /// # Errors
    /// When the socket is not connected, the datagram is too long, and others of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixDatagram::pair()?;
    /// assert_eq!(one.send(b"hello").await?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.registration().async_io(Interest::WRITABLE, || self.io.send(buf)).await
    }

    /// As [`send`](UnixDatagram::send), for use in a `poll` function. Only the last caller of this and the
    /// other sending `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// let n = poll_fn(|cx| one.poll_send(cx, b"text")).await?;
    /// assert_eq!(other.recv(&mut [0; 16]).await?, n);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.registration().poll_io(cx, Direction::Write, |_| self.io.send(buf))
    }

    /// As [`send`](UnixDatagram::send), without waiting.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; see
    /// [`writable`](UnixDatagram::writable).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixDatagram::pair()?;
    /// one.writable().await?;
    /// assert_eq!(one.try_send(b"hello")?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::WRITABLE, || self.io.send(buf))
    }

    /// Receives a datagram from the peer the socket is connected to. Returns its length. What does not fit
    /// into the buffer is lost.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been received.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// one.send(b"hello").await?;
    /// let mut buffer = [0; 16];
    /// let n = other.recv(&mut buffer).await?;
    /// assert_eq!(&buffer[..n], b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.registration().async_io(Interest::READABLE, || self.io.recv(buf)).await
    }

    /// As [`recv`](UnixDatagram::recv), for use in a `poll` function. Only the last caller of this and the
    /// other receiving `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::io::ReadBuf;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// one.send(b"text").await?;
    /// let mut space = [0; 16];
    /// let mut buf = ReadBuf::new(&mut space);
    /// poll_fn(|cx| other.poll_recv(cx, &mut buf)).await?;
    /// assert_eq!(buf.filled(), b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // SAFETY: `recv` initialises the bytes it reports.
        unsafe { self.io.poll_read(cx, buf, false, |io, buf| io.try_io(|| SockRef::from(io).recv(buf))) }
    }

    /// As [`recv`](UnixDatagram::recv), without waiting.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; see
    /// [`readable`](UnixDatagram::readable).
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (_one, other) = UnixDatagram::pair()?;
    /// assert_eq!(other.try_recv(&mut [0; 16]).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || self.io.recv(buf))
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
    /// use socket2::SockRef;
    /// use yamanote::io::Interest;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// one.send(b"text").await?;
    /// other.readable().await?;
    /// // With a call that this type has no method for.
    /// let n = other.try_io(Interest::READABLE, || {
    ///     let mut buf = [std::mem::MaybeUninit::uninit(); 16];
    ///     SockRef::from(&other).peek(&mut buf)
    /// })?;
    /// assert_eq!(n, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io<R>(&self, interest: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.registration().try_io_raw(interest, || self.io.try_io(f))
    }

    /// Runs an operation of your own on the socket until it does anything but block, waiting for readiness
    /// in between.
    ///
    /// The conditions of [`try_io`](UnixDatagram::try_io) hold. `f` may be called several times.
    ///
    /// # Errors
    /// Those of `f`, and one when the runtime has shut down.
    ///
    /// # Cancel safety
    /// As safe as `f`: dropping the future only ends the waiting between its calls.
    ///
    /// # Examples
    /// ```
    /// use socket2::SockRef;
    /// use yamanote::io::Interest;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// let peek = other.async_io(Interest::READABLE, || {
    ///     let mut buf = [std::mem::MaybeUninit::uninit(); 16];
    ///     SockRef::from(&other).peek(&mut buf)
    /// });
    /// let (seen, sent) = yamanote::join!(peek, one.send(b"text"));
    /// assert_eq!(seen?, sent?);
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
}

impl TryFrom<std::os::unix::net::UnixDatagram> for UnixDatagram {
    type Error = io::Error;

    /// The same as [`UnixDatagram::from_std`].
    fn try_from(socket: std::os::unix::net::UnixDatagram) -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(socket)
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (*self.io).fmt(f)
    }
}
