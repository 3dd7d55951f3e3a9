//! A UDP socket.

mod options;
mod peek;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use socket2::{SockAddr, SockRef};

use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::{Interest, ReadBuf, Ready};
use crate::net::addr::{ToSocketAddrs, first_success, no_address, to_socket_addrs};

/// A UDP socket.
///
/// Either *connected* to one peer, to use [`send`](UdpSocket::send) and [`recv`](UdpSocket::recv), or open
/// to all, to use [`send_to`](UdpSocket::send_to) and [`recv_from`](UdpSocket::recv_from). All methods take
/// a shared reference: to use one socket from several tasks, put it into an [`Arc`](std::sync::Arc).
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::net::UdpSocket;
///
/// let server = UdpSocket::bind("127.0.0.1:0").await?;
/// let client = UdpSocket::bind("127.0.0.1:0").await?;
/// client.connect(server.local_addr()?).await?;
/// client.send(b"hello").await?;
///
/// let mut buf = [0; 64];
/// let (n, addr) = server.recv_from(&mut buf).await?;
/// assert_eq!(&buf[..n], b"hello");
/// server.send_to(b"goodbye", addr).await?;
/// assert_eq!(client.recv(&mut buf).await?, 7);
/// # Ok(())
/// # }
/// ```
pub struct UdpSocket {
    pub(in crate::net) io: PollEvented<mio::net::UdpSocket>,
}

/// The address that came with a datagram.
pub(in crate::net) fn sender(addr: &SockAddr) -> io::Result<SocketAddr> {
    addr.as_socket().ok_or_else(|| io::ErrorKind::InvalidData.into())
}

impl UdpSocket {
    /// Makes a socket at an address. Of several addresses, the first that can be bound is taken. With port 0
    /// the system chooses one, which [`local_addr`](UdpSocket::local_addr) tells.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When no address was found or none could be bound; then the last one's error.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert_ne!(socket.local_addr()?.port(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        first_success(to_socket_addrs(addr).await?, |addr| {
            UdpSocket::new(mio::net::UdpSocket::bind(addr)?)
        })
    }

    #[track_caller]
    fn new(socket: mio::net::UdpSocket) -> io::Result<UdpSocket> {
        Ok(UdpSocket { io: PollEvented::new(socket)? })
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
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_nonblocking(true)?;
    /// let socket = yamanote::net::UdpSocket::from_std(socket)?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        UdpSocket::new(mio::net::UdpSocket::from_std(socket))
    }

    /// Hands the socket to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    /// When it cannot be taken from the runtime.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// let socket: std::net::UdpSocket = socket.into_std()?;
    /// socket.set_nonblocking(false)?; // it stays non-blocking otherwise
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.io.into_inner().map(Into::into)
    }

    fn sock_ref(&self) -> SockRef<'_> {
        SockRef::from(&*self.io)
    }

    /// The address the socket is bound to.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert!(socket.local_addr()?.ip().is_loopback());
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// The address the socket is connected to.
    ///
    /// # Errors
    /// With kind [`NotConnected`](io::ErrorKind::NotConnected) when it is not.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// assert_eq!(one.peer_addr()?, other.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr()
    }

    /// Connects the socket: it sends to that peer by default, and receives from it only. Of several
    /// addresses, the first that can be connected to is taken. May be repeated.
    ///
    /// # Errors
    /// When no address was found or none could be connected to.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// one.connect(other.local_addr()?).await?; // from now on `send` is enough
    /// one.send(b"hello").await?;
    /// let (n, from) = other.recv_from(&mut [0; 16]).await?;
    /// assert_eq!((n, from), (5, one.local_addr()?));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        first_success(to_socket_addrs(addr).await?, |addr| self.io.connect(addr))
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
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// let ready = one.ready(Interest::READABLE | Interest::WRITABLE).await?;
    /// assert!(ready.is_writable() && !ready.is_readable());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.io.registration().ready(interest).await?.ready)
    }

    /// Waits until sending may make progress: `ready(Interest::WRITABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](UdpSocket::ready).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// one.writable().await?;
    /// assert_eq!(one.try_send(b"hello")?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// As [`writable`](UdpSocket::writable), for use in a `poll` function. Only the last caller of this and
    /// the sending `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// one.connect(other.local_addr()?).await?;
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
    /// As for [`ready`](UdpSocket::ready).
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// one.send(b"hello").await?;
    /// let mut buffer = [0; 16];
    /// let n = loop {
    ///     other.readable().await?;
    ///     match other.try_recv(&mut buffer) {
    ///         // Readiness may be a false alarm.
    ///         Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
    ///         result => break result?,
    ///     }
    /// };
    /// assert_eq!(&buffer[..n], b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// As [`readable`](UdpSocket::readable), for use in a `poll` function. Only the last caller of this and
    /// the receiving `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// one.send_to(b"text", other.local_addr()?).await?;
    /// poll_fn(|cx| other.poll_recv_ready(cx)).await?;
    /// let (n, from) = other.try_recv_from(&mut [0; 8])?;
    /// assert_eq!((n, from), (4, one.local_addr()?));
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
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// assert_eq!(one.send(b"hello").await?, 5); // a datagram goes out whole
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.registration().async_io(Interest::WRITABLE, || self.io.send(buf)).await
    }

    /// As [`send`](UdpSocket::send), for use in a `poll` function. Only the last caller of this and the
    /// other sending `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// assert_eq!(poll_fn(|cx| one.poll_send(cx, b"hello")).await?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.registration().poll_io(cx, Direction::Write, |_| self.io.send(buf))
    }

    /// As [`send`](UdpSocket::send), without waiting.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; see
    /// [`writable`](UdpSocket::writable).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
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
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
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

    /// As [`recv`](UdpSocket::recv), for use in a `poll` function. Only the last caller of this and the
    /// other receiving `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::io::ReadBuf;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// one.send(b"hello").await?;
    /// let mut space = [0; 16];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// poll_fn(|cx| other.poll_recv(cx, &mut buffer)).await?;
    /// assert_eq!(buffer.filled(), b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // SAFETY: `recv` initialises the bytes it reports.
        unsafe { self.io.poll_read(cx, buf, false, |io, buf| io.try_io(|| SockRef::from(io).recv(buf))) }
    }

    /// As [`recv`](UdpSocket::recv), without waiting.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; see
    /// [`readable`](UdpSocket::readable).
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// assert_eq!(other.try_recv(&mut [0; 16]).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || self.io.recv(buf))
    }

    /// Sends a datagram to a peer. Returns how many bytes were sent. Of several addresses the first is
    /// taken.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been sent.
    ///
    /// # Errors
    /// When no address was found, the datagram is too long, and others of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// assert_eq!(one.send_to(b"hello", other.local_addr()?).await?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], target: A) -> io::Result<usize> {
        let target = to_socket_addrs(target).await?.next().ok_or_else(no_address)?;
        self.io.registration().async_io(Interest::WRITABLE, || self.io.send_to(buf, target)).await
    }

    /// As [`send_to`](UdpSocket::send_to), for use in a `poll` function. Only the last caller of this and
    /// the other sending `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// let to = other.local_addr()?;
    /// assert_eq!(poll_fn(|cx| one.poll_send_to(cx, b"hello", to)).await?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.io.registration().poll_io(cx, Direction::Write, |_| self.io.send_to(buf, target))
    }

    /// As [`send_to`](UdpSocket::send_to), without waiting.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; see
    /// [`writable`](UdpSocket::writable).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// one.writable().await?;
    /// assert_eq!(one.try_send_to(b"hello", other.local_addr()?)?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.io.registration().try_io(Interest::WRITABLE, || self.io.send_to(buf, target))
    }

    /// Receives a datagram. Returns its length and its sender. What does not fit into the buffer is lost.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been received.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// one.send_to(b"hello", other.local_addr()?).await?;
    /// let mut buffer = [0; 16];
    /// let (n, from) = other.recv_from(&mut buffer).await?;
    /// assert_eq!((&buffer[..n], from), (&b"hello"[..], one.local_addr()?));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io.registration().async_io(Interest::READABLE, || self.io.recv_from(buf)).await
    }

    /// As [`recv_from`](UdpSocket::recv_from), for use in a `poll` function. Only the last caller of this
    /// and the other receiving `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::io::ReadBuf;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// one.send(b"hello").await?;
    /// let mut space = [0; 16];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// let from = poll_fn(|cx| other.poll_recv_from(cx, &mut buffer)).await?;
    /// assert_eq!((from, buffer.filled()), (one.local_addr()?, &b"hello"[..]));
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
                let (n, addr) = io.try_io(|| SockRef::from(io).recv_from(buf))?;
                from = Some(addr);
                Ok(n)
            })
        })?;
        Poll::Ready(sender(&from.expect("set by the read that succeeded")))
    }

    /// As [`recv_from`](UdpSocket::recv_from), without waiting.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; see
    /// [`readable`](UdpSocket::readable).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// one.send(b"hello").await?;
    /// other.readable().await?;
    /// let (n, from) = other.try_recv_from(&mut [0; 16])?;
    /// assert_eq!((n, from), (5, one.local_addr()?));
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io.registration().try_io(Interest::READABLE, || self.io.recv_from(buf))
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
    /// use socket2::SockRef;
    /// use yamanote::io::Interest;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// socket.connect(socket.local_addr()?).await?;
    /// socket.send(b"urgent").await?;
    /// socket.readable().await?;
    /// // Something that this type has no method for.
    /// let pending = socket.try_io(Interest::READABLE, || {
    ///     let mut buf = [std::mem::MaybeUninit::uninit(); 16];
    ///     SockRef::from(&socket).recv_with_flags(&mut buf, 0)
    /// });
    /// assert_eq!(pending?, 6);
    /// // Not even called: it is known that there is nothing more.
    /// # socket.try_recv(&mut [0; 1]).unwrap_err();
    /// let again: std::io::Result<()> = socket.try_io(Interest::READABLE, || unreachable!());
    /// assert_eq!(again.unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io<R>(&self, interest: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.registration().try_io_raw(interest, || self.io.try_io(f))
    }

    /// Runs an operation of your own on the socket until it does anything but block, waiting for readiness
    /// in between.
    ///
    /// The conditions of [`try_io`](UdpSocket::try_io) hold. `f` may be called several times.
    ///
    /// # Errors
    /// Those of `f`, and one when the runtime has shut down.
    ///
    /// # Cancel safety
    /// As safe as `f`: dropping the future only ends the waiting between its calls.
    ///
    /// # Examples
    /// ```
    /// use std::mem::MaybeUninit;
    /// use socket2::SockRef;
    /// use yamanote::io::Interest;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// let to_itself = socket.local_addr()?;
    /// let receive = socket.async_io(Interest::READABLE, || {
    ///     let mut buf = [MaybeUninit::uninit(); 16];
    ///     SockRef::from(&socket).recv(&mut buf)
    /// });
    /// let (received, sent) = yamanote::join!(receive, socket.send_to(b"text", to_itself));
    /// assert_eq!(received?, sent?);
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

    /// Takes the socket's pending error (`SO_ERROR`).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert!(socket.take_error()?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.take_error()
    }
}

impl TryFrom<std::net::UdpSocket> for UdpSocket {
    type Error = io::Error;

    /// The same as [`UdpSocket::from_std`].
    fn try_from(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        UdpSocket::from_std(socket)
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (*self.io).fmt(f)
    }
}
