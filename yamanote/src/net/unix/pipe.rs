//! Pipes: anonymous ones, and named ones (FIFOs) in the file system.
//!
//! [`pipe`] makes an anonymous pipe, [`OpenOptions`] opens either end of a FIFO.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use mio::unix::pipe as mio_pipe;

use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
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

/// How to open an end of a FIFO.
///
/// # Examples
/// ```no_run
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::net::unix::pipe;
///
/// let receiver = pipe::OpenOptions::new().open_receiver("path/to/fifo")?;
/// let sender = pipe::OpenOptions::new().open_sender("path/to/fifo")?;
/// # drop((sender, receiver));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    read_write: bool,
    unchecked: bool,
}

/// The end of a pipe something is wanted to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Sender,
    Receiver,
}

impl OpenOptions {
    /// Options that are all off.
    pub fn new() -> OpenOptions {
        OpenOptions {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            read_write: false,
            unchecked: false,
        }
    }

    /// Opens either end for reading *and* writing, which Linux allows for FIFOs.
    ///
    /// A sender can then be opened before there is a receiver, and a receiver never sees the end of the
    /// stream, since it counts as a sender itself.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[cfg_attr(docsrs, doc(cfg(any(target_os = "linux", target_os = "android"))))]
    pub fn read_write(&mut self, value: bool) -> &mut OpenOptions {
        self.read_write = value;
        self
    }

    /// Does not check that the file is a FIFO. What happens if it is not depends on the system.
    pub fn unchecked(&mut self, value: bool) -> &mut OpenOptions {
        self.unchecked = value;
        self
    }

    /// Opens the end that reads. Does not wait for a sender.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// With kind [`InvalidInput`](io::ErrorKind::InvalidInput) when the file is no FIFO, and others of the
    /// system.
    #[track_caller]
    pub fn open_receiver<P: AsRef<Path>>(&self, path: P) -> io::Result<Receiver> {
        Receiver::from_nonblocking(self.open(path.as_ref(), End::Receiver)?.into())
    }

    /// Opens the end that writes.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// With kind [`InvalidInput`](io::ErrorKind::InvalidInput) when the file is no FIFO, with `ENXIO` when
    /// no receiver has it open, and others of the system.
    #[track_caller]
    pub fn open_sender<P: AsRef<Path>>(&self, path: P) -> io::Result<Sender> {
        Sender::from_nonblocking(self.open(path.as_ref(), End::Sender)?.into())
    }

    fn open(&self, path: &Path, end: End) -> io::Result<File> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let both = self.read_write;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let both = false;
        let file = std::fs::OpenOptions::new()
            .read(both || end == End::Receiver)
            .write(both || end == End::Sender)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)?;
        if !self.unchecked && !sys::unix::is_pipe(file.as_fd())? {
            return Err(not_a_pipe());
        }
        Ok(file)
    }
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions::new()
    }
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

/// The end of a pipe that writes.
///
/// Waiting for [`writable`](Sender::writable) also ends when all receivers are gone.
#[derive(Debug)]
pub struct Sender {
    io: PollEvented<mio_pipe::Sender>,
}

impl Sender {
    #[track_caller]
    fn from_mio(sender: mio_pipe::Sender) -> io::Result<Sender> {
        let io = PollEvented::with_interest(sender, Interest::WRITABLE)?;
        io.attach()?;
        Ok(Sender { io })
    }

    #[track_caller]
    fn from_nonblocking(fd: OwnedFd) -> io::Result<Sender> {
        Sender::from_mio(mio_pipe::Sender::from(fd))
    }

    /// Takes over a file that is the writing end of a pipe. Puts it into non-blocking mode.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// With kind [`InvalidInput`](io::ErrorKind::InvalidInput) when it is no such thing, and others of the
    /// system.
    #[track_caller]
    pub fn from_file(file: File) -> io::Result<Sender> {
        Sender::from_owned_fd(file.into())
    }

    /// As [`from_file`](Sender::from_file), from a descriptor.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// As for [`from_file`](Sender::from_file).
    #[track_caller]
    pub fn from_owned_fd(owned_fd: OwnedFd) -> io::Result<Sender> {
        Sender::from_nonblocking(checked(owned_fd, End::Sender)?)
    }

    /// As [`from_file`](Sender::from_file), without any check. The file has to be in non-blocking mode
    /// already; otherwise the thread will block.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the system cannot watch the file.
    #[track_caller]
    pub fn from_file_unchecked(file: File) -> io::Result<Sender> {
        Sender::from_nonblocking(file.into())
    }

    /// As [`from_file_unchecked`](Sender::from_file_unchecked), from a descriptor.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the system cannot watch the file.
    #[track_caller]
    pub fn from_owned_fd_unchecked(owned_fd: OwnedFd) -> io::Result<Sender> {
        Sender::from_nonblocking(owned_fd)
    }

    /// Waits for any of the readiness in `interest` and tells what there is of it.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped: the readiness is reported again until a `try_` method
    /// has found it wrong.
    ///
    /// # Errors
    /// When the runtime has shut down.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.io.registration().ready(interest).await?.ready)
    }

    /// Waits until writing may make progress: `ready(Interest::WRITABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](Sender::ready).
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// As [`writable`](Sender::writable), for use in a `poll` function. Only the last caller of this and
    /// the writing `poll` functions is woken.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.registration().poll_ready(cx, Direction::Write).map_ok(drop)
    }

    /// Writes what there is room for, without waiting. Up to `PIPE_BUF` bytes are written all or not at
    /// all.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; see
    /// [`writable`](Sender::writable).
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::WRITABLE, || (&*self.io).write(buf))
    }

    /// As [`try_write`](Sender::try_write), from several buffers, one after another.
    pub fn try_write_vectored(&self, buf: &[IoSlice<'_>]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::WRITABLE, || (&*self.io).write_vectored(buf))
    }

    /// Runs an operation of your own on the pipe, unless it is known that it would block.
    ///
    /// When `f` answers [`WouldBlock`](io::ErrorKind::WouldBlock), the readiness is cleared. So `f` must
    /// return it only if the pipe itself did, and must not use methods of this type, which keep track of
    /// readiness on their own.
    ///
    /// # Errors
    /// Those of `f`, and `WouldBlock` without a call of it.
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.registration().try_io_raw(Interest::WRITABLE, f)
    }

    /// Gives the descriptor away, put into blocking mode.
    ///
    /// # Errors
    /// When the pipe cannot be taken from the runtime, or its mode cannot be changed.
    pub fn into_blocking_fd(self) -> io::Result<OwnedFd> {
        let fd = self.into_nonblocking_fd()?;
        sys::unix::set_nonblocking(fd.as_fd(), false)?;
        Ok(fd)
    }

    /// Gives the descriptor away, in non-blocking mode.
    ///
    /// # Errors
    /// When the pipe cannot be taken from the runtime.
    pub fn into_nonblocking_fd(self) -> io::Result<OwnedFd> {
        self.io.into_inner().map(Into::into)
    }
}

impl AsyncWrite for Sender {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: there is no buffer.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: a pipe is closed by dropping it.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsRawFd for Sender {
    fn as_raw_fd(&self) -> RawFd {
        self.io.as_raw_fd()
    }
}

impl AsFd for Sender {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

/// The end of a pipe that reads.
///
/// When the last sender is gone, reads find the end of the stream. A FIFO can be opened by another sender
/// after that, and reads find data again.
#[derive(Debug)]
pub struct Receiver {
    pub(super) io: PollEvented<mio_pipe::Receiver>,
}

impl Receiver {
    #[track_caller]
    fn from_mio(receiver: mio_pipe::Receiver) -> io::Result<Receiver> {
        let io = PollEvented::with_interest(receiver, Interest::READABLE)?;
        io.attach()?;
        Ok(Receiver { io })
    }

    #[track_caller]
    fn from_nonblocking(fd: OwnedFd) -> io::Result<Receiver> {
        Receiver::from_mio(mio_pipe::Receiver::from(fd))
    }

    /// Takes over a file that is the reading end of a pipe. Puts it into non-blocking mode.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// With kind [`InvalidInput`](io::ErrorKind::InvalidInput) when it is no such thing, and others of the
    /// system.
    #[track_caller]
    pub fn from_file(file: File) -> io::Result<Receiver> {
        Receiver::from_owned_fd(file.into())
    }

    /// As [`from_file`](Receiver::from_file), from a descriptor.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// As for [`from_file`](Receiver::from_file).
    #[track_caller]
    pub fn from_owned_fd(owned_fd: OwnedFd) -> io::Result<Receiver> {
        Receiver::from_nonblocking(checked(owned_fd, End::Receiver)?)
    }

    /// As [`from_file`](Receiver::from_file), without any check. The file has to be in non-blocking mode
    /// already; otherwise the thread will block.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the system cannot watch the file.
    #[track_caller]
    pub fn from_file_unchecked(file: File) -> io::Result<Receiver> {
        Receiver::from_nonblocking(file.into())
    }

    /// As [`from_file_unchecked`](Receiver::from_file_unchecked), from a descriptor.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the system cannot watch the file.
    #[track_caller]
    pub fn from_owned_fd_unchecked(owned_fd: OwnedFd) -> io::Result<Receiver> {
        Receiver::from_nonblocking(owned_fd)
    }

    /// Waits for any of the readiness in `interest` and tells what there is of it.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped: the readiness is reported again until a `try_` method
    /// has found it wrong.
    ///
    /// # Errors
    /// When the runtime has shut down.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.io.registration().ready(interest).await?.ready)
    }

    /// Waits until reading may make progress: `ready(Interest::READABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](Receiver::ready).
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// As [`readable`](Receiver::readable), for use in a `poll` function. Only the last caller of this and
    /// the reading `poll` functions is woken.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.registration().poll_ready(cx, Direction::Read).map_ok(drop)
    }

    /// Reads what there is, without waiting. `Ok(0)` is the end of the stream, or an empty buffer.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; see
    /// [`readable`](Receiver::readable).
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || (&*self.io).read(buf))
    }

    /// As [`try_read`](Receiver::try_read), into several buffers, filled one after another.
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || (&*self.io).read_vectored(bufs))
    }

    /// Runs an operation of your own on the pipe, unless it is known that it would block.
    ///
    /// When `f` answers [`WouldBlock`](io::ErrorKind::WouldBlock), the readiness is cleared. So `f` must
    /// return it only if the pipe itself did, and must not use methods of this type, which keep track of
    /// readiness on their own.
    ///
    /// # Errors
    /// Those of `f`, and `WouldBlock` without a call of it.
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.registration().try_io_raw(Interest::READABLE, f)
    }

    /// Gives the descriptor away, put into blocking mode.
    ///
    /// # Errors
    /// When the pipe cannot be taken from the runtime, or its mode cannot be changed.
    pub fn into_blocking_fd(self) -> io::Result<OwnedFd> {
        let fd = self.into_nonblocking_fd()?;
        sys::unix::set_nonblocking(fd.as_fd(), false)?;
        Ok(fd)
    }

    /// Gives the descriptor away, in non-blocking mode.
    ///
    /// # Errors
    /// When the pipe cannot be taken from the runtime.
    pub fn into_nonblocking_fd(self) -> io::Result<OwnedFd> {
        self.io.into_inner().map(Into::into)
    }
}

impl AsyncRead for Receiver {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // SAFETY: `read` initialises the bytes it reports.
        unsafe { self.io.poll_read(cx, buf, false, sys::unix::read) }
    }
}

impl AsRawFd for Receiver {
    fn as_raw_fd(&self) -> RawFd {
        self.io.as_raw_fd()
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}
