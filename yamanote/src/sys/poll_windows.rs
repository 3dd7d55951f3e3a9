//! How a resource meets the poller, on Windows: mio keeps state in the resource itself, so it is registered
//! when it is made and stays with that poller.

use std::io;

use crate::io::interest::Interest;
use crate::io::ready::Ready;

/// See the Unix twin.
pub(crate) const BY_HANDLE: bool = false;

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

pub(crate) fn ready(event: &mio::event::Event) -> Ready {
    let mut ready = Ready::EMPTY;
    if event.is_readable() {
        ready |= Ready::READABLE;
    }
    if event.is_writable() {
        ready |= Ready::WRITABLE;
    }
    if event.is_read_closed() {
        ready |= Ready::READ_CLOSED;
    }
    if event.is_write_closed() {
        ready |= Ready::WRITE_CLOSED;
    }
    if event.is_error() {
        ready |= Ready::ERROR;
    }
    ready
}
