//! A descriptor for a process: ready to be read when the process has ended.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::task::{Context, Poll, ready};

use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Registry, Token};

use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::interest::Interest;
use crate::io::ready::Ready;
use crate::sys::unix::pidfd_open;

#[derive(Debug)]
struct Fd(OwnedFd);

impl AsRawFd for Fd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl Source for Fd {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: mio::Interest,
    ) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).register(registry, token, interest)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: mio::Interest,
    ) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).reregister(registry, token, interest)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).deregister(registry)
    }
}

#[derive(Debug)]
pub(super) struct PidFd {
    fd: PollEvented<Fd>,
}

impl PidFd {
    /// A descriptor for a child of ours; `None` where there are none.
    #[track_caller]
    pub(super) fn open(pid: u32) -> io::Result<Option<PidFd>> {
        match pidfd_open(pid) {
            Some(fd) => {
                Ok(Some(PidFd { fd: PollEvented::assumed(Fd(fd), Interest::READABLE, Ready::EMPTY)? }))
            }
            None => Ok(None),
        }
    }

    /// Waits until the process may have ended.
    pub(super) fn poll_exit(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.fd.registration().poll_ready(cx, Direction::Read))?;
        Poll::Ready(Ok(()))
    }

    /// The last event was for nothing.
    pub(super) fn clear(&self) {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let registration = self.fd.registration();
        if let Poll::Ready(Ok(event)) = registration.poll_ready(&mut cx, Direction::Read) {
            registration.clear(event);
        }
    }
}
