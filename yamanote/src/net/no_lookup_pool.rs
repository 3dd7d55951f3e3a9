//! Stands in for the blocking pool where the runtime's feature is off: only addresses can be looked up.

use std::io;
use std::net::SocketAddr;
use std::vec;

pub(super) type Lookup = std::future::Ready<io::Result<io::Result<vec::IntoIter<SocketAddr>>>>;

#[track_caller]
pub(super) fn lookup(
    _: impl FnOnce() -> io::Result<vec::IntoIter<SocketAddr>> + Send + 'static,
) -> Lookup {
    panic!("looking up a name needs a runtime: enable the feature `rt`")
}
