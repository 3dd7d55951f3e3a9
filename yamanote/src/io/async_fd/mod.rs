//! Any file descriptor that the system can watch, driven by hand.

mod guard;
mod register;
mod wait;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use crate::engine::io::registration::Registration;
use crate::io::Interest;

pub use guard::{AsyncFdReadyGuard, AsyncFdReadyMutGuard, TryIoError};
pub use register::{AsyncFdRegisterError, AsyncFdTryNewError};

/// Ties a file descriptor to the runtime, so that tasks can wait until it is ready.
///
/// For descriptors that the runtime has no type for. `T` is anything that has one; reading and writing stays
/// its business, this type says when it is worth a try. The descriptor must be in non-blocking mode, and be
/// of a kind that the system can watch: sockets, pipes and devices, not regular files.
///
/// # Readiness
/// The runtime remembers what the system reports until it is told that it no longer holds. So every wait
/// yields a *guard*, through which the result of the operation is reported: [`AsyncFdReadyGuard::try_io`]
/// does so by itself, clearing the readiness when the operation would block.
/// Clear readiness only when an operation has found that it would block; otherwise the next wait may take
/// for ever.
///
/// When a task is dropped while it waits, nothing is lost.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
/// use yamanote::io::unix::AsyncFd;
///
/// /// Reads once, as an asynchronous method.
/// async fn read(fd: &AsyncFd<UnixStream>, buf: &mut [u8]) -> std::io::Result<usize> {
///     loop {
///         let mut guard = fd.readable().await?;
///         // `Err` means that it would block; the readiness has been cleared.
///         if let Ok(result) = guard.try_io(|fd| fd.get_ref().read(buf)) {
///             return result;
///         }
///     }
/// }
///
/// let (stream, mut peer) = UnixStream::pair()?;
/// stream.set_nonblocking(true)?;
/// // SAFETY: a stream keeps its descriptor open and the same.
/// let fd = unsafe { AsyncFd::register(stream) }?;
/// peer.write_all(b"hello")?;
/// let mut buf = [0; 16];
/// assert_eq!(read(&fd, &mut buf).await?, 5);
/// # Ok(())
/// # }
/// ```
pub struct AsyncFd<T: AsRawFd> {
    registration: Registration,
    /// There until `into_inner` takes it.
    inner: Option<T>,
}

impl<T: AsRawFd> AsyncFd<T> {
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
    /// # let fd = unsafe { AsyncFd::register(stream)? };
    /// assert!(fd.get_ref().take_error()?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_ref(&self) -> &T {
        self.inner.as_ref().expect("there until `into_inner`")
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
    /// // Reading and writing is the inner type's business.
    /// fd.get_mut().write_all(b"text")?;
    /// assert_eq!(peer.read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("there until `into_inner`")
    }

    /// Takes the descriptor out of the runtime's hands and gives it back.
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
    /// let stream = fd.into_inner();
    /// stream.set_nonblocking(false)?; // on a thread of its own, for instance
    /// (&stream).write_all(b"text")?;
    /// assert_eq!(peer.read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_inner(mut self) -> T {
        self.detach();
        self.inner.take().expect("there until now")
    }

    fn detach(&self) {
        // An error means that the descriptor was closed behind our back: the poller copes.
        let _ = self.registration.detach();
    }

    /// Runs `f` until it does anything but block, waiting for readiness in between.
    ///
    /// `f` must answer [`WouldBlock`](io::ErrorKind::WouldBlock) only if the descriptor itself did. It may
    /// be called several times.
    ///
    /// # Cancel safety
    /// When the future is dropped, no call of `f` has done anything but block.
    ///
    /// # Errors
    /// Those of `f`, and one when the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
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
    /// let reading = fd.async_io(Interest::READABLE, |mut stream| stream.read(&mut [0; 8]));
    /// let writing = async { peer.write(b"text") };
    /// let (read, written) = yamanote::join!(reading, writing);
    /// assert_eq!(read?, written?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.registration.async_io_raw(interest, || f(self.get_ref())).await
    }

    /// As [`async_io`](AsyncFd::async_io), with unique access.
    ///
    /// # Cancel safety
    /// When the future is dropped, no call of `f` has done anything but block.
    ///
    /// # Errors
    /// Those of `f`, and one when the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
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
    /// let n = fd.async_io_mut(Interest::READABLE, |stream| stream.read(&mut [0; 8])).await?;
    /// assert_eq!(n, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn async_io_mut<R>(
        &mut self,
        interest: Interest,
        mut f: impl FnMut(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        let inner = self.inner.as_mut().expect("there until `into_inner`");
        self.registration.async_io_raw(interest, || f(inner)).await
    }

    /// Runs `f` if the descriptor was seen to be ready. Clears the readiness when `f` answers
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), which it must only do if the descriptor itself did.
    ///
    /// # Errors
    /// Those of `f`, and `WouldBlock` without a call of it.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::io::Interest;
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
    /// let read = |mut stream: &UnixStream| stream.read(&mut [0; 8]);
    /// assert_eq!(fd.try_io(Interest::READABLE, read).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// peer.write_all(b"text")?;
    /// fd.readable().await?.retain_ready();
    /// assert_eq!(fd.try_io(Interest::READABLE, read)?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io<R>(&self, interest: Interest, f: impl FnOnce(&T) -> io::Result<R>) -> io::Result<R> {
        self.registration.try_io_raw(interest, || f(self.get_ref()))
    }

    /// As [`try_io`](AsyncFd::try_io), with unique access.
    ///
    /// # Errors
    /// Those of `f`, and `WouldBlock` without a call of it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
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
    /// fd.readable().await?.retain_ready();
    /// assert_eq!(fd.try_io_mut(Interest::READABLE, |stream| stream.read(&mut [0; 8]))?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io_mut<R>(
        &mut self,
        interest: Interest,
        f: impl FnOnce(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        let inner = self.inner.as_mut().expect("there until `into_inner`");
        self.registration.try_io_raw(interest, || f(inner))
    }
}

impl<T: AsRawFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.get_ref().as_raw_fd()
    }
}

impl<T: AsRawFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: that the descriptor stays open as long as the `AsyncFd` lives is owed to `register`.
        unsafe { BorrowedFd::borrow_raw(self.as_raw_fd()) }
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd").field("inner", &self.inner).finish()
    }
}

impl<T: AsRawFd> Drop for AsyncFd<T> {
    fn drop(&mut self) {
        // Before `inner`, which may close it.
        self.detach();
    }
}

fn is_would_block<R>(result: &io::Result<R>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}
