//! What sockets need of the operating system beyond what the crates below already level out.

use std::io;

/// Whether a `connect` that would block has begun.
#[cfg(unix)]
pub(crate) fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// Whether a `connect` that would block has begun.
#[cfg(windows)]
pub(crate) fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
