//! What a runtime measures and keeps for who wants to see it.

use std::time::Duration;

use super::Builder;
use crate::engine::limits;
use crate::runtime::{HistogramConfiguration, HistogramScale};

/// What was asked for of the schedule-latency histogram.
#[derive(Default)]
pub(super) struct LatencyHistogram {
    enabled: bool,
    configuration: Option<HistogramConfiguration>,
}

impl LatencyHistogram {
    pub(super) fn configuration(&self) -> Option<HistogramConfiguration> {
        let default = || {
            HistogramConfiguration::linear(limits::POLL_HISTOGRAM_WIDTH, limits::POLL_HISTOGRAM_BUCKETS)
        };
        self.enabled.then(|| self.configuration.clone().unwrap_or_else(default))
    }
}

/// What was asked for of the poll-time histogram.
#[derive(Default)]
pub(super) struct PollHistogram {
    enabled: bool,
    configuration: Option<HistogramConfiguration>,
    /// The old way to configure it.
    scale: Option<HistogramScale>,
    resolution: Option<Duration>,
    buckets: Option<usize>,
}

impl PollHistogram {
    pub(super) fn configuration(&self) -> Option<HistogramConfiguration> {
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
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime =
    ///     Builder::new_current_thread().enable_metrics_schedule_latency_histogram().build().unwrap();
    /// runtime.block_on(runtime.spawn(yamanote::task::yield_now())).unwrap();
    /// let metrics = runtime.metrics();
    /// let waits = (0..metrics.schedule_latency_histogram_num_buckets())
    ///     .map(|bucket| metrics.schedule_latency_histogram_bucket_count(0, bucket))
    ///     .sum::<u64>();
    /// assert!(waits >= 1);
    /// ```
    pub fn enable_metrics_schedule_latency_histogram(&mut self) -> &mut Builder {
        self.latency_histogram.enabled = true;
        self
    }

    /// The layout of the schedule-latency histogram: 10 buckets of 100 microseconds by default.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::{Builder, HistogramConfiguration};
    ///
    /// let by_the_millisecond = HistogramConfiguration::linear(Duration::from_millis(1), 50);
    /// let runtime = Builder::new_current_thread()
    ///     .enable_metrics_schedule_latency_histogram()
    ///     .metrics_schedule_latency_histogram_configuration(by_the_millisecond)
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(runtime.metrics().schedule_latency_histogram_num_buckets(), 50);
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use yamanote::runtime::Builder;
    ///
    /// static KNOWN: AtomicBool = AtomicBool::new(false);
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .track_task_schedule_latency()
    ///     .on_before_task_poll(|task| KNOWN.store(task.schedule_latency().is_some(), Ordering::Relaxed))
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// assert!(KNOWN.load(Ordering::Relaxed));
    /// ```
    pub fn track_task_schedule_latency(&mut self) -> &mut Builder {
        self.track_latency = true;
        self
    }

    /// The scale of the poll-time histogram, the old way.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::{Builder, HistogramScale};
    ///
    /// let doubling = HistogramScale::Log;
    /// #[allow(deprecated)]
    /// let runtime = Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .metrics_poll_count_histogram_scale(doubling)
    ///     .build()
    ///     .unwrap();
    /// // Each bucket is twice as wide as the one before it.
    /// let metrics = runtime.metrics();
    /// let [one, two] = [1, 2].map(|bucket| metrics.poll_time_histogram_bucket_range(bucket));
    /// assert_eq!(two.end - two.start, 2 * (one.end - one.start));
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// #[allow(deprecated)]
    /// let runtime = Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .metrics_poll_count_histogram_resolution(Duration::from_micros(50))
    ///     .build()
    ///     .unwrap();
    /// let first = runtime.metrics().poll_time_histogram_bucket_range(0);
    /// assert_eq!(first, Duration::ZERO..Duration::from_micros(50));
    /// ```
    #[deprecated = "use `metrics_poll_time_histogram_configuration`"]
    #[track_caller]
    pub fn metrics_poll_count_histogram_resolution(&mut self, resolution: Duration) -> &mut Builder {
        assert!(resolution > Duration::ZERO, "the resolution must be greater than zero");
        self.poll_histogram.resolution = Some(resolution);
        self
    }

    /// The number of the poll-time histogram's buckets, the old way.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// #[allow(deprecated)]
    /// let runtime = Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .metrics_poll_count_histogram_buckets(20)
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(runtime.metrics().poll_time_histogram_num_buckets(), 20);
    /// ```
    #[deprecated = "use `metrics_poll_time_histogram_configuration`"]
    pub fn metrics_poll_count_histogram_buckets(&mut self, buckets: usize) -> &mut Builder {
        self.poll_histogram.buckets = Some(buckets);
        self
    }

    /// Lets the reports of [`on_stall`](Builder::on_stall) tell what calls the blocked thread is in:
    /// [`StallReport::backtrace`](crate::runtime::StallReport::backtrace). Off unless asked for. Linux on x86 and 64-bit Arm; elsewhere there is none.
    ///
    /// The thread is sent a signal, whose handler copies its stack: one of the real-time signals that have no handler yet,
    /// chosen when the first stall is reported, and used by all runtimes of the process. A thread that has it blocked
    /// is reported without a backtrace. Nothing happens to threads that are not stuck.
    ///
    /// A system call that the signal interrupts goes on afterwards, but for those that Linux never resumes after a
    /// handler (see signal(7)): `nanosleep`, `poll`, `select`, `epoll_wait` and socket calls with a time limit fail with
    /// `EINTR`. The standard library expects that and goes on, as does what is on top of it; foreign code may not.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use yamanote::runtime::{Builder, StallReport};
    ///
    /// let (tell, told) = mpsc::channel();
    /// let runtime = Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .on_stall(move |stall: &StallReport| tell.send(stall.clone()).unwrap())
    ///     .stall_backtrace(true)
    ///     .build()
    ///     .unwrap();
    /// let task = runtime.spawn(async move { told.recv().unwrap() });
    /// let stall = runtime.block_on(task).unwrap();
    /// if let Some(backtrace) = stall.backtrace() {
    ///     println!("{stall}\n{backtrace}");
    /// }
    /// ```
    #[cfg(feature = "taskdump")]
    pub fn stall_backtrace(&mut self, look: bool) -> &mut Builder {
        self.stall_backtrace = look;
        self
    }

    /// How long a permit may lie with a future that its task passes by before [`on_futurelock`](Builder::on_futurelock)
    /// tells of it. A second unless set.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// // In a program whose locks are held for long:
    /// let runtime = Builder::new_multi_thread()
    ///     .enable_all()
    ///     .futurelock_limit(Duration::from_secs(10))
    ///     .on_futurelock(|report| eprintln!("{report}"))
    ///     .build()
    ///     .unwrap();
    /// # drop(runtime);
    /// ```
    pub fn futurelock_limit(&mut self, limit: Duration) -> &mut Builder {
        self.futurelock_limit = limit;
        self
    }

    /// Keeps a list of all tasks and of what they do, for [`Handle::tasks`](crate::runtime::Handle::tasks). Off unless
    /// asked for: each poll then costs two locks and readings of the clock, each wake a lock.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// let task = runtime.spawn(std::future::pending::<()>());
    /// assert!(runtime.handle().tasks().iter().any(|listed| listed.id() == task.id()));
    /// ```
    pub fn track_tasks(&mut self, track: bool) -> &mut Builder {
        self.track_tasks = track;
        self
    }
}
