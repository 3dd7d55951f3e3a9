//! What the runtime tells tracing's subscribers: spans and events of tasks and of what they wait for, by upstream's
//! names, so that tools made for those (tokio-console above all) show this runtime too.
//!
//! Without the feature `tracing` all of it is empty: types of size 0, functions without a body.
//!
//! * `task`: a span for each task, entered while it is polled, and an event for all that happens to its wakers.
//! * `resource`: a span for each primitive of `sync` and each interval, one for each operation that waits, and events
//!   for their state.
//! * `acquire`: the same for the semaphore inside most primitives.
//! * `sleep`: the same for timers.
//!
//! A subscriber is foreign code: it may panic, and it may use the runtime. So it is called where a future's poll or a
//! waker could be as well, never under a lock.

mod acquire;
mod resource;
mod sleep;
mod task;

pub(crate) use acquire::*;
pub(crate) use resource::*;
pub(crate) use sleep::*;
pub(crate) use task::*;
