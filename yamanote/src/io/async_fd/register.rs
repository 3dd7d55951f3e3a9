//! Handing a descriptor to the runtime.

use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use super::AsyncFd;
use crate::engine::io::poll_evented::BOTH;
use crate::engine::io::registration::Registration;
use crate::io::{Interest, Ready};
use crate::sys::poll::PollHandle;

/// The error of [`AsyncFd::register`]: the system cannot watch the descriptor. Holds what was to be
/// registered.
///
/// # Examples
/// ```
/// use yamanote::io::unix::AsyncFd;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let file = tempfile::tempfile()?;
/// // Regular files are always ready; the system refuses to watch them.
/// // SAFETY: a file keeps its descriptor open and the same.
/// let error = unsafe { AsyncFd::register(file) }.unwrap_err();
/// let error: std::io::Error = error.into();
/// # #[cfg(target_os = "linux")]
/// assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
/// # Ok(())
/// # }
/// ```
pub struct AsyncFdRegisterError<T> {
    why: io::Error,
    refused: T,
}

/// Former name of [`AsyncFdRegisterError`].
#[doc(hidden)]
pub type AsyncFdTryNewError<T> = AsyncFdRegisterError<T>;

impl<T: AsRawFd> AsyncFd<T> {
    /// Registers a descriptor for reading and writing. See [`register`](AsyncFd::register), which states
    /// what has to hold.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the system cannot watch the descriptor.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::net::UnixStream;
    /// use yamanote::io::unix::AsyncFd;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (stream, _peer) = UnixStream::pair()?;
    /// stream.set_nonblocking(true)?;
    /// #[allow(deprecated)]
    /// let fd = AsyncFd::new(stream)?;
    /// assert!(fd.get_ref().peer_addr()?.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    #[deprecated = "nothing keeps the descriptor open; use `register`, which says so by being unsafe"]
    #[track_caller]
    pub fn new(inner: T) -> io::Result<AsyncFd<T>> {
        AsyncFd::registered(inner, BOTH).map_err(Into::into)
    }

    /// Registers a descriptor for `interest`. See [`register_with_interest`](AsyncFd::register_with_interest),
    /// which states what has to hold.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the system cannot watch the descriptor.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::net::UnixStream;
    /// use yamanote::io::Interest;
    /// use yamanote::io::unix::AsyncFd;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (stream, peer) = UnixStream::pair()?;
    /// stream.set_nonblocking(true)?;
    /// #[allow(deprecated)]
    /// let fd = AsyncFd::with_interest(stream, Interest::READABLE)?;
    /// drop(peer);
    /// assert!(fd.readable().await?.ready().is_read_closed());
    /// # Ok(())
    /// # }
    /// ```
    #[deprecated = "nothing keeps the descriptor open; use `register_with_interest`, which says so by being \
                    unsafe"]
    #[track_caller]
    pub fn with_interest(inner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
        AsyncFd::registered(inner, interest).map_err(Into::into)
    }

    /// As [`new`](AsyncFd::new), but gives `inner` back when it fails.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the system cannot watch the descriptor.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::net::UnixStream;
    /// use yamanote::io::unix::AsyncFd;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (stream, _peer) = UnixStream::pair()?;
    /// stream.set_nonblocking(true)?;
    /// #[allow(deprecated)]
    /// match AsyncFd::try_new(stream) {
    ///     Ok(fd) => assert!(fd.get_ref().peer_addr()?.is_unnamed()),
    ///     Err(error) => drop(error.into_parts().0), // the stream comes back
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[deprecated = "nothing keeps the descriptor open; use `register`, which says so by being unsafe"]
    #[track_caller]
    pub fn try_new(inner: T) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::registered(inner, BOTH)
    }

    /// As [`with_interest`](AsyncFd::with_interest), but gives `inner` back when it fails.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the system cannot watch the descriptor.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::net::UnixStream;
    /// use yamanote::io::Interest;
    /// use yamanote::io::unix::AsyncFd;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (stream, _peer) = UnixStream::pair()?;
    /// stream.set_nonblocking(true)?;
    /// #[allow(deprecated)]
    /// let fd = AsyncFd::try_with_interest(stream, Interest::WRITABLE)?;
    /// assert!(fd.writable().await?.ready().is_writable());
    /// # Ok(())
    /// # }
    /// ```
    #[deprecated = "nothing keeps the descriptor open; use `register_with_interest`, which says so by being \
                    unsafe"]
    #[track_caller]
    pub fn try_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::registered(inner, interest)
    }

    /// Registers a descriptor for reading and writing.
    ///
    /// # Safety
    /// `inner.as_raw_fd()` must return the same descriptor each time, and it must stay open until the
    /// `AsyncFd` is dropped or taken apart by [`into_inner`](AsyncFd::into_inner).
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the system cannot watch the descriptor. The error holds `inner`.
    ///
    /// # Examples
    /// ```
    /// use std::io::Write;
    /// use std::os::unix::net::UnixStream;
    /// use yamanote::io::unix::AsyncFd;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (stream, mut peer) = UnixStream::pair()?;
    /// stream.set_nonblocking(true)?;
    /// // SAFETY: a stream keeps its descriptor open and the same.
    /// let fd = unsafe { AsyncFd::register(stream)? };
    /// peer.write_all(b"text")?;
    /// assert!(fd.readable().await?.ready().is_readable());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub unsafe fn register(inner: T) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::registered(inner, BOTH)
    }

    /// Registers a descriptor for `interest`.
    ///
    /// # Safety
    /// As for [`register`](AsyncFd::register).
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the system cannot watch the descriptor. The error holds `inner`.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::net::UnixStream;
    /// use yamanote::io::Interest;
    /// use yamanote::io::unix::AsyncFd;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (stream, _peer) = UnixStream::pair()?;
    /// stream.set_nonblocking(true)?;
    /// // It is only written to; what comes in wakes nobody.
    /// // SAFETY: a stream keeps its descriptor open and the same.
    /// let fd = unsafe { AsyncFd::register_with_interest(stream, Interest::WRITABLE)? };
    /// assert!(fd.writable().await?.ready().is_writable());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub unsafe fn register_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::registered(inner, interest)
    }

    /// Memory is safe even if the conditions of `register` are broken: the poller copes with a descriptor
    /// that is closed behind its back, and another one of the same number can merely be affected.
    #[track_caller]
    fn registered(inner: T, interest: Interest) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        let registration = Registration::new(PollHandle::of(&inner), interest, Ready::EMPTY, false);
        match registration.attach() {
            Ok(()) => Ok(AsyncFd { registration, inner: Some(inner) }),
            Err(cause) => Err(AsyncFdRegisterError { why: cause, refused: inner }),
        }
    }
}

impl<T> AsyncFdRegisterError<T> {
    /// What was to be registered, and why it was not.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::unix::AsyncFd;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = tempfile::tempfile()?;
    /// // SAFETY: a file keeps its descriptor open and the same.
    /// # #[cfg(target_os = "linux")]
    /// match unsafe { AsyncFd::register(file) } {
    ///     Ok(_) => unreachable!("regular files cannot be watched"),
    ///     Err(error) => {
    ///         // To go on with it in another way.
    ///         let (file, why) = error.into_parts();
    ///         assert_eq!(file.metadata()?.len(), 0);
    ///         println!("not watched: {why}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_parts(self) -> (T, io::Error) {
        (self.refused, self.why)
    }
}

impl<T> fmt::Debug for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncFdRegisterError").field(&self.why).finish()
    }
}

impl<T> fmt::Display for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<T> Error for AsyncFdRegisterError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.why)
    }
}

impl<T> From<AsyncFdRegisterError<T>> for io::Error {
    fn from(error: AsyncFdRegisterError<T>) -> io::Error {
        error.why
    }
}
