//! Traces all tasks of a runtime, each on the worker that polls it anyway.
//!
//! A dump wakes the suspended tasks and all workers. While it lasts, a worker traces each task that it comes to for the
//! first time, instead of polling it; the trace has woken the task, so it is polled in its turn after that. The
//! dump is over when every task that was suspended at its beginning was traced, and each worker has parked or come to
//! a task for the third time: then it has been through its queue; and the same once more for the tasks that were
//! first suspended meanwhile. Nobody stops for it, and no task is polled
//! where it may not be. Tasks that are in the middle of a poll for the time of a dump are not in it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::shared::Shared;
use crate::engine::task::Id;
use crate::engine::worker::Worker;
use crate::runtime::dump::{Task, Trace};

/// How long a dump may take: a worker in a long poll does not hold it up for longer.
const LIMIT: Duration = Duration::from_millis(250);

/// A worker that has come to a task more often has been through its queue: the first time the trace put the task behind
/// what was ready, the second time the task itself may have put itself behind those that had yielded.
const TIMES_THROUGH: u32 = 2;

/// How often to look whether tasks have ended that a dump waits for.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
pub(crate) struct Dumper {
    /// A dump is under way. Relaxed: a hint for workers, which then look under the lock.
    active: AtomicBool,
    /// Moves when workers are called to a dump.
    calls: AtomicUsize,
    state: Mutex<State>,
    progress: Condvar,
    /// Held for a whole dump: one at a time.
    turn: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Suspended when the dump began, and not traced yet.
    missing: HashSet<Id>,
    /// How often workers came to a task.
    seen: HashMap<Id, u32>,
    /// The only task that is asked for.
    only: Option<Id>,
    /// Workers that have been through their queue; for one that is stuck, the spare in its place.
    acknowledged: HashSet<usize>,
    tasks: Vec<Task>,
}

impl Dumper {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn calls(&self) -> usize {
        // Relaxed: the unpark that follows a call orders it.
        self.calls.load(Ordering::Relaxed)
    }

    /// Traces one task of `shared`. Blocks. `None`: it is not there, or was not polled in time.
    pub(crate) fn dump_one(&self, shared: &Arc<Shared>, id: Id) -> Option<Task> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        *self.lock() = State { only: Some(id), ..State::default() };
        self.active.store(true, Ordering::Relaxed);
        let until = Instant::now() + LIMIT;
        if let Some((_, waker)) = shared.live.wakers().into_iter().find(|(other, _)| *other == id) {
            self.lock().missing.insert(id);
            waker.wake();
            self.wait(shared, 0, until);
        }
        self.active.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.lock()).tasks.pop()
    }

    /// Makes a dump of `shared`, of all tasks but `except`. Blocks.
    pub(crate) fn dump(&self, shared: &Arc<Shared>, except: Option<Id>) -> Vec<Task> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        *self.lock() =
            State { seen: except.map(|id| (id, 1)).into_iter().collect(), ..State::default() };
        self.active.store(true, Ordering::Relaxed);
        let until = Instant::now() + LIMIT;
        // Twice: a task that was in its first poll when we looked is known only now.
        for _ in 0..2 {
            self.call(shared);
            if !self.wait(shared, shared.workers(), until) {
                break;
            }
        }
        self.active.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.lock()).tasks
    }

    /// Wakes the suspended tasks that were not traced, and all workers.
    fn call(&self, shared: &Shared) {
        let mut suspended = shared.live.wakers();
        {
            let mut state = self.lock();
            suspended.retain(|(id, _)| !state.seen.contains_key(id));
            state.missing.extend(suspended.iter().map(|(id, _)| *id));
        }
        // Outside the lock: a waker may be anybody's in the end.
        suspended.into_iter().for_each(|(_, waker)| waker.wake());
        self.calls.fetch_add(1, Ordering::Relaxed);
        (0..shared.workers()).for_each(|worker| shared.unpark(worker));
    }

    /// Waits until all is traced that should be, and so many workers have been through their queues. `false`: it takes too
    /// long.
    fn wait(&self, shared: &Shared, workers: usize, until: Instant) -> bool {
        let mut state = self.lock();
        while !(state.missing.is_empty() && state.acknowledged.len() >= workers) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || shared.is_shutdown() {
                return false;
            }
            let (next, timeout) = self
                .progress
                .wait_timeout(state, left.min(LOOK))
                .unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timeout.timed_out() {
                drop(state);
                let alive: HashSet<Id> = shared.live.wakers().into_iter().map(|(id, _)| id).collect();
                state = self.lock();
                state.missing.retain(|id| alive.contains(id));
            }
        }
        true
    }

    /// The worker has been through its queue.
    #[inline]
    pub(crate) fn acknowledge(&self, worker: &Worker) {
        if self.is_active() {
            self.note_through(worker.driver);
        }
    }

    #[cold]
    fn note_through(&self, worker: usize) {
        self.lock().acknowledged.insert(worker);
        self.progress.notify_all();
    }

    /// Polls a task, or traces it in the same way, if a dump wants that.
    pub(crate) fn poll(&self, worker: &Worker, id: Id, poll: impl FnOnce()) {
        if !self.is_active() {
            return poll();
        }
        let times = {
            let mut state = self.lock();
            if state.only.is_some_and(|only| only != id) {
                drop(state);
                return poll();
            }
            let times = state.seen.entry(id).or_default();
            *times += 1;
            *times
        };
        if times > 1 {
            if times > TIMES_THROUGH {
                self.note_through(worker.driver);
            }
            return poll();
        }
        let ((), trace) = Trace::capture(poll);
        let mut state = self.lock();
        state.missing.remove(&id);
        // One that ended meanwhile reached no leaf.
        if !trace.is_empty() {
            state.tasks.push(Task::new(id, trace));
        }
        drop(state);
        self.progress.notify_all();
    }
}
