//! How a resource meets the poller, on systems with file descriptors.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use mio::unix::SourceFd;

use crate::io::interest::Interest;
use crate::io::ready::Ready;

/// Whether a resource can be handed to a poller, and from one to another, by its descriptor alone.
pub(crate) const BY_HANDLE: bool = true;

/// Whether what was reported once is not reported again before it is asked for anew. So it is with mio's `poll(2)`
/// backend, which can know of no edges; it would do the asking for sockets of mio's, but forgets those that hung up, and
/// answers the operations that follow with an error of its own. Resources are handed to it by their descriptors
/// instead, and [`PollHandle::watch_again`] does the asking for all of them.
pub(crate) const REPORTS_ONCE: bool = cfg!(any(
    mio_unsupported_force_poll_poll,
    not(any(
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
    ))
));

/// Whether an operation that did less than it was asked for has found the resource drained. The next arrival is then a
/// new edge, or, with `poll(2)`, will be found when it is asked for again.
pub(crate) const PARTIAL_MEANS_DRAINED: bool = true;

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

    /// The descriptor.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn raw(self) -> RawFd {
        self.0
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
        match registry.deregister(&mut SourceFd(&self.0)) {
            // The backend has forgotten it already: its last event was an error, or that the other end hung up.
            Err(error) if REPORTS_ONCE && error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Makes the poller report `interest`, and nothing else, when it is there the next time. For where it
    /// [`REPORTS_ONCE`].
    pub(crate) fn watch_again(
        self,
        registry: &mio::Registry,
        token: mio::Token,
        interest: Interest,
    ) -> io::Result<()> {
        match registry.reregister(&mut SourceFd(&self.0), token, to_mio(interest)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.register(registry, token, interest)
            }
            result => result,
        }
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
    // Nothing else is watched for after it: whoever waits has to try, and to ask again.
    let is_last = REPORTS_ONCE && event.is_error();
    let flag = |ready: Ready, is_set: bool| if is_set { ready } else { Ready::EMPTY };
    let ready = flag(Ready::ERROR, event.is_error())
        | flag(Ready::READ_CLOSED, event.is_read_closed())
        | flag(Ready::READABLE, event.is_readable() || is_last)
        | flag(Ready::WRITE_CLOSED, event.is_write_closed())
        | flag(Ready::WRITABLE, event.is_writable() || is_last);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let ready = ready | flag(Ready::PRIORITY, event.is_priority());
    ready
}
