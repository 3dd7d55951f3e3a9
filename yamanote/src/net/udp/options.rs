//! What can be set on a UDP socket on every system.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::UdpSocket;

impl UdpSocket {
    /// Whether broadcasts may be sent (`SO_BROADCAST`).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = UdpSocket::bind("0.0.0.0:0").await?;
    /// assert!(!socket.broadcast()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn broadcast(&self) -> io::Result<bool> {
        self.io.broadcast()
    }

    /// Sets whether broadcasts may be sent (`SO_BROADCAST`).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = UdpSocket::bind("0.0.0.0:0").await?;
    /// socket.set_broadcast(true)?; // sending to 255.255.255.255 is allowed now
    /// assert!(socket.broadcast()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.io.set_broadcast(on)
    }

    /// Whether multicasts sent over IPv4 come back to this host (`IP_MULTICAST_LOOP`).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = yamanote::net::UdpSocket::bind("0.0.0.0:0").await?;
    /// assert!(socket.multicast_loop_v4()?); // the system's default
    /// # Ok(())
    /// # }
    /// ```
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.io.multicast_loop_v4()
    }

    /// Sets whether multicasts sent over IPv4 come back to this host (`IP_MULTICAST_LOOP`).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = yamanote::net::UdpSocket::bind("0.0.0.0:0").await?;
    /// // What this program announces is meant for other hosts.
    /// socket.set_multicast_loop_v4(false)?;
    /// assert!(!socket.multicast_loop_v4()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_multicast_loop_v4(&self, on: bool) -> io::Result<()> {
        self.io.set_multicast_loop_v4(on)
    }

    /// The time-to-live of multicasts sent over IPv4 (`IP_MULTICAST_TTL`).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = yamanote::net::UdpSocket::bind("0.0.0.0:0").await?;
    /// assert_eq!(socket.multicast_ttl_v4()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.io.multicast_ttl_v4()
    }

    /// Sets the time-to-live of multicasts sent over IPv4 (`IP_MULTICAST_TTL`). The default of 1 keeps them
    /// in the local network.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = yamanote::net::UdpSocket::bind("0.0.0.0:0").await?;
    /// socket.set_multicast_ttl_v4(16)?; // over up to fifteen routers
    /// assert_eq!(socket.multicast_ttl_v4()?, 16);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        self.io.set_multicast_ttl_v4(ttl)
    }

    /// Whether multicasts sent over IPv6 come back to this host (`IPV6_MULTICAST_LOOP`).
    ///
    /// # Examples
    /// ```no_run
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Where there is IPv6.
    /// let socket = yamanote::net::UdpSocket::bind("[::]:0").await?;
    /// assert!(socket.multicast_loop_v6()?); // the system's default
    /// # Ok(())
    /// # }
    /// ```
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.io.multicast_loop_v6()
    }

    /// Sets whether multicasts sent over IPv6 come back to this host (`IPV6_MULTICAST_LOOP`).
    ///
    /// # Examples
    /// ```no_run
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Where there is IPv6.
    /// let socket = yamanote::net::UdpSocket::bind("[::]:0").await?;
    /// socket.set_multicast_loop_v6(false)?;
    /// assert!(!socket.multicast_loop_v6()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_multicast_loop_v6(&self, on: bool) -> io::Result<()> {
        self.io.set_multicast_loop_v6(on)
    }

    /// The time-to-live of packets sent (`IP_TTL`).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let socket = yamanote::net::UdpSocket::bind("127.0.0.1:0").await?;
    /// socket.set_ttl(100)?;
    /// assert_eq!(socket.ttl()?, 100);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ttl(&self) -> io::Result<u32> {
        self.io.ttl()
    }

    /// Sets the time-to-live of packets sent (`IP_TTL`).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = yamanote::net::UdpSocket::bind("127.0.0.1:0").await?;
    /// socket.set_ttl(1)?; // no router passes it on
    /// assert_eq!(socket.ttl()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.io.set_ttl(ttl)
    }

    /// Joins a multicast group (`IP_ADD_MEMBERSHIP`) on the interface with the given address;
    /// [`UNSPECIFIED`](Ipv4Addr::UNSPECIFIED) lets the system choose.
    ///
    /// # Examples
    /// ```no_run
    /// use std::net::Ipv4Addr;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = UdpSocket::bind("0.0.0.0:5353").await?;
    /// socket.join_multicast_v4(Ipv4Addr::new(224, 0, 0, 251), Ipv4Addr::UNSPECIFIED)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn join_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.io.join_multicast_v4(&multiaddr, &interface)
    }

    /// Joins a multicast group (`IPV6_ADD_MEMBERSHIP`) on the interface with the given index; 0 lets the
    /// system choose.
    ///
    /// # Examples
    /// ```no_run
    /// use std::net::Ipv6Addr;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Where there is IPv6. The group of multicast DNS on the local link:
    /// let group: Ipv6Addr = "ff02::fb".parse()?;
    /// let socket = UdpSocket::bind("[::]:5353").await?;
    /// socket.join_multicast_v6(&group, 0)?;
    /// let (n, from) = socket.recv_from(&mut [0; 9000]).await?;
    /// println!("{n} bytes from {from}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.io.join_multicast_v6(multiaddr, interface)
    }

    /// Leaves a multicast group (`IP_DROP_MEMBERSHIP`).
    ///
    /// # Examples
    /// ```no_run
    /// use std::net::Ipv4Addr;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let group = Ipv4Addr::new(239, 1, 2, 3);
    /// let socket = UdpSocket::bind("0.0.0.0:7000").await?;
    /// socket.join_multicast_v4(group, Ipv4Addr::UNSPECIFIED)?;
    /// socket.recv_from(&mut [0; 1500]).await?;
    /// // One was enough.
    /// socket.leave_multicast_v4(group, Ipv4Addr::UNSPECIFIED)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn leave_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.io.leave_multicast_v4(&multiaddr, &interface)
    }

    /// Leaves a multicast group (`IPV6_DROP_MEMBERSHIP`).
    ///
    /// # Examples
    /// ```no_run
    /// use std::net::Ipv6Addr;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let group: Ipv6Addr = "ff05::1:3".parse()?;
    /// let socket = UdpSocket::bind("[::]:7000").await?;
    /// socket.join_multicast_v6(&group, 0)?;
    /// socket.recv_from(&mut [0; 1500]).await?;
    /// socket.leave_multicast_v6(&group, 0)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.io.leave_multicast_v6(multiaddr, interface)
    }
}
