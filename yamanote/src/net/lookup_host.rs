//! Host name lookup.

use std::io;
use std::net::SocketAddr;

use crate::net::addr::{ToSocketAddrs, to_socket_addrs};

/// Looks up the addresses of a host.
///
/// Addresses are handed back as they are; names are looked up by the operating system, on a thread of the
/// blocking pool. A lookup cannot be cancelled: dropping the future only drops its result.
///
/// # Errors
/// When the name cannot be resolved, or is malformed.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// for addr in yamanote::net::lookup_host("localhost:3000").await? {
///     assert!(addr.ip().is_loopback());
/// }
/// # Ok(())
/// # }
/// ```
pub async fn lookup_host<T>(host: T) -> io::Result<impl Iterator<Item = SocketAddr>>
where
    T: ToSocketAddrs,
{
    to_socket_addrs(host).await
}
