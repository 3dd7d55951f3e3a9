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
    pub fn num_workers(&self) -> usize {
        self.handle.shared.workers()
    }

    /// How many tasks have been spawned and have not ended.
    pub fn num_alive_tasks(&self) -> usize {
        self.handle.shared.alive_tasks() as usize
    }

    /// The old name of [`num_alive_tasks`](RuntimeMetrics::num_alive_tasks).
    pub fn active_tasks_count(&self) -> usize {
        self.num_alive_tasks()
    }

    /// How many tasks were ever spawned.
    pub fn spawned_tasks_count(&self) -> u64 {
        self.handle.shared.spawned_tasks()
    }

    /// How many threads the blocking pool has.
    pub fn num_blocking_threads(&self) -> usize {
        self.handle.shared.pool.threads()
    }

    /// How many threads of the blocking pool wait for a job.
    pub fn num_idle_blocking_threads(&self) -> usize {
        self.handle.shared.pool.idle_threads()
    }

    /// How many blocking jobs wait for a thread.
    pub fn blocking_queue_depth(&self) -> usize {
        self.handle.shared.pool.queue_depth()
    }

    /// How many runnable tasks wait where every worker may take them.
    pub fn global_queue_depth(&self) -> usize {
        self.handle.shared.remotes.iter().map(|remote| remote.inbox.len()).sum()
    }

    /// The old name of [`global_queue_depth`](RuntimeMetrics::global_queue_depth).
    #[doc(hidden)]
    pub fn injection_queue_depth(&self) -> usize {
        self.global_queue_depth()
    }

    /// How often a task was scheduled from a thread that is no worker of the runtime.
    pub fn remote_schedule_count(&self) -> u64 {
        self.handle.shared.remotes.iter().map(|remote| remote.inbox.pushed()).sum()
    }

    /// How often a task had to let others run because its budget was spent.
    pub fn budget_forced_yield_count(&self) -> u64 {
        self.handle.shared.forced_yields.get()
    }

    /// How long the worker was busy: not parked.
    #[track_caller]
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        self.worker(worker).busy()
    }

    /// How often the worker parked.
    #[track_caller]
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        self.worker(worker).parks.get()
    }

    /// How often the worker parked or unparked: odd while it is parked.
    #[track_caller]
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        self.worker(worker).park_unparks.get()
    }

    /// How often the worker woke up and found nothing to do.
    #[track_caller]
    pub fn worker_noop_count(&self, worker: usize) -> u64 {
        self.worker(worker).noops.get()
    }

    /// How many tasks the worker took from others.
    #[track_caller]
    pub fn worker_steal_count(&self, worker: usize) -> u64 {
        self.worker(worker).steals.get()
    }

    /// How often the worker took tasks from another.
    #[track_caller]
    pub fn worker_steal_operations(&self, worker: usize) -> u64 {
        self.worker(worker).steal_operations.get()
    }

    /// How many polls the worker made.
    #[track_caller]
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        self.worker(worker).polls.get()
    }

    /// How often a task was scheduled by the worker itself, into its own queue.
    #[track_caller]
    pub fn worker_local_schedule_count(&self, worker: usize) -> u64 {
        self.worker(worker).local_schedules.get()
    }

    /// How often the worker's queue was full.
    #[track_caller]
    pub fn worker_overflow_count(&self, worker: usize) -> u64 {
        self.worker(worker).overflows.get()
    }

    /// How many tasks wait in the worker's own queue.
    #[track_caller]
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        let remote = self.remote(worker);
        remote.ring.len() + remote.stats.backlog.get() as usize
    }

    /// How long a poll took on average, lately: the time between two parks, by the polls in it. Zero on a
    /// single-threaded runtime, as upstream has it.
    #[track_caller]
    pub fn worker_mean_poll_time(&self, worker: usize) -> Duration {
        if self.handle.shared.is_single() {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.worker(worker).mean_poll_ns.get())
    }

    /// Whether the durations of polls are sorted into buckets.
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
    pub fn schedule_latency_histogram_enabled(&self) -> bool {
        self.latencies(0).is_some()
    }

    /// How many buckets the schedule-latency histogram has; 0 if it is off.
    pub fn schedule_latency_histogram_num_buckets(&self) -> usize {
        self.latencies(0).map_or(0, |histogram| histogram.layout().buckets())
    }

    /// Which durations a bucket of the schedule-latency histogram counts; nothing if it is off.
    #[track_caller]
    pub fn schedule_latency_histogram_bucket_range(&self, bucket: usize) -> Range<Duration> {
        self.latencies(0).map_or(Duration::ZERO..Duration::ZERO, |h| h.layout().range(bucket))
    }

    /// How often a task that the worker polled had waited for a time in the bucket; 0 if the histogram is off.
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
    pub fn stall_count(&self) -> u64 {
        self.handle.shared.monitor.stalls.get()
    }

    /// How many spare workers stand in for stuck ones at the moment.
    pub fn spare_worker_count(&self) -> usize {
        self.handle.shared.crew.spares().0
    }

    /// How often a spare worker was sent to stand in for a stuck one.
    pub fn spare_workers_sent_count(&self) -> u64 {
        self.handle.shared.crew.spares().1
    }

    /// How often the workers were looked at, to find those that are stuck. It stands still while all workers sleep.
    pub fn monitor_look_count(&self) -> u64 {
        self.handle.shared.monitor.looks.get()
    }

    /// The thread that drives the worker, if any does.
    #[track_caller]
    pub fn worker_thread_id(&self, worker: usize) -> Option<ThreadId> {
        self.worker(worker).thread()
    }

    /// How many sockets and other sources were ever registered with the event drivers.
    #[cfg(any(feature = "net", feature = "process", feature = "signal"))]
    pub fn io_driver_fd_registered_count(&self) -> u64 {
        self.io(|io| io.fd_registered_count())
    }

    /// How many of them were deregistered again.
    #[cfg(any(feature = "net", feature = "process", feature = "signal"))]
    pub fn io_driver_fd_deregistered_count(&self) -> u64 {
        self.io(|io| io.fd_deregistered_count())
    }

    /// How many events the drivers have delivered.
    #[cfg(any(feature = "net", feature = "process", feature = "signal"))]
    pub fn io_driver_ready_count(&self) -> u64 {
        self.io(|io| io.ready_count())
    }

    #[cfg(any(feature = "net", feature = "process", feature = "signal"))]
    fn io(&self, count: impl Fn(&crate::engine::io::IoDriver) -> u64) -> u64 {
        self.handle.shared.remotes.iter().map(|remote| count(&remote.driver.io)).sum()
    }
}

impl std::panic::UnwindSafe for RuntimeMetrics {}
impl std::panic::RefUnwindSafe for RuntimeMetrics {}
