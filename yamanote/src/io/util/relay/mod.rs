//! Copying between sockets without a look at the bytes, where the system can move them itself.
//!
//! [`Transfer`](super::copy::Transfer) copies through its buffer until it has filled that several times in a row, which
//! says that there is much to come. If both ends are sockets, it hands over to a [`Relay`] then, which moves what there
//! is through a pipe in pieces of some hundred KiB; and gets the connection back when only little comes at a time,
//! or the system refuses. So a connection that carries messages pays nothing, and one that carries files half.
//!
//! # States of a pipe
//! Empty, and then the next step is to fill it; or not, and then to empty it. Never is a pipe filled that has
//! something in it: that a call would block could then mean either side, and readiness must be cleared of the right one.
//! While the source has to be waited for, the pipe is somebody else's.

#[cfg_attr(all(unix, feature = "net"), path = "on.rs")]
#[cfg_attr(not(all(unix, feature = "net")), path = "off.rs")]
mod chosen;

pub(super) use chosen::Relay;

/// How a relay came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relayed {
    /// The reader has reached its end, and everything is written.
    Ended,
    /// The rest is to be copied, beginning with what can be [rescued](Relay::rescue).
    Stopped,
}
