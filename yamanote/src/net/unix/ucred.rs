//! Who is at the other end of a Unix socket.

use crate::net::unix::{gid_t, pid_t, uid_t};

/// Who the process at the other end of a Unix socket ran as when it connected. See
/// [`UnixStream::peer_cred`](crate::net::UnixStream::peer_cred).
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
    pub fn uid(&self) -> uid_t {
        self.uid
    }

    /// The process's effective group.
    pub fn gid(&self) -> gid_t {
        self.gid
    }

    /// The process. `None` where the system does not tell.
    pub fn pid(&self) -> Option<pid_t> {
        self.pid
    }
}
