//! Children of Unix systems: how their end is heard of, and their pipes.
//!
//! Where the kernel has process descriptors (Linux), a child's end is an event of its own descriptor. Elsewhere,
//! and where they are refused, every `SIGCHLD` makes each waiting task ask for its child.

mod orphans;
mod pidfd;
mod pipe;

use std::io;
use std::process::{Child as StdChild, ExitStatus};
use std::task::{Context, Poll, ready};

use crate::runtime::Handle;
use crate::signal::unix::{Signal, SignalKind, signal};
use pidfd::PidFd;
pub(super) use pipe::{ReadPipe, WritePipe};

/// # Panics
/// Outside a runtime with input/output enabled.
#[track_caller]
pub(super) fn check_runtime() {
    let handle = Handle::current();
    assert!(handle.shared.driver(0).io.is_enabled(), "{}", crate::engine::io::DISABLED);
}

/// Ends a child that its starter is not told of, since it could not be watched.
pub(super) fn give_up(mut child: StdChild) {
    // It may have ended by itself.
    let _ = child.kill();
    orphans::adopt(child);
}

/// A child whose end is not known.
#[derive(Debug)]
pub(super) struct Running {
    /// `None` once its end is known, and while it is dropped.
    child: Option<StdChild>,
    exit: Exit,
}

/// What an end is heard of by.
#[derive(Debug)]
enum Exit {
    Descriptor(PidFd),
    Signal(Signal),
}

impl Exit {
    /// Made after the child: what came before is found by the first look.
    #[track_caller]
    fn of(child: &StdChild) -> io::Result<Exit> {
        match PidFd::open(child.id())? {
            Some(descriptor) => Ok(Exit::Descriptor(descriptor)),
            None => Ok(Exit::Signal(signal(SignalKind::child())?)),
        }
    }
}

impl Running {
    #[track_caller]
    pub(super) fn new(child: StdChild) -> io::Result<Running> {
        orphans::reap();
        match Exit::of(&child) {
            Ok(exit) => Ok(Running { child: Some(child), exit }),
            Err(error) => {
                give_up(child);
                Err(error)
            }
        }
    }

    fn child(&mut self) -> &mut StdChild {
        self.child.as_mut().expect("there until its end is known")
    }

    pub(super) fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, StdChild::id)
    }

    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child().kill()
    }

    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child().try_wait()?;
        if status.is_some() {
            self.child = None;
        }
        Ok(status)
    }

    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        let mut taken_over = false;
        loop {
            // First the waker, then the look: an end in between wakes.
            let heard = match &mut self.exit {
                Exit::Descriptor(descriptor) => match descriptor.poll_exit(cx) {
                    // The runtime it was registered with is gone, so the current one takes over; unless it
                    // is going too.
                    Poll::Ready(Err(error)) if taken_over => return Poll::Ready(Err(error)),
                    Poll::Ready(Err(_)) => {
                        taken_over = true;
                        let child = self.child.as_ref().expect("there until its end is known");
                        self.exit = Exit::of(child)?;
                        continue;
                    }
                    poll => poll.is_ready(),
                },
                Exit::Signal(signal) => signal.poll_recv(cx).is_ready(),
            };
            if let Some(status) = self.try_wait()? {
                return Poll::Ready(Ok(status));
            }
            if !heard {
                // A descriptor tells of its runtime's end itself.
                if let Exit::Signal(signal) = &self.exit {
                    signal.check_runtime()?;
                }
                return Poll::Pending;
            }
            if let Exit::Descriptor(descriptor) = &self.exit {
                // Ready, and yet the process runs: traced by another, for instance. Wait for more.
                descriptor.clear();
                ready!(descriptor.poll_exit(cx))?;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Otherwise its end is known, or nobody can tell it any more.
            if let Ok(None) = child.try_wait() {
                orphans::adopt(child);
            }
        }
    }
}
