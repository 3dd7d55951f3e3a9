//! A child's pipes, on the runtime's poller.

use std::fmt;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::process::Stdio;
use std::task::{Context, Poll};

use mio::unix::pipe::{Receiver, Sender};

use crate::engine::io::poll_evented::PollEvented;
use crate::io::ReadBuf;
use crate::io::interest::Interest;
use crate::sys::unix::{read, set_nonblocking};

pub(in crate::process) struct WritePipe(PollEvented<Sender>);

pub(in crate::process) struct ReadPipe(PollEvented<Receiver>);

impl WritePipe {
    /// Whether several buffers can be written at once.
    pub(in crate::process) const IS_VECTORED: bool = true;

    /// What was written is with the system already.
    pub(in crate::process) fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    #[track_caller]
    pub(in crate::process) fn new(fd: OwnedFd) -> io::Result<WritePipe> {
        set_nonblocking(fd.as_fd(), true)?;
        Ok(WritePipe(PollEvented::with_interest(Sender::from(fd), Interest::WRITABLE)?))
    }

    pub(in crate::process) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, buf)
    }

    pub(in crate::process) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write_vectored(cx, bufs)
    }

    pub(in crate::process) fn into_owned_fd(self) -> io::Result<OwnedFd> {
        let fd = OwnedFd::from(self.0.into_inner()?);
        set_nonblocking(fd.as_fd(), false)?;
        Ok(fd)
    }

    pub(in crate::process) fn into_stdio(self) -> io::Result<Stdio> {
        self.into_owned_fd().map(Stdio::from)
    }
}

impl ReadPipe {
    #[track_caller]
    pub(in crate::process) fn new(fd: OwnedFd) -> io::Result<ReadPipe> {
        set_nonblocking(fd.as_fd(), true)?;
        Ok(ReadPipe(PollEvented::with_interest(Receiver::from(fd), Interest::READABLE)?))
    }

    pub(in crate::process) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A pipe may be in packet mode, where a short read does not mean that it is empty.
        // SAFETY: `read` initialises as many bytes as it returns.
        unsafe { self.0.poll_read(cx, buf, false, read) }
    }

    pub(in crate::process) fn into_owned_fd(self) -> io::Result<OwnedFd> {
        let fd = OwnedFd::from(self.0.into_inner()?);
        set_nonblocking(fd.as_fd(), false)?;
        Ok(fd)
    }

    pub(in crate::process) fn into_stdio(self) -> io::Result<Stdio> {
        self.into_owned_fd().map(Stdio::from)
    }
}

impl AsRawFd for WritePipe {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsFd for WritePipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for ReadPipe {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsFd for ReadPipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl fmt::Debug for WritePipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ReadPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
