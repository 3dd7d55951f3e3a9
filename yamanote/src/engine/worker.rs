//! A worker: the loop that takes tasks from its queues, polls them, and parks when there are none.
//!
//! A worker is three things. Its [`Core`] is what only the thread that drives it may touch; holding the
//! box is the right to produce into the worker's ring. Its [`Remote`](crate::engine::shared::Remote) is
//! what others reach. The [`Worker`] ties both to a thread, whose thread-local context points at it.
//!
//! [`Worker::step`] runs one task, or finds that there is none; it never blocks. [`Worker::run`] steps,
//! and parks when a step finds nothing. The single-threaded flavour runs the same loop inside `block_on`,
//! with the future it blocks on as a [`Root`] that is polled between steps.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::idle::Sleep;
use crate::engine::limits::{INBOX_BATCH, MAX_LIFO_POLLS, SPIN_LIMIT};
use crate::engine::metrics::worker::BusyTimer;
use crate::engine::observe::recorder::{Event, What, Word};
use crate::engine::pace::Pace;
use crate::engine::parker::Parked;
use crate::engine::queue::{Chain, Raw};
use crate::engine::schedule::{Runnable, notify, push_chain};
use crate::engine::seat::Sitting;
use crate::engine::shared::{Remote, Shared};
use crate::engine::{budget, context, hooks, observe, search, shutdown, spares};
use crate::util::contain::contain;
use crate::util::{Purse, rng};

/// What is looked at in a poll beside the user's hooks.
const VIEWS: u8 = observe::STALLS | observe::TASKS | observe::EVENTS | observe::FUTURELOCK;

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Step {
    /// Polled a task.
    Ran,
    /// Found only tasks that had yielded, turned the driver, and let them go on.
    Released,
    /// Found nothing to do.
    Idle,
    /// The core was handed to another thread during the poll: this thread is no longer a worker.
    Lost,
}

/// The future that a single-threaded runtime's `block_on` waits for.
pub(crate) trait Root {
    /// Whether it wants to be polled; asking takes the wish.
    fn take_woken(&mut self) -> bool;
    /// Polls it; `true` when it is done.
    fn poll(&mut self) -> bool;
    /// Whether it was woken; asking changes nothing.
    fn is_woken(&self) -> bool;
}

/// A worker thread has none.
pub(crate) struct NoRoot;

impl Root for NoRoot {
    fn take_woken(&mut self) -> bool {
        false
    }

    fn poll(&mut self) -> bool {
        false
    }

    fn is_woken(&self) -> bool {
        false
    }
}

/// What belongs to whoever drives the worker.
pub(crate) struct Core {
    pub(crate) index: usize,
    /// The worker whose driver and inbox it uses: its own, or for a spare those of the worker it stands in for.
    pub(crate) driver: usize,
    /// When the inbox gets its turn before the local queue, and how often the driver.
    pace: Pace,
    /// Steps until the driver is turned although there is work.
    until_turn: u32,
    /// Polls from the LIFO slot in a row.
    lifo_polls: u8,
    /// Counted in `Idle` as a searcher.
    searching: bool,
    /// Something went into the ring since others were last notified.
    pushed: bool,
    /// Inside the driver's turn: what it wakes is served in order, not last in first out.
    in_turn: bool,
    /// Tasks that yielded, where nobody steals: they run when the ring is empty or the driver was turned.
    deferred: Chain,
    /// What does not fit into a ring that nobody steals from; strictly after what is in it. Through the tasks' own links:
    /// room for a million tasks would stay allocated, and growing to it would copy it over and over.
    backlog: Chain,
    pub(crate) rng: u64,
    /// The thread that drove it last, as `context` numbers them.
    thread: usize,
    busy: BusyTimer,
    /// What it did first when it woke up was to take tasks from another worker.
    woke_to_steal: bool,
}

// SAFETY: the raw tasks in the queues are `Runnable`s, which may be sent.
unsafe impl Send for Core {}

impl Core {
    pub(crate) fn new(index: usize, shared: &Shared, seed: u64) -> Box<Core> {
        Box::new(Core {
            index,
            driver: index,
            pace: Pace::new(shared.config.intervals),
            until_turn: shared.config.intervals.turn,
            lifo_polls: 0,
            searching: false,
            pushed: false,
            in_turn: false,
            deferred: Chain::default(),
            backlog: Chain::default(),
            rng: seed | 1,
            thread: 0,
            busy: BusyTimer::start(&shared.remotes[index].stats),
            woke_to_steal: false,
        })
    }

    /// The core of a spare.
    pub(crate) fn for_spare(slot: usize, driver: usize, shared: &Shared, seed: u64) -> Box<Core> {
        let mut core = Core::new(slot, shared, seed);
        core.driver = driver;
        core
    }

    /// Nobody drives the worker for now: the time does not count as busy.
    pub(crate) fn rest(&mut self, shared: &Shared) {
        self.busy.pause(&shared.remotes[self.index].stats);
    }

    /// Somebody drives the worker again.
    pub(crate) fn resume(&mut self) {
        let now = self.busy.resume();
        self.pace.restart(now);
    }

    pub(crate) fn random_below(&mut self, n: usize) -> usize {
        let (state, value) = rng::step(self.rng);
        self.rng = state;
        rng::scale(value, n as u32) as usize
    }

    /// Empties what only the core reaches, at shutdown.
    pub(crate) fn drain(&mut self, mut out: impl FnMut(Raw)) {
        for chain in [&mut self.deferred, &mut self.backlog] {
            while let Some(task) = chain.pop() {
                out(task);
            }
        }
    }

    /// Adds a task at the end of the local queue.
    fn push_back(&mut self, shared: &Shared, remote: &Remote, task: Raw) {
        if shared.is_single() {
            // Strictly first in, first out: once there is a backlog, all goes behind it.
            if self.backlog.is_empty() {
                let Err(task) = remote.ring.push(task) else { return };
                self.backlog.push(task);
            } else {
                self.backlog.push(task);
            }
            remote.stats.backlog.set(self.backlog.len() as u64);
            return;
        }
        self.pushed = true;
        if let Err(task) = remote.ring.push(task) {
            self.overflow(shared, remote, task);
        }
    }

    /// The ring is full: moves half of it, and the new task, to where all can take it.
    #[cold]
    fn overflow(&mut self, shared: &Shared, remote: &Remote, task: Raw) {
        let mut chain = Chain::default();
        if remote.ring.drain_half(&mut |old| chain.push(old)) == 0 && remote.ring.push(task).is_ok() {
            // Stealers made room.
            return;
        }
        chain.push(task);
        push_chain(shared, self.driver, chain);
        remote.stats.overflows.add(1);
    }

    fn pop_local(&mut self, shared: &Shared, remote: &Remote) -> Option<Raw> {
        if !shared.is_single() {
            return remote.ring.pop();
        }
        let task = remote.ring.pop_unshared();
        if task.is_none() && !self.backlog.is_empty() {
            return self.refill(remote);
        }
        task
    }

    /// Moves a ringful out of the backlog, and gives the oldest task back.
    #[cold]
    fn refill(&mut self, remote: &Remote) -> Option<Raw> {
        let first = self.backlog.pop();
        for _ in 0..remote.ring.room() {
            let Some(task) = self.backlog.pop() else { break };
            // Only we push, and there is room; but a task must not be lost.
            if let Err(task) = remote.ring.push(task) {
                self.backlog.push(task);
            }
        }
        remote.stats.backlog.set(self.backlog.len() as u64);
        first
    }

    /// Takes a batch out of the own inbox, the rest of it behind the local queue.
    fn take_inbox(&mut self, shared: &Shared, remote: &Remote) -> Option<Raw> {
        let inbox = &shared.remotes[self.driver].inbox;
        if inbox.is_empty() {
            return None;
        }
        let room = remote.ring.room().min(INBOX_BATCH);
        let single = shared.is_single();
        let mut rest = 0;
        let first = inbox.take(room + 1, false, |task| {
            rest += 1;
            if single && !self.backlog.is_empty() {
                self.backlog.push(task);
            } else if let Err(task) = remote.ring.push(task) {
                // Only we push, and room was left: cannot happen, but a task must not be lost.
                self.backlog.push(task);
            }
        });
        if rest > 0 {
            self.pushed = true;
        }
        first
    }
}

/// A worker on a thread.
pub(crate) struct Worker {
    /// Tasks keep one each: what is spawned and ends on this thread has it from here.
    pub(crate) shared: Purse<Shared>,
    pub(crate) index: usize,
    /// As in its core.
    pub(crate) driver: usize,
    core: RefCell<Option<Box<Core>>>,
    /// What is under way that may wake tasks; right only where somebody wants to know.
    cause: Cell<Word>,
    /// The recorder was told of a poll that began, and not yet that it has ended.
    unended: Cell<bool>,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, mut core: Box<Core>) -> Self {
        let (index, driver) = (core.index, core.driver);
        let thread = context::thread_number();
        if std::mem::replace(&mut core.thread, thread) != thread {
            shared.remotes[index].stats.set_thread(std::thread::current().id());
            if shared.config.stall_backtrace {
                observe::stack::note_thread(&shared.observer.current[index]);
            }
        }
        let core = RefCell::new(Some(core));
        Worker {
            shared: Purse::new(shared),
            index,
            driver,
            core,
            cause: Cell::new(Word::OUTSIDE),
            unended: Cell::new(false),
        }
    }

    #[inline]
    pub(crate) fn remote(&self) -> &Remote {
        &self.shared.remotes[self.index]
    }

    /// Where its driver, its inbox and its timers are; the same as `remote` unless it is a spare.
    #[inline]
    fn seat(&self) -> &Remote {
        &self.shared.remotes[self.driver]
    }

    /// Whether it is a spare that has to go.
    #[inline]
    fn is_relieved(&self) -> bool {
        self.driver != self.index && self.seat().seat.is_lost_to(self.index)
    }

    /// Whether this thread still drives the worker.
    #[inline]
    pub(crate) fn has_core(&self) -> bool {
        self.core.borrow().is_some()
    }

    /// Gives the core up, for another thread to drive the worker.
    pub(crate) fn take_core(&self) -> Option<Box<Core>> {
        self.core.borrow_mut().take()
    }

    pub(crate) fn put_core(&self, core: Box<Core>) {
        *self.core.borrow_mut() = Some(core);
    }

    /// Queues a task that was woken on this thread; gives it back if the core is gone.
    #[inline]
    pub(crate) fn push(&self, task: Raw) -> Result<(), Raw> {
        let mut core = self.core.borrow_mut();
        let Some(core) = core.as_deref_mut() else { return Err(task) };
        let remote = self.remote();
        remote.stats.local_schedules.add(1);
        if self.shared.is_single() {
            core.push_back(&self.shared, remote, task);
            return Ok(());
        }
        if core.in_turn || !self.shared.config.lifo_slot {
            core.push_back(&self.shared, remote, task);
        } else {
            match remote.lifo.replace(task) {
                // Alone in the slot: it is next here, and nobody else need be woken for it.
                None => return Ok(()),
                Some(previous) => core.push_back(&self.shared, remote, previous),
            }
        }
        if !core.in_turn && self.shared.idle.may_notify() {
            notify(&self.shared, self.index);
        }
        Ok(())
    }

    /// Queues a task that was woken while it ran: behind its peers.
    #[inline]
    pub(crate) fn defer(&self, task: Raw) -> Result<(), Raw> {
        let mut core = self.core.borrow_mut();
        let Some(core) = core.as_deref_mut() else { return Err(task) };
        let remote = self.remote();
        remote.stats.local_schedules.add(1);
        if self.shared.is_single() {
            core.deferred.push(task);
        } else if let Err(task) = remote.deferred.push(task) {
            let mut chain = Chain::default();
            chain.push(task);
            push_chain(&self.shared, self.driver, chain);
        }
        Ok(())
    }

    /// Steps and parks until the runtime shuts down, the core is handed away, it is relieved, or `root` is done.
    /// Returns whether it is.
    ///
    /// The root is polled when it is woken, but not more often than once in an event interval while there are
    /// tasks: it is one among them.
    pub(crate) fn run<R: Root>(&self, root: &mut R) -> bool {
        loop {
            if self.is_relieved() {
                return false;
            }
            if root.take_woken() {
                self.cause.set(Word::OUTSIDE);
                self.unended.set(false);
                self.note(What::Root);
                if root.poll() {
                    return true;
                }
                self.note(What::PollEnd);
                if root.is_woken() {
                    // It yielded: the driver gets its turn before it goes on.
                    self.turn();
                }
            }
            for _ in 0..self.turn_interval() {
                if self.shared.is_shutdown() || self.shared.had_unhandled_panic() {
                    return false;
                }
                match self.step() {
                    Step::Ran => {}
                    Step::Released => break,
                    Step::Lost => return false,
                    Step::Idle => {
                        if !root.is_woken() {
                            self.park(root);
                        }
                        break;
                    }
                }
            }
        }
    }

    /// Polls between two turns of the driver, for now.
    fn turn_interval(&self) -> u32 {
        self.core.borrow().as_deref().map_or(1, |core| core.pace.turn_interval())
    }

    /// Runs one task if there is one. Never blocks.
    pub(crate) fn step(&self) -> Step {
        let mut slot = self.core.borrow_mut();
        let Some(core) = slot.as_deref_mut() else { return Step::Lost };
        core.until_turn = core.until_turn.saturating_sub(1);
        if core.until_turn == 0 {
            drop(slot);
            self.turn();
            slot = self.core.borrow_mut();
        }
        // Found once for the whole step: a worker's slot is an index away.
        let remote = self.remote();
        let task = slot.as_deref_mut().and_then(|core| self.take_task(core, remote));
        drop(slot);
        match task {
            Some(task) => self.run_task(remote, task),
            None if self.has_deferred() => {
                // Only tasks that yielded: they go on, after the driver had its turn.
                self.turn();
                Step::Released
            }
            None => Step::Idle,
        }
    }

    fn has_deferred(&self) -> bool {
        self.core.borrow().as_deref().is_some_and(|core| self.holds_deferred(core))
    }

    fn holds_deferred(&self, core: &Core) -> bool {
        !core.deferred.is_empty() || !self.remote().deferred.is_empty()
    }

    /// The next task, of the worker's own or of another's.
    #[inline]
    fn take_task(&self, core: &mut Core, remote: &Remote) -> Option<Raw> {
        let task = self.next_task(core, remote).or_else(|| self.search(core))?;
        if core.searching {
            self.stop_searching(core);
        }
        Some(task)
    }

    /// The next task of the worker's own.
    #[inline]
    fn next_task(&self, core: &mut Core, remote: &Remote) -> Option<Raw> {
        if core.pace.tick() {
            if let Some(task) = self.seat().inbox.pop() {
                core.lifo_polls = 0;
                return Some(task);
            }
        }
        if !self.shared.is_single() {
            if core.lifo_polls < MAX_LIFO_POLLS {
                if let Some(task) = remote.lifo.take() {
                    core.lifo_polls += 1;
                    return Some(task);
                }
            } else if let Some(task) = remote.lifo.take() {
                // It had its share in a row: back into line.
                core.push_back(&self.shared, remote, task);
            }
            core.lifo_polls = 0;
        }
        core.pop_local(&self.shared, remote).or_else(|| core.take_inbox(&self.shared, remote))
    }

    /// Looks for work in other workers' queues.
    fn search(&self, core: &mut Core) -> Option<Raw> {
        if self.shared.crew.slots_in_use() == 1 || self.holds_deferred(core) {
            return None;
        }
        if !core.searching {
            core.searching = self.shared.idle.start_searching();
            if !core.searching {
                return None;
            }
        }
        let stats = &self.remote().stats;
        let steals = stats.steal_operations.get();
        let stolen = stats.steals.get();
        let task = search::steal(&self.shared, core)?;
        if stolen != stats.steals.get() && self.shared.observer.wanted() & observe::EVENTS != 0 {
            // The core, which is in use, says that the ring is ours.
            let steal = What::Steal(stats.steals.get().wrapping_sub(stolen));
            self.shared.observer.recorder.push(Some(core.index), Event::of_worker(steal));
        }
        if steals != stats.steal_operations.get() && core.busy.is_fresh(stats) {
            core.woke_to_steal = true;
        }
        Some(task)
    }

    /// Leaves the searchers with work in hand.
    #[cold]
    fn stop_searching(&self, core: &mut Core) {
        core.searching = false;
        if self.shared.idle.stop_searching() && self.shared.has_stealable_work() {
            notify(&self.shared, self.index);
        }
    }

    #[inline]
    fn run_task(&self, remote: &Remote, raw: Raw) -> Step {
        remote.stats.polls.add(1);
        // SAFETY: the queues carry reference units that `Runnable::into_raw` gave.
        let task = unsafe { Runnable::from_raw(raw) };
        task.set_home(self.driver as u16);
        let wanted = self.shared.observer.wanted();
        if (wanted != 0 || self.shared.dumper.is_active()) && !self.record_poll(wanted, &task) {
            self.run_observed(wanted, raw, task);
        } else {
            budget::with_budget(|| task.run());
        }
        let mut slot = self.core.borrow_mut();
        let Some(core) = slot.as_deref_mut() else {
            self.note_poll_lost();
            return Step::Lost;
        };
        if core.pushed {
            core.pushed = false;
            // What the hint in `push` may have missed.
            if !self.shared.is_single() && !remote.ring.is_empty() {
                notify(&self.shared, self.index);
            }
        }
        Step::Ran
    }

    /// As the plain run, with all around it that somebody wants to know: the user's hooks, histograms, views.
    #[cold]
    fn run_observed(&self, wanted: u8, raw: Raw, task: Runnable) {
        let viewed = wanted & VIEWS;
        if viewed == 0 {
            return self.run_hooked(raw, task);
        }
        let observer = &self.shared.observer;
        let (id, location) = (task.meta().id(), task.meta().spawned_at());
        if viewed & (observe::STALLS | observe::FUTURELOCK) != 0 {
            observer.current[self.index].set(id, location);
            if viewed & observe::STALLS != 0 && self.shared.is_single() {
                self.shared.monitor.ensure_running(&self.shared);
                self.shared.monitor.note_awake();
            }
        }
        let poll = (viewed & observe::TASKS != 0).then(|| observer.tasks.note_poll(id));
        if viewed & observe::EVENTS != 0 {
            observer.record(Some(self), Event::poll(What::PollStart, id, location));
        }
        let cause = self.cause.replace(Word::task(id.as_u64()));
        let begun = (viewed & observe::FUTURELOCK != 0).then(observe::futurelock::begin_poll);
        if wanted == viewed && !self.shared.dumper.is_active() {
            budget::with_budget(|| task.run());
        } else {
            self.run_hooked(raw, task);
        }
        self.cause.set(cause);
        if let Some(begun) = begun {
            observe::futurelock::end_poll(observe::futurelock::Poller::Task(id), begun);
        }
        if viewed & observe::EVENTS != 0 {
            observer.record(Some(self), Event::poll(What::PollEnd, id, location));
        }
        if let Some(poll) = poll {
            observer.tasks.note_polled(id, poll);
        }
        // Whoever drives the worker by now, if this thread lost it, has it poll something else.
        if viewed & (observe::STALLS | observe::FUTURELOCK) != 0 && self.has_core() {
            observer.current[self.index].clear();
        }
    }

    /// If nobody but the recorder wants to know of a poll that is about to begin, tells it, and returns `true`. That the
    /// poll has ended says whatever comes next.
    #[cold]
    fn record_poll(&self, wanted: u8, task: &Runnable) -> bool {
        if wanted != observe::EVENTS || self.shared.dumper.is_active() {
            return false;
        }
        let meta = task.meta();
        self.unended.set(true);
        // What it wakes when it is no longer the current task; until something else begins.
        self.cause.set(Word::task(meta.id().as_u64()));
        // We have the core, and with it the ring.
        self.shared.observer.recorder.push_poll(self.index, meta.id(), meta.spawned_at());
        true
    }

    /// Another thread has the core, and the ring, that we had when the poll began.
    #[cold]
    fn note_poll_lost(&self) {
        if self.take_unended() {
            self.shared.observer.recorder.push_deed_elsewhere(What::PollEnd.into());
        }
    }

    /// Whether the recorder thinks that a poll goes on; it is going to be told otherwise.
    pub(crate) fn take_unended(&self) -> bool {
        self.unended.take()
    }

    /// The driver, in its turn, has something to tell: the poll before that has ended. A turn that finds nothing is no
    /// reason to tell of it, and short.
    #[inline]
    pub(crate) fn note_poll_ended(&self) {
        if self.unended.get() {
            self.unended.set(false);
            self.note(What::PollEnd);
        }
    }

    /// What wakes tasks on this thread, if it is no task.
    pub(crate) fn cause(&self) -> Word {
        self.cause.get()
    }

    /// Tells the recorder of something the worker does, if somebody wants that.
    #[inline]
    fn note(&self, what: What) {
        #[cold]
        #[inline(never)]
        fn tell(worker: &Worker, what: Word) {
            let recorder = &worker.shared.observer.recorder;
            if worker.has_core() {
                recorder.push_deed(worker.index, what);
            } else {
                recorder.push_deed_elsewhere(what);
            }
        }

        if self.shared.observer.wanted() & observe::EVENTS != 0 {
            tell(self, Word::from(what));
        }
    }

    /// As the plain run, with the user's hooks and the histogram around it.
    fn run_hooked(&self, raw: Raw, task: Runnable) {
        let hooks = &self.shared.config.hooks;
        let waited = self.shared.latency.as_ref().and_then(|latency| latency.note_polled(raw));
        if let (Some(histogram), Some(waited)) = (&self.remote().latency_histogram, waited) {
            histogram.record(waited);
        }
        let meta = task.meta().with_schedule_latency(waited);
        hooks::call_for(hooks.before_poll.as_ref(), &meta);
        let histogram = self.remote().poll_histogram.as_ref();
        let start = histogram.map(|_| std::time::Instant::now());
        self.shared.dumper.poll(self, meta.id(), || budget::with_budget(|| task.run()));
        if let (Some(histogram), Some(start)) = (histogram, start) {
            histogram.record(start.elapsed());
        }
        hooks::call_for(hooks.after_poll.as_ref(), &meta);
    }

    fn requeue_deferred(&self, core: &mut Core) {
        let remote = self.remote();
        while let Some(task) = core.deferred.pop() {
            core.push_back(&self.shared, remote, task);
        }
        // All at once, and no more: what was there when the driver had its turn.
        for _ in 0..remote.deferred.len() {
            let Some(task) = remote.deferred.pop() else { break };
            core.push_back(&self.shared, remote, task);
        }
        // One yielded task is no reason to wake anybody: it would only move.
        core.pushed = remote.ring.len() > 1;
    }

    /// Takes what the driver has, without waiting, then lets yielded tasks go on.
    fn turn(&self) {
        if self.seat().seat.holder() != self.index && self.index == self.driver {
            // Back from a long poll, with a spare in our place.
            self.seat().seat.ask(self.index, |slot| self.shared.unpark(slot));
        }
        self.in_turn(|worker, max_events| {
            let remote = worker.seat();
            let mut events = 0;
            if remote.driver.io.has_sources() {
                let max_events = max_events.min(worker.shared.config.events_per_busy_turn);
                events = remote.driver.io.turn(Some(Duration::ZERO), max_events);
            }
            worker.fire_timers(events);
        });
        if let Some(core) = self.core.borrow_mut().as_deref_mut() {
            core.until_turn = core.pace.turn_interval();
            self.requeue_deferred(core);
        }
    }

    /// Fires what is due. Before that so many events came from the operating system.
    fn fire_timers(&self, events: usize) {
        if events > 0 {
            self.note_poll_ended();
            self.note(What::Io(events as u64));
        }
        self.cause.set(Word::TIMER);
        let timers = self.seat().driver.fire_timers(&self.shared.clock);
        if timers > 0 {
            self.note_poll_ended();
            self.note(What::Timers(timers as u64));
        }
    }

    /// Runs `f` with wake-ups going in order into the own queue. It gets how many events there is room for.
    fn in_turn(&self, f: impl FnOnce(&Worker, usize)) {
        let max_events = {
            let mut slot = self.core.borrow_mut();
            let Some(core) = slot.as_deref_mut() else { return };
            core.in_turn = true;
            if self.shared.is_single() {
                self.shared.config.events_per_turn
            } else {
                // What the queue cannot hold is better left in the kernel (it would push out others).
                self.remote().ring.room().clamp(1, self.shared.config.events_per_turn)
            }
        };
        let turned = Turned(self);
        self.cause.set(Word::IO);
        f(self, max_events);
        drop(turned);
    }

    fn note_turned(&self) {
        self.cause.set(Word::OUTSIDE);
        let mut slot = self.core.borrow_mut();
        if let Some(core) = slot.as_deref_mut() {
            core.in_turn = false;
            let more = core.pushed && !self.shared.is_single() && self.remote().ring.len() > 1;
            core.pushed = false;
            if more {
                notify(&self.shared, self.index);
            }
        }
    }

    /// Whether something waits for this worker.
    fn has_tasks(&self) -> bool {
        let remote = self.remote();
        let inbox = &self.seat().inbox;
        let own = !remote.ring.is_empty() || !inbox.is_empty() || !remote.lifo.is_empty();
        own || self.core.borrow().as_deref().is_none_or(|core| self.holds_deferred(core))
    }

    /// Parks until there is something to do.
    fn park<R: Root>(&self, root: &R) {
        let hooks = &self.shared.config.hooks;
        if hooks.before_park.is_some() {
            self.cause.set(Word::OUTSIDE);
            hooks::call(hooks.before_park.as_ref());
            if self.has_tasks() || root.is_woken() {
                // The hook woke something.
                hooks::call(hooks.after_unpark.as_ref());
                return;
            }
        }
        let single = self.shared.is_single();
        if !single && !self.fall_asleep() {
            hooks::call(hooks.after_unpark.as_ref());
            return;
        }
        self.unended.set(false);
        self.note(What::Park);
        let parked = Unparked(self);
        let remote = self.remote();
        if let Some(core) = self.core.borrow_mut().as_deref_mut() {
            let busy = core.busy.pause(&remote.stats);
            if std::mem::take(&mut core.woke_to_steal) && busy < SPIN_LIMIT {
                // It would have cost less to leave them where they were: tasks of which a handful is done in
                // microseconds only lose by being shared out, and waking this worker took longer than they did.
                self.seat().driver.io.regret_look();
            }
            remote.stats.parks.add(1);
            remote.stats.park_unparks.add(1);
        }
        let calls = self.shared.dumper.calls();
        self.shared.dumper.acknowledge(self);
        loop {
            self.park_once(root);
            let awake = calls != self.shared.dumper.calls()
                || self.has_tasks()
                || root.is_woken()
                || self.shared.is_shutdown()
                || self.shared.had_unhandled_panic()
                || (!single && (!self.shared.idle.is_asleep(self.index) || self.is_relieved()));
            if awake {
                break;
            }
        }
        drop(parked);
        hooks::call(hooks.after_unpark.as_ref());
    }

    /// Awake again, in one way or another.
    fn note_unparked(&self) {
        self.note(What::Unpark);
        let single = self.shared.is_single();
        let remote = self.remote();
        if let Some(core) = self.core.borrow_mut().as_deref_mut() {
            if !single {
                core.searching = self.shared.idle.wake_up(self.index);
            }
            core.until_turn = core.pace.turn_interval();
            core.resume();
            remote.stats.park_unparks.add(1);
        }
        if !single {
            self.shared.monitor.note_awake();
        }
    }

    fn park_once<R: Root>(&self, root: &R) {
        self.in_turn(|worker, max_events| {
            let clock = &worker.shared.clock;
            let driver = &worker.seat().driver;
            if clock.is_paused() {
                worker.park_paused(root, max_events);
                return;
            }
            let _seat = if worker.shared.is_single() {
                None
            } else {
                let Some(seat) = worker.sit_down() else { return };
                Some(seat)
            };
            let timeout = driver.park_timeout(clock);
            let mut events = 0;
            worker.remote().parker.park_with(|| events = driver.io.turn(timeout, max_events));
            worker.fire_timers(events);
        });
    }

    /// The right to wait in the driver. `None`: this is a spare that has to go.
    fn sit_down(&self) -> Option<Sitting<'_>> {
        let seat = &self.seat().seat;
        let sitting = seat.sit(self.index);
        if sitting.is_some() || self.index != self.driver {
            return sitting;
        }
        Some(seat.reclaim(self.index, |slot| self.shared.unpark(slot)))
    }

    /// Parks under a paused clock: when nothing else can happen, time jumps to the next timer.
    #[cold]
    fn park_paused<R: Root>(&self, root: &R, max_events: usize) {
        let (remote, clock) = (self.remote(), &self.shared.clock);
        let next = remote.driver.timers.as_ref().and_then(|timers| {
            timers.disarm();
            timers.next_expiration()
        });
        match next {
            Some(tick) if clock.can_auto_advance() => {
                // What is ready already, or was woken by another thread, comes before the jump.
                let parked = remote.parker.park(&remote.driver, Some(Duration::ZERO), max_events);
                let woken = parked == Parked::Notified || root.is_woken() || self.has_tasks();
                if !woken && clock.can_auto_advance() {
                    clock.auto_advance_to(tick);
                }
            }
            // A timer is due at a frozen moment that only `advance` moves, or there is none.
            Some(tick) if clock.duration_until(tick).is_zero() => {}
            _ => {
                remote.parker.park(&remote.driver, None, max_events);
            }
        }
        self.fire_timers(0);
    }

    /// Protocol 2 of `idle`. `false`: there is work after all.
    fn fall_asleep(&self) -> bool {
        let mut slot = self.core.borrow_mut();
        let Some(core) = slot.as_deref_mut() else { return false };
        let searching = std::mem::take(&mut core.searching);
        let shared = &self.shared;
        match shared.idle.fall_asleep(self.index, searching, || {
            shared.has_stealable_work() || shared.is_shutdown() || !self.remote().lifo.is_empty()
        }) {
            Sleep::Asleep => true,
            Sleep::Awake => {
                core.searching = true;
                false
            }
        }
    }
}

/// Ends a park, also when a waker panics that was woken in it.
struct Unparked<'a>(&'a Worker);

impl Drop for Unparked<'_> {
    fn drop(&mut self) {
        self.0.note_unparked();
    }
}

/// Ends a turn of the driver, also when a waker panics that was woken in it.
struct Turned<'a>(&'a Worker);

impl Drop for Turned<'_> {
    fn drop(&mut self) {
        self.0.note_turned();
    }
}

/// A worker thread's life: drives `core` until the runtime shuts down or another thread takes over.
pub(crate) fn drive(shared: Arc<Shared>, core: Box<Core>) {
    let worker = Worker::new(shared, core);
    context::enter_worker(&worker, true, || {
        // What panics here is a foreign waker that the driver woke. It is reported, and the others' work goes on.
        while contain(|| worker.run(&mut NoRoot)).is_none() {}
    });
    if let Some(core) = worker.take_core() {
        retire(&worker.shared, core);
    }
}

/// Leaves for good: the runtime shuts down, or a spare is relieved.
fn retire(shared: &Arc<Shared>, mut core: Box<Core>) {
    core.rest(shared);
    if core.searching && shared.idle.stop_searching() && shared.has_stealable_work() {
        notify(shared, core.index);
    }
    if core.driver == core.index {
        shutdown::retire(shared, core);
    } else {
        spares::leave(shared, core);
    }
}
