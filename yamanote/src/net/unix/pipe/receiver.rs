//! The end of a pipe that reads.

use std::fs::File;
use std::io::{self, IoSliceMut, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use mio::unix::pipe as mio_pipe;

use super::{End, checked};
use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::{AsyncRead, Interest, ReadBuf, Ready};
use crate::sys;

/// The end of a pipe that reads.
///
/// When the last sender is gone, reads find the end of the stream. A FIFO can be opened by another sender
/// after that, and reads find data again.
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncBufReadExt, BufReader};
/// use yamanote::net::unix::pipe;
/// use yamanote::process::Command;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Both outputs of a process through one pipe, in the order in which they were written.
/// let (sender, receiver) = pipe::pipe()?;
/// let fd = sender.into_blocking_fd()?;
/// let mut sh = Command::new("sh");
/// sh.args(["-c", "echo one; echo two >&2"]).stdout(fd.try_clone()?).stderr(fd);
/// let mut child = sh.spawn()?;
/// drop(sh); // it has the ends that write, too
/// let mut lines = BufReader::new(receiver).lines();
/// assert_eq!(lines.next_line().await?.as_deref(), Some("one"));
/// assert_eq!(lines.next_line().await?.as_deref(), Some("two"));
/// assert_eq!(lines.next_line().await?, None);
/// child.wait().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Receiver {
    pub(in crate::net::unix) io: PollEvented<mio_pipe::Receiver>,
}

impl Receiver {
    #[track_caller]
    pub(super) fn from_mio(receiver: mio_pipe::Receiver) -> io::Result<Receiver> {
        let io = PollEvented::with_interest(receiver, Interest::READABLE)?;
        io.attach()?;
        Ok(Receiver { io })
    }

    #[track_caller]
    pub(super) fn from_nonblocking(fd: OwnedFd) -> io::Result<Receiver> {
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
    ///
    /// # Examples
    /// ```
    /// use std::fs::File;
    /// use yamanote::io::AsyncReadExt;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// sender.try_write(b"text")?;
    /// let file = File::from(receiver.into_blocking_fd()?);
    /// let mut receiver = pipe::Receiver::from_file(file)?;
    /// let mut buf = [0; 4];
    /// receiver.read_exact(&mut buf).await?;
    /// assert_eq!(buf, *b"text");
    ///
    /// // The other end writes only.
    /// let file = File::from(sender.into_blocking_fd()?);
    /// assert_eq!(pipe::Receiver::from_file(file).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::process::{Command, Stdio};
    /// use yamanote::io::AsyncReadExt;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut child = Command::new("echo").arg("text").stdout(Stdio::piped()).spawn()?;
    /// let stdout = child.stdout.take().unwrap();
    /// let mut receiver = pipe::Receiver::from_owned_fd(stdout.into())?;
    /// let mut text = String::new();
    /// receiver.read_to_string(&mut text).await?;
    /// assert_eq!(text, "text\n");
    /// child.wait()?;
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::fs::File;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// let file = File::from(receiver.into_nonblocking_fd()?);
    /// let receiver = pipe::Receiver::from_file_unchecked(file)?;
    /// sender.try_write(b"text")?;
    /// receiver.readable().await?;
    /// assert_eq!(receiver.try_read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// let fd = receiver.into_nonblocking_fd()?;
    /// let receiver = pipe::Receiver::from_owned_fd_unchecked(fd)?;
    /// sender.try_write(b"text")?;
    /// receiver.readable().await?;
    /// assert_eq!(receiver.try_read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// drop(sender);
    /// let ready = receiver.ready(Interest::READABLE).await?;
    /// assert!(ready.is_read_closed());
    /// assert_eq!(receiver.try_read(&mut [0; 8])?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.io.registration().ready(interest).await?.ready)
    }

    /// Waits until reading may make progress: `ready(Interest::READABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](Receiver::ready).
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// sender.try_write(b"text")?;
    /// let mut buf = [0; 8];
    /// let n = loop {
    ///     receiver.readable().await?;
    ///     match receiver.try_read(&mut buf) {
    ///         // There may be nothing yet.
    ///         Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
    ///         result => break result?,
    ///     }
    /// };
    /// assert_eq!(&buf[..n], b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// As [`readable`](Receiver::readable), for use in a `poll` function. Only the last caller of this and
    /// the reading `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// sender.try_write(b"text")?;
    /// poll_fn(|cx| receiver.poll_read_ready(cx)).await?;
    /// assert_eq!(receiver.try_read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.registration().poll_ready(cx, Direction::Read).map_ok(drop)
    }

    /// Reads what there is, without waiting. `Ok(0)` is the end of the stream, or an empty buffer.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; see
    /// [`readable`](Receiver::readable).
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// let mut buf = [0; 8];
    /// assert_eq!(receiver.try_read(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// sender.try_write(b"text")?;
    /// receiver.readable().await?;
    /// assert_eq!(receiver.try_read(&mut buf)?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || (&*self.io).read(buf))
    }

    /// As [`try_read`](Receiver::try_read), into several buffers, filled one after another.
    ///
    /// # Errors
    /// As for [`try_read`](Receiver::try_read).
    ///
    /// # Examples
    /// ```
    /// use std::io::IoSliceMut;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// sender.try_write(b"key=value")?;
    /// receiver.readable().await?;
    /// let (mut key, mut value) = ([0; 4], [0; 5]);
    /// receiver.try_read_vectored(&mut [IoSliceMut::new(&mut key), IoSliceMut::new(&mut value)])?;
    /// assert_eq!((&key, &value), (b"key=", b"value"));
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::fs::File;
    /// use std::io::Read;
    /// use std::os::fd::AsFd;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// // The same pipe as a file of the standard library's.
    /// let mut file = File::from(receiver.as_fd().try_clone_to_owned()?);
    /// sender.try_write(b"text")?;
    /// receiver.readable().await?;
    /// assert_eq!(receiver.try_io(|| file.read(&mut [0; 8]))?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.registration().try_io_raw(Interest::READABLE, f)
    }

    /// Gives the descriptor away, put into blocking mode.
    ///
    /// # Errors
    /// When the pipe cannot be taken from the runtime, or its mode cannot be changed.
    ///
    /// # Examples
    /// ```
    /// use std::process::Command;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // What another process reads is what was written here.
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// sender.try_write(b"text")?;
    /// drop(sender);
    /// let output = Command::new("cat").stdin(receiver.into_blocking_fd()?).output()?;
    /// assert_eq!(output.stdout, b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_blocking_fd(self) -> io::Result<OwnedFd> {
        let fd = self.into_nonblocking_fd()?;
        sys::unix::set_nonblocking(fd.as_fd(), false)?;
        Ok(fd)
    }

    /// Gives the descriptor away, in non-blocking mode.
    ///
    /// # Errors
    /// When the pipe cannot be taken from the runtime.
    ///
    /// # Examples
    /// ```
    /// use std::fs::File;
    /// use std::io::{ErrorKind, Read};
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (_sender, receiver) = pipe::pipe()?;
    /// let mut file = File::from(receiver.into_nonblocking_fd()?);
    /// assert_eq!(file.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
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
