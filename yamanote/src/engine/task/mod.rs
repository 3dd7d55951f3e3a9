//! Tasks: a future, its place in the scheduler, and the way to its output, in one allocation.
//!
//! `state` is the life of a task as one atomic word; `header` what all tasks have in common; `raw` the cell, and
//! the only file that goes from a task pointer to what is behind it; `refs` a type for each kind of
//! reference; `join` the handles; `waker` the wakers; `live` the set of live tasks; `id` and `error`.

pub(crate) mod error;
pub(crate) mod header;
pub(crate) mod id;
pub(crate) mod join;
pub(crate) mod live;
#[cfg(all(test, loom))]
mod models;
pub(crate) mod origin;
mod raw;
pub(crate) mod refs;
mod state;
pub(crate) mod waker;

use std::future::Future;
use std::panic::Location;

use crate::engine::instrument::SpanId;
pub(crate) use header::Header;
pub(crate) use id::Id;
pub(crate) use join::JoinHandle;
pub(crate) use origin::Origin;
pub(crate) use refs::{Runnable, TaskRef};

/// What a task needs of its scheduler.
pub(crate) trait Schedule: Sized + 'static {
    /// Takes a task that was woken.
    ///
    /// # Safety
    /// `this` is inside the task: it is good until the runnable is handed on, to a queue that another thread may
    /// take it from or by running it, and must not be used after that.
    unsafe fn schedule(this: *const Self, task: Runnable<Self>);

    /// Takes a task that was woken while it was polled: it goes behind its peers.
    ///
    /// # Safety
    /// As for [`schedule`](Schedule::schedule).
    unsafe fn yield_now(this: *const Self, task: Runnable<Self>) {
        // SAFETY: by contract.
        unsafe { Self::schedule(this, task) }
    }

    /// Enters a task that is about to be suspended for the first time into the set of live tasks; gives it
    /// back if that is closed. Until then a task is in a queue or being polled, and found there at shutdown; so
    /// one that never has to wait costs no entry.
    fn bind(&self, task: TaskRef<Self>) -> Result<(), TaskRef<Self>>;

    /// A task ended: takes it out of the live set. `true`: it was in, and its reference is the caller's.
    fn release(&self, task: &TaskRef<Self>) -> bool;

    /// The memory of a task is freed, which kept this.
    fn give_back(self) {}

    /// A task panicked.
    fn unhandled_panic(&self) {}

    /// Whether [`on_terminate`](Schedule::on_terminate) does anything.
    fn has_terminate_hook(&self) -> bool {
        false
    }

    /// A task ended; for hooks.
    fn on_terminate(&self, _id: Id, _location: &'static Location<'static>) {}
}

/// Futures larger than this are put on the heap first, so that they are not copied from frame to frame on their
/// way into the cell. Debug builds copy more often and have larger frames. Upstream's numbers.
pub(crate) const BOX_ABOVE: usize = if cfg!(debug_assertions) { 2048 } else { 16 * 1024 };

/// Makes a task, scheduled but in no queue yet.
pub(crate) fn new_task<F, S>(
    future: F,
    scheduler: S,
    id: Id,
    location: &'static Location<'static>,
    span: SpanId,
) -> (Runnable<S>, JoinHandle<F::Output>)
where
    F: Future + 'static,
    F::Output: 'static,
    S: Schedule,
{
    let task = if const { size_of::<F>() > BOX_ABOVE } {
        raw::allocate(Box::pin(future), scheduler, id, location, span)
    } else {
        raw::allocate(future, scheduler, id, location, span)
    };
    // SAFETY: a new task has these two references.
    unsafe { (Runnable::from_raw(task), JoinHandle::from_raw(task)) }
}
