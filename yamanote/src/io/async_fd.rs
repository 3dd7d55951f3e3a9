//! Any file descriptor that the system can watch, driven by hand.

use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};

use crate::engine::io::poll_evented::BOTH;
use crate::engine::io::registration::Registration;
use crate::engine::io::source::{Direction, ReadyEvent};
use crate::io::{Interest, Ready};
use crate::sys::poll::PollHandle;

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

/// Readiness of an [`AsyncFd`] that a task has waited for.
///
/// Dropping it keeps the readiness.
#[must_use = "say whether the readiness still holds, by `try_io`, `clear_ready` or `retain_ready`"]
pub struct AsyncFdReadyGuard<'a, T: AsRawFd> {
    /// What of the readiness has not been cleared.
    seen: Option<ReadyEvent>,
    owner: &'a AsyncFd<T>,
}

/// As [`AsyncFdReadyGuard`], with unique access to the [`AsyncFd`].
#[must_use = "say whether the readiness still holds, by `try_io`, `clear_ready` or `retain_ready`"]
pub struct AsyncFdReadyMutGuard<'a, T: AsRawFd> {
    /// What of the readiness has not been cleared.
    seen: Option<ReadyEvent>,
    owner: &'a mut AsyncFd<T>,
}

/// The error of [`AsyncFdReadyGuard::try_io`]: the operation would block.
#[derive(Debug)]
pub struct TryIoError(());

/// The error of [`AsyncFd::register`]: the system cannot watch the descriptor. Holds what was to be
/// registered.
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

    /// What the descriptor belongs to.
    pub fn get_ref(&self) -> &T {
        self.inner.as_ref().expect("there until `into_inner`")
    }

    /// What the descriptor belongs to.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("there until `into_inner`")
    }

    /// Takes the descriptor out of the runtime's hands and gives it back.
    pub fn into_inner(mut self) -> T {
        self.detach();
        self.inner.take().expect("there until now")
    }

    fn detach(&self) {
        // An error means that the descriptor was closed behind our back: the poller copes.
        let _ = self.registration.detach();
    }

    /// Waits until reading may make progress, for use in a `poll` function. Only the last caller is woken.
    ///
    /// # Errors
    /// When the runtime has shut down.
    pub fn poll_read_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.registration.poll_ready(cx, Direction::Read))?;
        Poll::Ready(Ok(AsyncFdReadyGuard { owner: self, seen: Some(event) }))
    }

    /// As [`poll_read_ready`](AsyncFd::poll_read_ready), with unique access.
    ///
    /// # Errors
    /// When the runtime has shut down.
    pub fn poll_read_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.registration.poll_ready(cx, Direction::Read))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard { owner: self, seen: Some(event) }))
    }

    /// Waits until writing may make progress, for use in a `poll` function. Only the last caller is woken.
    ///
    /// # Errors
    /// When the runtime has shut down.
    pub fn poll_write_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.registration.poll_ready(cx, Direction::Write))?;
        Poll::Ready(Ok(AsyncFdReadyGuard { owner: self, seen: Some(event) }))
    }

    /// As [`poll_write_ready`](AsyncFd::poll_write_ready), with unique access.
    ///
    /// # Errors
    /// When the runtime has shut down.
    pub fn poll_write_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.registration.poll_ready(cx, Direction::Write))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard { owner: self, seen: Some(event) }))
    }

    /// Waits for any of the readiness in `interest`. Any number of tasks may wait.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// When the runtime has shut down.
    pub async fn ready(&self, interest: Interest) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        let event = self.registration.ready(interest).await?;
        Ok(AsyncFdReadyGuard { owner: self, seen: Some(event) })
    }

    /// As [`ready`](AsyncFd::ready), with unique access.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// When the runtime has shut down.
    pub async fn ready_mut(&mut self, interest: Interest) -> io::Result<AsyncFdReadyMutGuard<'_, T>> {
        let event = self.registration.ready(interest).await?;
        Ok(AsyncFdReadyMutGuard { owner: self, seen: Some(event) })
    }

    /// Waits until reading may make progress: `ready(Interest::READABLE)`.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// When the runtime has shut down.
    #[allow(clippy::needless_lifetimes)] // The lifetime is part of what the page should show.
    pub async fn readable<'a>(&'a self) -> io::Result<AsyncFdReadyGuard<'a, T>> {
        self.ready(Interest::READABLE).await
    }

    /// As [`readable`](AsyncFd::readable), with unique access.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// When the runtime has shut down.
    #[allow(clippy::needless_lifetimes)] // The lifetime is part of what the page should show.
    pub async fn readable_mut<'a>(&'a mut self) -> io::Result<AsyncFdReadyMutGuard<'a, T>> {
        self.ready_mut(Interest::READABLE).await
    }

    /// Waits until writing may make progress: `ready(Interest::WRITABLE)`.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// When the runtime has shut down.
    #[allow(clippy::needless_lifetimes)] // The lifetime is part of what the page should show.
    pub async fn writable<'a>(&'a self) -> io::Result<AsyncFdReadyGuard<'a, T>> {
        self.ready(Interest::WRITABLE).await
    }

    /// As [`writable`](AsyncFd::writable), with unique access.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// When the runtime has shut down.
    #[allow(clippy::needless_lifetimes)] // The lifetime is part of what the page should show.
    pub async fn writable_mut<'a>(&'a mut self) -> io::Result<AsyncFdReadyMutGuard<'a, T>> {
        self.ready_mut(Interest::WRITABLE).await
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
    pub fn try_io<R>(&self, interest: Interest, f: impl FnOnce(&T) -> io::Result<R>) -> io::Result<R> {
        self.registration.try_io_raw(interest, || f(self.get_ref()))
    }

    /// As [`try_io`](AsyncFd::try_io), with unique access.
    ///
    /// # Errors
    /// Those of `f`, and `WouldBlock` without a call of it.
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

fn is_would_block<R>(result: &io::Result<R>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl<'a, T: AsRawFd> AsyncFdReadyGuard<'a, T> {
    /// Says that the descriptor is not ready any more, for anything the guard reports.
    ///
    /// Readiness that was reported after the guard was made stays, and so does what cannot pass: that the
    /// peer has closed.
    pub fn clear_ready(&mut self) {
        clear(self.owner, &mut self.seen, Ready::ALL);
    }

    /// Says that the descriptor is not ready any more for what is in `ready`.
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        clear(self.owner, &mut self.seen, ready);
    }

    /// Says that the descriptor is still ready, as dropping the guard does.
    pub fn retain_ready(&mut self) {}

    /// What the descriptor was seen to be ready for, and has not been cleared since.
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
    pub fn get_ref(&self) -> &'a AsyncFd<T> {
        self.owner
    }

    /// What the descriptor belongs to.
    pub fn get_inner(&self) -> &'a T {
        self.owner.get_ref()
    }
}

impl<'a, T: AsRawFd> AsyncFdReadyMutGuard<'a, T> {
    /// Says that the descriptor is not ready any more, for anything the guard reports.
    ///
    /// Readiness that was reported after the guard was made stays, and so does what cannot pass: that the
    /// peer has closed.
    pub fn clear_ready(&mut self) {
        clear(self.owner, &mut self.seen, Ready::ALL);
    }

    /// Says that the descriptor is not ready any more for what is in `ready`.
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        clear(self.owner, &mut self.seen, ready);
    }

    /// Says that the descriptor is still ready, as dropping the guard does.
    pub fn retain_ready(&mut self) {}

    /// What the descriptor was seen to be ready for, and has not been cleared since.
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
    pub fn get_ref(&self) -> &AsyncFd<T> {
        self.owner
    }

    /// The [`AsyncFd`] the guard belongs to.
    pub fn get_mut(&mut self) -> &mut AsyncFd<T> {
        self.owner
    }

    /// What the descriptor belongs to.
    pub fn get_inner(&self) -> &T {
        self.owner.get_ref()
    }

    /// What the descriptor belongs to.
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

impl<T> AsyncFdRegisterError<T> {
    /// What was to be registered, and why it was not.
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
