//! A Unix socket before it connects or listens.

use std::fmt;
use std::io;
use std::path::Path;

use crate::net::{UnixDatagram, UnixListener, UnixStream};
use crate::sys;

/// A Unix socket that is neither connected nor listening yet.
///
/// One made by [`new_stream`](UnixSocket::new_stream) becomes a [`UnixStream`] or a [`UnixListener`], one made
/// by [`new_datagram`](UnixSocket::new_datagram) a [`UnixDatagram`].
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::net::UnixSocket;
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("socket");
/// let socket = UnixSocket::new_stream()?;
/// socket.bind(&path)?;
/// let listener = socket.listen(1024)?;
/// # drop(listener);
/// # Ok(())
/// # }
/// ```
pub struct UnixSocket {
    pub(in crate::net) inner: socket2::Socket,
}

fn misused(what: &str) -> io::Error {
    io::Error::other(what)
}

impl UnixSocket {
    /// Makes a socket for datagrams.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let socket = UnixSocket::new_datagram()?;
    /// socket.bind(dir.path().join("socket"))?;
    /// // It cannot be listened on.
    /// assert!(socket.listen(16).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_datagram() -> io::Result<UnixSocket> {
        UnixSocket::new(socket2::Type::DGRAM)
    }

    /// Makes a socket for connections.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // No socket for datagrams.
    /// assert!(UnixSocket::new_stream()?.datagram().is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_stream() -> io::Result<UnixSocket> {
        UnixSocket::new(socket2::Type::STREAM)
    }

    fn new(ty: socket2::Type) -> io::Result<UnixSocket> {
        let inner = socket2::Socket::new(socket2::Domain::UNIX, ty, None)?;
        inner.set_nonblocking(true)?;
        Ok(UnixSocket { inner })
    }

    fn is_datagram(&self) -> io::Result<bool> {
        Ok(self.inner.r#type()? == socket2::Type::DGRAM)
    }

    /// Binds the socket to a path, where it creates a file.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let (server, client) = (dir.path().join("server"), dir.path().join("client"));
    /// let socket = UnixSocket::new_stream()?;
    /// socket.bind(&server)?;
    /// let listener = socket.listen(16)?;
    ///
    /// // A client that can be told from others by its address:
    /// let socket = UnixSocket::new_stream()?;
    /// socket.bind(&client)?;
    /// let (_stream, accepted) = yamanote::join!(socket.connect(&server), listener.accept());
    /// assert_eq!(accepted?.1.as_pathname(), Some(&*client));
    /// # Ok(())
    /// # }
    /// ```
    pub fn bind(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.inner.bind(&socket2::SockAddr::unix(path)?)
    }

    /// Listens for connections; up to about `backlog` of them wait to be accepted.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// On a socket for datagrams, and those of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("socket");
    /// let socket = UnixSocket::new_stream()?;
    /// socket.bind(&path)?;
    /// let listener = socket.listen(1024)?;
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        if self.is_datagram()? {
            return Err(misused("listen cannot be called on a datagram socket"));
        }
        self.inner.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        UnixListener::new(mio::net::UnixListener::from_std(self.inner.into()))
    }

    /// Connects to the socket at a path.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// On a socket for datagrams, and when the connection does not come about.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::{UnixListener, UnixSocket};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("socket");
    /// assert!(UnixSocket::new_stream()?.connect(&path).await.is_err()); // nobody is there
    /// let _listener = UnixListener::bind(&path)?;
    /// let stream = UnixSocket::new_stream()?.connect(&path).await?;
    /// assert_eq!(stream.peer_addr()?.as_pathname(), Some(&*path));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(self, path: impl AsRef<Path>) -> io::Result<UnixStream> {
        if self.is_datagram()? {
            return Err(misused("connect cannot be called on a datagram socket"));
        }
        match self.inner.connect(&socket2::SockAddr::unix(path)?) {
            Err(error) if !sys::net::is_in_progress(&error) => return Err(error),
            _ => {}
        }
        UnixStream::connected(mio::net::UnixStream::from_std(self.inner.into())).await
    }

    /// Makes a socket for datagrams out of it.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// On a socket for connections.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("socket");
    /// let socket = UnixSocket::new_datagram()?;
    /// socket.bind(&path)?;
    /// let receiver = socket.datagram()?;
    ///
    /// let sender = UnixSocket::new_datagram()?.datagram()?;
    /// sender.send_to(b"text", &path).await?;
    /// assert_eq!(receiver.recv(&mut [0; 8]).await?, 4);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        if !self.is_datagram()? {
            return Err(misused("datagram cannot be called on a stream socket"));
        }
        UnixDatagram::from_mio(mio::net::UnixDatagram::from_std(self.inner.into()))
    }
}

impl fmt::Debug for UnixSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
