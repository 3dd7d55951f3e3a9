//! What the workers of one runtime share, and what everybody who holds a handle to it reaches.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::engine::attachments::Attachments;
use crate::engine::blocking::Pool;
use crate::engine::context;
use crate::engine::core_slot::CoreSlot;
use crate::engine::driver::Driver;
use crate::engine::hooks::Hooks;
use crate::engine::idle::Idle;
use crate::engine::latency::Latency;
use crate::engine::limits::WORKERS_PER_POLLER;
use crate::engine::metrics::WorkerStats;
use crate::engine::monitor::Monitor;
use crate::engine::pace::Intervals;
use crate::engine::parker::Parker;
use crate::engine::queue::{Inbox, LifoSlot, Ring};
use crate::engine::task::live::LiveSet;
use crate::engine::timer::Clock;
use crate::engine::worker::Core;
use crate::runtime::{Histogram, HistogramConfiguration, RuntimeFlavor, UnhandledPanic};
use crate::util::{CachePadded, Counter, rng};

/// How many tasks there were.
#[derive(Debug, Default)]
pub(crate) struct TaskCounts {
    pub(crate) spawned: Counter,
    pub(crate) ended: Counter,
}

/// What the builder decided.
pub(crate) struct Config {
    pub(crate) flavor: RuntimeFlavor,
    pub(crate) name: Option<String>,
    pub(crate) workers: usize,
    pub(crate) enable_io: bool,
    pub(crate) enable_time: bool,
    pub(crate) start_paused: bool,
    pub(crate) events_per_turn: usize,
    /// The same while there is other work.
    pub(crate) events_per_busy_turn: usize,
    pub(crate) intervals: Intervals,
    pub(crate) lifo_slot: bool,
    pub(crate) unhandled_panic: UnhandledPanic,
    pub(crate) poll_histogram: Option<HistogramConfiguration>,
    pub(crate) latency_histogram: Option<HistogramConfiguration>,
    /// Tell hooks how long a task waited.
    pub(crate) track_latency: bool,
    /// The thread a `LocalRuntime` belongs to.
    pub(crate) local_to: Option<std::thread::ThreadId>,
    pub(crate) seed: u64,
    pub(crate) hooks: Hooks,
}

/// The part of a worker that others reach: its queues, its driver, its parker.
pub(crate) struct Remote {
    pub(crate) ring: Ring,
    pub(crate) lifo: LifoSlot,
    pub(crate) inbox: CachePadded<Inbox>,
    pub(crate) parker: CachePadded<Parker>,
    pub(crate) driver: Driver,
    pub(crate) stats: CachePadded<WorkerStats>,
    pub(crate) poll_histogram: Option<Histogram>,
    pub(crate) latency_histogram: Option<Histogram>,
}

impl Remote {
    /// Whether a task waits where another worker may take it.
    pub(crate) fn has_stealable(&self) -> bool {
        !self.ring.is_empty() || !self.inbox.is_empty()
    }
}

pub(crate) struct Shared {
    pub(crate) id: crate::runtime::Id,
    pub(crate) config: Config,
    pub(crate) remotes: Box<[CachePadded<Remote>]>,
    pub(crate) idle: Idle,
    pub(crate) live: LiveSet<Arc<Shared>>,
    pub(crate) clock: Clock,
    pub(crate) pool: Pool,
    pub(crate) monitor: Monitor,
    pub(crate) attachments: Attachments,
    /// Where a single-threaded runtime's core waits for a `block_on` to drive it.
    pub(crate) core_slot: CoreSlot,
    /// Whether the future that a single-threaded runtime's `block_on` waits for wants to be polled.
    pub(crate) root_woken: CachePadded<AtomicBool>,
    /// The cores of workers that have left; the last one empties what all leave behind.
    // Boxed as they come: a core is handed around by pointer.
    #[allow(clippy::vec_box)]
    pub(crate) retired: Mutex<Vec<Box<Core>>>,
    shutdown: AtomicBool,
    /// A task panicked and the runtime was built to stop at that.
    unhandled_panic: AtomicBool,
    pub(crate) forced_yields: Counter,
    pub(crate) latency: Option<Latency>,
    /// Tasks spawned and ended by threads that are no workers; workers count their own.
    outside: CachePadded<TaskCounts>,
    /// The generator that seeds all others of this runtime.
    seeds: Mutex<u64>,
}

impl Shared {
    pub(crate) fn new(config: Config, pool: Pool) -> Shared {
        let mut remotes: Vec<CachePadded<Remote>> = Vec::with_capacity(config.workers);
        let enabled = (config.enable_io, config.enable_time);
        for worker in 0..config.workers {
            let shares = worker % WORKERS_PER_POLLER != 0;
            let neighbour = remotes.last().filter(|_| shares).map(|remote| &remote.driver);
            let driver = Driver::new(enabled, worker, config.events_per_turn, neighbour);
            remotes.push(CachePadded::new(Remote {
                ring: Ring::new(),
                lifo: LifoSlot::new(),
                inbox: CachePadded::new(Inbox::new()),
                parker: CachePadded::new(Parker::new()),
                driver,
                stats: CachePadded::new(WorkerStats::default()),
                poll_histogram: config.poll_histogram.as_ref().map(Histogram::new),
                latency_histogram: config.latency_histogram.as_ref().map(Histogram::new),
            }));
        }
        let single = config.flavor == RuntimeFlavor::CurrentThread;
        Shared {
            id: crate::runtime::Id::next(),
            remotes: remotes.into(),
            idle: Idle::new(config.workers),
            live: LiveSet::new(config.workers + 1),
            clock: Clock::new(single, config.start_paused),
            pool,
            monitor: Monitor::new(),
            attachments: Attachments::default(),
            core_slot: CoreSlot::new(),
            root_woken: CachePadded::default(),
            retired: Mutex::new(Vec::new()),
            shutdown: AtomicBool::new(false),
            unhandled_panic: AtomicBool::new(false),
            forced_yields: Counter::new(),
            latency: (config.track_latency || config.latency_histogram.is_some()).then(Latency::default),
            outside: CachePadded::default(),
            seeds: Mutex::new(config.seed | 1),
            config,
        }
    }

    pub(crate) fn workers(&self) -> usize {
        self.remotes.len()
    }

    /// Whether this runtime has one worker that runs inside `block_on`.
    #[inline]
    pub(crate) fn is_single(&self) -> bool {
        self.config.flavor == RuntimeFlavor::CurrentThread
    }

    pub(crate) fn driver(&self, worker: usize) -> &Driver {
        &self.remotes[worker].driver
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Makes worker `i` look at its driver and queues again.
    pub(crate) fn unpark(&self, worker: usize) {
        let remote = &self.remotes[worker];
        remote.parker.unpark(&remote.driver);
    }

    /// The worker that something of the current thread's belongs to: the worker it is, else a choice that
    /// stays the same for the thread, so that threads spread and each keeps its caches warm.
    #[inline]
    pub(crate) fn home(self: &Arc<Self>) -> usize {
        match context::worker_index(self) {
            Some(index) => index,
            None => context::thread_number() % self.workers(),
        }
    }

    /// Whether the current thread is worker `i` of this runtime.
    #[inline]
    pub(crate) fn is_home(self: &Arc<Self>, worker: usize) -> bool {
        context::worker_index(self) == Some(worker)
    }

    /// Whether the current thread is a worker of this runtime that has its poller in common with worker `i`.
    #[inline]
    pub(crate) fn is_near(self: &Arc<Self>, worker: usize) -> bool {
        let group = |worker| worker / WORKERS_PER_POLLER;
        context::worker_index(self).is_some_and(|here| group(here) == group(worker))
    }

    /// The workers that share a poller with worker `i`, and itself.
    pub(crate) fn neighbours(&self, worker: usize) -> std::ops::Range<usize> {
        let first = worker - worker % WORKERS_PER_POLLER;
        first..(first + WORKERS_PER_POLLER).min(self.workers())
    }

    #[inline]
    pub(crate) fn is_shutdown(&self) -> bool {
        // Relaxed: what must be seen with it is handed over by the unpark that follows, or by locks.
        self.shutdown.load(Ordering::Relaxed)
    }

    /// Tells all workers to leave. `false` if that was done before.
    pub(crate) fn start_shutdown(&self) -> bool {
        if self.shutdown.swap(true, Ordering::SeqCst) {
            return false;
        }
        self.monitor.stop();
        for worker in 0..self.workers() {
            self.unpark(worker);
        }
        true
    }

    #[inline]
    pub(crate) fn note_task_spawned(self: &Arc<Self>) {
        match context::worker_index(self) {
            Some(worker) => self.remotes[worker].stats.tasks.spawned.add(1),
            None => self.outside.spawned.add_shared(1),
        }
    }

    #[inline]
    pub(crate) fn note_task_ended(self: &Arc<Self>) {
        match context::worker_index(self) {
            Some(worker) => self.remotes[worker].stats.tasks.ended.add(1),
            None => self.outside.ended.add_shared(1),
        }
    }

    /// How many tasks were ever spawned.
    pub(crate) fn spawned_tasks(&self) -> u64 {
        let own: u64 = self.remotes.iter().map(|remote| remote.stats.tasks.spawned.get()).sum();
        own + self.outside.spawned.get()
    }

    /// How many tasks have been spawned and have not ended; a snapshot.
    pub(crate) fn alive_tasks(&self) -> u64 {
        // Ended first: a task that is counted out was counted in before.
        let own: u64 = self.remotes.iter().map(|remote| remote.stats.tasks.ended.get()).sum();
        let ended = own + self.outside.ended.get();
        self.spawned_tasks().saturating_sub(ended)
    }

    /// A seed for one more generator. The same runtime seed gives the same sequence.
    pub(crate) fn next_seed(&self) -> u64 {
        let mut state = self.seeds.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (next, high) = rng::step(*state);
        let (next, low) = rng::step(next);
        *state = next;
        (u64::from(high) << 32 | u64::from(low)) | 1
    }

    pub(crate) fn note_unhandled_panic(&self) {
        if self.config.unhandled_panic == UnhandledPanic::ShutdownRuntime {
            self.unhandled_panic.store(true, Ordering::SeqCst);
            self.unpark(0);
        }
    }

    pub(crate) fn had_unhandled_panic(&self) -> bool {
        self.unhandled_panic.load(Ordering::Relaxed)
    }

    /// Whether any queue that may be stolen from holds a task.
    pub(crate) fn has_stealable_work(&self) -> bool {
        self.remotes.iter().any(|remote| remote.has_stealable())
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("id", &self.id).field("workers", &self.workers()).finish()
    }
}
