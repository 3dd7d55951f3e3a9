//! Where names are looked up: on the blocking pool.

use std::io;
use std::net::SocketAddr;
use std::vec;

use crate::task::JoinHandle;

pub(super) type Lookup = JoinHandle<io::Result<vec::IntoIter<SocketAddr>>>;

#[track_caller]
pub(super) fn lookup(
    f: impl FnOnce() -> io::Result<vec::IntoIter<SocketAddr>> + Send + 'static,
) -> Lookup {
    crate::task::spawn_blocking(f)
}
