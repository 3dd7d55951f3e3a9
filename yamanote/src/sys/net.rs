//! What sockets need of the operating system beyond what the crates below already level out.

use std::io;

/// Whether a `connect` that would block has begun. One that a signal disturbed has, too.
#[cfg(unix)]
pub(crate) fn is_in_progress(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR))
}

/// Whether a `connect` that would block has begun.
#[cfg(windows)]
pub(crate) fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
