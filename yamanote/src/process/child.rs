//! A process that was started.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::process::{Child as StdChild, ExitStatus, Output};
use std::task::{Context, Poll, ready};
use std::{fmt, io};

use crate::io::{AsyncRead, ReadBuf};
use crate::process::imp;
use crate::process::stdio::{ChildStderr, ChildStdin, ChildStdout};

/// A process that was started by [`Command::spawn`](crate::process::Command::spawn).
///
/// It goes on when this is dropped, unless [`kill_on_drop`](crate::process::Command::kill_on_drop) was set.
pub struct Child {
    state: State,
    kill_on_drop: bool,
    _not_unwind_safe: crate::util::NotUnwindSafe,
    /// The pipe to the process's standard input, if one was asked for.
    pub stdin: Option<ChildStdin>,
    /// The pipe from the process's standard output, if one was asked for.
    pub stdout: Option<ChildStdout>,
    /// The pipe from the process's standard error, if one was asked for.
    pub stderr: Option<ChildStderr>,
}

#[derive(Debug)]
enum State {
    Running(imp::Running),
    Done(ExitStatus),
}

impl Child {
    #[track_caller]
    pub(super) fn new(mut child: StdChild, kill_on_drop: bool) -> io::Result<Child> {
        let pipes = child.stdin.take().map(ChildStdin::from_std).transpose().and_then(|stdin| {
            let stdout = child.stdout.take().map(ChildStdout::from_std).transpose()?;
            let stderr = child.stderr.take().map(ChildStderr::from_std).transpose()?;
            Ok((stdin, stdout, stderr))
        });
        let (stdin, stdout, stderr) = match pipes {
            Ok(pipes) => pipes,
            Err(error) => {
                imp::give_up(child);
                return Err(error);
            }
        };
        let state = State::Running(imp::Running::new(child)?);
        Ok(Child { state, kill_on_drop, _not_unwind_safe: PhantomData, stdin, stdout, stderr })
    }

    /// The process's number. `None` once its end is known: the number may be another's by then.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut child = Command::new("true").spawn()?;
    /// assert!(child.id().is_some());
    /// child.wait().await?;
    /// assert_eq!(child.id(), None); // the number may be somebody else's by now
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(&self) -> Option<u32> {
        match &self.state {
            State::Running(running) => Some(running.id()),
            State::Done(_) => None,
        }
    }

    /// Asks the system to kill the process (by `SIGKILL` on Unix), without waiting for its end.
    ///
    /// One whose end is known is left alone.
    ///
    /// # Errors
    /// If the system refuses.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut child = Command::new("sleep").arg("3600").spawn()?;
    /// child.start_kill()?;
    /// assert!(!child.wait().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_kill(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Running(running) => running.kill(),
            State::Done(_) => Ok(()),
        }
    }

    /// Kills the process and waits for its end.
    ///
    /// # Errors
    /// Those of [`start_kill`](Child::start_kill) and [`wait`](Child::wait).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = yamanote::process::Command::new("sleep").arg("60").spawn()?;
    /// child.kill().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn kill(&mut self) -> io::Result<()> {
        self.start_kill()?;
        self.wait().await?;
        Ok(())
    }

    /// Waits for the process's end. Closes its standard input first, lest it wait for more.
    ///
    /// # Cancel safety
    /// The end is not lost if the future is dropped; waiting again tells it.
    ///
    /// # Errors
    /// If the system does not tell: when something else has waited for the process, for instance.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn()?;
    /// let status = child.wait().await?;
    /// assert_eq!(status.code(), Some(3));
    /// assert_eq!(child.wait().await?, status); // as often as one likes
    /// # Ok(())
    /// # }
    /// ```
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        poll_fn(|cx| self.poll_wait(cx)).await
    }

    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        let status = match &mut self.state {
            State::Running(running) => ready!(running.poll_wait(cx))?,
            State::Done(status) => *status,
        };
        self.state = State::Done(status);
        Poll::Ready(Ok(status))
    }

    /// The process's end, if it has come. Does not close its standard input.
    ///
    /// # Errors
    /// As for [`wait`](Child::wait).
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    /// use yamanote::task::yield_now;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut child = Command::new("true").spawn()?;
    /// let status = loop {
    ///     match child.try_wait()? {
    ///         Some(status) => break status,
    ///         None => yield_now().await, // still running
    ///     }
    /// };
    /// assert!(status.success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = match &mut self.state {
            State::Running(running) => running.try_wait()?,
            State::Done(status) => return Ok(Some(*status)),
        };
        if let Some(status) = status {
            self.state = State::Done(status);
        }
        Ok(status)
    }

    /// Waits for the process's end and collects what it writes to the pipes that there are.
    ///
    /// # Errors
    /// If the system does not tell the end, or reading fails.
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
    /// let output = child.wait_with_output().await?;
    /// assert_eq!(output.stdout, b"hello\n");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        drop(self.stdin.take());
        let mut stdout = Reader::new(self.stdout.take());
        let mut stderr = Reader::new(self.stderr.take());
        let mut status = None;
        let mut wait = pin!(self.wait());
        poll_fn(|cx| {
            // All are polled each time: a child that fills one pipe waits for a reader before it ends.
            if status.is_none() {
                if let Poll::Ready(result) = wait.as_mut().poll(cx) {
                    status = Some(result?);
                }
            }
            let out = stdout.poll_done(cx)?;
            let err = stderr.poll_done(cx)?;
            if out && err && status.is_some() { Poll::Ready(io::Result::Ok(())) } else { Poll::Pending }
        })
        .await?;
        let status = status.expect("ready only when it is known");
        Ok(Output { status, stdout: stdout.bytes, stderr: stderr.bytes })
    }
}

#[cfg(windows)]
impl Child {
    /// The process's handle, which stays this type's. `None` once the process's end is known.
    pub fn raw_handle(&self) -> Option<std::os::windows::io::RawHandle> {
        match &self.state {
            State::Running(running) => Some(running.raw_handle()),
            State::Done(_) => None,
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("state", &self.state)
            .field("kill_on_drop", &self.kill_on_drop)
            .field("stdin", &self.stdin)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .finish()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let State::Running(running) = &mut self.state {
            if self.kill_on_drop {
                // It may have ended meanwhile.
                let _ = running.kill();
            }
        }
    }
}

/// Reads a pipe to its end.
struct Reader<R> {
    pipe: Option<R>,
    bytes: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    fn new(pipe: Option<R>) -> Self {
        Reader { pipe, bytes: Vec::new() }
    }

    /// Reads what is there; whether the end was reached. The pipe is closed then.
    fn poll_done(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        while let Some(pipe) = &mut self.pipe {
            self.bytes.reserve(4096);
            let mut buf = ReadBuf::uninit(self.bytes.spare_capacity_mut());
            match Pin::new(pipe).poll_read(cx, &mut buf) {
                Poll::Pending => return Ok(false),
                Poll::Ready(result) => result?,
            }
            let n = buf.filled().len();
            if n == 0 {
                self.pipe = None;
            }
            let len = self.bytes.len() + n;
            // SAFETY: `ReadBuf` tells that the first `n` bytes of the spare capacity are filled.
            unsafe { self.bytes.set_len(len) };
        }
        Ok(true)
    }
}
