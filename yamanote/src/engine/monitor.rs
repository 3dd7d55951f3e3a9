//! The thread that notices a worker stuck in a poll, and opens what waits behind it to the others.
//!
//! A task that blocks its thread holds up everything its worker owns: the ring and inbox, which others may
//! steal from once somebody tells them; the LIFO slot, which nobody steals from; the poller and the timers,
//! which nobody else looks at. The monitor compares each worker's poll counter with what it was a moment
//! ago. For a worker that is awake and has not moved for the limit, it moves the LIFO task and those that yielded to the
//! inbox, notifies a sleeper if there is work, and sends a spare ([`spares`](super::spares)) to wait in the driver and
//! to keep up the number of workers that work. Where there is no spare left, it turns the driver itself.
//!
//! It also sends threads for the cores that `block_in_place` lends, if that lasts ([`lent`](super::lent)).
//!
//! It starts with the first task that comes from outside, sleeps for good while all workers sleep, and
//! costs a worker one load when it leaves a park.

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::engine::block_in_place;
use crate::engine::hooks::StallCallback;
use crate::engine::lent::Watch;
use crate::engine::limits::{
    LENT_INTERVAL, LENT_QUIET_LOOKS, MONITOR_DOZE_AFTER, MONITOR_MAX_INTERVAL, MONITOR_MIN_INTERVAL,
};
use crate::engine::observe::{self, recorder};
use crate::engine::queue::Chain;
use crate::engine::schedule::{notify, push_chain};
use crate::engine::shared::Shared;
use crate::engine::spares::relieve;
use crate::engine::task::Id;
use crate::loom::sync::atomic::{AtomicBool, Ordering};
use crate::loom::sync::{Condvar, Mutex, MutexGuard};
use crate::runtime::StallReport;
use crate::util::canary::canary;
use crate::util::contain::contain;
use crate::util::{Counter, ThreadMain};

#[derive(Default)]
struct State {
    thread: Option<JoinHandle<()>>,
    started: bool,
    stopped: bool,
    /// The thread waits for the condition variable.
    waits: bool,
}

pub(crate) struct Monitor {
    state: Mutex<State>,
    condvar: Condvar,
    /// Set once, so that `ensure_running` is a load.
    started: AtomicBool,
    /// The monitor sleeps until a worker wakes it.
    dozing: AtomicBool,
    /// There is a thread.
    present: AtomicBool,
    /// Whether it looks often at the cores that are lent.
    watch: Watch,
    /// How often it looked at the workers.
    pub(crate) looks: Counter,
    /// Polls that were found too long.
    pub(crate) stalls: Counter,
}

impl Monitor {
    pub(crate) fn new() -> Self {
        Monitor {
            state: Mutex::new(State::default()),
            condvar: Condvar::new(),
            started: AtomicBool::new(false),
            dozing: AtomicBool::new(false),
            present: AtomicBool::new(false),
            watch: Watch::new(),
            looks: Counter::new(),
            stalls: Counter::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
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
        let Some(limit) = shared.config.stall_limit else { return };
        if std::mem::replace(&mut state.started, true) || state.stopped {
            return;
        }
        let weak = Arc::downgrade(shared);
        // A system that cannot start one more thread runs without the rescue; nothing else depends on it.
        state.thread = std::thread::Builder::new()
            .name("yamanote-monitor".into())
            .spawn(Box::new(move || watch(&weak, limit)) as ThreadMain)
            .ok();
        self.present.store(state.thread.is_some(), Ordering::Relaxed);
    }

    /// A worker left its park: the monitor has something to watch.
    #[inline]
    pub(crate) fn note_awake(&self) {
        // Relaxed: ordered by the worker's own change of `Idle` before it, which `doze` sees, or which sees `doze`'s.
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

    /// A worker has lent its core. Whether the monitor notices if that lasts.
    #[inline]
    pub(crate) fn watch_lent(&self, shared: &Arc<Shared>) -> bool {
        self.ensure_running(shared);
        if self.watch.is_off_after_put() {
            self.call_watch();
        }
        // Relaxed: while another thread is just starting it this may still be false, and the core is handed over at once.
        self.present.load(Ordering::Relaxed)
    }

    #[cold]
    fn call_watch(&self) {
        // Under the lock: the monitor sees it before it sleeps, or is woken.
        let _state = self.lock();
        self.watch.turn_on();
        self.condvar.notify_one();
    }

    /// Sleeps until a worker is awake again, if `all_asleep`, which has to look at `Idle` by
    /// [`sleepers_in_order`](crate::engine::idle::Idle::sleepers_in_order): that is a change of the same words that a
    /// worker changes when it wakes up. Of the two changes one comes first. If it is the worker's, it is seen
    /// here; if it is ours, the worker sees that we doze, since its change takes over from ours.
    fn doze<'a>(&'a self, mut state: MutexGuard<'a, State>, all_asleep: impl FnOnce() -> bool) {
        // Relaxed: published by the change that follows.
        self.dozing.store(true, Ordering::Relaxed);
        if all_asleep() {
            // Relaxed: cleared under the lock.
            while !state.stopped && self.dozing.load(Ordering::Relaxed) {
                state.waits = true;
                state = self.condvar.wait(state);
                state.waits = false;
            }
        }
        self.dozing.store(false, Ordering::Relaxed);
    }

    /// Ends the thread at its next look; `join` waits for it.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        // A condition variable that nobody waits for costs a system call too.
        if state.waits {
            self.condvar.notify_one();
        }
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

/// What the monitor knows of a slot.
#[derive(Clone, Copy)]
struct Seen {
    polls: u64,
    /// When it was first seen with that count, and awake.
    since: Instant,
    /// The present poll was found too long before.
    stuck: bool,
}

/// The monitor's loop. It holds the runtime only while it looks.
fn watch(runtime: &Weak<Shared>, limit: Duration) {
    let mut seen: Vec<Option<Seen>> = Vec::new();
    let mut reporter = Reporter::default();
    let mut lendings = Lendings::default();
    let mut quiet = 0;
    let longest = limit.clamp(MONITOR_MIN_INTERVAL, MONITOR_MAX_INTERVAL);
    let mut interval = longest;
    loop {
        let Some(shared) = runtime.upgrade() else { return };
        quiet = if all_asleep(&shared) { quiet + 1 } else { 0 };
        {
            let monitor = &shared.monitor;
            let mut state = monitor.lock();
            if state.stopped {
                return;
            }
            if quiet > MONITOR_DOZE_AFTER {
                monitor.doze(state, || all_asleep_in_order(&shared));
                quiet = 0;
                seen.clear();
                continue;
            }
            let interval = if monitor.watch.is_on() { interval.min(LENT_INTERVAL) } else { interval };
            // Under the runtime's own lock: `stop`, `wake` and `call_watch` cut the sleep short.
            state.waits = true;
            monitor.condvar.wait_timeout(state, interval).0.waits = false;
        }
        if shared.is_shutdown() {
            return;
        }
        shared.monitor.looks.add(1);
        if shared.monitor.watch.is_on() {
            lendings.look(&shared);
        }
        // Backs off while what it does itself finds nothing.
        // A waker that panics in a driver turned here has been reported, and the next look goes on.
        interval = match contain(|| look(&shared, &mut seen, &mut reporter, limit)).flatten() {
            Some(0) => (2 * interval).min(longest),
            Some(_) => MONITOR_MIN_INTERVAL,
            None => longest,
        };
        // Last: it is the user's, and may take its time.
        reporter.deliver(&shared);
    }
}

/// Looks at all workers. If it had to turn the driver of one, since there is no spare: how much it found there.
fn look(
    shared: &Arc<Shared>,
    seen: &mut Vec<Option<Seen>>,
    reporter: &mut Reporter,
    limit: Duration,
) -> Option<usize> {
    let now = Instant::now();
    let mut found = None;
    seen.resize(shared.crew.slots_in_use(), None);
    for (slot, seen) in seen.iter_mut().enumerate() {
        let remote = &shared.remotes[slot];
        let polls = remote.stats.polls.get();
        // Or somebody comes for its core.
        let away = is_away(shared, slot) || remote.lent.is_claimed();
        let moved = away || seen.is_none_or(|seen| seen.polls != polls);
        if moved {
            *seen = (!away).then_some(Seen { polls, since: now, stuck: false });
            continue;
        }
        let Some(seen) = seen else { continue };
        if now.duration_since(seen.since) < limit {
            continue;
        }
        let is_new = !std::mem::replace(&mut seen.stuck, true);
        if is_new {
            shared.monitor.stalls.add(1);
        }
        // The tasks of a single-threaded runtime cannot run elsewhere.
        if !shared.is_single() {
            let driver = remote.sits_in.load(Ordering::Relaxed);
            let is_relieved =
                shared.remotes[driver].seat.holder() != slot || relieve(shared, slot, driver);
            if !is_relieved {
                *found.get_or_insert(0) += stand_in(shared, driver);
            }
            open_queues(shared, slot, driver);
        }
        // After that: to look at its stack may take a moment.
        if is_new {
            reporter.note(shared, slot, polls, now.duration_since(seen.since));
        }
    }
    found
}

/// Whether nobody runs tasks in the slot.
fn is_away(shared: &Shared, slot: usize) -> bool {
    let is_parked = shared.remotes[slot].parker.is_parked();
    if shared.is_single() {
        // Nobody need drive it at all.
        is_parked || shared.observer.current[slot].get().is_none()
    } else {
        is_parked || shared.idle.is_asleep(slot) || !shared.crew.is_manned(slot)
    }
}

/// What the monitor knows of the cores that are lent.
#[derive(Default)]
struct Lendings {
    /// Of each slot, what its `Lent` showed last.
    seen: Vec<usize>,
    /// Looks in a row that found nothing new.
    quiet: u32,
}

impl Lendings {
    /// Sends a thread for each core that was lent at the last look already.
    fn look(&mut self, shared: &Arc<Shared>) {
        let mut is_busy = false;
        self.seen.resize(shared.crew.slots_in_use(), 0);
        for (slot, seen) in self.seen.iter_mut().enumerate() {
            let lent = &shared.remotes[slot].lent;
            let was = std::mem::replace(seen, lent.snapshot());
            is_busy |= if was != *seen {
                true
            } else if lent.number().is_some() {
                // The user's hook may panic. Where no thread can be started, the rescue of stuck workers is left.
                contain(|| block_in_place::hand_over(shared, slot)) == Some(true)
            } else {
                false
            };
        }
        self.quiet = if is_busy { 0 } else { self.quiet + 1 };
        if self.quiet > LENT_QUIET_LOOKS {
            self.quiet = 0;
            let seen = self.seen.iter().copied().chain(std::iter::repeat(0));
            let mut remotes = shared.manned().iter().zip(seen);
            shared
                .monitor
                .watch
                .turn_off(|| remotes.any(|(remote, seen)| remote.lent.snapshot() != seen));
        }
    }
}

/// Reports a second. Arbitrary: what a person can read, and no more than a log can take.
const REPORTS_PER_SECOND: u32 = 10;

/// Tells the user of stuck workers, within limits.
#[derive(Default)]
struct Reporter {
    reports: Vec<StallReport>,
    /// When the second began, and how many reports there were in it.
    window: Option<(Instant, u32)>,
    suppressed: u64,
}

impl Reporter {
    /// The worker in `slot` has been in its poll number `polls` for so long.
    fn note(&mut self, shared: &Shared, slot: usize, polls: u64, busy: Duration) {
        let observer = &shared.observer;
        let remote = &shared.remotes[slot];
        if observer.wanted() & observe::EVENTS != 0 {
            let stall = recorder::What::Stall(slot as u64);
            observer.recorder.push(None, recorder::Event::of_worker(stall));
        }
        if shared.config.hooks.stall.is_none() {
            return;
        }
        let task = observer.current[slot].get();
        if remote.stats.polls.get() != polls {
            // It has just gone on.
            return;
        }
        let now = Instant::now();
        let (_, reports) = match &mut self.window {
            Some(window) if now.duration_since(window.0) < Duration::from_secs(1) => window,
            window => window.insert((now, 0)),
        };
        if *reports >= REPORTS_PER_SECOND {
            self.suppressed += 1;
            return;
        }
        *reports += 1;
        let stack = if shared.config.stall_backtrace {
            observe::stack::Stack::of(&observer.current[slot])
        } else {
            observe::stack::Stack::default()
        };
        // A poll that has ended meanwhile is told of; but the stack may be that of what came after. What the thread did
        // before it answered is seen here.
        let id = |task: Option<(Id, _)>| task.map(|(id, _)| id);
        let goes_on = remote.stats.polls.get() == polls
            && id(observer.current[slot].get()) == id(task)
            && !is_away(shared, slot);
        let stack = if goes_on { stack } else { Default::default() };
        self.reports.push(StallReport {
            task: task.map(|(id, _)| id),
            name: task.and_then(|(id, _)| observer.tasks.name(id)),
            spawned_at: task.map(|(_, location)| location),
            worker: remote.sits_in.load(Ordering::Relaxed),
            thread: remote.stats.thread(),
            duration: busy,
            stack,
            suppressed: std::mem::take(&mut self.suppressed),
        });
    }

    fn deliver(&mut self, shared: &Shared) {
        let hook: Option<&StallCallback> = shared.config.hooks.stall.as_ref();
        for report in self.reports.drain(..) {
            if let Some(hook) = hook {
                contain(|| hook(&report));
            }
        }
    }
}

/// No spare comes but from here, and one that goes only brings a look too many.
fn all_asleep(shared: &Shared) -> bool {
    if shared.is_single() {
        // Each poll looks whether the monitor dozes. One that does so a moment too early is seen at the next.
        return shared.observer.current[0].get().is_none();
    }
    shared.idle.sleepers() == shared.workers() + shared.crew.spares().0
}

/// As [`all_asleep`], in an order with what the workers do: see [`Monitor::doze`].
fn all_asleep_in_order(shared: &Shared) -> bool {
    if shared.is_single() {
        return all_asleep(shared);
    }
    shared.idle.sleepers_in_order() == shared.workers() + shared.crew.spares().0
}

/// Does for a stuck worker's driver what nobody else does. How much there was.
fn stand_in(shared: &Arc<Shared>, driver: usize) -> usize {
    // What this wakes goes, since this thread is no worker, to whoever sleeps.
    let found = shared.driver(driver).turn_for_another(&shared.clock, shared.config.events_per_turn);
    // Whoever comes next to its sources need not wait for this thread to look again.
    for neighbour in shared.neighbours(driver) {
        if shared.idle.is_asleep(neighbour) {
            shared.driver(neighbour).io.call_to_lead();
        }
    }
    found
}

/// Opens what only the worker in `slot` reaches, who is stuck, to the others. Whether tasks wait there.
pub(crate) fn open_queues(shared: &Shared, slot: usize, driver: usize) -> bool {
    let remote = &shared.remotes[slot];
    if !remote.lifo.is_empty() || !remote.deferred.is_empty() {
        let mut chain = Chain::default();
        if !canary!("lifo-slot-not-rescued") {
            remote.lifo.take().into_iter().for_each(|task| chain.push(task));
        }
        remote.deferred.drain(&mut |task| chain.push(task));
        if !chain.is_empty() {
            push_chain(shared, driver, chain);
        }
    }
    let waits = remote.has_stealable() || shared.remotes[driver].has_stealable();
    if waits {
        notify(shared, slot);
    }
    waits
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::engine::idle::{Idle, Sleep};
    use crate::loom::{model, thread};

    /// The only worker sleeps, and wakes up while the monitor goes to sleep: the monitor does not sleep on.
    #[test]
    fn a_worker_that_wakes_up_wakes_the_monitor() {
        model(|| {
            let world = crate::loom::sync::Arc::new((Monitor::new(), Idle::new(1, 1)));
            assert_eq!(world.1.fall_asleep(0, false, || false), Sleep::Asleep);
            let other = world.clone();
            let worker = thread::spawn(move || {
                let (monitor, idle) = &*other;
                idle.wake_up(0);
                monitor.note_awake();
                // It gets stuck now, and nobody else comes.
            });
            let (monitor, idle) = &*world;
            monitor.doze(monitor.lock(), || idle.sleepers_in_order() == 1);
            worker.join().unwrap();
        });
    }

    /// Nobody wakes up any more.
    #[test]
    fn the_end_wakes_the_monitor() {
        model(|| {
            let monitor = crate::loom::sync::Arc::new(Monitor::new());
            let other = monitor.clone();
            let ends = thread::spawn(move || other.stop());
            let state = monitor.lock();
            if !state.stopped {
                monitor.doze(state, || true);
            }
            ends.join().unwrap();
        });
    }
}
