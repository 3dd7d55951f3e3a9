//! The pipes to and from a child.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use crate::io::{AsyncRead, AsyncWrite, ReadBuf};
use crate::process::imp::{ReadPipe, WritePipe};

/// The standard input of a child, to be written to. Dropping it closes it.
///
/// # Examples
/// ```
/// use std::process::Stdio;
/// use yamanote::io::AsyncWriteExt;
/// use yamanote::process::{ChildStdin, Command};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
/// let mut input: ChildStdin = child.stdin.take().expect("it was asked for");
/// input.write_all(b"to and fro").await?;
/// drop(input); // the end of its input
/// assert_eq!(child.wait_with_output().await?.stdout, b"to and fro");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStdin {
    inner: WritePipe,
}

/// The standard output of a child, to be read from.
///
/// # Examples
/// ```
/// use std::process::Stdio;
/// use yamanote::io::{AsyncBufReadExt, BufReader};
/// use yamanote::process::{ChildStdout, Command};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
/// let output: ChildStdout = child.stdout.take().expect("it was asked for");
/// let mut lines = BufReader::new(output).lines();
/// assert_eq!(lines.next_line().await?.as_deref(), Some("hello"));
/// child.wait().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStdout {
    inner: ReadPipe,
}

/// The standard error of a child, to be read from.
///
/// # Examples
/// ```
/// use std::process::Stdio;
/// use yamanote::io::AsyncReadExt;
/// use yamanote::process::{ChildStderr, Command};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut child = Command::new("sh").args(["-c", "echo oh >&2"]).stderr(Stdio::piped()).spawn()?;
/// let mut errors: ChildStderr = child.stderr.take().expect("it was asked for");
/// let mut text = String::new();
/// errors.read_to_string(&mut text).await?;
/// assert_eq!(text, "oh\n");
/// child.wait().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStderr {
    inner: ReadPipe,
}

impl ChildStdin {
    /// Takes over the standard library's pipe.
    ///
    /// # Errors
    /// If the system does not watch it.
    ///
    /// # Panics
    /// On Unix, outside a runtime with input/output enabled.
    ///
    /// # Examples
    /// ```
    /// use std::process::{Command, Stdio};
    /// use yamanote::io::AsyncWriteExt;
    /// use yamanote::process::ChildStdin;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Somebody else started it with the standard library.
    /// let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    /// let mut input = ChildStdin::from_std(child.stdin.take().expect("it was asked for"))?;
    /// input.write_all(b"to and fro").await?;
    /// drop(input);
    /// assert_eq!(child.wait_with_output()?.stdout, b"to and fro");
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(inner: std::process::ChildStdin) -> io::Result<Self> {
        Ok(ChildStdin { inner: WritePipe::new(inner.into())? })
    }
}

impl ChildStdout {
    /// Takes over the standard library's pipe.
    ///
    /// # Errors
    /// If the system does not watch it.
    ///
    /// # Panics
    /// On Unix, outside a runtime with input/output enabled.
    ///
    /// # Examples
    /// ```
    /// use std::process::{Command, Stdio};
    /// use yamanote::io::AsyncReadExt;
    /// use yamanote::process::ChildStdout;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Somebody else started it with the standard library.
    /// let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
    /// let mut output = ChildStdout::from_std(child.stdout.take().expect("it was asked for"))?;
    /// let mut text = String::new();
    /// output.read_to_string(&mut text).await?;
    /// assert_eq!(text, "hello\n");
    /// child.wait()?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(inner: std::process::ChildStdout) -> io::Result<Self> {
        Ok(ChildStdout { inner: ReadPipe::new(inner.into())? })
    }
}

impl ChildStderr {
    /// Takes over the standard library's pipe.
    ///
    /// # Errors
    /// If the system does not watch it.
    ///
    /// # Panics
    /// On Unix, outside a runtime with input/output enabled.
    ///
    /// # Examples
    /// ```
    /// use std::process::{Command, Stdio};
    /// use yamanote::io::AsyncReadExt;
    /// use yamanote::process::ChildStderr;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Somebody else started it with the standard library.
    /// let mut child = Command::new("sh").args(["-c", "echo oh >&2"]).stderr(Stdio::piped()).spawn()?;
    /// let mut errors = ChildStderr::from_std(child.stderr.take().expect("it was asked for"))?;
    /// let mut text = String::new();
    /// errors.read_to_string(&mut text).await?;
    /// assert_eq!(text, "oh\n");
    /// child.wait()?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(inner: std::process::ChildStderr) -> io::Result<Self> {
        Ok(ChildStderr { inner: ReadPipe::new(inner.into())? })
    }
}

impl AsyncWrite for ChildStdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        WritePipe::IS_VECTORED
    }
}

impl AsyncRead for ChildStdout {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner.poll_read(cx, buf)
    }
}

impl AsyncRead for ChildStderr {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner.poll_read(cx, buf)
    }
}

impl TryInto<Stdio> for ChildStdin {
    type Error = io::Error;

    fn try_into(self) -> Result<Stdio, Self::Error> {
        self.inner.into_stdio()
    }
}

impl TryInto<Stdio> for ChildStdout {
    type Error = io::Error;

    fn try_into(self) -> Result<Stdio, Self::Error> {
        self.inner.into_stdio()
    }
}

impl TryInto<Stdio> for ChildStderr {
    type Error = io::Error;

    fn try_into(self) -> Result<Stdio, Self::Error> {
        self.inner.into_stdio()
    }
}

#[cfg(unix)]
mod os {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

    use super::{ChildStderr, ChildStdin, ChildStdout};

    impl ChildStdin {
        /// The pipe's descriptor, out of the runtime's hands and in blocking mode.
        ///
        /// # Errors
        /// If the system refuses the mode.
        ///
        /// # Examples
        /// ```
        /// use std::io::Write;
        /// use std::process::Stdio;
        /// use yamanote::process::Command;
        ///
        /// # #[yamanote::main(flavor = "current_thread")]
        /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        /// let input = child.stdin.take().expect("it was asked for").into_owned_fd()?;
        /// std::fs::File::from(input).write_all(b"by the standard library")?; // blocking
        /// assert_eq!(child.wait_with_output().await?.stdout, b"by the standard library");
        /// # Ok(())
        /// # }
        /// ```
        pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
            self.inner.into_owned_fd()
        }
    }

    impl ChildStdout {
        /// The pipe's descriptor, out of the runtime's hands and in blocking mode.
        ///
        /// # Errors
        /// If the system refuses the mode.
        ///
        /// # Examples
        /// ```
        /// use std::process::Stdio;
        /// use yamanote::process::Command;
        ///
        /// # #[yamanote::main(flavor = "current_thread")]
        /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// // The output of one is the input of the other, and nothing passes through here.
        /// let mut echo = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
        /// let between = echo.stdout.take().expect("it was asked for").into_owned_fd()?;
        /// let output = Command::new("tr").args(["a-z", "A-Z"]).stdin(between).output().await?;
        /// assert_eq!(output.stdout, b"HELLO\n");
        /// echo.wait().await?;
        /// # Ok(())
        /// # }
        /// ```
        pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
            self.inner.into_owned_fd()
        }
    }

    impl ChildStderr {
        /// The pipe's descriptor, out of the runtime's hands and in blocking mode.
        ///
        /// # Errors
        /// If the system refuses the mode.
        ///
        /// # Examples
        /// ```
        /// use std::process::Stdio;
        /// use yamanote::process::Command;
        ///
        /// # #[yamanote::main(flavor = "current_thread")]
        /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// let mut child = Command::new("sh").args(["-c", "echo oh >&2"]).stderr(Stdio::piped()).spawn()?;
        /// let between = child.stderr.take().expect("it was asked for").into_owned_fd()?;
        /// let output = Command::new("cat").stdin(between).output().await?;
        /// assert_eq!(output.stdout, b"oh\n");
        /// child.wait().await?;
        /// # Ok(())
        /// # }
        /// ```
        pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
            self.inner.into_owned_fd()
        }
    }

    impl AsRawFd for ChildStdin {
        fn as_raw_fd(&self) -> RawFd {
            self.inner.as_raw_fd()
        }
    }

    impl AsFd for ChildStdin {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.inner.as_fd()
        }
    }

    impl AsRawFd for ChildStdout {
        fn as_raw_fd(&self) -> RawFd {
            self.inner.as_raw_fd()
        }
    }

    impl AsFd for ChildStdout {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.inner.as_fd()
        }
    }

    impl AsRawFd for ChildStderr {
        fn as_raw_fd(&self) -> RawFd {
            self.inner.as_raw_fd()
        }
    }

    impl AsFd for ChildStderr {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.inner.as_fd()
        }
    }
}

#[cfg(windows)]
mod os {
    use std::io;
    use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle, RawHandle};

    use super::{ChildStderr, ChildStdin, ChildStdout};

    impl ChildStdin {
        /// The pipe's handle, out of the runtime's hands. A duplicate while a read or write is under way.
        ///
        /// # Errors
        /// If the system refuses the duplicate.
        pub fn into_owned_handle(self) -> io::Result<OwnedHandle> {
            self.inner.into_owned_handle()
        }
    }

    impl ChildStdout {
        /// The pipe's handle, out of the runtime's hands. A duplicate while a read or write is under way.
        ///
        /// # Errors
        /// If the system refuses the duplicate.
        pub fn into_owned_handle(self) -> io::Result<OwnedHandle> {
            self.inner.into_owned_handle()
        }
    }

    impl ChildStderr {
        /// The pipe's handle, out of the runtime's hands. A duplicate while a read or write is under way.
        ///
        /// # Errors
        /// If the system refuses the duplicate.
        pub fn into_owned_handle(self) -> io::Result<OwnedHandle> {
            self.inner.into_owned_handle()
        }
    }

    impl AsRawHandle for ChildStdin {
        fn as_raw_handle(&self) -> RawHandle {
            self.inner.as_raw_handle()
        }
    }

    impl AsHandle for ChildStdin {
        fn as_handle(&self) -> BorrowedHandle<'_> {
            self.inner.as_handle()
        }
    }

    impl AsRawHandle for ChildStdout {
        fn as_raw_handle(&self) -> RawHandle {
            self.inner.as_raw_handle()
        }
    }

    impl AsHandle for ChildStdout {
        fn as_handle(&self) -> BorrowedHandle<'_> {
            self.inner.as_handle()
        }
    }

    impl AsRawHandle for ChildStderr {
        fn as_raw_handle(&self) -> RawHandle {
            self.inner.as_raw_handle()
        }
    }

    impl AsHandle for ChildStderr {
        fn as_handle(&self) -> BorrowedHandle<'_> {
            self.inner.as_handle()
        }
    }
}
