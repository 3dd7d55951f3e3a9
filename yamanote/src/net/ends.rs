//! What the system's own copying needs to know of a socket: which of the types a reader or a writer is, and how it is
//! waited for.

use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::registration::Registration;
use crate::net::{TcpStream, UnixStream, tcp, unix};
use crate::sys::poll::{PollHandle, Pollable};
use crate::util::as_type::as_type;

/// One end of a connection that bytes are moved from or to.
#[derive(Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) registration: &'a Registration,
    pub(crate) handle: PollHandle,
}

impl<'a> End<'a> {
    fn of<E: Pollable>(io: &'a PollEvented<E>) -> End<'a> {
        End { registration: io.registration(), handle: PollHandle::of(&**io) }
    }

    /// The reader's end, if it is a socket that carries a stream.
    pub(crate) fn of_reader<R: ?Sized>(reader: &'a R) -> Option<End<'a>> {
        // SAFETY: none of the types has a lifetime parameter.
        let (tcp, unix) = unsafe {
            let tcp = as_type::<R, tcp::OwnedReadHalf>(reader).map(AsRef::as_ref);
            let unix = as_type::<R, unix::OwnedReadHalf>(reader).map(AsRef::as_ref);
            (as_type::<R, TcpStream>(reader).or(tcp), as_type::<R, UnixStream>(reader).or(unix))
        };
        tcp.map(|stream| End::of(&stream.io)).or_else(|| unix.map(|stream| End::of(&stream.io)))
    }

    /// The writer's end, if it is a socket that carries a stream.
    pub(crate) fn of_writer<W: ?Sized>(writer: &'a W) -> Option<End<'a>> {
        // SAFETY: none of the types has a lifetime parameter.
        let (tcp, unix) = unsafe {
            let tcp = as_type::<W, tcp::OwnedWriteHalf>(writer).map(AsRef::as_ref);
            let unix = as_type::<W, unix::OwnedWriteHalf>(writer).map(AsRef::as_ref);
            (as_type::<W, TcpStream>(writer).or(tcp), as_type::<W, UnixStream>(writer).or(unix))
        };
        tcp.map(|stream| End::of(&stream.io)).or_else(|| unix.map(|stream| End::of(&stream.io)))
    }
}
