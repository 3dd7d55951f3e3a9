//! Asynchronous green threads: spawning, joining, task-local data, cooperative scheduling.

pub mod coop;
#[doc(hidden)]
pub use coop::{Unconstrained, consume_budget, unconstrained};
