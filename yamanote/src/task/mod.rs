//! Asynchronous green threads: spawning, joining, task-local data, cooperative scheduling.

mod blocking;
mod builder;
pub mod coop;
pub mod join_set;
mod local_set;
mod spawn;
mod task_local;
mod yield_now;

pub use crate::engine::task::error::JoinError;
pub use crate::engine::task::id::{Id, id, try_id};
pub use crate::engine::task::join::{AbortHandle, JoinHandle};
pub use blocking::block_in_place;
pub use blocking::spawn_blocking;
pub use builder::Builder;
#[doc(hidden)]
pub use coop::{Unconstrained, consume_budget, unconstrained};
pub use join_set::JoinSet;
pub use local_set::{LocalEnterGuard, LocalSet, spawn_local};
pub use spawn::spawn;
pub use task_local::LocalKey;

/// Futures of this module that have a name.
pub mod futures {
    pub use super::task_local::TaskLocalFuture;
}
pub use yield_now::yield_now;
