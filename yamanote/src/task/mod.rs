//! Asynchronous green threads: spawning, joining, task-local data, cooperative scheduling.
//!
//! A task is a future that the runtime drives by itself, next to all others: what a thread is to an operating system,
//! but cheap enough for one a connection, a request, a timer. It takes one allocation, and a switch from one to another
//! is a function call.
//!
//! * [`spawn`] starts one. Its [`JoinHandle`] is a future of the output; dropped, it lets the task go on alone.
//! * [`JoinSet`] keeps many of one kind, and ends them when it is dropped.
//! * [`spawn_blocking`] gives a closure that blocks, or computes for long, a thread of its own.
//! * [`LocalSet`] and [`LocalRuntime`](crate::runtime::LocalRuntime) run tasks that are not `Send`.
//! * [`Builder`] names a task, for whoever looks at it from outside.
//! * [`yield_now`], [`unconstrained`] and [`coop`] are about sharing the thread.
//!
//! # Ends
//! A task ends with its output, by a panic, which stays in its handle ([`JoinError`]), or when it is
//! [aborted](JoinHandle::abort): then it is dropped where it waits, at the next `.await`. When the runtime shuts down all of
//! its tasks are.
//!
//! # Sharing the thread
//! A task runs until an `.await` that has to wait. Operations of this crate also give the thread away when a task has had
//! 128 of them in a row that did not; see [`coop`]. A loop without any holds its worker up.
//!
//! # Examples
//! ```
//! use yamanote::task::JoinSet;
//!
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() {
//! let mut squares = JoinSet::new();
//! for n in 1..=3 {
//!     squares.spawn(async move { n * n });
//! }
//! let mut sum = 0;
//! while let Some(square) = squares.join_next().await {
//!     sum += square.unwrap();
//! }
//! assert_eq!(sum, 14);
//! # }
//! ```

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
