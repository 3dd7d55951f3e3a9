//! Socket options that not every operating system has.

use std::io;

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "fuchsia",
    target_os = "cygwin"
))]
use crate::net::TcpStream;
use crate::net::{TcpSocket, UdpSocket};

/// Type of service and, on some systems, traffic class and device, for a socket type.
macro_rules! options {
    ($ty:ident, |$this:ident| $socket:expr) => {
        impl $ty {
            /// The type of service of packets sent over IPv4 (`IP_TOS`).
            #[cfg(not(any(
                target_os = "solaris",
                target_os = "illumos",
                target_os = "haiku",
                target_os = "redox",
                target_os = "fuchsia"
            )))]
            pub fn tos_v4(&self) -> io::Result<u32> {
                let $this = self;
                $socket.tos_v4()
            }

            /// Deprecated name of [`tos_v4`](Self::tos_v4).
            #[cfg(not(any(
                target_os = "solaris",
                target_os = "illumos",
                target_os = "haiku",
                target_os = "redox",
                target_os = "fuchsia"
            )))]
            #[doc(hidden)]
            #[deprecated = "it is called `tos_v4` now"]
            pub fn tos(&self) -> io::Result<u32> {
                self.tos_v4()
            }

            /// Sets the type of service of packets sent over IPv4 (`IP_TOS`). On Windows it may be ignored.
            #[cfg(not(any(
                target_os = "solaris",
                target_os = "illumos",
                target_os = "haiku",
                target_os = "redox",
                target_os = "fuchsia"
            )))]
            pub fn set_tos_v4(&self, tos: u32) -> io::Result<()> {
                let $this = self;
                $socket.set_tos_v4(tos)
            }

            /// Deprecated name of [`set_tos_v4`](Self::set_tos_v4).
            #[cfg(not(any(
                target_os = "solaris",
                target_os = "illumos",
                target_os = "haiku",
                target_os = "redox",
                target_os = "fuchsia"
            )))]
            #[doc(hidden)]
            #[deprecated = "it is called `set_tos_v4` now"]
            pub fn set_tos(&self, tos: u32) -> io::Result<()> {
                self.set_tos_v4(tos)
            }

            /// The traffic class of packets sent over IPv6 (`IPV6_TCLASS`).
            #[cfg(any(
                target_os = "linux",
                target_os = "android",
                target_os = "macos",
                target_os = "freebsd",
                target_os = "openbsd",
                target_os = "netbsd",
                target_os = "dragonfly",
                target_os = "fuchsia",
                target_os = "cygwin"
            ))]
            pub fn tclass_v6(&self) -> io::Result<u32> {
                let $this = self;
                $socket.tclass_v6()
            }

            /// Sets the traffic class of packets sent over IPv6 (`IPV6_TCLASS`).
            #[cfg(any(
                target_os = "linux",
                target_os = "android",
                target_os = "macos",
                target_os = "freebsd",
                target_os = "openbsd",
                target_os = "netbsd",
                target_os = "dragonfly",
                target_os = "fuchsia",
                target_os = "cygwin"
            ))]
            pub fn set_tclass_v6(&self, tclass: u32) -> io::Result<()> {
                let $this = self;
                $socket.set_tclass_v6(tclass)
            }

            /// The name of the network interface the socket is bound to (`SO_BINDTODEVICE`), if it is.
            #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
            pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
                let $this = self;
                $socket.device()
            }

            /// Binds the socket to a network interface (`SO_BINDTODEVICE`): it sends and receives through
            /// that only. `None` lifts it.
            #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
            pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
                let $this = self;
                $socket.bind_device(interface)
            }
        }
    };
}

options!(TcpSocket, |this| this.inner);
options!(UdpSocket, |this| socket2::SockRef::from(&*this.io));

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
impl TcpSocket {
    /// Whether several sockets may be bound to one address (`SO_REUSEPORT`).
    pub fn reuseport(&self) -> io::Result<bool> {
        self.inner.reuse_port()
    }

    /// Sets whether several sockets may be bound to one address (`SO_REUSEPORT`); each must have it set
    /// before it is bound. On Linux connections are then spread over the listeners.
    pub fn set_reuseport(&self, reuseport: bool) -> io::Result<()> {
        self.inner.set_reuse_port(reuseport)
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "fuchsia", target_os = "cygwin"))]
impl TcpStream {
    /// Whether data received is acknowledged at once (`TCP_QUICKACK`).
    pub fn quickack(&self) -> io::Result<bool> {
        socket2::SockRef::from(&*self.io).tcp_quickack()
    }

    /// Sets whether data received is acknowledged at once (`TCP_QUICKACK`). The system may change it back
    /// as the connection goes on.
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        socket2::SockRef::from(&*self.io).set_tcp_quickack(quickack)
    }
}
