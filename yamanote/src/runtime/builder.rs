//! Making a runtime to measure.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use crate::engine::blocking::{Pool, PoolConfig};
use crate::engine::hooks::Hooks;
use crate::engine::limits;
use crate::engine::pace::Intervals;
use crate::engine::shared::{Config, Shared};
use crate::engine::spares::default_spares;
use crate::runtime::{
    FileIo, HistogramConfiguration, HistogramScale, LocalOptions, LocalRuntime, RngSeed, Runtime,
    RuntimeFlavor, StallReport, TaskMeta, UnhandledPanic,
};

/// Configures and makes a [`Runtime`].
///
/// # Panics in callbacks
/// What `on_thread_start`, `on_thread_park`, `on_before_task_poll` and the like are given runs on the runtime's threads,
/// between tasks of others. A panic in it is reported by the panic hook and goes no further. (Upstream loses the
/// thread, or ends the process.) A panic in what `on_task_spawn` or `thread_name_fn` is given goes to whoever
/// spawns the task, or starts the thread by building the runtime or by handing it a blocking job.
///
/// # Examples
/// ```
/// use yamanote::runtime::Builder;
///
/// let runtime = Builder::new_multi_thread()
///     .worker_threads(4)
///     .thread_name("my-service")
///     .thread_stack_size(3 * 1024 * 1024)
///     .enable_all()
///     .build()
///     .unwrap();
/// runtime.block_on(async { println!("on four workers") });
/// ```
pub struct Builder {
    flavor: RuntimeFlavor,
    name: Option<String>,
    enable_io: bool,
    enable_time: bool,
    start_paused: bool,
    events_per_turn: usize,
    events_per_busy_turn: usize,
    worker_threads: Option<usize>,
    max_blocking_threads: usize,
    thread_name: Arc<dyn Fn() -> String + Send + Sync>,
    thread_stack_size: Option<usize>,
    keep_alive: Option<Duration>,
    hooks: Hooks,
    global_queue_interval: Option<u32>,
    event_interval: Option<u32>,
    lifo_slot: bool,
    unhandled_panic: UnhandledPanic,
    seed: Option<RngSeed>,
    poll_histogram: PollHistogram,
    latency_histogram: LatencyHistogram,
    track_latency: bool,
    track_tasks: bool,
    stall_limit: StallLimit,
    max_spare_workers: Option<usize>,
    file_io: FileIo,
}

/// How long a poll may take.
#[derive(Clone, Copy, Debug)]
enum StallLimit {
    Default,
    Set(Option<Duration>),
}

/// What was asked for of the schedule-latency histogram.
#[derive(Default)]
struct LatencyHistogram {
    enabled: bool,
    configuration: Option<HistogramConfiguration>,
}

impl LatencyHistogram {
    fn configuration(&self) -> Option<HistogramConfiguration> {
        let default = || {
            HistogramConfiguration::linear(limits::POLL_HISTOGRAM_WIDTH, limits::POLL_HISTOGRAM_BUCKETS)
        };
        self.enabled.then(|| self.configuration.clone().unwrap_or_else(default))
    }
}

/// What was asked for of the poll-time histogram.
#[derive(Default)]
struct PollHistogram {
    enabled: bool,
    configuration: Option<HistogramConfiguration>,
    /// The old way to configure it.
    scale: Option<HistogramScale>,
    resolution: Option<Duration>,
    buckets: Option<usize>,
}

impl PollHistogram {
    fn configuration(&self) -> Option<HistogramConfiguration> {
        if !self.enabled {
            return None;
        }
        if let Some(configuration) = &self.configuration {
            return Some(configuration.clone());
        }
        let width = self.resolution.unwrap_or(limits::POLL_HISTOGRAM_WIDTH);
        let buckets = self.buckets.unwrap_or(limits::POLL_HISTOGRAM_BUCKETS);
        Some(match self.scale {
            Some(HistogramScale::Log) => HistogramConfiguration::doubling(width, buckets),
            _ => HistogramConfiguration::linear(width, buckets),
        })
    }
}

impl Builder {
    /// A builder for a single-threaded runtime: tasks run inside [`Runtime::block_on`].
    ///
    /// Neither input/output nor time is enabled yet; see [`enable_all`](Builder::enable_all).
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    /// assert_eq!(runtime.block_on(async { 1 + 1 }), 2);
    /// ```
    pub fn new_current_thread() -> Builder {
        Builder::new(RuntimeFlavor::CurrentThread)
    }

    /// A builder for a multi-threaded runtime: tasks run on worker threads.
    ///
    /// Neither input/output nor time is enabled yet; see [`enable_all`](Builder::enable_all).
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    /// let task = runtime.spawn(async { 1 + 1 });
    /// assert_eq!(runtime.block_on(task).unwrap(), 2);
    /// ```
    #[cfg(feature = "rt-multi-thread")]
    pub fn new_multi_thread() -> Builder {
        Builder::new(RuntimeFlavor::MultiThread)
    }

    fn new(flavor: RuntimeFlavor) -> Builder {
        Builder {
            flavor,
            name: None,
            enable_io: false,
            enable_time: false,
            start_paused: false,
            events_per_turn: limits::EVENTS_PER_TURN,
            events_per_busy_turn: usize::MAX,
            worker_threads: None,
            max_blocking_threads: limits::MAX_BLOCKING_THREADS,
            thread_name: Arc::new(|| "tokio-rt-worker".into()),
            thread_stack_size: None,
            keep_alive: None,
            hooks: Hooks::default(),
            global_queue_interval: None,
            event_interval: None,
            lifo_slot: true,
            unhandled_panic: UnhandledPanic::Ignore,
            seed: None,
            poll_histogram: PollHistogram::default(),
            latency_histogram: LatencyHistogram::default(),
            track_latency: false,
            track_tasks: false,
            stall_limit: StallLimit::Default,
            max_spare_workers: None,
            file_io: FileIo::default(),
        }
    }

    /// Enables input/output and time, as far as the crate's features include them.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    /// ```
    pub fn enable_all(&mut self) -> &mut Builder {
        #[cfg(any(feature = "net", feature = "process", feature = "signal"))]
        {
            self.enable_io = true;
        }
        #[cfg(feature = "time")]
        {
            self.enable_time = true;
        }
        self
    }

    /// Enables sockets, pipes, processes and signals.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_multi_thread().enable_io().build().unwrap();
    /// ```
    #[cfg(any(feature = "net", feature = "process", feature = "signal"))]
    pub fn enable_io(&mut self) -> &mut Builder {
        self.enable_io = true;
        self
    }

    /// Enables timers.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    /// ```
    #[cfg(feature = "time")]
    pub fn enable_time(&mut self) -> &mut Builder {
        self.enable_time = true;
        self
    }

    /// Accepted for compatibility: every worker has timers of its own here.
    pub fn enable_alt_timer(&mut self) -> &mut Builder {
        self.enable_time = true;
        self
    }

    /// Accepted for compatibility: whether a ring is used is decided when it is needed.
    #[cfg(feature = "io-uring")]
    pub fn enable_io_uring(&mut self) -> &mut Builder {
        self.enable_io = true;
        self
    }

    /// Accepted for compatibility: every worker has a driver of its own here, so none is handed over.
    pub fn enable_eager_driver_handoff(&mut self) -> &mut Builder {
        self
    }

    /// Accepted for compatibility: the blocking pool has one queue.
    pub fn enable_sharded_blocking_queue(&mut self) -> &mut Builder {
        self
    }

    /// How many workers a multi-threaded runtime has; by default one for each core the process may use, or
    /// what the environment variable `TOKIO_WORKER_THREADS` says. A single-threaded runtime ignores it.
    ///
    /// # Panics
    /// If `val` is 0.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    /// assert_eq!(runtime.metrics().num_workers(), 2);
    /// ```
    #[track_caller]
    pub fn worker_threads(&mut self, val: usize) -> &mut Builder {
        assert!(val > 0, "Worker threads cannot be set to 0");
        self.worker_threads = Some(val);
        self
    }

    /// How many threads may run blocking jobs at once (512 by default). Further jobs wait.
    ///
    /// # Panics
    /// If `val` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// // What is more than four has to wait.
    /// let runtime = Builder::new_multi_thread().max_blocking_threads(4).build().unwrap();
    /// let jobs: Vec<_> = (0..10).map(|i| runtime.spawn_blocking(move || i)).collect();
    /// for (i, job) in jobs.into_iter().enumerate() {
    ///     assert_eq!(runtime.block_on(job).unwrap(), i);
    /// }
    /// ```
    #[track_caller]
    pub fn max_blocking_threads(&mut self, val: usize) -> &mut Builder {
        assert!(val > 0, "Max blocking threads cannot be set to 0");
        self.max_blocking_threads = val;
        self
    }

    /// A name for the runtime, for logs and tools.
    ///
    /// # Panics
    /// If there is nothing but white space in it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().name("background").build().unwrap();
    /// assert_eq!(runtime.handle().name(), Some("background"));
    /// ```
    #[track_caller]
    pub fn name(&mut self, val: impl Into<String>) -> &mut Builder {
        let name = val.into();
        assert!(!name.trim().is_empty(), "runtime name shouldn't be empty");
        self.name = Some(name);
        self
    }

    /// The name of the runtime's threads.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime =
    ///     Builder::new_multi_thread().worker_threads(1).thread_name("yamanote-line").build().unwrap();
    /// let name = runtime.spawn(async { std::thread::current().name().map(str::to_owned) });
    /// assert_eq!(runtime.block_on(name).unwrap().as_deref(), Some("yamanote-line"));
    /// ```
    pub fn thread_name(&mut self, val: impl Into<String>) -> &mut Builder {
        let name = val.into();
        self.thread_name = Arc::new(move || name.clone());
        self
    }

    /// Names each of the runtime's threads by a function.
    ///
    /// # Examples
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let runtime = yamanote::runtime::Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .thread_name_fn(|| {
    ///         static NEXT: AtomicUsize = AtomicUsize::new(0);
    ///         format!("worker-{}", NEXT.fetch_add(1, Ordering::SeqCst))
    ///     })
    ///     .build()
    ///     .unwrap();
    /// ```
    pub fn thread_name_fn<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn() -> String + Sync + Send + 'static,
    {
        self.thread_name = Arc::new(f);
        self
    }

    /// The stack size of the runtime's threads, in bytes; by default the standard library's.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().thread_stack_size(8 << 20).build().unwrap();
    /// # drop(runtime);
    /// ```
    pub fn thread_stack_size(&mut self, val: usize) -> &mut Builder {
        self.thread_stack_size = Some(val);
        self
    }

    /// How long a blocking thread stays without a job (10 seconds by default).
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// // Threads of the blocking pool that have had nothing to do for a second end.
    /// let runtime = Builder::new_multi_thread().thread_keep_alive(Duration::from_secs(1)).build().unwrap();
    /// # drop(runtime);
    /// ```
    pub fn thread_keep_alive(&mut self, duration: Duration) -> &mut Builder {
        self.keep_alive = Some(duration);
        self
    }

    /// Called on each thread of the runtime when it starts.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use yamanote::runtime::Builder;
    ///
    /// let threads = Arc::new(AtomicUsize::new(0));
    /// let counted = threads.clone();
    /// let runtime = Builder::new_multi_thread()
    ///     .worker_threads(2)
    ///     .on_thread_start(move || {
    ///         counted.fetch_add(1, Ordering::SeqCst);
    ///     })
    ///     .build()
    ///     .unwrap();
    /// drop(runtime);
    /// assert!(threads.load(Ordering::SeqCst) >= 2);
    /// ```
    pub fn on_thread_start<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn() + Sync + Send + 'static,
    {
        self.hooks.thread_start = Some(Arc::new(f));
        self
    }

    /// Called on each thread of the runtime before it ends.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread()
    ///     .on_thread_stop(|| println!("{:?} ends", std::thread::current().id()))
    ///     .build()
    ///     .unwrap();
    /// # drop(runtime);
    /// ```
    pub fn on_thread_stop<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn() + Sync + Send + 'static,
    {
        self.hooks.thread_stop = Some(Arc::new(f));
        self
    }

    /// Called on a worker that is about to park. It may spawn or wake tasks: the worker then does not park.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread()
    ///     .on_thread_park(|| println!("nothing to do"))
    ///     .on_thread_unpark(|| println!("something to do"))
    ///     .build()
    ///     .unwrap();
    /// # drop(runtime);
    /// ```
    pub fn on_thread_park<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn() + Sync + Send + 'static,
    {
        self.hooks.before_park = Some(Arc::new(f));
        self
    }

    /// Called on a worker that has been unparked.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread()
    ///     .on_thread_unpark(|| println!("something to do"))
    ///     .build()
    ///     .unwrap();
    /// # drop(runtime);
    /// ```
    pub fn on_thread_unpark<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn() + Sync + Send + 'static,
    {
        self.hooks.after_unpark = Some(Arc::new(f));
        self
    }

    /// Called when a task is spawned, by whoever spawns it, before it is scheduled.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use yamanote::runtime::Builder;
    ///
    /// let spawned = Arc::new(AtomicUsize::new(0));
    /// let counted = spawned.clone();
    /// let runtime = Builder::new_current_thread()
    ///     .on_task_spawn(move |_| {
    ///         counted.fetch_add(1, Ordering::SeqCst);
    ///     })
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// assert_eq!(spawned.load(Ordering::SeqCst), 1);
    /// ```
    pub fn on_task_spawn<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&TaskMeta<'_>) + Sync + Send + 'static,
    {
        self.hooks.task_spawn = Some(Arc::new(f));
        self
    }

    /// Called when a task has ended, however it did.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .on_task_terminate(|task| println!("task {} is over", task.id()))
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// ```
    pub fn on_task_terminate<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&TaskMeta<'_>) + Sync + Send + 'static,
    {
        self.hooks.task_terminate = Some(Arc::new(f));
        self
    }

    /// Called before each poll of a task.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .on_before_task_poll(|task| println!("task {} is polled", task.id()))
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// ```
    pub fn on_before_task_poll<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&TaskMeta<'_>) + Sync + Send + 'static,
    {
        self.hooks.before_poll = Some(Arc::new(f));
        self
    }

    /// Called after each poll of a task.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use yamanote::runtime::Builder;
    /// use yamanote::task::yield_now;
    ///
    /// let polls = Arc::new(AtomicUsize::new(0));
    /// let counted = polls.clone();
    /// let runtime = Builder::new_current_thread()
    ///     .on_after_task_poll(move |_| {
    ///         counted.fetch_add(1, Ordering::SeqCst);
    ///     })
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(yield_now())).unwrap();
    /// assert_eq!(polls.load(Ordering::SeqCst), 2);
    /// ```
    pub fn on_after_task_poll<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&TaskMeta<'_>) + Sync + Send + 'static,
    {
        self.hooks.after_poll = Some(Arc::new(f));
        self
    }

    /// After how many polls a worker looks at what came from elsewhere before its own queue. Lower is
    /// fairer to other threads, higher is less work.
    ///
    /// Unless set, it is 31 on a single-threaded runtime; on a multi-threaded one it follows how long polls
    /// take, so that what came from elsewhere waits for some 200 µs on average.
    ///
    /// # Panics
    /// If `val` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().global_queue_interval(31).build().unwrap();
    /// # drop(runtime);
    /// ```
    #[track_caller]
    pub fn global_queue_interval(&mut self, val: u32) -> &mut Builder {
        assert!(val > 0, "global_queue_interval must be greater than 0");
        self.global_queue_interval = Some(val);
        self
    }

    /// After how many polls a busy worker looks at its event driver and timers.
    ///
    /// Unless set, it is 61, or fewer where polls take so long that an event would wait for more than
    /// a millisecond on average. (Upstream's is 61 however long they take.)
    ///
    /// # Panics
    /// If `val` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().enable_all().event_interval(31).build().unwrap();
    /// # drop(runtime);
    /// ```
    #[track_caller]
    pub fn event_interval(&mut self, val: u32) -> &mut Builder {
        assert!(val > 0, "event_interval must be greater than 0");
        self.event_interval = Some(val);
        self
    }

    /// What happens when a task panics. Single-threaded runtimes only.
    ///
    /// # Panics
    /// On a multi-threaded builder, if asked for anything but [`UnhandledPanic::Ignore`].
    ///
    /// # Examples
    /// ```should_panic
    /// use yamanote::runtime::{Builder, UnhandledPanic};
    ///
    /// let policy = UnhandledPanic::ShutdownRuntime;
    /// let runtime = Builder::new_current_thread().unhandled_panic(policy).build().unwrap();
    /// runtime.spawn(async { panic!("nobody would notice") });
    /// // Panics too, instead of waiting for ever.
    /// runtime.block_on(std::future::pending::<()>());
    /// ```
    #[track_caller]
    pub fn unhandled_panic(&mut self, behavior: UnhandledPanic) -> &mut Builder {
        if self.flavor != RuntimeFlavor::CurrentThread && behavior != UnhandledPanic::Ignore {
            panic!("UnhandledPanic::ShutdownRuntime is only supported in current thread runtime");
        }
        self.unhandled_panic = behavior;
        self
    }

    /// Turns off the optimisation by which the task woken last runs next.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().disable_lifo_slot().build().unwrap();
    /// # drop(runtime);
    /// ```
    pub fn disable_lifo_slot(&mut self) -> &mut Builder {
        self.lifo_slot = false;
        self
    }

    /// Seeds the runtime's random choices; see [`RngSeed`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::{Builder, RngSeed};
    ///
    /// // What is drawn by lot, as the branches of `select!`, is drawn in the same order each time.
    /// let seed = RngSeed::from_bytes(b"any bytes");
    /// let runtime = Builder::new_current_thread().rng_seed(seed).build().unwrap();
    /// # drop(runtime);
    /// ```
    pub fn rng_seed(&mut self, seed: RngSeed) -> &mut Builder {
        self.seed = Some(seed);
        self
    }

    /// How many events a worker takes from the operating system at once (1,024 by default).
    ///
    /// # Panics
    /// If `capacity` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().enable_io().max_io_events_per_tick(256).build().unwrap();
    /// # drop(runtime);
    /// ```
    #[track_caller]
    #[cfg(any(feature = "net", feature = "process", feature = "signal"))]
    pub fn max_io_events_per_tick(&mut self, capacity: usize) -> &mut Builder {
        assert!(capacity > 0, "max_io_events_per_tick must be non-zero");
        self.events_per_turn = capacity;
        self
    }

    /// How many events a worker that has other work takes at once, at the most. A worker takes no more than
    /// its queue has room for in any case.
    ///
    /// # Panics
    /// If `capacity` is 0.
    #[track_caller]
    #[cfg(any(feature = "net", feature = "process", feature = "signal"))]
    pub fn max_io_events_per_busy_tick(&mut self, capacity: usize) -> &mut Builder {
        assert!(capacity > 0, "max_io_events_per_busy_tick must be non-zero");
        self.events_per_busy_turn = capacity;
        self
    }

    /// Sorts the durations of polls into buckets, for each worker. Costs two readings of the clock a poll.
    ///
    /// See [`metrics_poll_time_histogram_configuration`](Builder::metrics_poll_time_histogram_configuration).
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime =
    ///     Builder::new_current_thread().enable_metrics_poll_time_histogram().build().unwrap();
    /// assert!(runtime.metrics().poll_time_histogram_enabled());
    /// ```
    pub fn enable_metrics_poll_time_histogram(&mut self) -> &mut Builder {
        self.poll_histogram.enabled = true;
        self
    }

    /// The old name of [`enable_metrics_poll_time_histogram`](Builder::enable_metrics_poll_time_histogram).
    #[doc(hidden)]
    #[deprecated = "Poll time histogram related methods have been renamed. Use `enable_metrics_poll_time_histogram` instead."]
    pub fn enable_metrics_poll_count_histogram(&mut self) -> &mut Builder {
        self.enable_metrics_poll_time_histogram()
    }

    /// The layout of the poll-time histogram: 10 buckets of 100 microseconds by default.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::{Builder, HistogramConfiguration};
    ///
    /// let ten_of_a_millisecond = HistogramConfiguration::linear(Duration::from_millis(1), 10);
    /// let runtime = Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .metrics_poll_time_histogram_configuration(ten_of_a_millisecond)
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(runtime.metrics().poll_time_histogram_num_buckets(), 10);
    /// ```
    pub fn metrics_poll_time_histogram_configuration(
        &mut self,
        configuration: HistogramConfiguration,
    ) -> &mut Builder {
        self.poll_histogram.configuration = Some(configuration);
        self
    }

    /// Sorts into buckets how long tasks wait between being woken and being polled, for each worker. Costs a lock
    /// for each wake and each poll.
    pub fn enable_metrics_schedule_latency_histogram(&mut self) -> &mut Builder {
        self.latency_histogram.enabled = true;
        self
    }

    /// The layout of the schedule-latency histogram: 10 buckets of 100 microseconds by default.
    pub fn metrics_schedule_latency_histogram_configuration(
        &mut self,
        configuration: HistogramConfiguration,
    ) -> &mut Builder {
        self.latency_histogram.configuration = Some(configuration);
        self
    }

    /// Tells the hooks around polls, as the schedule-latency histogram does too, how long the task waited; see
    /// [`TaskMeta::schedule_latency`](crate::runtime::TaskMeta::schedule_latency). Costs a lock for each wake and
    /// each poll.
    pub fn track_task_schedule_latency(&mut self) -> &mut Builder {
        self.track_latency = true;
        self
    }

    /// The scale of the poll-time histogram, the old way.
    #[deprecated = "use `metrics_poll_time_histogram_configuration`"]
    pub fn metrics_poll_count_histogram_scale(
        &mut self,
        histogram_scale: HistogramScale,
    ) -> &mut Builder {
        self.poll_histogram.scale = Some(histogram_scale);
        self
    }

    /// The width of the poll-time histogram's (first) bucket, the old way.
    ///
    /// # Panics
    /// If it is zero.
    #[deprecated = "use `metrics_poll_time_histogram_configuration`"]
    #[track_caller]
    pub fn metrics_poll_count_histogram_resolution(&mut self, resolution: Duration) -> &mut Builder {
        assert!(resolution > Duration::ZERO, "the resolution must be greater than zero");
        self.poll_histogram.resolution = Some(resolution);
        self
    }

    /// The number of the poll-time histogram's buckets, the old way.
    #[deprecated = "use `metrics_poll_time_histogram_configuration`"]
    pub fn metrics_poll_count_histogram_buckets(&mut self, buckets: usize) -> &mut Builder {
        self.poll_histogram.buckets = Some(buckets);
        self
    }

    /// How long a poll may take before its worker counts as stuck. 10 ms unless set; `None` or zero turns the watch off.
    ///
    /// A task that blocks its thread, or computes for long, holds up what else its worker has to do. A runtime with
    /// several workers watches them from a thread of its own. Once a worker is stuck, its queued tasks, its
    /// sockets and its timers are served by others, and a spare worker takes its place until it comes back, so that even
    /// while all workers are stuck the other tasks go on. How many spares there may be at a time says
    /// [`max_spare_workers`](Builder::max_spare_workers). It is noticed between one and two limits after the
    /// poll began.
    ///
    /// The tasks of a single-threaded runtime cannot run elsewhere. It is watched only where
    /// [`on_stall`](Builder::on_stall) asks for it.
    ///
    /// The watch costs running tasks nothing, and while the runtime is idle no thread wakes up for it.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .enable_time()
    ///     .stall_limit(Duration::from_millis(5))
    ///     .build()
    ///     .unwrap();
    /// let (tell, told) = std::sync::mpsc::channel();
    /// // The only worker waits for a task that only it could run.
    /// let stuck = runtime.spawn(async move {
    ///     yamanote::spawn(async move { tell.send("done").unwrap() });
    ///     told.recv().unwrap()
    /// });
    /// assert_eq!(runtime.block_on(stuck).unwrap(), "done");
    ///
    /// let unwatched = Builder::new_multi_thread().stall_limit(None).build().unwrap();
    /// # drop(unwatched);
    /// ```
    pub fn stall_limit(&mut self, limit: impl Into<Option<Duration>>) -> &mut Builder {
        self.stall_limit = StallLimit::Set(limit.into());
        self
    }

    /// Calls `f` when a task has held its worker up for longer than the [`stall_limit`](Builder::stall_limit): with the
    /// task's id, its name, where it was spawned, and for how long it has been in its poll.
    ///
    /// It is called once for each such poll, while the poll goes on, by the thread that watches the workers; that
    /// should not be kept for long, since it also relieves them. There are ten reports a second at the most; the next one
    /// tells how many were left out. A panic of `f` is reported by the panic hook and goes no further.
    ///
    /// With it a single-threaded runtime is watched too, as long as its tasks run; the future that
    /// [`block_on`](crate::runtime::Runtime::block_on) waits for is not a task. Each poll costs some stores more.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let (tell, told) = mpsc::channel();
    /// let runtime = Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .on_stall(move |stall| tell.send(stall.to_string()).unwrap())
    ///     .build()
    ///     .unwrap();
    /// let task = runtime.spawn(async move {
    ///     // A mistake: it blocks the thread, until the runtime complains.
    ///     told.recv().unwrap()
    /// });
    /// let report = runtime.block_on(task).unwrap();
    /// assert!(report.contains("has been in a poll for"), "{report}");
    /// ```
    pub fn on_stall<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&StallReport) + Send + Sync + 'static,
    {
        self.hooks.stall = Some(Arc::new(f));
        self
    }

    /// Keeps a list of all tasks and of what they do, for [`Handle::tasks`](crate::runtime::Handle::tasks). Off unless
    /// asked for: each poll then costs two locks and readings of the clock, each wake a lock.
    ///
    /// # Examples
    /// See [`Handle::tasks`](crate::runtime::Handle::tasks).
    pub fn track_tasks(&mut self, track: bool) -> &mut Builder {
        self.track_tasks = track;
        self
    }

    /// How many spare workers may stand in for stuck ones at a time: twice the number of workers unless set, but no fewer
    /// than 4, and no more than 64 or the number of workers. When all of them are stuck too, nobody is
    /// left to run tasks, as on a runtime without spares.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_multi_thread().max_spare_workers(16).build().unwrap();
    /// # drop(runtime);
    /// ```
    pub fn max_spare_workers(&mut self, max: usize) -> &mut Builder {
        self.max_spare_workers = Some(max);
        self
    }

    /// Whether workers themselves fetch what is in memory of files, [as they do](FileIo::Cached) unless told otherwise, or
    /// leave it [to the pool](FileIo::Pool) with all that may have to wait. Results and errors are the same.
    ///
    /// The pool is the better place where even calls that do not wait are slow: in sandboxes that intercept system calls,
    /// for instance.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::{Builder, FileIo};
    ///
    /// let runtime = Builder::new_current_thread().file_io(FileIo::Pool).build().unwrap();
    /// # drop(runtime);
    /// ```
    pub fn file_io(&mut self, file_io: FileIo) -> &mut Builder {
        self.file_io = file_io;
        self
    }

    /// Starts with the clock paused; see [`time::pause`](crate::time::pause).
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    /// use yamanote::time::{Instant, sleep};
    ///
    /// let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    /// runtime.block_on(async {
    ///     let started = Instant::now();
    ///     sleep(Duration::from_secs(3_600)).await; // takes no time at all
    ///     assert_eq!(started.elapsed(), Duration::from_secs(3_600));
    /// });
    /// ```
    #[cfg(feature = "test-util")]
    pub fn start_paused(&mut self, start_paused: bool) -> &mut Builder {
        self.start_paused = start_paused;
        self
    }

    /// Makes the runtime.
    ///
    /// # Errors
    /// If the operating system refuses a thread or an event queue.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    /// runtime.block_on(async { println!("inside") });
    /// ```
    pub fn build(&mut self) -> io::Result<Runtime> {
        Runtime::start(Arc::new(self.build_shared()))
    }

    /// Makes a runtime for this thread, whose tasks need not be `Send`.
    ///
    /// # Errors
    /// If the operating system refuses an event queue.
    ///
    /// # Panics
    /// On a multi-threaded builder.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::{Builder, LocalOptions};
    ///
    /// let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).unwrap();
    /// ```
    #[allow(unused_variables, clippy::needless_pass_by_value)]
    #[track_caller]
    pub fn build_local(&mut self, options: LocalOptions) -> io::Result<LocalRuntime> {
        assert!(
            self.flavor == RuntimeFlavor::CurrentThread,
            "Only current_thread is supported when building a local runtime"
        );
        let mut shared = self.build_shared();
        shared.config.local_to = Some(std::thread::current().id());
        LocalRuntime::start(shared)
    }

    fn build_shared(&mut self) -> Shared {
        let adapts = self.flavor == RuntimeFlavor::MultiThread;
        let (flavor, workers) = match self.flavor {
            RuntimeFlavor::CurrentThread => (RuntimeFlavor::CurrentThread, 1),
            RuntimeFlavor::MultiThread => {
                let workers = self.worker_threads.unwrap_or_else(default_workers);
                (RuntimeFlavor::MultiThread, workers.min(limits::MAX_WORKERS))
            }
        };
        let stall_limit = match self.stall_limit {
            StallLimit::Set(limit) => limit.filter(|limit| !limit.is_zero()),
            // A thread more for each single-threaded runtime has to be asked for.
            StallLimit::Default => (adapts || self.hooks.stall.is_some()).then_some(limits::STALL_LIMIT),
        };
        let pool = Pool::new(PoolConfig {
            thread_name: Arc::clone(&self.thread_name),
            stack_size: self.thread_stack_size,
            thread_cap: self.max_blocking_threads,
            keep_alive: self.keep_alive.unwrap_or(limits::BLOCKING_KEEP_ALIVE),
            thread_start: self.hooks.thread_start.clone(),
            thread_stop: self.hooks.thread_stop.clone(),
        });
        let seed = self.seed.clone().unwrap_or_else(RngSeed::fresh);
        Shared::new(
            Config {
                flavor,
                name: self.name.clone(),
                workers,
                stall_limit,
                spares: self.max_spare_workers.unwrap_or_else(|| default_spares(workers)),
                file_io: self.file_io,
                enable_io: self.enable_io,
                enable_time: self.enable_time,
                start_paused: self.start_paused,
                events_per_turn: self.events_per_turn,
                events_per_busy_turn: self.events_per_busy_turn,
                intervals: Intervals {
                    inbox: self.global_queue_interval.unwrap_or(limits::GLOBAL_QUEUE_INTERVAL),
                    inbox_adapts: self.global_queue_interval.is_none() && adapts,
                    turn: self.event_interval.unwrap_or(limits::EVENT_INTERVAL),
                    turn_adapts: self.event_interval.is_none(),
                },
                lifo_slot: self.lifo_slot,
                unhandled_panic: self.unhandled_panic.clone(),
                poll_histogram: self.poll_histogram.configuration(),
                latency_histogram: self.latency_histogram.configuration(),
                track_latency: self.track_latency,
                track_tasks: self.track_tasks,
                local_to: None,
                seed: seed.value(),
                hooks: self.hooks.clone(),
            },
            pool,
        )
    }
}

/// A worker a core, unless the environment says otherwise.
fn default_workers() -> usize {
    match std::env::var("TOKIO_WORKER_THREADS") {
        Ok(value) => match value.parse::<usize>() {
            Ok(0) => panic!("\"TOKIO_WORKER_THREADS\" cannot be set to 0"),
            Ok(workers) => workers,
            Err(error) => {
                panic!("\"TOKIO_WORKER_THREADS\" must be usize, error: {error}, value: {value}")
            }
        },
        Err(std::env::VarError::NotPresent) => {
            std::thread::available_parallelism().map_or(1, usize::from)
        }
        Err(std::env::VarError::NotUnicode(value)) => {
            panic!("\"TOKIO_WORKER_THREADS\" must be valid unicode, error: {value:?}")
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("flavor", &self.flavor)
            .field("worker_threads", &self.worker_threads)
            .field("max_blocking_threads", &self.max_blocking_threads)
            .finish_non_exhaustive()
    }
}
