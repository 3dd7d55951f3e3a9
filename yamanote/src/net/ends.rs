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

    fn of_either(tcp: Option<&'a TcpStream>, unix: Option<&'a UnixStream>) -> Option<End<'a>> {
        tcp.map(|stream| End::of(&stream.io)).or_else(|| unix.map(|stream| End::of(&stream.io)))
    }

    /// The reader's end, if it is a socket that carries a stream.
    pub(crate) fn of_reader<R: ?Sized>(reader: &'a R) -> Option<End<'a>> {
        // SAFETY: of the types only the borrowed halves have a lifetime, in which they are covariant; what is taken out
        // of them lives for `'a`.
        unsafe {
            let tcp: Option<&'a TcpStream> = as_type::<R, TcpStream>(reader)
                .or_else(|| as_type::<R, tcp::OwnedReadHalf>(reader).map(AsRef::as_ref))
                .or_else(|| as_type::<R, tcp::ReadHalf<'static>>(reader).map(AsRef::as_ref));
            let unix: Option<&'a UnixStream> = as_type::<R, UnixStream>(reader)
                .or_else(|| as_type::<R, unix::OwnedReadHalf>(reader).map(AsRef::as_ref))
                .or_else(|| as_type::<R, unix::ReadHalf<'static>>(reader).map(AsRef::as_ref));
            End::of_either(tcp, unix)
        }
    }

    /// The writer's end, if it is a socket that carries a stream.
    pub(crate) fn of_writer<W: ?Sized>(writer: &'a W) -> Option<End<'a>> {
        // SAFETY: as for readers.
        unsafe {
            let tcp: Option<&'a TcpStream> = as_type::<W, TcpStream>(writer)
                .or_else(|| as_type::<W, tcp::OwnedWriteHalf>(writer).map(AsRef::as_ref))
                .or_else(|| as_type::<W, tcp::WriteHalf<'static>>(writer).map(AsRef::as_ref));
            let unix: Option<&'a UnixStream> = as_type::<W, UnixStream>(writer)
                .or_else(|| as_type::<W, unix::OwnedWriteHalf>(writer).map(AsRef::as_ref))
                .or_else(|| as_type::<W, unix::WriteHalf<'static>>(writer).map(AsRef::as_ref));
            End::of_either(tcp, unix)
        }
    }
}

#[cfg(all(test, feature = "full", not(loom)))]
mod tests {
    use super::*;
    use crate::net::TcpListener;

    #[test]
    fn all_that_are_sockets_are_found() {
        crate::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut unix, _other) = UnixStream::pair().unwrap();
            assert!(End::of_reader(&tcp).is_some() && End::of_writer(&tcp).is_some());
            assert!(End::of_reader(&unix).is_some() && End::of_writer(&unix).is_some());
            {
                let ((tcp_reader, tcp_writer), (unix_reader, unix_writer)) = (tcp.split(), unix.split());
                assert!(End::of_reader(&tcp_reader).is_some() && End::of_writer(&tcp_writer).is_some());
                assert!(
                    End::of_reader(&unix_reader).is_some() && End::of_writer(&unix_writer).is_some()
                );
                // Each is but its own half.
                assert!(End::of_reader(&tcp_writer).is_none() && End::of_writer(&unix_reader).is_none());
            }
            let ((tcp_reader, tcp_writer), (unix_reader, unix_writer)) =
                (tcp.into_split(), unix.into_split());
            assert!(End::of_reader(&tcp_reader).is_some() && End::of_writer(&tcp_writer).is_some());
            assert!(End::of_reader(&unix_reader).is_some() && End::of_writer(&unix_writer).is_some());
            assert!(End::of_reader(&[0u8][..]).is_none());
        });
    }
}
