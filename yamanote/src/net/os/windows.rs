//! Sockets as Windows' sockets.

use std::os::windows::io::{
    AsRawSocket, AsSocket, BorrowedSocket, FromRawSocket, IntoRawSocket, RawSocket,
};

use crate::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

macro_rules! as_socket {
    ($($ty:ty: $field:ident),* $(,)?) => {$(
        impl AsRawSocket for $ty {
            fn as_raw_socket(&self) -> RawSocket {
                self.$field.as_raw_socket()
            }
        }

        impl AsSocket for $ty {
            fn as_socket(&self) -> BorrowedSocket<'_> {
                self.$field.as_socket()
            }
        }
    )*};
}

as_socket! {
    TcpListener: io,
    TcpSocket: inner,
    TcpStream: io,
    UdpSocket: io,
}

impl FromRawSocket for TcpSocket {
    /// Takes over a socket that is neither connected nor listening, and is in non-blocking mode.
    ///
    /// # Safety
    /// The socket must be open and owned by the caller, who gives it away.
    unsafe fn from_raw_socket(socket: RawSocket) -> TcpSocket {
        // SAFETY: passed on to the caller.
        TcpSocket { inner: unsafe { socket2::Socket::from_raw_socket(socket) } }
    }
}

impl IntoRawSocket for TcpSocket {
    fn into_raw_socket(self) -> RawSocket {
        self.inner.into_raw_socket()
    }
}
