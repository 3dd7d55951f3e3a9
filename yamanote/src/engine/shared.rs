//! What the workers of one runtime share, and what everybody who holds a handle to it reaches.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::engine::attachments::Attachments;
use crate::engine::blocking::Pool;
use crate::engine::context;
use crate::engine::core_slot::CoreSlot;
use crate::engine::driver::Driver;
use crate::engine::hooks::Hooks;
use crate::engine::idle::Idle;
use crate::engine::io::PollerConfig;
use crate::engine::latency::Latency;
use crate::engine::lent::Lent;
use crate::engine::limits::WORKERS_PER_POLLER;
use crate::engine::metrics::WorkerStats;
use crate::engine::monitor::Monitor;
use crate::engine::observe::Observer;
use crate::engine::pace::Intervals;
use crate::engine::parker::Parker;
use crate::engine::queue::{Inbox, LifoSlot, Ring};
use crate::engine::seat::Seat;
use crate::engine::spares::{self, Crew};
use crate::engine::task::live::LiveSet;
use crate::engine::timer::Clock;
use crate::engine::trace::Dumper;
use crate::engine::worker::Core;
use crate::runtime::{
    FileIo, Histogram, HistogramConfiguration, Running, RuntimeFlavor, UnhandledPanic,
};
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
    /// Who reads files from memory.
    #[allow(dead_code, reason = "files are a feature")]
    pub(crate) file_io: FileIo,
    pub(crate) enable_io: bool,
    pub(crate) enable_time: bool,
    pub(crate) start_paused: bool,
    /// How long a poll may take before its worker counts as stuck; `None`: nobody looks.
    pub(crate) stall_limit: Option<Duration>,
    /// Look at the stack of a stuck worker.
    pub(crate) stall_backtrace: bool,
    /// How long permits may lie with a future that is not polled.
    pub(crate) futurelock_limit: Duration,
    /// Workers that may stand in for stuck ones at a time.
    pub(crate) spares: usize,
    pub(crate) events_per_turn: usize,
    /// How long to look for events before waiting for them.
    pub(crate) busy_poll: Option<Duration>,
    /// The same while there is other work.
    pub(crate) events_per_busy_turn: usize,
    pub(crate) intervals: Intervals,
    pub(crate) lifo_slot: bool,
    pub(crate) unhandled_panic: UnhandledPanic,
    pub(crate) poll_histogram: Option<HistogramConfiguration>,
    pub(crate) latency_histogram: Option<HistogramConfiguration>,
    /// Tell hooks how long a task waited.
    pub(crate) track_latency: bool,
    /// Keep a list of all tasks.
    pub(crate) track_tasks: bool,
    /// The thread a `LocalRuntime` belongs to.
    pub(crate) local_to: Option<std::thread::ThreadId>,
    pub(crate) seed: u64,
    pub(crate) hooks: Hooks,
}

/// The part of a worker that others reach: its queues, its driver, its parker.
pub(crate) struct Remote {
    pub(crate) ring: Ring,
    pub(crate) lifo: LifoSlot,
    /// Tasks that yielded, where workers share work: they run when the ring is empty or the driver was turned.
    pub(crate) deferred: Ring,
    pub(crate) inbox: CachePadded<Inbox>,
    pub(crate) parker: CachePadded<Parker>,
    pub(crate) driver: Driver,
    /// Who may wait in the driver.
    pub(crate) seat: Seat,
    /// Where the worker's core lies while its thread may be blocked.
    pub(crate) lent: Lent<Box<Core>>,
    /// The driver in which this slot's worker waits: its own, or that of the worker it stands in for.
    pub(crate) sits_in: AtomicUsize,
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
    pub(crate) dumper: Dumper,
    /// Whether the future that a single-threaded runtime's `block_on` waits for wants to be polled.
    pub(crate) root_woken: CachePadded<AtomicBool>,
    pub(crate) crew: Crew,
    pub(crate) running: Running,
    shutdown: AtomicBool,
    /// A task panicked and the runtime was built to stop at that.
    unhandled_panic: AtomicBool,
    pub(crate) forced_yields: Counter,
    pub(crate) latency: Option<Latency>,
    pub(crate) observer: Observer,
    /// Tasks spawned and ended by threads that are no workers; workers count their own.
    outside: CachePadded<TaskCounts>,
    /// The generator that seeds all others of this runtime.
    seeds: Mutex<u64>,
}

impl Shared {
    pub(crate) fn new(config: Config, pool: Pool) -> Shared {
        let spares = spares::slots(&config);
        let slots = config.workers + spares;
        let mut remotes: Vec<CachePadded<Remote>> = Vec::with_capacity(slots);
        for slot in 0..slots {
            // A spare waits in another's driver.
            let own_driver = slot < config.workers;
            let enabled = (config.enable_io && own_driver, config.enable_time && own_driver);
            let shares = own_driver && slot % WORKERS_PER_POLLER != 0;
            let neighbour = remotes.last().filter(|_| shares).map(|remote| &remote.driver);
            let poller = PollerConfig { events: config.events_per_turn, busy_poll: config.busy_poll };
            let driver = Driver::new(enabled, slot, poller, neighbour);
            remotes.push(CachePadded::new(Remote {
                ring: Ring::new(),
                lifo: LifoSlot::new(),
                inbox: CachePadded::new(Inbox::new()),
                parker: CachePadded::new(Parker::new()),
                driver,
                seat: Seat::new(slot),
                lent: Lent::new(),
                sits_in: AtomicUsize::new(slot),
                deferred: Ring::new(),
                stats: CachePadded::new(WorkerStats::default()),
                poll_histogram: config.poll_histogram.as_ref().map(Histogram::new),
                latency_histogram: config.latency_histogram.as_ref().map(Histogram::new),
            }));
        }
        let single = config.flavor == RuntimeFlavor::CurrentThread;
        Shared {
            id: crate::runtime::Id::next(),
            remotes: remotes.into(),
            idle: Idle::new(config.workers, slots),
            live: LiveSet::new(slots + 1),
            clock: Clock::new(single, config.start_paused),
            pool,
            monitor: Monitor::new(),
            attachments: Attachments::default(),
            core_slot: CoreSlot::new(),
            dumper: Dumper::default(),
            root_woken: CachePadded::default(),
            running: Running::default(),
            crew: Crew::new(config.workers, spares),
            shutdown: AtomicBool::new(false),
            unhandled_panic: AtomicBool::new(false),
            forced_yields: Counter::new(),
            latency: (config.track_latency || config.latency_histogram.is_some()).then(Latency::default),
            observer: Observer::new(&config, slots),
            outside: CachePadded::default(),
            seeds: Mutex::new(config.seed | 1),
            config,
        }
    }

    /// How many workers the runtime was built with.
    pub(crate) fn workers(&self) -> usize {
        self.config.workers
    }

    /// The slots in which there may be a worker now: those of the workers, and of spares.
    #[inline]
    pub(crate) fn manned(&self) -> &[CachePadded<Remote>] {
        &self.remotes[..self.crew.slots_in_use()]
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
        // Relaxed: a spare sets it before it parks, and the parker's word orders that.
        remote.parker.unpark_with(|| self.driver(remote.sits_in.load(Ordering::Relaxed)).io.unpark());
    }

    /// Makes whoever waits in worker `i`'s driver look at its timers again, after one was added for `tick`, unless it
    /// does so in time by itself. Not needed if it is the caller: it looks before it waits.
    pub(crate) fn note_earlier_timer(self: &Arc<Self>, worker: usize, tick: u64) {
        let remote = &self.remotes[worker];
        let here = context::worker_index(self);
        if here == Some(remote.seat.holder_after_write()) {
            return;
        }
        let armed = remote.driver.timers.as_ref().is_none_or(|timers| timers.is_armed_for(tick));
        if armed {
            return;
        }
        // Anew: a holder that has come since may have armed before it could see what was asked of it.
        let holder = remote.seat.holder_after_write();
        if here != Some(holder) {
            self.unpark(holder);
        }
    }

    /// The worker that something of the current thread's belongs to: the worker it is, else a choice that
    /// stays the same for the thread, so that threads spread and each keeps its caches warm.
    #[inline]
    pub(crate) fn home(self: &Arc<Self>) -> usize {
        match context::driver_index(self) {
            Some(index) => index,
            None => context::thread_number() % self.workers(),
        }
    }

    /// Whether the current thread is worker `i` of this runtime, or stands in for it.
    #[inline]
    pub(crate) fn is_home(self: &Arc<Self>, worker: usize) -> bool {
        context::driver_index(self) == Some(worker)
    }

    /// Whether the current thread is a worker of this runtime that has its poller in common with worker `i`.
    #[inline]
    pub(crate) fn is_near(self: &Arc<Self>, worker: usize) -> bool {
        let group = |worker| worker / WORKERS_PER_POLLER;
        context::driver_index(self).is_some_and(|here| group(here) == group(worker))
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
        for slot in 0..self.remotes.len() {
            self.unpark(slot);
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

    #[inline]
    pub(crate) fn had_unhandled_panic(&self) -> bool {
        self.unhandled_panic.load(Ordering::Relaxed)
    }

    /// Whether any queue that may be stolen from holds a task.
    pub(crate) fn has_stealable_work(&self) -> bool {
        self.manned().iter().any(|remote| remote.has_stealable())
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("id", &self.id).field("workers", &self.workers()).finish()
    }
}
