//! From a future to a scheduled task.

use std::future::Future;
use std::sync::Arc;

use crate::engine::context::NoHandle;
use crate::engine::schedule::{Runnable, schedule_spawned};
use crate::engine::shared::Shared;
use crate::engine::task::{self, JoinHandle, Origin};
use crate::engine::{context, instrument, observe, trace};
use crate::runtime::TaskKind;

/// The reference to the current runtime that a task is going to keep. Not compiled anew in every program that spawns.
pub(crate) fn current_home() -> Result<Arc<Shared>, NoHandle> {
    context::with_handle(|handle| home(&handle.shared))
}

/// The reference to its runtime that a task is going to keep.
#[inline]
pub(crate) fn home(shared: &Arc<Shared>) -> Arc<Shared> {
    let here = context::with_worker(Arc::as_ptr(shared), |worker| worker.shared.take());
    here.unwrap_or_else(|| Arc::clone(shared))
}

/// Makes a task of `future` and schedules it. After shutdown the future
/// is dropped and the handle tells that the task was cancelled.
pub(crate) fn spawn<F>(shared: Arc<Shared>, future: F, origin: Origin<'_>) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // SAFETY: future and output may be sent, so any worker may poll and any thread may drop them.
    unsafe { spawn_unchecked(shared, future, origin) }
}

/// As [`spawn`], for a future that may stay on one thread.
///
/// # Safety
/// If `F` or its output is not `Send`, the runtime must be polled and dropped on the current thread only.
pub(crate) unsafe fn spawn_unchecked<F>(
    shared: Arc<Shared>,
    future: F,
    origin: Origin<'_>,
) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let (future, span) = instrument::task("task", &origin, future);
    let (runnable, join) = task::new_task(trace::root(future), shared, origin.id, origin.location, span);
    // SAFETY: the join handle keeps the task.
    unsafe { launch(runnable, &origin) };
    join
}

/// The part of spawning that does not depend on the future.
///
/// # Safety
/// Somebody else must keep the task's memory for the call.
unsafe fn launch(runnable: Runnable, origin: &Origin<'_>) {
    // SAFETY: by contract; the task keeps its runtime.
    let shared = unsafe { &*runnable.scheduler() };
    if let Some(hook) = &shared.config.hooks.task_spawn {
        hook(&runnable.meta());
    }
    shared.note_task_spawned();
    let kind = if shared.config.local_to.is_some() { TaskKind::Local } else { TaskKind::Async };
    note_spawned(shared, origin, kind);
    if shared.is_shutdown() {
        runnable.shutdown();
    } else {
        // SAFETY: as above.
        unsafe { schedule_spawned(shared, runnable) };
    }
}

/// Whoever wants to know of tasks is told.
#[inline]
pub(crate) fn note_spawned(shared: &Arc<Shared>, origin: &Origin<'_>, kind: TaskKind) {
    #[cold]
    fn note(shared: &Arc<Shared>, origin: &Origin<'_>, kind: TaskKind) {
        let observer = &shared.observer;
        let here = context::with_worker(Arc::as_ptr(shared), |worker| {
            observer.note_spawned(origin, kind, Some(worker));
        });
        here.unwrap_or_else(|| observer.note_spawned(origin, kind, None));
    }

    if shared.observer.wanted()
        & (observe::STALLS | observe::TASKS | observe::EVENTS | observe::FUTURELOCK)
        != 0
    {
        note(shared, origin, kind);
    }
}
