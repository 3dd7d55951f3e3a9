//! Where a runnable task goes: a decision, then its effect.
//!
//! * On a worker of the task's runtime: into that worker's own queues. The task goes where its waker runs,
//!   so two tasks that talk to each other end up side by side, and a socket's task runs on the
//!   worker that saw the event.
//! * Elsewhere: into the inbox of the worker that last ran it (its caches may still be warm). If it sleeps it is
//!   woken, else some sleeper is, to come and steal, unless a worker searches already.

use std::panic::Location;
use std::sync::Arc;

use crate::engine::queue::{Chain, Raw};
use crate::engine::shared::Shared;
use crate::engine::task::header::NO_HOME;
use crate::engine::task::{self, Id, Schedule, TaskRef, refs};
use crate::engine::{context, observe};

pub(crate) type Runnable = task::Runnable<Arc<Shared>>;

impl Schedule for Arc<Shared> {
    #[inline]
    unsafe fn schedule(this: *const Self, task: Runnable) {
        // SAFETY: `this` is good until the runnable is handed on, which comes after.
        let shared = unsafe { Arc::as_ptr(&*this) };
        let raw = task.into_raw();
        // SAFETY: as above; the task is still ours.
        unsafe { note_queued(shared, raw, false) };
        // SAFETY: by contract.
        unsafe { queue(this, raw) };
    }

    #[inline]
    unsafe fn yield_now(this: *const Self, task: Runnable) {
        // SAFETY: as in `schedule`.
        let shared = unsafe { Arc::as_ptr(&*this) };
        let raw = task.into_raw();
        // SAFETY: as above; the task is still ours.
        unsafe { note_queued(shared, raw, true) };
        let here = context::with_worker(shared, |worker| worker.defer(raw)).unwrap_or(Err(raw));
        if let Err(raw) = here {
            // SAFETY: as in `schedule`.
            let shared = unsafe { Arc::clone(&*this) };
            push_remote(&shared, raw);
        }
    }

    fn bind(&self, task: TaskRef<Self>) -> Result<(), TaskRef<Self>> {
        let shard = context::worker_index(self).unwrap_or(self.workers());
        self.live.bind(task, shard)
    }

    fn release(&self, task: &TaskRef<Self>) -> bool {
        self.note_task_ended();
        self.observer.note_ended(task.header().id());
        self.live.remove(task)
    }

    fn give_back(self) {
        context::with_worker(Arc::as_ptr(&self), |worker| worker.shared.put(self));
    }

    fn unhandled_panic(&self) {
        self.note_unhandled_panic();
    }

    fn has_terminate_hook(&self) -> bool {
        self.config.hooks.task_terminate.is_some()
    }

    fn on_terminate(&self, id: Id, location: &'static Location<'static>) {
        if let Some(hook) = &self.config.hooks.task_terminate {
            hook(&crate::runtime::TaskMeta::new(id, location));
        }
    }
}

/// Queues a task that was just made, of which the recorder has been told: that it was spawned says that it is queued, too.
///
/// # Safety
/// As [`Schedule::schedule`].
#[inline]
pub(crate) unsafe fn schedule_spawned(this: *const Arc<Shared>, task: Runnable) {
    // SAFETY: `this` is good until the runnable is handed on, which comes after.
    let shared = unsafe { Arc::as_ptr(&*this) };
    let raw = task.into_raw();
    // SAFETY: as above; the task is still ours.
    unsafe {
        if (*shared).observer.wanted() & (observe::LATENCY | observe::TASKS) != 0 {
            note_queued(shared, raw, false);
        }
    }
    // SAFETY: by contract.
    unsafe { queue(this, raw) };
}

/// # Safety
/// As [`Schedule::schedule`], for a task that was made raw.
#[inline]
unsafe fn queue(this: *const Arc<Shared>, raw: Raw) {
    // SAFETY: by contract it is good until the task is handed on.
    let shared = unsafe { Arc::as_ptr(&*this) };
    let here = context::with_worker(shared, |worker| worker.push(raw)).unwrap_or(Err(raw));
    if let Err(raw) = here {
        // SAFETY: it was not handed on yet, so the runtime is still there; the clone keeps it.
        let shared = unsafe { Arc::clone(&*this) };
        push_remote(&shared, raw);
    }
}

/// A task is about to be queued: whoever wants to know is told. `again`: its poll is over, in which it was woken.
///
/// # Safety
/// The runtime must be there for the call, and the caller must hold a reference to the task.
#[inline]
unsafe fn note_queued(shared: *const Shared, raw: Raw, again: bool) {
    #[cold]
    unsafe fn note(shared: *const Shared, wanted: u8, raw: Raw, again: bool) {
        if again && wanted == observe::EVENTS {
            // A poll of a task that nothing has woken since the one before tells as much.
            return;
        }
        // SAFETY: by contract.
        let (shared, id) = unsafe { (&*shared, refs::id(raw)) };
        if let Some(latency) = &shared.latency {
            latency.note_scheduled(raw);
        }
        if wanted & (observe::TASKS | observe::EVENTS) != 0 {
            let observer = &shared.observer;
            let here = context::with_worker(shared, |worker| {
                observer.note_woken(wanted, id, again, Some(worker))
            });
            here.unwrap_or_else(|| observer.note_woken(wanted, id, again, None));
        }
    }

    // SAFETY: by contract.
    let wanted = unsafe { (*shared).observer.wanted() };
    if wanted & (observe::LATENCY | observe::TASKS | observe::EVENTS) != 0 {
        // SAFETY: by contract.
        unsafe { note(shared, wanted, raw, again) }
    }
}

/// Queues a task from a thread that is no worker of its runtime.
#[cold]
fn push_remote(shared: &Arc<Shared>, raw: Raw) {
    if shared.is_single() {
        if let Err(raw) = shared.remotes[0].inbox.push(raw) {
            // SAFETY: the inbox gave back the unit we tried to hand it.
            unsafe { Runnable::from_raw(raw) }.shutdown();
            return;
        }
        shared.unpark(0);
        return;
    }
    shared.monitor.ensure_running(shared);

    // SAFETY: `raw` carries a reference unit, which keeps the task alive.
    let home = match unsafe { refs::home(raw) } {
        NO_HOME => context::thread_number() % shared.workers(),
        home => home as usize % shared.workers(),
    };
    // Claim before queueing: whoever is claimed looks into its own inbox first.
    let claimed = shared.idle.claim(home);
    let pushed = shared.remotes[home].inbox.push(raw);
    if claimed {
        shared.unpark(home);
    } else if let Some(worker) = shared.idle.notify_one(home) {
        // It is awake, but may be busy, or just falling asleep. Not if somebody searches already.
        shared.unpark(worker);
    }
    if let Err(raw) = pushed {
        // The runtime is gone.
        // SAFETY: the inbox gave back the unit we tried to hand it.
        unsafe { Runnable::from_raw(raw) }.shutdown();
    }
}

/// Puts tasks of which this thread has charge into `worker`'s inbox.
#[cold]
pub(crate) fn push_chain(shared: &Shared, worker: usize, chain: Chain) {
    if let Err(mut refused) = shared.remotes[worker].inbox.push_chain(chain) {
        // Taken out by the monitor, for a worker that was stuck, while the last worker left.
        while let Some(raw) = refused.pop() {
            // SAFETY: the chain has a reference unit of each of its tasks.
            unsafe { Runnable::from_raw(raw) }.shutdown();
        }
    }
}

/// Notifies a sleeper of work that was just made visible in `worker`'s queues.
pub(crate) fn notify(shared: &Shared, worker: usize) {
    if let Some(sleeper) = shared.idle.notify_one(worker + 1) {
        shared.unpark(sleeper);
    }
}
