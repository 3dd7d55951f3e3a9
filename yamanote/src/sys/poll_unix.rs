//! How a resource meets the poller, on systems with file descriptors.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use mio::unix::SourceFd;

use crate::io::interest::Interest;
use crate::io::ready::Ready;

/// Whether a resource can be handed to a poller, and from one to another, by its descriptor alone. Not so
/// where mio keeps state beside the descriptor (its `poll(2)` backend).
pub(crate) const BY_HANDLE: bool = cfg!(all(
    not(mio_unsupported_force_poll_poll),
    any(
        target_os = "android",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "illumos",
        target_os = "ios",
        target_os = "linux",
        target_os = "macos",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "redox",
        target_os = "tvos",
        target_os = "visionos",
        target_os = "watchos",
    )
));

/// Whether an operation that did less than it was asked for has found the resource drained. So it is where
/// events are edges of the kernel's own (epoll, kqueue), for the next arrival is then a new edge.
pub(crate) const PARTIAL_MEANS_DRAINED: bool = BY_HANDLE;

/// What a TCP connection is watched for. Urgent data is of interest because it makes reads stop short.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const TCP_STREAM: Interest =
    Interest::READABLE.add(Interest::WRITABLE).add(Interest::PRIORITY);

/// What a TCP connection is watched for.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const TCP_STREAM: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// A resource that a poller can watch.
pub(crate) trait Pollable: mio::event::Source + AsRawFd {}

impl<T: mio::event::Source + AsRawFd> Pollable for T {}

/// What identifies a resource towards a poller. Does not keep it open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollHandle(RawFd);

impl PollHandle {
    pub(crate) fn of(resource: &impl AsRawFd) -> PollHandle {
        PollHandle(resource.as_raw_fd())
    }

    pub(crate) fn register(
        self,
        registry: &mio::Registry,
        token: mio::Token,
        interest: Interest,
    ) -> io::Result<()> {
        registry.register(&mut SourceFd(&self.0), token, to_mio(interest))
    }

    pub(crate) fn deregister(self, registry: &mio::Registry) -> io::Result<()> {
        registry.deregister(&mut SourceFd(&self.0))
    }
}

pub(crate) fn to_mio(interest: Interest) -> mio::Interest {
    let mut all: Option<mio::Interest> = None;
    let mut add = |one: mio::Interest| all = Some(all.map_or(one, |some| some | one));
    if interest.is_readable() {
        add(mio::Interest::READABLE);
    }
    if interest.is_writable() {
        add(mio::Interest::WRITABLE);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if interest.is_priority() {
        add(mio::Interest::PRIORITY);
    }
    // Errors are always reported; a registration for nothing else still has to name something.
    all.unwrap_or(mio::Interest::READABLE)
}

/// What an event says.
pub(crate) fn ready(event: &mio::event::Event) -> Ready {
    let flags = [
        (Ready::ERROR, event.is_error()),
        (Ready::READ_CLOSED, event.is_read_closed()),
        (Ready::READABLE, event.is_readable()),
        (Ready::WRITE_CLOSED, event.is_write_closed()),
        (Ready::WRITABLE, event.is_writable()),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        (Ready::PRIORITY, event.is_priority()),
    ];
    flags.into_iter().filter(|(_, is_set)| *is_set).fold(Ready::EMPTY, |all, (flag, _)| all | flag)
}
