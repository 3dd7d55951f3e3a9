//! What waiting for an [`AsyncFd`] yields: readiness, and whether it still holds.

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use super::{AsyncFd, is_would_block};
use crate::engine::io::source::ReadyEvent;
use crate::io::Ready;

/// Readiness of an [`AsyncFd`] that a task has waited for.
///
/// Dropping it keeps the readiness.
///
/// # Examples
/// ```
/// use std::io::ErrorKind;
/// use yamanote::io::unix::AsyncFd;
/// # use std::io::{Read, Write};
/// # use std::os::unix::net::UnixStream;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, mut peer) = UnixStream::pair()?;
/// # stream.set_nonblocking(true)?;
/// # // SAFETY: a stream keeps its descriptor open and the same.
/// # let fd = unsafe { AsyncFd::register(stream)? };
/// peer.write_all(b"text")?;
/// let mut guard = fd.readable().await?;
/// let mut buf = [0; 8];
/// // Without `try_io`: whoever finds that it would block says so to the guard.
/// match (&*fd.get_ref()).read(&mut buf) {
///     Err(error) if error.kind() == ErrorKind::WouldBlock => guard.clear_ready(),
///     result => assert_eq!(result?, 4),
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "say whether the readiness still holds, by `try_io`, `clear_ready` or `retain_ready`"]
pub struct AsyncFdReadyGuard<'a, T: AsRawFd> {
    /// What of the readiness has not been cleared.
    pub(super) seen: Option<ReadyEvent>,
    pub(super) owner: &'a AsyncFd<T>,
}

/// As [`AsyncFdReadyGuard`], with unique access to the [`AsyncFd`].
///
/// # Examples
/// ```
/// use yamanote::io::unix::AsyncFd;
/// # use std::io::{Read, Write};
/// # use std::os::unix::net::UnixStream;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, mut peer) = UnixStream::pair()?;
/// # stream.set_nonblocking(true)?;
/// # // SAFETY: a stream keeps its descriptor open and the same.
/// # let mut fd = unsafe { AsyncFd::register(stream)? };
/// peer.write_all(b"text")?;
/// let mut guard = fd.readable_mut().await?;
/// let mut text = [0; 4];
/// // For what can be read by `&mut` only.
/// guard.try_io(|fd| fd.get_mut().read_exact(&mut text)).unwrap()?;
/// assert_eq!(text, *b"text");
/// # Ok(())
/// # }
/// ```
#[must_use = "say whether the readiness still holds, by `try_io`, `clear_ready` or `retain_ready`"]
pub struct AsyncFdReadyMutGuard<'a, T: AsRawFd> {
    /// What of the readiness has not been cleared.
    pub(super) seen: Option<ReadyEvent>,
    pub(super) owner: &'a mut AsyncFd<T>,
}

/// The error of [`AsyncFdReadyGuard::try_io`]: the operation would block.
///
/// # Examples
/// ```
/// use yamanote::io::unix::AsyncFd;
/// # use std::io::{Read, Write};
/// # use std::os::unix::net::UnixStream;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, mut peer) = UnixStream::pair()?;
/// # stream.set_nonblocking(true)?;
/// # // SAFETY: a stream keeps its descriptor open and the same.
/// # let fd = unsafe { AsyncFd::register(stream)? };
/// peer.write_all(b"text")?;
/// let mut guard = fd.readable().await?;
/// let mut buf = [0; 8];
/// assert_eq!(guard.try_io(|fd| fd.get_ref().read(&mut buf)).unwrap()?, 4);
/// // Now it is empty, and the guard knows.
/// assert!(guard.try_io(|fd| fd.get_ref().read(&mut buf)).is_err());
/// assert!(!guard.ready().is_readable());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TryIoError(());

/// What both guards do.
fn clear<T: AsRawFd>(async_fd: &AsyncFd<T>, event: &mut Option<ReadyEvent>, ready: Ready) {
    if let Some(seen) = event.take() {
        async_fd.registration.clear(seen.with_ready(ready));
        let left = seen.ready - ready;
        if !left.is_empty() {
            *event = Some(seen.with_ready(left));
        }
    }
}

impl<'a, T: AsRawFd> AsyncFdReadyGuard<'a, T> {
    /// Says that the descriptor is not ready any more, for anything the guard reports.
    ///
    /// Readiness that was reported after the guard was made stays, and so does what cannot pass: that the
    /// peer has closed.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let fd = unsafe { AsyncFd::register(stream)? };
    /// peer.write_all(b"text")?;
    /// let mut guard = fd.readable().await?;
    /// let mut stream = fd.get_ref();
    /// // Read all there is, until it says that there is no more.
    /// let error = loop {
    ///     if let Err(error) = stream.read(&mut [0; 3]) {
    ///         break error;
    ///     }
    /// };
    /// assert_eq!(error.kind(), ErrorKind::WouldBlock);
    /// guard.clear_ready();
    /// assert!(!guard.ready().is_readable());
    /// # Ok(())
    /// # }
    /// ```
    pub fn clear_ready(&mut self) {
        clear(self.owner, &mut self.seen, Ready::ALL);
    }

    /// Says that the descriptor is not ready any more for what is in `ready`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// use yamanote::io::{Interest, Ready};
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, _peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let fd = unsafe { AsyncFd::register(stream)? };
    /// let mut guard = fd.ready(Interest::READABLE | Interest::WRITABLE).await?;
    /// while fd.get_ref().write(&[0; 4096]).is_ok() {}
    /// // It would block to write; of reading nothing is said.
    /// guard.clear_ready_matching(Ready::WRITABLE);
    /// assert!(!guard.ready().is_writable());
    /// # Ok(())
    /// # }
    /// ```
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        clear(self.owner, &mut self.seen, ready);
    }

    /// Says that the descriptor is still ready, as dropping the guard does.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let fd = unsafe { AsyncFd::register(stream)? };
    /// peer.write_all(b"two parts")?;
    /// let mut guard = fd.readable().await?;
    /// fd.get_ref().read_exact(&mut [0; 4])?;
    /// guard.retain_ready(); // there is more
    /// assert!(fd.readable().await?.ready().is_readable());
    /// # Ok(())
    /// # }
    /// ```
    pub fn retain_ready(&mut self) {}

    /// What the descriptor was seen to be ready for, and has not been cleared since.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let fd = unsafe { AsyncFd::register(stream)? };
    /// peer.write_all(b"the last word")?;
    /// drop(peer);
    /// let guard = fd.readable().await?;
    /// assert!(guard.ready().is_readable());
    /// # Ok(())
    /// # }
    /// ```
    pub fn ready(&self) -> Ready {
        self.seen.map_or(Ready::EMPTY, |event| event.ready)
    }

    /// Runs `f`, and clears the readiness if it would block.
    ///
    /// `f` must answer [`WouldBlock`](io::ErrorKind::WouldBlock) only if the descriptor itself did, for what
    /// the guard was waited for.
    ///
    /// # Errors
    /// When `f` would block. Other errors of `f` are within `Ok`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let fd = unsafe { AsyncFd::register(stream)? };
    /// peer.write_all(b"text")?;
    /// let n = loop {
    ///     let mut guard = fd.readable().await?;
    ///     match guard.try_io(|fd| fd.get_ref().read(&mut [0; 8])) {
    ///         Ok(result) => break result?,
    ///         Err(_would_block) => continue,
    ///     }
    /// };
    /// assert_eq!(n, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&'a AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        let result = f(self.owner);
        if is_would_block(&result) {
            self.clear_ready();
            return Err(TryIoError(()));
        }
        Ok(result)
    }

    /// The [`AsyncFd`] the guard belongs to.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, _peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let fd = unsafe { AsyncFd::register(stream)? };
    /// let guard = fd.writable().await?;
    /// assert!(std::ptr::eq(guard.get_ref(), &fd));
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_ref(&self) -> &'a AsyncFd<T> {
        self.owner
    }

    /// What the descriptor belongs to.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let fd = unsafe { AsyncFd::register(stream)? };
    /// peer.write_all(b"text")?;
    /// let guard = fd.readable().await?;
    /// let mut stream: &UnixStream = guard.get_inner();
    /// assert_eq!(stream.read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_inner(&self) -> &'a T {
        self.owner.get_ref()
    }
}

impl<'a, T: AsRawFd> AsyncFdReadyMutGuard<'a, T> {
    /// Says that the descriptor is not ready any more, for anything the guard reports.
    ///
    /// Readiness that was reported after the guard was made stays, and so does what cannot pass: that the
    /// peer has closed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let mut fd = unsafe { AsyncFd::register(stream)? };
    /// peer.write_all(b"text")?;
    /// let mut guard = fd.readable_mut().await?;
    /// while guard.get_inner_mut().read(&mut [0; 3]).is_ok() {}
    /// guard.clear_ready(); // it would block
    /// assert!(!guard.ready().is_readable());
    /// # Ok(())
    /// # }
    /// ```
    pub fn clear_ready(&mut self) {
        clear(self.owner, &mut self.seen, Ready::ALL);
    }

    /// Says that the descriptor is not ready any more for what is in `ready`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Ready;
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, _peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let mut fd = unsafe { AsyncFd::register(stream)? };
    /// let mut guard = fd.writable_mut().await?;
    /// while guard.get_inner_mut().write(&[0; 4096]).is_ok() {}
    /// guard.clear_ready_matching(Ready::WRITABLE);
    /// assert!(!guard.ready().is_writable());
    /// # Ok(())
    /// # }
    /// ```
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        clear(self.owner, &mut self.seen, ready);
    }

    /// Says that the descriptor is still ready, as dropping the guard does.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let mut fd = unsafe { AsyncFd::register(stream)? };
    /// peer.write_all(b"two parts")?;
    /// let mut guard = fd.readable_mut().await?;
    /// guard.get_inner_mut().read_exact(&mut [0; 4])?;
    /// guard.retain_ready(); // there is more
    /// assert!(fd.readable().await?.ready().is_readable());
    /// # Ok(())
    /// # }
    /// ```
    pub fn retain_ready(&mut self) {}

    /// What the descriptor was seen to be ready for, and has not been cleared since.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let mut fd = unsafe { AsyncFd::register(stream)? };
    /// drop(peer);
    /// assert!(fd.readable_mut().await?.ready().is_read_closed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn ready(&self) -> Ready {
        self.seen.map_or(Ready::EMPTY, |event| event.ready)
    }

    /// Runs `f`, and clears the readiness if it would block.
    ///
    /// `f` must answer [`WouldBlock`](io::ErrorKind::WouldBlock) only if the descriptor itself did, for what
    /// the guard was waited for.
    ///
    /// # Errors
    /// When `f` would block. Other errors of `f` are within `Ok`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let mut fd = unsafe { AsyncFd::register(stream)? };
    /// peer.write_all(b"text")?;
    /// let mut guard = fd.readable_mut().await?;
    /// assert_eq!(guard.try_io(|fd| fd.get_mut().read(&mut [0; 8])).unwrap()?, 4);
    /// // Empty now; the readiness is cleared.
    /// assert!(guard.try_io(|fd| fd.get_mut().read(&mut [0; 8])).is_err());
    /// assert!(!guard.ready().is_readable());
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&mut AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        let result = f(self.owner);
        if is_would_block(&result) {
            self.clear_ready();
            return Err(TryIoError(()));
        }
        Ok(result)
    }

    /// The [`AsyncFd`] the guard belongs to.
    ///
    /// # Examples
    /// ```
    /// use std::os::fd::AsRawFd;
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, _peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let mut fd = unsafe { AsyncFd::register(stream)? };
    /// let number = fd.as_raw_fd();
    /// let guard = fd.writable_mut().await?;
    /// assert_eq!(guard.get_ref().as_raw_fd(), number);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_ref(&self) -> &AsyncFd<T> {
        self.owner
    }

    /// The [`AsyncFd`] the guard belongs to.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let mut fd = unsafe { AsyncFd::register(stream)? };
    /// let mut guard = fd.writable_mut().await?;
    /// guard.get_mut().get_mut().write_all(b"text")?;
    /// assert_eq!(peer.read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> &mut AsyncFd<T> {
        self.owner
    }

    /// What the descriptor belongs to.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, _peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let mut fd = unsafe { AsyncFd::register(stream)? };
    /// let guard = fd.writable_mut().await?;
    /// assert!(guard.get_inner().peer_addr()?.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_inner(&self) -> &T {
        self.owner.get_ref()
    }

    /// What the descriptor belongs to.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    /// # use std::io::{Read, Write};
    /// # use std::os::unix::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, mut peer) = UnixStream::pair()?;
    /// # stream.set_nonblocking(true)?;
    /// # // SAFETY: a stream keeps its descriptor open and the same.
    /// # let mut fd = unsafe { AsyncFd::register(stream)? };
    /// peer.write_all(b"text")?;
    /// let mut guard = fd.readable_mut().await?;
    /// let mut text = [0; 4];
    /// guard.get_inner_mut().read_exact(&mut text)?;
    /// assert_eq!(text, *b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_inner_mut(&mut self) -> &mut T {
        self.owner.get_mut()
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFdReadyGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFdReadyGuard").field("async_fd", &self.owner).finish_non_exhaustive()
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFdReadyMutGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFdReadyMutGuard").field("async_fd", &self.owner).finish_non_exhaustive()
    }
}
