//! Sockets as file descriptors.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, RawFd};

use crate::net::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket, UnixStream,
};

macro_rules! as_fd {
    ($($ty:ty: $field:ident),* $(,)?) => {$(
        impl AsRawFd for $ty {
            fn as_raw_fd(&self) -> RawFd {
                self.$field.as_raw_fd()
            }
        }

        impl AsFd for $ty {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.$field.as_fd()
            }
        }
    )*};
}

as_fd! {
    TcpListener: io,
    TcpSocket: inner,
    TcpStream: io,
    UdpSocket: io,
    UnixDatagram: io,
    UnixListener: io,
    UnixSocket: inner,
    UnixStream: io,
}

macro_rules! raw_fd {
    ($($ty:ident),*) => {$(
        impl FromRawFd for $ty {
            /// Takes over a socket that is neither connected nor listening, and is in non-blocking mode.
            ///
            /// # Safety
            /// The descriptor must be open, a socket, and owned by the caller, who gives it away.
            unsafe fn from_raw_fd(fd: RawFd) -> $ty {
                // SAFETY: passed on to the caller.
                $ty { inner: unsafe { socket2::Socket::from_raw_fd(fd) } }
            }
        }

        impl IntoRawFd for $ty {
            fn into_raw_fd(self) -> RawFd {
                self.inner.into_raw_fd()
            }
        }
    )*};
}

raw_fd!(TcpSocket, UnixSocket);
