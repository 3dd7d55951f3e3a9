//! Children of Windows: how their end is heard of, and their pipes.
//!
//! A process's handle is signalled when the process ends. The system's thread pool waits for many such handles in one
//! thread, and calls back. No runtime is needed for that.

mod pipe;

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, RawHandle};
use std::process::{Child as StdChild, ExitStatus};
use std::task::{Context, Poll};

use crate::sys::windows::wait::Wait;
pub(super) use pipe::{ReadPipe, WritePipe};

/// A child needs none here.
pub(super) fn check_runtime() {}

/// Ends a child that its starter is not told of, since it could not be watched.
pub(super) fn give_up(mut child: StdChild) {
    // It may have ended by itself.
    let _ = child.kill();
}

/// A child whose end is not known.
#[derive(Debug)]
pub(super) struct Running {
    /// Made by the first task that has to wait. Dropped before the handle that it waits for.
    exit: Option<Wait>,
    child: StdChild,
}

impl Running {
    pub(super) fn new(child: StdChild) -> io::Result<Running> {
        Ok(Running { exit: None, child })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn raw_handle(&self) -> RawHandle {
        self.child.as_raw_handle()
    }

    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        if let Some(status) = self.try_wait()? {
            return Poll::Ready(Ok(status));
        }
        match &self.exit {
            Some(wait) => wait.wake_by(cx.waker()),
            // SAFETY: the handle is open, and `Running` drops the wait before the child.
            None => self.exit = Some(unsafe { Wait::new(self.child.as_handle(), cx.waker()) }?),
        }
        // First the waker, then the look: an end in between wakes.
        match self.try_wait()? {
            Some(status) => Poll::Ready(Ok(status)),
            None => Poll::Pending,
        }
    }
}
