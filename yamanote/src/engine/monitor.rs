//! The thread that notices a worker stuck in a poll, and opens what waits behind it to the others.
//!
//! A task that blocks its thread holds up everything its worker owns: the ring and inbox, which others may
//! steal from once somebody tells them; the LIFO slot, which nobody steals from; the poller and the timers,
//! which nobody else looks at. The monitor compares each worker's poll counter with what it was a moment
//! ago. For a worker that is awake and has not moved, it turns the driver, fires the timers, moves the
//! LIFO task to the inbox, and notifies a sleeper if there is work.
//!
//! It starts with the first task that comes from outside, sleeps for good while all workers sleep, and
//! costs a worker one load when it leaves a park.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use crate::engine::limits::{MONITOR_DOZE_AFTER, MONITOR_INTERVAL, MONITOR_STUCK_INTERVAL};
use crate::engine::schedule::notify;
use crate::engine::shared::Shared;

#[derive(Default)]
struct State {
    thread: Option<JoinHandle<()>>,
    started: bool,
    stopped: bool,
}

pub(crate) struct Monitor {
    state: Mutex<State>,
    condvar: Condvar,
    /// Set once, so that `ensure_running` is a load.
    started: AtomicBool,
    /// The monitor sleeps until a worker wakes it.
    dozing: AtomicBool,
}

impl Monitor {
    pub(crate) fn new() -> Self {
        Monitor {
            state: Mutex::new(State::default()),
            condvar: Condvar::new(),
            started: AtomicBool::new(false),
            dozing: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread if that has not happened yet.
    #[inline]
    pub(crate) fn ensure_running(&self, shared: &Arc<Shared>) {
        // Relaxed: the lock in `start` decides.
        if !self.started.load(Ordering::Relaxed) {
            self.start(shared);
        }
    }

    #[cold]
    fn start(&self, shared: &Arc<Shared>) {
        let mut state = self.lock();
        self.started.store(true, Ordering::Relaxed);
        if std::mem::replace(&mut state.started, true) || state.stopped {
            return;
        }
        let weak = Arc::downgrade(shared);
        // A system that cannot start one more thread runs without the rescue; nothing else depends on it.
        state.thread =
            std::thread::Builder::new().name("yamanote-monitor".into()).spawn(move || watch(&weak)).ok();
    }

    /// A worker left its park: the monitor has something to watch.
    #[inline]
    pub(crate) fn note_awake(&self) {
        // Relaxed: the worker took its bit out of `Idle` with a SeqCst operation before; partner: the
        // fence in `doze`. Should this load still be early, the monitor wakes by its own timer.
        if self.dozing.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        let _state = self.lock();
        self.dozing.store(false, Ordering::Relaxed);
        self.condvar.notify_one();
    }

    /// Ends the thread at its next look; `join` waits for it.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.condvar.notify_one();
    }

    pub(crate) fn join(&self) {
        let thread = self.lock().thread.take();
        if let Some(thread) = thread {
            if thread.thread().id() != std::thread::current().id() {
                // It runs wakers, which may panic: that is theirs to report, not ours to pass on.
                let _ = thread.join();
            }
        }
    }
}

/// The monitor's loop. It holds the runtime only while it looks.
fn watch(runtime: &Weak<Shared>) {
    let mut before: Vec<u64> = Vec::new();
    let mut quiet = 0;
    let mut interval = MONITOR_INTERVAL;
    loop {
        let Some(shared) = runtime.upgrade() else { return };
        let all_asleep = shared.idle.sleepers() == shared.workers();
        quiet = if all_asleep { quiet + 1 } else { 0 };
        {
            let monitor = &shared.monitor;
            let state = monitor.lock();
            if state.stopped {
                return;
            }
            if quiet > MONITOR_DOZE_AFTER {
                doze(&shared, state);
                quiet = 0;
                before.clear();
                continue;
            }
            // Under the runtime's own lock: `stop` and `wake` cut the sleep short.
            drop(monitor.condvar.wait_timeout(state, interval));
        }
        if shared.is_shutdown() {
            return;
        }
        interval = MONITOR_INTERVAL;
        let polls: Vec<u64> = shared.remotes.iter().map(|remote| remote.stats.polls.get()).collect();
        for (worker, now) in polls.iter().enumerate() {
            let stuck = before.get(worker) == Some(now)
                && !shared.idle.is_asleep(worker)
                && !shared.remotes[worker].parker.is_parked();
            if stuck {
                rescue(&shared, worker);
                interval = MONITOR_STUCK_INTERVAL;
            }
        }
        before = polls;
    }
}

/// Sleeps until a worker is awake again.
fn doze(shared: &Shared, state: std::sync::MutexGuard<'_, State>) {
    let monitor = &shared.monitor;
    monitor.dozing.store(true, Ordering::SeqCst);
    // Partner: the SeqCst operation on `Idle` that each waking worker makes before `note_awake`.
    std::sync::atomic::fence(Ordering::SeqCst);
    if shared.idle.sleepers() == shared.workers() && !state.stopped {
        let idle = |state: &mut State| !state.stopped && monitor.dozing.load(Ordering::Relaxed);
        drop(monitor.condvar.wait_while(state, idle));
    }
    monitor.dozing.store(false, Ordering::Relaxed);
}

/// Does for a stuck worker what it cannot do, and has the rest done by others.
fn rescue(shared: &Arc<Shared>, worker: usize) {
    let remote = &shared.remotes[worker];
    // What this wakes goes, since this thread is no worker, to whoever sleeps.
    remote.driver.turn_for_another(&shared.clock, shared.config.events_per_turn);
    // Whoever comes next to its sources need not wait for this thread to look again.
    for neighbour in shared.neighbours(worker) {
        if shared.idle.is_asleep(neighbour) {
            shared.driver(neighbour).io.call_to_lead();
        }
    }
    if let Some(task) = remote.lifo.take() {
        let mut chain = crate::engine::queue::Chain::default();
        chain.push(task);
        remote.inbox.push_chain(chain);
    }
    if remote.has_stealable() {
        notify(shared, worker);
    }
}
