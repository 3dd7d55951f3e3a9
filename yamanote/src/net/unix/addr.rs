//! The address of a Unix socket.

use std::fmt;
use std::path::Path;

use crate::sys;

/// The address of a Unix socket: a path, a name in Linux' abstract namespace, or nothing.
#[derive(Clone)]
pub struct SocketAddr(pub(crate) std::os::unix::net::SocketAddr);

impl SocketAddr {
    /// Whether the socket was never bound.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (a, _b) = yamanote::net::UnixStream::pair()?;
    /// assert!(a.local_addr()?.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_unnamed(&self) -> bool {
        self.0.is_unnamed()
    }

    /// The path, if there is one.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::{UnixListener, UnixStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path));
    /// // Who connects has no address of its own, unless it binds the socket to one.
    /// let client = UnixStream::connect(&path).await?;
    /// assert_eq!(client.local_addr()?.as_pathname(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn as_pathname(&self) -> Option<&Path> {
        self.0.as_pathname()
    }

    /// The name in the abstract namespace, without the null byte before it, if there is one.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixListener;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let listener = UnixListener::bind(dir.path().join("socket"))?;
    /// // It has a path.
    /// assert_eq!(listener.local_addr()?.as_abstract_name(), None);
    /// # #[cfg(target_os = "linux")]
    /// # {
    /// use std::os::linux::net::SocketAddrExt;
    /// use yamanote::net::unix::SocketAddr;
    ///
    /// # let name = format!("yamanote-example-{}", std::process::id());
    /// let addr = std::os::unix::net::SocketAddr::from_abstract_name(&name)?;
    /// let listener = UnixListener::bind_addr(&SocketAddr::from(addr))?;
    /// assert_eq!(listener.local_addr()?.as_abstract_name(), Some(name.as_bytes()));
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn as_abstract_name(&self) -> Option<&[u8]> {
        sys::unix::abstract_name(&self.0)
    }
}

impl fmt::Debug for SocketAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<std::os::unix::net::SocketAddr> for SocketAddr {
    fn from(addr: std::os::unix::net::SocketAddr) -> SocketAddr {
        SocketAddr(addr)
    }
}

impl From<SocketAddr> for std::os::unix::net::SocketAddr {
    fn from(addr: SocketAddr) -> std::os::unix::net::SocketAddr {
        addr.0
    }
}
