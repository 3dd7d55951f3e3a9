//! Waiting for readiness.

use std::io;
use std::os::fd::AsRawFd;
use std::task::{Context, Poll, ready};

use super::{AsyncFd, AsyncFdReadyGuard, AsyncFdReadyMutGuard};
use crate::engine::io::source::Direction;
use crate::io::Interest;

impl<T: AsRawFd> AsyncFd<T> {
    /// Waits until reading may make progress, for use in a `poll` function. Only the last caller is woken.
    ///
    /// # Errors
    /// When the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::task::{Poll, ready};
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
    /// let mut buf = [0; 8];
    /// let n = poll_fn(|cx| {
    ///     loop {
    ///         let mut guard = ready!(fd.poll_read_ready(cx))?;
    ///         // Where it would block after all, poll again: that leaves the waker.
    ///         if let Ok(result) = guard.try_io(|fd| fd.get_ref().read(&mut buf)) {
    ///             return Poll::Ready(result);
    ///         }
    ///     }
    /// })
    /// .await?;
    /// assert_eq!(n, 4);
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::task::{Poll, ready};
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
    /// let mut buf = [0; 8];
    /// let n = poll_fn(|cx| {
    ///     loop {
    ///         let mut guard = ready!(fd.poll_read_ready_mut(cx))?;
    ///         if let Ok(result) = guard.try_io(|fd| fd.get_mut().read(&mut buf)) {
    ///             return Poll::Ready(result);
    ///         }
    ///     }
    /// })
    /// .await?;
    /// assert_eq!(n, 4);
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::task::{Poll, ready};
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
    /// let n = poll_fn(|cx| {
    ///     loop {
    ///         let mut guard = ready!(fd.poll_write_ready(cx))?;
    ///         if let Ok(result) = guard.try_io(|fd| fd.get_ref().write(b"text")) {
    ///             return Poll::Ready(result);
    ///         }
    ///     }
    /// })
    /// .await?;
    /// assert_eq!(peer.read(&mut [0; 8])?, n);
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::task::ready;
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
    /// let is_writable = poll_fn(|cx| {
    ///     let guard = ready!(fd.poll_write_ready_mut(cx))?;
    ///     std::task::Poll::Ready(std::io::Result::Ok(guard.ready().is_writable()))
    /// })
    /// .await?;
    /// assert!(is_writable);
    /// # Ok(())
    /// # }
    /// ```
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
    /// peer.write_all(b"question")?;
    /// let ready = fd.ready(Interest::READABLE | Interest::WRITABLE).await?.ready();
    /// if ready.is_writable() {
    ///     fd.get_ref().write_all(b"answer")?;
    /// }
    /// assert!(ready.is_readable() || ready.is_writable());
    /// # Ok(())
    /// # }
    /// ```
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
    /// drop(peer);
    /// let mut guard = fd.ready_mut(Interest::READABLE).await?;
    /// assert!(guard.ready().is_read_closed());
    /// assert_eq!(guard.get_inner_mut().read(&mut [0; 8])?, 0);
    /// # Ok(())
    /// # }
    /// ```
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
    /// let reading = async {
    ///     loop {
    ///         let mut guard = fd.readable().await?;
    ///         if let Ok(result) = guard.try_io(|fd| fd.get_ref().read(&mut [0; 8])) {
    ///             return result;
    ///         }
    ///     }
    /// };
    /// let writing = async { peer.write(b"text") };
    /// let (read, written) = yamanote::join!(reading, writing);
    /// assert_eq!(read?, written?);
    /// # Ok(())
    /// # }
    /// ```
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
    /// # Ok(())
    /// # }
    /// ```
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
    /// // Until the buffer is full:
    /// let mut sent = 0;
    /// loop {
    ///     let mut guard = fd.writable().await?;
    ///     match guard.try_io(|fd| fd.get_ref().write(&[0; 4096])) {
    ///         Ok(result) => sent += result?,
    ///         Err(_would_block) => break, // the next `writable` would wait
    ///     }
    /// }
    /// assert!(sent > 0);
    /// # Ok(())
    /// # }
    /// ```
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
    /// let n = guard.try_io(|fd| fd.get_mut().write(b"text")).unwrap()?;
    /// assert_eq!(peer.read(&mut [0; 8])?, n);
    /// # Ok(())
    /// # }
    /// ```
    #[allow(clippy::needless_lifetimes)] // The lifetime is part of what the page should show.
    pub async fn writable_mut<'a>(&'a mut self) -> io::Result<AsyncFdReadyMutGuard<'a, T>> {
        self.ready_mut(Interest::WRITABLE).await
    }
}
