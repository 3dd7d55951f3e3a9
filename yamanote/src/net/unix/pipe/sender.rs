//! The end of a pipe that writes.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use mio::unix::pipe as mio_pipe;

use super::{End, checked};
use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::{AsyncWrite, Interest, Ready};
use crate::sys;

/// The end of a pipe that writes.
///
/// Waiting for [`writable`](Sender::writable) also ends when all receivers are gone.
///
/// # Examples
/// ```
/// use yamanote::io::AsyncWriteExt;
/// use yamanote::net::unix::pipe;
/// use yamanote::process::Command;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // What is written here comes out of `cat` there.
/// let (mut sender, receiver) = pipe::pipe()?;
/// let cat = Command::new("cat").stdin(receiver.into_blocking_fd()?).output();
/// let (output, written) = yamanote::join!(cat, async move { sender.write_all(b"text").await });
/// written?;
/// assert_eq!(output?.stdout, b"text");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sender {
    io: PollEvented<mio_pipe::Sender>,
}

impl Sender {
    #[track_caller]
    pub(super) fn from_mio(sender: mio_pipe::Sender) -> io::Result<Sender> {
        let io = PollEvented::with_interest(sender, Interest::WRITABLE)?;
        io.attach()?;
        Ok(Sender { io })
    }

    #[track_caller]
    pub(super) fn from_nonblocking(fd: OwnedFd) -> io::Result<Sender> {
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
    ///
    /// # Examples
    /// ```
    /// use std::fs::File;
    /// use yamanote::io::AsyncWriteExt;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // A file that is a pipe, as it may be inherited from another process:
    /// let (sender, receiver) = pipe::pipe()?;
    /// let file = File::from(sender.into_blocking_fd()?);
    /// let mut sender = pipe::Sender::from_file(file)?;
    /// sender.write_all(b"text").await?;
    ///
    /// // The other end reads only.
    /// let file = File::from(receiver.into_blocking_fd()?);
    /// assert_eq!(pipe::Sender::from_file(file).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncWriteExt;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, _receiver) = pipe::pipe()?;
    /// let fd = sender.into_blocking_fd()?;
    /// let mut sender = pipe::Sender::from_owned_fd(fd)?;
    /// sender.write_all(b"text").await?;
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::fs::File;
    /// use yamanote::io::AsyncWriteExt;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, _receiver) = pipe::pipe()?;
    /// let file = File::from(sender.into_nonblocking_fd()?);
    /// let mut sender = pipe::Sender::from_file_unchecked(file)?;
    /// sender.write_all(b"text").await?;
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncWriteExt;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, _receiver) = pipe::pipe()?;
    /// let fd = sender.into_nonblocking_fd()?;
    /// let mut sender = pipe::Sender::from_owned_fd_unchecked(fd)?;
    /// sender.write_all(b"text").await?;
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// assert!(sender.ready(Interest::WRITABLE).await?.is_writable());
    /// drop(receiver);
    /// // Nobody is left to read; a write would say so, by an error.
    /// while !sender.ready(Interest::WRITABLE).await?.is_write_closed() {
    ///     yamanote::task::yield_now().await;
    /// }
    /// assert_eq!(sender.try_write(b"text").unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.io.registration().ready(interest).await?.ready)
    }

    /// Waits until writing may make progress: `ready(Interest::WRITABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](Sender::ready).
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
    /// while sender.try_write(&[0; 4096]).is_ok() {} // until it is full
    /// let drain = async {
    ///     receiver.readable().await?;
    ///     receiver.try_read(&mut [0; 1 << 16])
    /// };
    /// let (writable, read) = yamanote::join!(sender.writable(), drain);
    /// writable?;
    /// read?;
    /// assert_ne!(sender.try_write(b"text")?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// As [`writable`](Sender::writable), for use in a `poll` function. Only the last caller of this and
    /// the writing `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, _receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// poll_fn(|cx| sender.poll_write_ready(cx)).await?;
    /// assert_eq!(sender.try_write(b"text")?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.registration().poll_ready(cx, Direction::Write).map_ok(drop)
    }

    /// Writes what there is room for, without waiting. Up to `PIPE_BUF` bytes are written all or not at
    /// all.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; see
    /// [`writable`](Sender::writable).
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
    /// let mut room = 0;
    /// let error = loop {
    ///     match sender.try_write(&[0; 1024]) {
    ///         Ok(n) => room += n,
    ///         Err(error) => break error,
    ///     }
    /// };
    /// assert_eq!(error.kind(), ErrorKind::WouldBlock);
    /// assert!(room > 0, "how much a pipe holds depends on the system");
    /// # drop(receiver);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::WRITABLE, || (&*self.io).write(buf))
    }

    /// As [`try_write`](Sender::try_write), from several buffers, one after another.
    ///
    /// # Errors
    /// As for [`try_write`](Sender::try_write).
    ///
    /// # Examples
    /// ```
    /// use std::io::IoSlice;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// assert_eq!(sender.try_write_vectored(&[IoSlice::new(b"key="), IoSlice::new(b"value")])?, 9);
    /// let mut buf = [0; 9];
    /// receiver.readable().await?;
    /// receiver.try_read(&mut buf)?;
    /// assert_eq!(buf, *b"key=value");
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::io::Write;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// let mut same_pipe = pipe_file(&sender)?;
    /// sender.writable().await?;
    /// let n = sender.try_io(|| same_pipe.write(b"text"))?;
    /// assert_eq!(n, 4);
    /// # drop(receiver);
    ///
    /// /// The same pipe as a file of the standard library's.
    /// fn pipe_file(sender: &pipe::Sender) -> std::io::Result<std::fs::File> {
    ///     use std::os::fd::AsFd;
    ///     Ok(sender.as_fd().try_clone_to_owned()?.into())
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.registration().try_io_raw(Interest::WRITABLE, f)
    }

    /// Gives the descriptor away, put into blocking mode.
    ///
    /// # Errors
    /// When the pipe cannot be taken from the runtime, or its mode cannot be changed.
    ///
    /// # Examples
    /// ```
    /// use std::process::Command;
    /// use yamanote::io::AsyncReadExt;
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // For a process that does not expect a pipe that is non-blocking.
    /// let (sender, mut receiver) = pipe::pipe()?;
    /// Command::new("echo").arg("text").stdout(sender.into_blocking_fd()?).status()?;
    /// let mut text = String::new();
    /// receiver.read_to_string(&mut text).await?;
    /// assert_eq!(text, "text\n");
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
    /// use std::io::{ErrorKind, Write};
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, _receiver) = pipe::pipe()?;
    /// let mut file = File::from(sender.into_nonblocking_fd()?);
    /// let error = loop {
    ///     if let Err(error) = file.write(&[0; 1024]) {
    ///         break error; // instead of blocking
    ///     }
    /// };
    /// assert_eq!(error.kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
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
