//! A Unix socket that accepts connections.

use std::fmt;
use std::io;
use std::path::Path;
use std::task::{Context, Poll, ready};

use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::Interest;
use crate::net::UnixStream;
use crate::net::unix::SocketAddr;
use crate::sys;

/// A Unix socket that accepts connections.
///
/// The file at its path stays behind when the listener is dropped, and has to be removed before the path can
/// be bound again.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::net::{UnixListener, UnixStream};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("socket");
/// let listener = UnixListener::bind(&path)?;
/// let client = yamanote::spawn(UnixStream::connect(path));
/// let (server, _) = listener.accept().await?;
/// # drop((client.await?, server));
/// # Ok(())
/// # }
/// ```
pub struct UnixListener {
    pub(in crate::net) io: PollEvented<mio::net::UnixListener>,
}

impl UnixListener {
    #[track_caller]
    pub(crate) fn new(listener: mio::net::UnixListener) -> io::Result<UnixListener> {
        Ok(UnixListener { io: PollEvented::with_interest(listener, Interest::READABLE)? })
    }

    /// Makes a listener at a path, where it creates a file. On Linux, a path that starts with a null byte
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
    /// use yamanote::net::{UnixListener, UnixStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// let (client, accepted) = yamanote::join!(UnixStream::connect(&path), listener.accept());
    /// # let (_client, _server) = (client?, accepted?.0);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        let addr = sys::unix::addr_of(path.as_ref())?;
        UnixListener::new(mio::net::UnixListener::bind_addr(&addr)?)
    }

    /// As [`bind`](UnixListener::bind), to an address.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// As for [`bind`](UnixListener::bind).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::unix::SocketAddr;
    /// use yamanote::net::{UnixListener, UnixStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("socket");
    /// let addr: SocketAddr = std::os::unix::net::SocketAddr::from_pathname(&path)?.into();
    /// let listener = UnixListener::bind_addr(&addr)?;
    /// let (client, accepted) = yamanote::join!(UnixStream::connect(&path), listener.accept());
    /// assert_eq!(client?.peer_addr()?.as_pathname(), Some(&*path));
    /// # accepted?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<UnixListener> {
        UnixListener::new(mio::net::UnixListener::bind_addr(&addr.0)?)
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
    /// use yamanote::net::UnixListener;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = std::os::unix::net::UnixListener::bind(&path)?;
    /// listener.set_nonblocking(true)?; // nobody else does it
    /// let listener = UnixListener::from_std(listener)?;
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(path.as_path()));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(listener: std::os::unix::net::UnixListener) -> io::Result<UnixListener> {
        UnixListener::new(mio::net::UnixListener::from_std(listener))
    }

    /// Hands the listener to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    /// When it cannot be taken from the runtime.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixListener;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let listener = UnixListener::bind(dir.path().join("socket"))?;
    /// let listener: std::os::unix::net::UnixListener = listener.into_std()?;
    /// // It stays in non-blocking mode.
    /// assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_std(self) -> io::Result<std::os::unix::net::UnixListener> {
        self.io.into_inner().map(Into::into)
    }

    /// The address the listener is bound to.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixListener;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(path.as_path()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr().map(SocketAddr)
    }

    /// Takes the socket's pending error (`SO_ERROR`).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixListener;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let listener = UnixListener::bind(dir.path().join("socket"))?;
    /// assert!(listener.take_error()?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.take_error()
    }

    /// Accepts a connection, waiting for one if need be; also tells the address of the peer, which is
    /// unnamed unless the peer has bound its socket.
    ///
    /// # Cancel safety
    /// When the future is dropped, no connection has been accepted.
    ///
    /// # Errors
    /// Those of the system, and one when the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
    /// use yamanote::net::{UnixListener, UnixStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// let mut client = UnixStream::connect(&path).await?;
    /// client.write_all(b"hello").await?;
    /// let (mut server, _) = listener.accept().await?;
    /// let mut text = [0; 5];
    /// server.read_exact(&mut text).await?;
    /// assert_eq!(&text, b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, addr) =
            self.io.registration().async_io(Interest::READABLE, || self.io.accept()).await?;
        Ok((UnixStream::accepted(stream)?, SocketAddr(addr)))
    }

    /// As [`accept`](UnixListener::accept), for use in a `poll` function. Only the last caller is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::{UnixListener, UnixStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// let _client = UnixStream::connect(&path).await?;
    /// let (_stream, from) = poll_fn(|cx| listener.poll_accept(cx)).await?;
    /// assert!(from.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let (stream, addr) =
            ready!(self.io.registration().poll_io(cx, Direction::Read, |_| self.io.accept()))?;
        Poll::Ready(Ok((UnixStream::accepted(stream)?, SocketAddr(addr))))
    }
}

impl TryFrom<std::os::unix::net::UnixListener> for UnixListener {
    type Error = io::Error;

    /// The same as [`UnixListener::from_std`].
    fn try_from(listener: std::os::unix::net::UnixListener) -> io::Result<UnixListener> {
        UnixListener::from_std(listener)
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (*self.io).fmt(f)
    }
}
