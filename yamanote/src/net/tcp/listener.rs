//! A socket that accepts TCP connections.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::Interest;
use crate::net::TcpStream;
use crate::net::addr::{ToSocketAddrs, first_success, to_socket_addrs};

/// A socket that accepts TCP connections.
///
/// # Errors
/// `accept` reports errors of the system, such as too many open files, and can be called again after any of
/// them. A server should then wait a little rather than give up.
///
/// # Examples
/// ```no_run
/// # async fn serve(_: yamanote::net::TcpStream) {}
/// # #[yamanote::main]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::net::TcpListener;
///
/// let listener = TcpListener::bind("127.0.0.1:8080").await?;
/// loop {
///     let (stream, _) = listener.accept().await?;
///     yamanote::spawn(serve(stream));
/// }
/// # }
/// ```
pub struct TcpListener {
    pub(in crate::net) io: PollEvented<mio::net::TcpListener>,
}

impl TcpListener {
    /// Makes a listener at an address. Of several addresses, the first that can be bound is taken. With port
    /// 0 the system chooses one, which [`local_addr`](TcpListener::local_addr) tells.
    ///
    /// On Unix the address may be taken over from connections that linger (`SO_REUSEADDR`). To set other
    /// options, use a [`TcpSocket`](crate::net::TcpSocket).
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When no address was found or none could be bound; then the last one's error.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        first_success(to_socket_addrs(addr).await?, |addr| {
            TcpListener::new(mio::net::TcpListener::bind(addr)?)
        })
    }

    #[track_caller]
    pub(crate) fn new(listener: mio::net::TcpListener) -> io::Result<TcpListener> {
        Ok(TcpListener { io: PollEvented::with_interest(listener, Interest::READABLE)? })
    }

    /// Accepts a connection, waiting for one if need be; also tells the address of the peer.
    ///
    /// Several tasks may accept from one listener.
    ///
    /// # Cancel safety
    /// When the future is dropped, no connection has been accepted.
    ///
    /// # Errors
    /// Those of the system, and one when the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (server, addr) = listener.accept().await?;
    /// assert_eq!(client.local_addr()?, addr);
    /// assert_eq!(server.peer_addr()?, addr);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, addr) =
            self.io.registration().async_io(Interest::READABLE, || self.io.accept()).await?;
        Ok((TcpStream::accepted(stream)?, addr))
    }

    /// As [`accept`](TcpListener::accept), for use in a `poll` function. Only the last caller is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (_server, address) = poll_fn(|cx| listener.poll_accept(cx)).await?;
    /// assert_eq!(address, client.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let (stream, addr) =
            ready!(self.io.registration().poll_io(cx, Direction::Read, |_| self.io.accept()))?;
        Poll::Ready(Ok((TcpStream::accepted(stream)?, addr)))
    }

    /// Takes over a listener of the standard library's.
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
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// listener.set_nonblocking(true)?;
    /// let listener = yamanote::net::TcpListener::from_std(listener)?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::new(mio::net::TcpListener::from_std(listener))
    }

    /// Hands the listener to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    /// When it cannot be taken from the runtime.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::TcpListener;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let address = listener.local_addr()?;
    /// let listener: std::net::TcpListener = listener.into_std()?;
    /// listener.set_nonblocking(false)?; // it stays non-blocking otherwise
    /// assert_eq!(listener.local_addr()?, address);
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_std(self) -> io::Result<std::net::TcpListener> {
        self.io.into_inner().map(Into::into)
    }

    /// The address the listener is bound to.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// assert!(listener.local_addr()?.ip().is_loopback());
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// The time-to-live of packets sent (`IP_TTL`).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::TcpListener;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// listener.set_ttl(10)?;
    /// assert_eq!(listener.ttl()?, 10);
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
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// listener.set_ttl(100)?;
    /// assert_eq!(listener.ttl()?, 100);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.io.set_ttl(ttl)
    }
}

impl TryFrom<std::net::TcpListener> for TcpListener {
    type Error = io::Error;

    /// The same as [`TcpListener::from_std`].
    fn try_from(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::from_std(listener)
    }
}

impl std::fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (*self.io).fmt(f)
    }
}
