//! Who is at the other end of a Unix socket.

use crate::net::unix::{gid_t, pid_t, uid_t};

/// Who the process at the other end of a Unix socket ran as when it connected. See
/// [`UnixStream::peer_cred`](crate::net::UnixStream::peer_cred).
///
/// # Examples
/// ```
/// use yamanote::net::UnixStream;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (one, _other) = UnixStream::pair()?;
/// let peer = one.peer_cred()?;
/// println!("user {}, group {}, process {:?}", peer.uid(), peer.gid(), peer.pid());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UCred {
    pid: Option<pid_t>,
    uid: uid_t,
    gid: gid_t,
}

impl UCred {
    pub(super) fn new(uid: uid_t, gid: gid_t, pid: Option<pid_t>) -> UCred {
        UCred { pid, uid, gid }
    }

    /// The process's effective user.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// assert_eq!(one.peer_cred()?.uid(), other.peer_cred()?.uid());
    /// # Ok(())
    /// # }
    /// ```
    pub fn uid(&self) -> uid_t {
        self.uid
    }

    /// The process's effective group.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// assert_eq!(one.peer_cred()?.gid(), other.peer_cred()?.gid());
    /// # Ok(())
    /// # }
    /// ```
    pub fn gid(&self) -> gid_t {
        self.gid
    }

    /// The process. `None` where the system does not tell.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixStream::pair()?;
    /// // Both ends are this process.
    /// assert_eq!(one.peer_cred()?.pid(), Some(std::process::id() as i32));
    /// # Ok(())
    /// # }
    /// ```
    pub fn pid(&self) -> Option<pid_t> {
        self.pid
    }
}
