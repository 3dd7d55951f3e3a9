//! How a resource meets the poller, on Windows: mio keeps state in the resource itself, so it is registered
//! when it is made and stays with that poller.

use std::io;

use crate::io::interest::Interest;
use crate::io::ready::Ready;

/// See the Unix twin.
pub(crate) const BY_HANDLE: bool = false;

/// See the Unix twin. Here mio asks again by itself.
pub(crate) const REPORTS_ONCE: bool = false;

/// See the Unix twin. Here mio arms a socket anew only when an operation would block.
pub(crate) const PARTIAL_MEANS_DRAINED: bool = false;

/// What a TCP connection is watched for.
pub(crate) const TCP_STREAM: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// A resource that a poller can watch.
pub(crate) trait Pollable: mio::event::Source {}

impl<T: mio::event::Source> Pollable for T {}

/// See the Unix twin. Never used to reach a poller here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollHandle;

impl PollHandle {
    pub(crate) fn of<T>(_resource: &T) -> PollHandle {
        PollHandle
    }

    pub(crate) fn register(
        self,
        _registry: &mio::Registry,
        _token: mio::Token,
        _interest: Interest,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn watch_again(
        self,
        _registry: &mio::Registry,
        _token: mio::Token,
        _interest: Interest,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn deregister(self, _registry: &mio::Registry) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

pub(crate) fn to_mio(interest: Interest) -> mio::Interest {
    match (interest.is_readable(), interest.is_writable()) {
        (true, true) => mio::Interest::READABLE | mio::Interest::WRITABLE,
        (false, true) => mio::Interest::WRITABLE,
        _ => mio::Interest::READABLE,
    }
}

/// What an event says.
pub(crate) fn ready(event: &mio::event::Event) -> Ready {
    let flags = [
        (Ready::ERROR, event.is_error()),
        (Ready::READ_CLOSED, event.is_read_closed()),
        (Ready::READABLE, event.is_readable()),
        (Ready::WRITE_CLOSED, event.is_write_closed()),
        (Ready::WRITABLE, event.is_writable()),
    ];
    flags.into_iter().filter(|(_, is_set)| *is_set).fold(Ready::EMPTY, |all, (flag, _)| all | flag)
}
