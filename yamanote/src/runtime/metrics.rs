//! What a runtime counts, for its users.

use std::ops::Range;
use std::thread::ThreadId;
use std::time::Duration;

use crate::engine::metrics::WorkerStats;
use crate::engine::shared::Remote;
use crate::runtime::{Handle, Histogram};

/// A view on what a runtime counts.
///
/// Each number is read on its own, while the runtime goes on; so two of them need not fit together. Where a
/// method takes a worker's index, it panics if there is no such worker.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let metrics = yamanote::runtime::Handle::current().metrics();
/// println!("{} tasks are alive", metrics.num_alive_tasks());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RuntimeMetrics {
    handle: Handle,
}

impl RuntimeMetrics {
    pub(crate) fn new(handle: Handle) -> Self {
        RuntimeMetrics { handle }
    }

    #[track_caller]
    fn remote(&self, worker: usize) -> &Remote {
        // Spares' slots lie behind, and are no workers by number.
        &self.handle.shared.remotes[..self.handle.shared.workers()][worker]
    }

    #[track_caller]
    fn worker(&self, worker: usize) -> &WorkerStats {
        &self.remote(worker).stats
    }

    /// How many workers the runtime has.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(3).build().unwrap();
    /// assert_eq!(runtime.metrics().num_workers(), 3);
    /// ```
    pub fn num_workers(&self) -> usize {
        self.handle.shared.workers()
    }

    /// How many tasks have been spawned and have not ended.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let metrics = yamanote::runtime::Handle::current().metrics();
    /// let task = yamanote::spawn(std::future::pending::<()>());
    /// assert_eq!(metrics.num_alive_tasks(), 1);
    /// task.abort();
    /// assert!(task.await.unwrap_err().is_cancelled());
    /// assert_eq!(metrics.num_alive_tasks(), 0);
    /// # }
    /// ```
    pub fn num_alive_tasks(&self) -> usize {
        self.handle.shared.alive_tasks() as usize
    }

    /// The old name of [`num_alive_tasks`](RuntimeMetrics::num_alive_tasks).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let metrics = yamanote::runtime::Handle::current().metrics();
    /// yamanote::spawn(std::future::pending::<()>());
    /// assert_eq!(metrics.active_tasks_count(), metrics.num_alive_tasks());
    /// # }
    /// ```
    pub fn active_tasks_count(&self) -> usize {
        self.num_alive_tasks()
    }

    /// How many tasks were ever spawned.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let metrics = yamanote::runtime::Handle::current().metrics();
    /// for _ in 0..3 {
    ///     yamanote::spawn(async {}).await.unwrap();
    /// }
    /// // None of them lives.
    /// assert_eq!((metrics.spawned_tasks_count(), metrics.num_alive_tasks()), (3, 0));
    /// # }
    /// ```
    pub fn spawned_tasks_count(&self) -> u64 {
        self.handle.shared.spawned_tasks()
    }

    /// How many threads the blocking pool has.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let metrics = yamanote::runtime::Handle::current().metrics();
    /// assert_eq!(metrics.num_blocking_threads(), 0);
    /// yamanote::task::spawn_blocking(|| std::fs::read_dir(".").unwrap().count()).await.unwrap();
    /// // It stays for a while, for the next job.
    /// assert_eq!(metrics.num_blocking_threads(), 1);
    /// # }
    /// ```
    pub fn num_blocking_threads(&self) -> usize {
        self.handle.shared.pool.threads()
    }

    /// How many threads of the blocking pool wait for a job.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let metrics = yamanote::runtime::Handle::current().metrics();
    /// let (end, ended) = mpsc::channel::<()>();
    /// let job = yamanote::task::spawn_blocking(move || ended.recv().unwrap());
    /// assert_eq!(metrics.num_idle_blocking_threads(), 0);
    /// end.send(()).unwrap();
    /// job.await.unwrap();
    /// while metrics.num_idle_blocking_threads() == 0 {
    ///     yamanote::task::yield_now().await; // it is about to look for another job
    /// }
    /// # }
    /// ```
    pub fn num_idle_blocking_threads(&self) -> usize {
        self.handle.shared.pool.idle_threads()
    }

    /// How many blocking jobs wait for a thread.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    /// let ((begin, begun), (end, ended)) = (mpsc::channel(), mpsc::channel::<()>());
    /// let first = runtime.spawn_blocking(move || {
    ///     begin.send(()).unwrap();
    ///     ended.recv().unwrap();
    /// });
    /// begun.recv().unwrap();
    /// let second = runtime.spawn_blocking(|| ());
    /// assert_eq!(runtime.metrics().blocking_queue_depth(), 1); // the second
    /// end.send(()).unwrap();
    /// runtime.block_on(async { yamanote::join!(first, second) });
    /// assert_eq!(runtime.metrics().blocking_queue_depth(), 0);
    /// ```
    pub fn blocking_queue_depth(&self) -> usize {
        self.handle.shared.pool.queue_depth()
    }

    /// How many runnable tasks wait where every worker may take them.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    /// // Nobody drives the runtime, and this thread is none of its workers.
    /// let task = runtime.spawn(async {});
    /// assert_eq!(runtime.metrics().global_queue_depth(), 1);
    /// runtime.block_on(task).unwrap();
    /// assert_eq!(runtime.metrics().global_queue_depth(), 0);
    /// ```
    pub fn global_queue_depth(&self) -> usize {
        self.handle.shared.remotes.iter().map(|remote| remote.inbox.len()).sum()
    }

    /// The old name of [`global_queue_depth`](RuntimeMetrics::global_queue_depth).
    #[doc(hidden)]
    pub fn injection_queue_depth(&self) -> usize {
        self.global_queue_depth()
    }

    /// How often a task was scheduled from a thread that is no worker of the runtime.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    /// // From outside:
    /// let task = runtime.spawn(async {});
    /// assert_eq!(runtime.metrics().remote_schedule_count(), 1);
    /// # runtime.block_on(task).unwrap();
    /// ```
    pub fn remote_schedule_count(&self) -> u64 {
        self.handle.shared.remotes.iter().map(|remote| remote.inbox.pushed()).sum()
    }

    /// How often a task had to let others run because its budget was spent.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let metrics = yamanote::runtime::Handle::current().metrics();
    /// yamanote::spawn(async {
    ///     for _ in 0..1_000 {
    ///         yamanote::task::coop::consume_budget().await; // always ready
    ///     }
    /// })
    /// .await
    /// .unwrap();
    /// assert!(metrics.budget_forced_yield_count() >= 7);
    /// # }
    /// ```
    pub fn budget_forced_yield_count(&self) -> u64 {
        self.handle.shared.forced_yields.get()
    }

    /// How long the worker was busy: not parked.
    ///
    /// # Examples
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// runtime.block_on(async {
    ///     let until = Instant::now() + Duration::from_millis(10);
    ///     while Instant::now() < until {}
    ///     yamanote::time::sleep(Duration::from_millis(1)).await;
    /// });
    /// assert!(runtime.metrics().worker_total_busy_duration(0) >= Duration::from_millis(10));
    /// ```
    #[track_caller]
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        self.worker(worker).busy()
    }

    /// How often the worker parked.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// runtime.block_on(async { yamanote::time::sleep(Duration::from_millis(2)).await });
    /// // It slept at least once to wait for that.
    /// assert!(runtime.metrics().worker_park_count(0) >= 1);
    /// ```
    #[track_caller]
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        self.worker(worker).parks.get()
    }

    /// How often the worker parked or unparked: odd while it is parked.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// runtime.block_on(async { yamanote::time::sleep(Duration::from_millis(2)).await });
    /// // Whoever asks does not sleep on this runtime's only worker.
    /// assert_eq!(runtime.metrics().worker_park_unpark_count(0) % 2, 0);
    /// ```
    #[track_caller]
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        self.worker(worker).park_unparks.get()
    }

    /// How often the worker woke up and found nothing to do.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    /// let (metrics, workers) = (runtime.metrics(), 0..2);
    /// println!("{} times for nothing", workers.map(|worker| metrics.worker_noop_count(worker)).sum::<u64>());
    /// ```
    #[track_caller]
    pub fn worker_noop_count(&self, worker: usize) -> u64 {
        self.worker(worker).noops.get()
    }

    /// How many tasks the worker took from others.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// // There is nobody to steal from.
    /// assert_eq!(runtime.metrics().worker_steal_count(0), 0);
    /// ```
    #[track_caller]
    pub fn worker_steal_count(&self, worker: usize) -> u64 {
        self.worker(worker).steals.get()
    }

    /// How often the worker took tasks from another.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// let metrics = runtime.metrics();
    /// for worker in 0..2 {
    ///     // One can take several tasks.
    ///     let times = metrics.worker_steal_operations(worker);
    ///     assert!(metrics.worker_steal_count(worker) >= times);
    /// }
    /// ```
    #[track_caller]
    pub fn worker_steal_operations(&self, worker: usize) -> u64 {
        self.worker(worker).steal_operations.get()
    }

    /// How many polls the worker made.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    /// runtime.block_on(runtime.spawn(yamanote::task::yield_now())).unwrap();
    /// // Before and after it yielded.
    /// assert!(runtime.metrics().worker_poll_count(0) >= 2);
    /// ```
    #[track_caller]
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        self.worker(worker).polls.get()
    }

    /// How often a task was scheduled by the worker itself, into its own queue.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    /// runtime.block_on(async {
    ///     for _ in 0..5 {
    ///         yamanote::spawn(async {}).await.unwrap(); // by the worker, inside `block_on`
    ///     }
    /// });
    /// assert!(runtime.metrics().worker_local_schedule_count(0) >= 5);
    /// ```
    #[track_caller]
    pub fn worker_local_schedule_count(&self, worker: usize) -> u64 {
        self.worker(worker).local_schedules.get()
    }

    /// How often the worker's queue was full.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    /// let tasks = runtime.spawn(async {
    ///     // More at once than a worker's queue holds.
    ///     let tasks: Vec<_> = (0..10_000).map(|i| yamanote::spawn(async move { i })).collect();
    ///     let mut sum = 0;
    ///     for task in tasks {
    ///         sum += task.await.unwrap();
    ///     }
    ///     sum
    /// });
    /// assert_eq!(runtime.block_on(tasks).unwrap(), 49_995_000);
    /// println!("{} times over full", runtime.metrics().worker_overflow_count(0));
    /// ```
    #[track_caller]
    pub fn worker_overflow_count(&self, worker: usize) -> u64 {
        self.worker(worker).overflows.get()
    }

    /// How many tasks wait in the worker's own queue.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    /// runtime.block_on(async {
    ///     for _ in 0..3 {
    ///         yamanote::spawn(async {});
    ///     }
    /// });
    /// // They have been spawned, and `block_on` ended before it came to them, or after.
    /// assert!(runtime.metrics().worker_local_queue_depth(0) <= 3);
    /// ```
    #[track_caller]
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        let remote = self.remote(worker);
        remote.ring.len() + remote.stats.backlog.get() as usize
    }

    /// How long a poll took on average, lately: the time between two parks, by the polls in it. Zero on a
    /// single-threaded runtime, as upstream has it.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    /// runtime.block_on(runtime.spawn(yamanote::task::yield_now())).unwrap();
    /// println!("{:?} a poll", runtime.metrics().worker_mean_poll_time(0));
    ///
    /// let runtime = Builder::new_current_thread().build().unwrap();
    /// assert_eq!(runtime.metrics().worker_mean_poll_time(0), Duration::ZERO);
    /// ```
    #[track_caller]
    pub fn worker_mean_poll_time(&self, worker: usize) -> Duration {
        if self.handle.shared.is_single() {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.worker(worker).mean_poll_ns.get())
    }

    /// Whether the durations of polls are sorted into buckets.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread().build().unwrap();
    /// assert!(!runtime.metrics().poll_time_histogram_enabled()); // unless asked for
    /// ```
    pub fn poll_time_histogram_enabled(&self) -> bool {
        self.histogram(0).is_some()
    }

    /// The old name of [`poll_time_histogram_enabled`](RuntimeMetrics::poll_time_histogram_enabled).
    #[doc(hidden)]
    #[deprecated = "Renamed to `poll_time_histogram_enabled`"]
    pub fn poll_count_histogram_enabled(&self) -> bool {
        self.poll_time_histogram_enabled()
    }

    /// How many buckets the poll-time histogram has; 0 if it is off.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime =
    ///     Builder::new_current_thread().enable_metrics_poll_time_histogram().build().unwrap();
    /// assert_eq!(runtime.metrics().poll_time_histogram_num_buckets(), 10);
    /// ```
    pub fn poll_time_histogram_num_buckets(&self) -> usize {
        self.histogram(0).map_or(0, |histogram| histogram.layout().buckets())
    }

    /// The old name of [`poll_time_histogram_num_buckets`](RuntimeMetrics::poll_time_histogram_num_buckets).
    #[doc(hidden)]
    #[deprecated = "Renamed to `poll_time_histogram_num_buckets`"]
    pub fn poll_count_histogram_num_buckets(&self) -> usize {
        self.poll_time_histogram_num_buckets()
    }

    /// Which durations a bucket of the poll-time histogram counts; nothing if it is off.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime =
    ///     Builder::new_current_thread().enable_metrics_poll_time_histogram().build().unwrap();
    /// let first = runtime.metrics().poll_time_histogram_bucket_range(0);
    /// assert_eq!(first, Duration::ZERO..Duration::from_micros(100));
    /// ```
    #[track_caller]
    pub fn poll_time_histogram_bucket_range(&self, bucket: usize) -> Range<Duration> {
        self.histogram(0).map_or(Duration::ZERO..Duration::ZERO, |h| h.layout().range(bucket))
    }

    /// The old name of [`poll_time_histogram_bucket_range`](RuntimeMetrics::poll_time_histogram_bucket_range).
    #[doc(hidden)]
    #[deprecated = "Renamed to `poll_time_histogram_bucket_range`"]
    #[track_caller]
    pub fn poll_count_histogram_bucket_range(&self, bucket: usize) -> Range<Duration> {
        self.poll_time_histogram_bucket_range(bucket)
    }

    /// How many of the worker's polls fell into the bucket; 0 if the histogram is off.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime =
    ///     Builder::new_current_thread().enable_metrics_poll_time_histogram().build().unwrap();
    /// runtime.block_on(runtime.spawn(yamanote::task::yield_now())).unwrap();
    /// let metrics = runtime.metrics();
    /// for bucket in 0..metrics.poll_time_histogram_num_buckets() {
    ///     let range = metrics.poll_time_histogram_bucket_range(bucket);
    ///     println!("{range:?}: {} polls", metrics.poll_time_histogram_bucket_count(0, bucket));
    /// }
    /// ```
    #[track_caller]
    pub fn poll_time_histogram_bucket_count(&self, worker: usize, bucket: usize) -> u64 {
        self.histogram(worker).map_or(0, |histogram| histogram.count(bucket))
    }

    /// The old name of [`poll_time_histogram_bucket_count`](RuntimeMetrics::poll_time_histogram_bucket_count).
    #[doc(hidden)]
    #[deprecated = "Renamed to `poll_time_histogram_bucket_count`"]
    #[track_caller]
    pub fn poll_count_histogram_bucket_count(&self, worker: usize, bucket: usize) -> u64 {
        self.poll_time_histogram_bucket_count(worker, bucket)
    }

    /// Whether it is counted how long tasks wait to be polled.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime =
    ///     Builder::new_current_thread().enable_metrics_schedule_latency_histogram().build().unwrap();
    /// assert!(runtime.metrics().schedule_latency_histogram_enabled());
    /// ```
    pub fn schedule_latency_histogram_enabled(&self) -> bool {
        self.latencies(0).is_some()
    }

    /// How many buckets the schedule-latency histogram has; 0 if it is off.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread().build().unwrap();
    /// assert_eq!(runtime.metrics().schedule_latency_histogram_num_buckets(), 0); // off
    /// ```
    pub fn schedule_latency_histogram_num_buckets(&self) -> usize {
        self.latencies(0).map_or(0, |histogram| histogram.layout().buckets())
    }

    /// Which durations a bucket of the schedule-latency histogram counts; nothing if it is off.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime =
    ///     Builder::new_current_thread().enable_metrics_schedule_latency_histogram().build().unwrap();
    /// let metrics = runtime.metrics();
    /// let last = metrics.schedule_latency_histogram_num_buckets() - 1;
    /// // All that is longer.
    /// assert!(metrics.schedule_latency_histogram_bucket_range(last).contains(&Duration::from_secs(60)));
    /// ```
    #[track_caller]
    pub fn schedule_latency_histogram_bucket_range(&self, bucket: usize) -> Range<Duration> {
        self.latencies(0).map_or(Duration::ZERO..Duration::ZERO, |h| h.layout().range(bucket))
    }

    /// How often a task that the worker polled had waited for a time in the bucket; 0 if the histogram is off.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime =
    ///     Builder::new_current_thread().enable_metrics_schedule_latency_histogram().build().unwrap();
    /// runtime.block_on(runtime.spawn(yamanote::task::yield_now())).unwrap();
    /// let metrics = runtime.metrics();
    /// for bucket in 0..metrics.schedule_latency_histogram_num_buckets() {
    ///     let range = metrics.schedule_latency_histogram_bucket_range(bucket);
    ///     println!("waited {range:?}: {}", metrics.schedule_latency_histogram_bucket_count(0, bucket));
    /// }
    /// ```
    #[track_caller]
    pub fn schedule_latency_histogram_bucket_count(&self, worker: usize, bucket: usize) -> u64 {
        self.latencies(worker).map_or(0, |histogram| histogram.count(bucket))
    }

    #[track_caller]
    fn latencies(&self, worker: usize) -> Option<&Histogram> {
        self.remote(worker).latency_histogram.as_ref()
    }

    #[track_caller]
    fn histogram(&self, worker: usize) -> Option<&Histogram> {
        self.remote(worker).poll_histogram.as_ref()
    }

    /// How many polls were found to take longer than the
    /// [limit](crate::runtime::Builder::stall_limit).
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    /// let metrics = runtime.metrics();
    /// let mistake = runtime.spawn(async move {
    ///     while metrics.stall_count() == 0 {
    ///         std::thread::sleep(Duration::from_millis(1)); // until it is noticed
    ///     }
    /// });
    /// runtime.block_on(mistake).unwrap();
    /// assert_eq!(runtime.metrics().stall_count(), 1);
    /// ```
    pub fn stall_count(&self) -> u64 {
        self.handle.shared.monitor.stalls.get()
    }

    /// How many spare workers stand in for stuck ones at the moment.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    /// assert_eq!(runtime.metrics().spare_worker_count(), 0); // nobody is stuck
    /// ```
    pub fn spare_worker_count(&self) -> usize {
        self.handle.shared.crew.spares().0
    }

    /// How often a spare worker was sent to stand in for a stuck one.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    /// let (tell, told) = std::sync::mpsc::channel();
    /// let stuck = runtime.spawn(async move {
    ///     yamanote::spawn(async move { tell.send(()).unwrap() });
    ///     told.recv().unwrap(); // the only worker waits for what somebody else has to run
    /// });
    /// runtime.block_on(stuck).unwrap();
    /// assert!(runtime.metrics().spare_workers_sent_count() >= 1);
    /// ```
    pub fn spare_workers_sent_count(&self) -> u64 {
        self.handle.shared.crew.spares().1
    }

    /// How often the workers were looked at, to find those that are stuck. It stands still while all workers sleep.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    /// let metrics = runtime.metrics();
    /// let busy = runtime.spawn(async move {
    ///     while metrics.monitor_look_count() == 0 {
    ///         yamanote::task::yield_now().await;
    ///     }
    /// });
    /// runtime.block_on(busy).unwrap();
    /// println!("looked {} times", runtime.metrics().monitor_look_count());
    /// ```
    pub fn monitor_look_count(&self) -> u64 {
        self.handle.shared.monitor.looks.get()
    }

    /// The thread that drives the worker, if any does.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    /// let metrics = runtime.metrics();
    /// let driver = runtime.block_on(async { metrics.worker_thread_id(0) });
    /// assert_eq!(driver, Some(std::thread::current().id()));
    /// ```
    #[track_caller]
    pub fn worker_thread_id(&self, worker: usize) -> Option<ThreadId> {
        self.worker(worker).thread()
    }

    /// How many sockets and other sources were ever registered with the event drivers.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let metrics = yamanote::runtime::Handle::current().metrics();
    /// let before = metrics.io_driver_fd_registered_count();
    /// let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    /// # socket.try_recv(&mut [0]).unwrap_err();
    /// assert!(metrics.io_driver_fd_registered_count() <= before + 1);
    /// # }
    /// ```
    #[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
    pub fn io_driver_fd_registered_count(&self) -> u64 {
        self.io(|io| io.fd_registered_count())
    }

    /// How many of them were deregistered again.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let metrics = yamanote::runtime::Handle::current().metrics();
    /// let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    /// drop(socket);
    /// let (ever, over) =
    ///     (metrics.io_driver_fd_registered_count(), metrics.io_driver_fd_deregistered_count());
    /// println!("{} are watched", ever - over);
    /// # }
    /// ```
    #[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
    pub fn io_driver_fd_deregistered_count(&self) -> u64 {
        self.io(|io| io.fd_deregistered_count())
    }

    /// How many events the drivers have delivered.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let metrics = yamanote::runtime::Handle::current().metrics();
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// let to_itself = socket.local_addr()?;
    /// let sending = async {
    ///     yamanote::task::yield_now().await;
    ///     socket.send_to(b"text", to_itself).await
    /// };
    /// let mut buf = [0; 8];
    /// let (received, sent) = yamanote::join!(socket.recv_from(&mut buf), sending);
    /// assert_eq!(received?.0, sent?);
    /// assert!(metrics.io_driver_ready_count() >= 1);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
    pub fn io_driver_ready_count(&self) -> u64 {
        self.io(|io| io.ready_count())
    }

    /// How many operations on files were started in the kernel's io_uring; see [`FileIo::Ring`](crate::runtime::FileIo::Ring).
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::{Builder, FileIo};
    ///
    /// let runtime = Builder::new_current_thread().enable_all().file_io(FileIo::Ring).build().unwrap();
    /// runtime.block_on(yamanote::fs::metadata(".")).unwrap();
    /// println!("{} by the kernel's ring", runtime.metrics().file_ring_operations_count());
    /// ```
    #[cfg(all(feature = "fs", feature = "io-uring"))]
    pub fn file_ring_operations_count(&self) -> u64 {
        self.io(|io| io.ring_count())
    }

    #[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
    fn io(&self, count: fn(&crate::engine::io::IoDriver) -> u64) -> u64 {
        self.handle.shared.remotes.iter().map(|remote| count(&remote.driver.io)).sum()
    }
}

impl std::panic::UnwindSafe for RuntimeMetrics {}
impl std::panic::RefUnwindSafe for RuntimeMetrics {}
