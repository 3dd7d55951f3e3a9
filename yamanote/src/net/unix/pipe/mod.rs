//! Pipes: anonymous ones, and named ones (FIFOs) in the file system.
//!
//! [`pipe`] makes an anonymous pipe, [`OpenOptions`] opens either end of a FIFO.

mod open;
mod receiver;
mod sender;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use mio::unix::pipe as mio_pipe;

pub use open::OpenOptions;
pub use receiver::Receiver;
pub use sender::Sender;

use crate::sys;

/// Makes an anonymous pipe.
///
/// # Panics
/// Outside a runtime, or on one without I/O.
///
/// # Errors
/// Those of the system.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
/// use yamanote::net::unix::pipe;
///
/// let (mut sender, mut receiver) = pipe::pipe()?;
/// sender.write_all(b"hello").await?;
/// drop(sender);
/// let mut text = String::new();
/// receiver.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn pipe() -> io::Result<(Sender, Receiver)> {
    let (sender, receiver) = mio_pipe::new()?;
    Ok((Sender::from_mio(sender)?, Receiver::from_mio(receiver)?))
}

/// The end of a pipe something is wanted to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Sender,
    Receiver,
}

fn not_a_pipe() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a pipe")
}

/// Checks that a descriptor is an `end` of a pipe, and puts it into non-blocking mode.
fn checked(fd: OwnedFd, end: End) -> io::Result<OwnedFd> {
    if !sys::unix::is_pipe(fd.as_fd())? {
        return Err(not_a_pipe());
    }
    let access = sys::unix::status_flags(fd.as_fd())? & libc::O_ACCMODE;
    let wanted = match end {
        End::Sender => libc::O_WRONLY,
        End::Receiver => libc::O_RDONLY,
    };
    if access != wanted && access != libc::O_RDWR {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            match end {
                End::Sender => "not open for writing",
                End::Receiver => "not open for reading",
            },
        ));
    }
    sys::unix::set_nonblocking(fd.as_fd(), true)?;
    Ok(fd)
}
