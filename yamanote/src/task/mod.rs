//! Asynchronous green threads: spawning, joining, task-local data, cooperative scheduling.

#[cfg(feature = "rt")]
mod blocking;
pub mod coop;
#[cfg(feature = "rt")]
mod spawn;
#[cfg(feature = "rt")]
mod yield_now;

#[cfg(feature = "rt")]
pub use crate::engine::task::error::JoinError;
#[cfg(feature = "rt")]
pub use crate::engine::task::id::{Id, id, try_id};
#[cfg(feature = "rt")]
pub use crate::engine::task::join::{AbortHandle, JoinHandle};
#[cfg(feature = "rt-multi-thread")]
pub use blocking::block_in_place;
#[cfg(feature = "rt")]
pub use blocking::spawn_blocking;
#[doc(hidden)]
pub use coop::{Unconstrained, consume_budget, unconstrained};
#[cfg(feature = "rt")]
pub use spawn::spawn;
#[cfg(feature = "rt")]
pub use yield_now::yield_now;
