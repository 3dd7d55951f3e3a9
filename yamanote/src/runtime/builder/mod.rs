//! Making a runtime to measure.

mod callbacks;
mod observe;
mod pace;

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use self::observe::{LatencyHistogram, PollHistogram};
use self::pace::StallLimit;
use crate::engine::blocking::{Pool, PoolConfig};
use crate::engine::hooks::Hooks;
use crate::engine::limits;
use crate::engine::pace::Intervals;
use crate::engine::shared::{Config, Shared};
use crate::engine::spares::default_spares;
use crate::runtime::{
    FileIo, LocalOptions, LocalRuntime, RngSeed, Runtime, RuntimeFlavor, UnhandledPanic,
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
    busy_poll: Option<Duration>,
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
    stall_backtrace: bool,
    futurelock_limit: Duration,
    max_spare_workers: Option<usize>,
    file_io: Option<FileIo>,
    io_uring: bool,
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
            busy_poll: None,
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
            stall_backtrace: false,
            futurelock_limit: limits::FUTURELOCK_LIMIT,
            max_spare_workers: None,
            file_io: None,
            io_uring: false,
        }
    }

    /// Enables input/output and time, as far as the crate's features include them.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    /// ```
    pub fn enable_all(&mut self) -> &mut Builder {
        #[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
        {
            self.enable_io = true;
        }
        #[cfg(feature = "io-uring")]
        {
            self.io_uring |= cfg!(tokio_unstable);
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
    #[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
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
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().enable_alt_timer().build().unwrap();
    /// runtime.block_on(async { yamanote::time::sleep(Duration::from_millis(1)).await });
    /// ```
    pub fn enable_alt_timer(&mut self) -> &mut Builder {
        self.enable_time = true;
        self
    }

    /// Has operations on files go through the kernel's io_uring where that is possible; see [`FileIo::Ring`].
    ///
    /// As in tokio, [`enable_all`](Builder::enable_all) does the same under `--cfg tokio_unstable`. Without it,
    /// [`FileIo::Cached`] stays the default. [`file_io`](Builder::file_io) has the last word.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_multi_thread().enable_io_uring().build().unwrap();
    /// ```
    #[cfg(feature = "io-uring")]
    pub fn enable_io_uring(&mut self) -> &mut Builder {
        self.enable_io = true;
        self.io_uring = true;
        self
    }

    /// Accepted for compatibility: every worker has a driver of its own here, so none is handed over.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().enable_all().enable_eager_driver_handoff().build().unwrap();
    /// assert_eq!(runtime.block_on(runtime.spawn(async { 7 })).unwrap(), 7);
    /// ```
    pub fn enable_eager_driver_handoff(&mut self) -> &mut Builder {
        self
    }

    /// Accepted for compatibility: the blocking pool has one queue.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().enable_sharded_blocking_queue().build().unwrap();
    /// assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 7)).unwrap(), 7);
    /// ```
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

    /// Whether workers themselves fetch what is in memory of files, [as they do](FileIo::Cached) unless told otherwise, or
    /// leave it [to the pool](FileIo::Pool) with all that may have to wait, or [to the kernel](FileIo::Ring). Results and errors
    /// are the same.
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
        self.file_io = Some(file_io);
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
                stall_backtrace: self.stall_backtrace,
                futurelock_limit: self.futurelock_limit,
                spares: self.max_spare_workers.unwrap_or_else(|| default_spares(workers)),
                file_io: self.file_io.unwrap_or(match self.io_uring {
                    true => FileIo::Ring,
                    false => FileIo::default(),
                }),
                enable_io: self.enable_io,
                enable_time: self.enable_time,
                start_paused: self.start_paused,
                events_per_turn: self.events_per_turn,
                busy_poll: self.busy_poll,
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
