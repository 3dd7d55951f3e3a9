//! What belongs to Unix sockets besides the sockets themselves, and [pipes](pipe).

mod addr;
#[cfg(feature = "io-util")]
mod buf;
pub(crate) mod datagram;
pub(crate) mod listener;
pub mod pipe;
pub(crate) mod socket;
mod split;
mod split_owned;
pub(crate) mod stream;
mod ucred;

pub use addr::SocketAddr;
pub use split::{ReadHalf, WriteHalf};
pub use split_owned::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
pub use ucred::UCred;

/// The number of a user.
#[allow(non_camel_case_types)]
pub type uid_t = u32;

/// The number of a group.
#[allow(non_camel_case_types)]
pub type gid_t = u32;

/// The number of a process.
#[allow(non_camel_case_types)]
pub type pid_t = i32;
