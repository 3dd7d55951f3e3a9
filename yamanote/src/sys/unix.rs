//! What Unix sockets and pipes need of the operating system.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::path::Path;

/// What a system call returned, as a result.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The address a path stands for: on Linux, one that starts with a null byte is an abstract name.
pub(crate) fn addr_of(path: &Path) -> io::Result<SocketAddr> {
    match path.as_os_str().as_bytes() {
        [0, name @ ..] => from_abstract_name(name, path),
        _ => SocketAddr::from_pathname(path),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
use abstract_names::{from_abstract_name, name_of};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod abstract_names {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt;

    use super::*;

    pub(super) fn from_abstract_name(name: &[u8], _: &Path) -> io::Result<SocketAddr> {
        SocketAddr::from_abstract_name(name)
    }

    pub(super) fn name_of(addr: &SocketAddr) -> Option<&[u8]> {
        addr.as_abstract_name()
    }
}

/// There are no abstract names here: the null byte is an error like any other.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn from_abstract_name(_: &[u8], path: &Path) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(path)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn name_of(_: &SocketAddr) -> Option<&[u8]> {
    None
}

pub(crate) fn abstract_name(addr: &SocketAddr) -> Option<&[u8]> {
    name_of(addr)
}

/// Receives a datagram. Initialises the bytes it reports.
#[cfg(feature = "net")]
pub(crate) fn recv_from(
    socket: &impl AsFd,
    buf: &mut [MaybeUninit<u8>],
) -> io::Result<(usize, SocketAddr)> {
    let (n, from) = socket2::SockRef::from(socket).recv_from(buf)?;
    let addr = if let Some(path) = from.as_pathname() {
        SocketAddr::from_pathname(path)?
    } else if let Some(name) = from.as_abstract_namespace() {
        from_abstract_name(name, Path::new("\0"))?
    } else {
        // The empty path is how an unnamed address is spelled.
        SocketAddr::from_pathname("")?
    };
    Ok((n, addr))
}

/// The highest number a signal has: real-time signals come last.
#[cfg(all(
    any(feature = "signal", feature = "process"),
    any(target_os = "linux", target_os = "android")
))]
pub(crate) fn highest_signal() -> usize {
    libc::SIGRTMAX() as usize
}

/// The highest number a signal has: where there are no real-time signals, 32 or so.
#[cfg(all(
    any(feature = "signal", feature = "process"),
    not(any(target_os = "linux", target_os = "android"))
))]
pub(crate) fn highest_signal() -> usize {
    33
}

/// A descriptor for a process; `None` where the system has none, or none to give.
#[cfg(all(feature = "process", target_os = "linux"))]
pub(crate) fn pidfd_open(pid: u32) -> Option<std::os::fd::OwnedFd> {
    use std::os::fd::FromRawFd;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Old kernels and sandboxes answer the same every time. Relaxed: only spares the question.
    static REFUSED: AtomicBool = AtomicBool::new(false);

    if REFUSED.load(Ordering::Relaxed) {
        return None;
    }
    // SAFETY: takes and gives integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as libc::pid_t, libc::PIDFD_NONBLOCK) };
    if fd < 0 {
        let error = io::Error::last_os_error().raw_os_error();
        if matches!(error, Some(libc::ENOSYS | libc::EPERM | libc::EINVAL)) {
            REFUSED.store(true, Ordering::Relaxed);
        }
        return None;
    }
    // SAFETY: the system has just opened it for us.
    Some(unsafe { std::os::fd::OwnedFd::from_raw_fd(fd as libc::c_int) })
}

/// A descriptor for a process: not on this system.
#[cfg(all(feature = "process", not(target_os = "linux")))]
pub(crate) fn pidfd_open(_: u32) -> Option<std::os::fd::OwnedFd> {
    None
}

/// `read(2)`. Initialises the bytes it reports.
pub(crate) fn read(fd: &impl AsRawFd, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    // SAFETY: the pointer and the length are those of a slice we may write.
    let n = unsafe { libc::read(fd.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len()) };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// The status flags of a descriptor (`F_GETFL`).
pub(crate) fn status_flags(fd: BorrowedFd<'_>) -> io::Result<libc::c_int> {
    // SAFETY: the call touches no memory.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })
}

/// Puts a descriptor into non-blocking or blocking mode.
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    let before = status_flags(fd)?;
    let after = if nonblocking { before | libc::O_NONBLOCK } else { before & !libc::O_NONBLOCK };
    if before != after {
        // SAFETY: the call touches no memory.
        check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, after) })?;
    }
    Ok(())
}

/// Whether a descriptor is a pipe.
pub(crate) fn is_pipe(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the pointer is to room for the structure.
    check(unsafe { libc::fstat(fd.as_raw_fd(), stat.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded and so has filled the structure.
    let stat = unsafe { stat.assume_init() };
    Ok(stat.st_mode & libc::S_IFMT == libc::S_IFIFO)
}

/// User, group and, where the system tells, process at the other end of a Unix socket.
pub(crate) type Credentials = (u32, u32, Option<i32>);

/// Reads a socket option that is a plain structure.
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "redox",
    target_os = "haiku",
    target_os = "openbsd",
    target_os = "netbsd",
    target_vendor = "apple",
))]
fn option<T: Copy>(fd: &impl AsRawFd, level: libc::c_int, name: libc::c_int) -> io::Result<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the pointers are to room for the value, of which `len` bytes may be written, and to `len`.
    check(unsafe {
        libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &mut len)
    })?;
    if len as usize != size_of::<T>() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: the call has filled all of it; the callers name structures of integers.
    Ok(unsafe { value.assume_init() })
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "redox", target_os = "haiku",))]
pub(crate) fn peer_cred(socket: &impl AsRawFd) -> io::Result<Credentials> {
    let cred: libc::ucred = option(socket, libc::SOL_SOCKET, libc::SO_PEERCRED)?;
    Ok((cred.uid as u32, cred.gid as u32, Some(cred.pid)))
}

#[cfg(target_os = "openbsd")]
pub(crate) fn peer_cred(socket: &impl AsRawFd) -> io::Result<Credentials> {
    let cred: libc::sockpeercred = option(socket, libc::SOL_SOCKET, libc::SO_PEERCRED)?;
    Ok((cred.uid, cred.gid, Some(cred.pid)))
}

#[cfg(target_os = "netbsd")]
pub(crate) fn peer_cred(socket: &impl AsRawFd) -> io::Result<Credentials> {
    let cred: libc::unpcbid = option(socket, libc::SOL_SOCKET, libc::LOCAL_PEEREID)?;
    Ok((cred.unp_euid, cred.unp_egid, Some(cred.unp_pid)))
}

/// User and group by `getpeereid(3)`.
#[cfg(any(target_vendor = "apple", target_os = "freebsd", target_os = "dragonfly",))]
fn peer_ids(socket: &impl AsRawFd) -> io::Result<(u32, u32)> {
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: the pointers are to room for the numbers.
    check(unsafe { libc::getpeereid(socket.as_raw_fd(), &mut uid, &mut gid) })?;
    Ok((uid, gid))
}

#[cfg(target_vendor = "apple")]
pub(crate) fn peer_cred(socket: &impl AsRawFd) -> io::Result<Credentials> {
    let (uid, gid) = peer_ids(socket)?;
    let pid: libc::pid_t = option(socket, libc::SOL_LOCAL, libc::LOCAL_PEEREPID)?;
    Ok((uid, gid, Some(pid)))
}

#[cfg(any(target_os = "freebsd", target_os = "dragonfly"))]
pub(crate) fn peer_cred(socket: &impl AsRawFd) -> io::Result<Credentials> {
    let (uid, gid) = peer_ids(socket)?;
    Ok((uid, gid, None))
}

#[cfg(any(target_os = "solaris", target_os = "illumos"))]
pub(crate) fn peer_cred(socket: &impl AsRawFd) -> io::Result<Credentials> {
    let mut cred = std::ptr::null_mut();
    // SAFETY: the pointer is to room for a pointer, which the call allocates something for.
    check(unsafe { libc::getpeerucred(socket.as_raw_fd(), &mut cred) })?;
    // SAFETY: the call has succeeded, so the pointer is to credentials; they are freed once.
    let (uid, gid, pid) = unsafe {
        let ids = (libc::ucred_geteuid(cred), libc::ucred_getegid(cred), libc::ucred_getpid(cred));
        libc::ucred_free(cred);
        ids
    };
    Ok((uid as u32, gid as u32, Some(pid)))
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "redox",
    target_os = "haiku",
    target_os = "openbsd",
    target_os = "netbsd",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "solaris",
    target_os = "illumos",
)))]
pub(crate) fn peer_cred(_: &impl AsRawFd) -> io::Result<Credentials> {
    Err(io::ErrorKind::Unsupported.into())
}
