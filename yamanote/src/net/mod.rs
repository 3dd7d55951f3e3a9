//! Networking: TCP, UDP and Unix sockets, pipes, name lookup.
//!
//! - [`TcpListener`] and [`TcpStream`] for connections over TCP, [`TcpSocket`] to set them up,
//! - [`UdpSocket`] for datagrams over UDP, [`udp_batch`] for many at once,
//! - [`UnixListener`], [`UnixStream`], [`UnixDatagram`] and [`UnixSocket`] for the same within a host,
//! - `unix::pipe` for pipes, `windows::named_pipe` for those of Windows,
//! - [`lookup_host`] for addresses of hosts.
//!
//! Sockets belong to the runtime in whose context they were made, and work, waits included, from any
//! thread. What waits on the socket of a runtime that has shut down fails.

mod addr;
#[cfg(feature = "io-util")]
mod buf;
#[cfg(unix)]
pub(crate) mod ends;
mod lookup_host;
mod os;
pub mod tcp;
mod udp;
pub mod udp_batch;
#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;

pub use addr::ToSocketAddrs;
pub use lookup_host::lookup_host;
pub use tcp::listener::TcpListener;
pub use tcp::socket::TcpSocket;
pub use tcp::stream::TcpStream;
pub use udp::UdpSocket;
#[cfg(unix)]
pub use unix::{datagram::UnixDatagram, listener::UnixListener, socket::UnixSocket, stream::UnixStream};
