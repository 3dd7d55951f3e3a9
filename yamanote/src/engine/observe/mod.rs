//! What somebody may want to see of the tasks while they run, and costs something to know.
//!
//! One word says what is wanted ([`Observer::wanted`]). A poll and a wake look at it once, and do nothing more while
//! nothing is. What is kept is kept beside the tasks, so that a task that nobody looks at is not larger for it:
//! * [`current`]: which task each worker polls, for the monitor to tell who is stuck;
//! * [`stack`]: what calls such a one is in;
//! * [`futurelock`]: who holds permits without ever coming for them;
//! * [`tasks`]: a list of all tasks with what they did;
//! * [`recorder`]: the last events of each worker.

pub(crate) mod current;
pub(crate) mod futurelock;
pub(crate) mod recorder;
pub(crate) mod stack;
pub(crate) mod tasks;

use std::sync::atomic::{AtomicU8, Ordering};

use crate::engine::context;
use crate::engine::observe::current::Current;
use crate::engine::observe::recorder::{Event, Recorder, Word};
use crate::engine::observe::tasks::TaskList;
use crate::engine::shared::Config;
use crate::engine::task::{Id, Origin};
use crate::engine::worker::Worker;
use crate::runtime::TaskKind;
use crate::util::defaults;

/// Hooks or a histogram around polls.
pub(crate) const POLLS: u8 = 1;
/// How long tasks wait for being polled.
pub(crate) const LATENCY: u8 = 1 << 1;
/// Who is stuck.
pub(crate) const STALLS: u8 = 1 << 2;
/// All tasks.
pub(crate) const TASKS: u8 = 1 << 3;
/// Events, as they happen.
pub(crate) const EVENTS: u8 = 1 << 4;
/// Permits that nobody comes for.
pub(crate) const FUTURELOCK: u8 = 1 << 5;

pub(crate) struct Observer {
    wanted: AtomicU8,
    /// One for each slot.
    pub(crate) current: Box<[Current]>,
    pub(crate) tasks: TaskList,
    pub(crate) recorder: Recorder,
}

impl Observer {
    pub(crate) fn new(config: &Config, slots: usize) -> Observer {
        let hooks = &config.hooks;
        let polls =
            hooks.before_poll.is_some() || hooks.after_poll.is_some() || config.poll_histogram.is_some();
        let latency = config.track_latency || config.latency_histogram.is_some();
        let stalls = hooks.stall.is_some();
        let futurelock = hooks.futurelock.is_some();
        if futurelock {
            futurelock::want();
        }
        let flag = |flag, on| if on { flag } else { 0 };
        let wanted = flag(POLLS, polls)
            | flag(LATENCY, latency)
            | flag(STALLS, stalls)
            | flag(TASKS, config.track_tasks)
            | flag(FUTURELOCK, futurelock);
        Observer {
            wanted: AtomicU8::new(wanted),
            current: defaults(slots),
            tasks: TaskList::new(config.track_tasks, stalls || futurelock),
            recorder: Recorder::new(slots),
        }
    }

    #[inline]
    pub(crate) fn wanted(&self) -> u8 {
        // Relaxed: what was built in is there before the runtime is, and whoever starts a recording does not count
        // on the events that are under way.
        self.wanted.load(Ordering::Relaxed)
    }

    pub(crate) fn want_events(&self, on: bool) {
        // Relaxed: see `wanted`.
        if on {
            self.wanted.fetch_or(EVENTS, Ordering::Relaxed);
        } else {
            self.wanted.fetch_and(!EVENTS, Ordering::Relaxed);
        }
    }

    /// Somebody wants an event, if the thread is a worker that still has its core: into that one's ring.
    pub(crate) fn record(&self, worker: Option<&Worker>, event: Event) {
        let slot = worker.filter(|worker| worker.has_core()).map(|worker| worker.index);
        self.recorder.push(slot, event);
    }

    /// A task was made.
    #[inline]
    pub(crate) fn note_spawned(&self, origin: &Origin<'_>, kind: TaskKind, worker: Option<&Worker>) {
        if self.tasks.is_kept() {
            self.tasks.insert(origin, kind);
        }
        if self.wanted() & EVENTS != 0 {
            match worker.filter(|worker| worker.has_core()) {
                Some(worker) => self.recorder.push_spawn(worker.index, origin),
                None => self.record(None, Event::spawn(origin)),
            }
        }
    }

    /// A task ended, one way or the other.
    #[inline]
    pub(crate) fn note_ended(&self, id: Id) {
        if self.tasks.is_kept() {
            self.tasks.remove(id);
        }
    }

    /// A task is about to be queued, on this thread, which may be a worker of the runtime; `again`: at the end of a poll in
    /// which it was woken.
    #[inline]
    pub(crate) fn note_woken(&self, wanted: u8, id: Id, again: bool, worker: Option<&Worker>) {
        let cause = match (context::with(|context| context.task_id.get()), worker) {
            (0, None) => Word::OUTSIDE,
            (0, Some(worker)) => worker.cause(),
            (id, _) => Word::task(id),
        };
        if wanted & TASKS != 0 {
            self.tasks.note_woken(id, cause.cause());
        }
        if wanted & EVENTS != 0 {
            let ended = again && worker.is_some_and(Worker::take_unended);
            if let (Word::IO | Word::TIMER, Some(worker)) = (cause, worker) {
                worker.note_poll_ended();
            }
            let what = if ended { Word::AGAIN } else { cause };
            match worker.filter(|worker| worker.has_core()) {
                Some(worker) => self.recorder.push_wake(worker.index, id, what),
                None => self.recorder.push_wake_elsewhere(id, what),
            }
        }
    }
}
