//! Socket options that not every operating system has.

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "fuchsia",
    target_os = "cygwin"
))]
use crate::net::TcpStream;
use crate::net::{TcpSocket, UdpSocket};

/// Type of service and, on some systems, traffic class and device, for a socket type; how the examples make one
/// for IPv4, and one for IPv6.
macro_rules! options {
    ($ty:ident, |$this:ident| $socket:expr, $v4:literal, $v6:literal) => {
        impl $ty {
            /// The type of service of packets sent over IPv4 (`IP_TOS`).
            ///
            /// # Examples
            /// ```
            #[doc = concat!("use yamanote::net::", stringify!($ty), ";")]
            ///
            /// # #[yamanote::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            #[doc = concat!("let socket = ", $v4, ";")]
            /// assert_eq!(socket.tos_v4()?, 0); // nothing special
            /// # Ok(())
            /// # }
            /// ```
            #[cfg(not(any(
                target_os = "solaris",
                target_os = "illumos",
                target_os = "haiku",
                target_os = "redox",
                target_os = "fuchsia"
            )))]
            pub fn tos_v4(&self) -> std::io::Result<u32> {
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
            pub fn tos(&self) -> std::io::Result<u32> {
                self.tos_v4()
            }

            /// Sets the type of service of packets sent over IPv4 (`IP_TOS`). On Windows it may be ignored.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("use yamanote::net::", stringify!($ty), ";")]
            ///
            /// # #[yamanote::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            #[doc = concat!("let socket = ", $v4, ";")]
            /// const EXPEDITED: u32 = 46 << 2;
            /// socket.set_tos_v4(EXPEDITED)?;
            /// # if cfg!(unix) {
            /// assert_eq!(socket.tos_v4()?, EXPEDITED);
            /// # }
            /// # Ok(())
            /// # }
            /// ```
            #[cfg(not(any(
                target_os = "solaris",
                target_os = "illumos",
                target_os = "haiku",
                target_os = "redox",
                target_os = "fuchsia"
            )))]
            pub fn set_tos_v4(&self, tos: u32) -> std::io::Result<()> {
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
            pub fn set_tos(&self, tos: u32) -> std::io::Result<()> {
                self.set_tos_v4(tos)
            }

            /// The traffic class of packets sent over IPv6 (`IPV6_TCLASS`).
            ///
            /// # Examples
            /// ```no_run
            #[doc = concat!("use yamanote::net::", stringify!($ty), ";")]
            ///
            /// # #[yamanote::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            #[doc = concat!("let socket = ", $v6, ";")]
            /// assert_eq!(socket.tclass_v6()?, 0); // nothing special
            /// # Ok(())
            /// # }
            /// ```
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
            pub fn tclass_v6(&self) -> std::io::Result<u32> {
                let $this = self;
                $socket.tclass_v6()
            }

            /// Sets the traffic class of packets sent over IPv6 (`IPV6_TCLASS`).
            ///
            /// # Examples
            /// ```no_run
            #[doc = concat!("use yamanote::net::", stringify!($ty), ";")]
            ///
            /// # #[yamanote::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            #[doc = concat!("let socket = ", $v6, ";")]
            /// socket.set_tclass_v6(46 << 2)?;
            /// assert_eq!(socket.tclass_v6()?, 46 << 2);
            /// # Ok(())
            /// # }
            /// ```
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
            pub fn set_tclass_v6(&self, tclass: u32) -> std::io::Result<()> {
                let $this = self;
                $socket.set_tclass_v6(tclass)
            }

            /// The name of the network interface the socket is bound to (`SO_BINDTODEVICE`), if it is.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("use yamanote::net::", stringify!($ty), ";")]
            ///
            /// # #[yamanote::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            #[doc = concat!("let socket = ", $v4, ";")]
            /// assert_eq!(socket.device()?, None);
            /// # Ok(())
            /// # }
            /// ```
            #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
            pub fn device(&self) -> std::io::Result<Option<Vec<u8>>> {
                let $this = self;
                $socket.device()
            }

            /// Binds the socket to a network interface (`SO_BINDTODEVICE`): it sends and receives through
            /// that only. `None` lifts it.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("use yamanote::net::", stringify!($ty), ";")]
            ///
            /// # #[yamanote::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            #[doc = concat!("let socket = ", $v4, ";")]
            /// socket.bind_device(Some(b"lo"))?; // nothing but this host
            /// assert_eq!(socket.device()?.as_deref(), Some(&b"lo"[..]));
            /// socket.bind_device(None)?;
            /// # Ok(())
            /// # }
            /// ```
            #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
            pub fn bind_device(&self, interface: Option<&[u8]>) -> std::io::Result<()> {
                let $this = self;
                $socket.bind_device(interface)
            }
        }
    };
}

options!(TcpSocket, |this| this.inner, "TcpSocket::new_v4()?", "TcpSocket::new_v6()?");
options!(
    UdpSocket,
    |this| socket2::SockRef::from(&*this.io),
    "UdpSocket::bind(\"0.0.0.0:0\").await?",
    "UdpSocket::bind(\"[::]:0\").await?"
);

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
impl TcpSocket {
    /// Whether several sockets may be bound to one address (`SO_REUSEPORT`).
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = yamanote::net::TcpSocket::new_v4()?;
    /// assert!(!socket.reuseport()?);
    /// socket.set_reuseport(true)?;
    /// assert!(socket.reuseport()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn reuseport(&self) -> std::io::Result<bool> {
        self.inner.reuse_port()
    }

    /// Sets whether several sockets may be bound to one address (`SO_REUSEPORT`); each must have it set
    /// before it is bound. On Linux connections are then spread over the listeners.
    ///
    /// # Examples
    /// ```
    /// use std::io;
    /// use std::net::SocketAddr;
    /// use yamanote::net::{TcpListener, TcpSocket};
    ///
    /// fn listen(addr: SocketAddr) -> std::io::Result<TcpListener> {
    ///     let socket = TcpSocket::new_v4()?;
    ///     socket.set_reuseport(true)?;
    ///     socket.bind(addr)?;
    ///     socket.listen(128)
    /// }
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let one = listen("127.0.0.1:0".parse()?)?;
    /// let other = listen(one.local_addr()?)?; // not `AddrInUse`
    /// assert_eq!(one.local_addr()?, other.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_reuseport(&self, reuseport: bool) -> std::io::Result<()> {
        self.inner.set_reuse_port(reuseport)
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "fuchsia", target_os = "cygwin"))]
impl TcpStream {
    /// Whether data received is acknowledged at once (`TCP_QUICKACK`).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, _server) = (client?, server?.0);
    /// client.set_quickack(false)?;
    /// assert!(!client.quickack()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn quickack(&self) -> std::io::Result<bool> {
        socket2::SockRef::from(&*self.io).tcp_quickack()
    }

    /// Sets whether data received is acknowledged at once (`TCP_QUICKACK`). The system may change it back
    /// as the connection goes on.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, _server) = (client?, server?.0);
    /// client.set_quickack(true)?;
    /// assert!(client.quickack()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_quickack(&self, quickack: bool) -> std::io::Result<()> {
        socket2::SockRef::from(&*self.io).set_tcp_quickack(quickack)
    }
}
