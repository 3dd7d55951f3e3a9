//! From a future to a scheduled task.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use crate::engine::context;
use crate::engine::shared::Shared;
use crate::engine::task::{self, JoinHandle, Schedule, id::Id};

/// Makes a task of `future`, binds it to the runtime's live set and schedules it. After shutdown the future
/// is dropped and the handle tells that the task was cancelled.
pub(crate) fn spawn<F>(
    shared: &Arc<Shared>,
    future: F,
    id: Id,
    location: &'static Location<'static>,
) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // SAFETY: future and output may be sent, so any worker may poll and any thread may drop them.
    unsafe { spawn_unchecked(shared, future, id, location) }
}

/// As [`spawn`], for a future that may stay on one thread.
///
/// # Safety
/// If `F` or its output is not `Send`, the runtime must be polled and dropped on the current thread only.
pub(crate) unsafe fn spawn_unchecked<F>(
    shared: &Arc<Shared>,
    future: F,
    id: Id,
    location: &'static Location<'static>,
) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let (task, runnable, join) = task::new_task(future, Arc::clone(shared), id, location);
    if let Some(hook) = &shared.config.hooks.task_spawn {
        hook(&runnable.meta());
    }
    let shard = context::worker_index(shared).unwrap_or(shared.workers());
    match shared.live.bind(task, shard) {
        Ok(()) => shared.schedule(runnable),
        Err(task) => {
            drop(runnable);
            task.shutdown();
        }
    }
    join
}
