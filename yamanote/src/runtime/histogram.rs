//! How the durations of polls are sorted into buckets.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use crate::util::{Counter, defaults};

/// The old way to choose a histogram's scale; see [`HistogramConfiguration`].
///
/// # Examples
/// ```
/// use yamanote::runtime::{Builder, HistogramScale};
///
/// #[allow(deprecated)]
/// let runtime = Builder::new_current_thread()
///     .enable_metrics_poll_time_histogram()
///     .metrics_poll_count_histogram_scale(HistogramScale::Linear)
///     .build()
///     .unwrap();
/// assert_eq!(runtime.metrics().poll_time_histogram_num_buckets(), 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistogramScale {
    /// Buckets of one width.
    Linear,
    /// Each bucket twice as wide as the one before.
    Log,
}

/// How a histogram's buckets are laid out.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use yamanote::runtime::{Builder, HistogramConfiguration, LogHistogram};
///
/// let up_to_ten_seconds = LogHistogram::builder().max_value(Duration::from_secs(10));
/// let layout = HistogramConfiguration::log(up_to_ten_seconds);
/// let runtime = Builder::new_current_thread()
///     .enable_metrics_poll_time_histogram()
///     .metrics_poll_time_histogram_configuration(layout)
///     .build()
///     .unwrap();
/// runtime.block_on(async { yamanote::spawn(async {}).await.unwrap() });
/// assert!(runtime.metrics().poll_time_histogram_enabled());
/// ```
#[derive(Clone, Debug)]
pub struct HistogramConfiguration {
    pub(crate) layout: Layout,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    Linear {
        width_ns: u64,
        buckets: usize,
    },
    /// The old logarithmic layout: the first bucket's width is a power of two, then they double.
    Doubling {
        width_ns: u64,
        buckets: usize,
    },
    Log(LogHistogram),
}

impl HistogramConfiguration {
    /// Buckets of one width; the last one takes all that is longer.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::{Builder, HistogramConfiguration};
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .metrics_poll_time_histogram_configuration(HistogramConfiguration::linear(
    ///         Duration::from_micros(100),
    ///         3,
    ///     ))
    ///     .build()
    ///     .unwrap();
    /// let last = runtime.metrics().poll_time_histogram_bucket_range(2);
    /// assert_eq!(last.start, Duration::from_micros(200));
    /// assert!(last.contains(&Duration::from_secs(3_600)));
    /// ```
    pub fn linear(bucket_width: Duration, num_buckets: usize) -> HistogramConfiguration {
        HistogramConfiguration {
            layout: Layout::Linear { width_ns: nanos(bucket_width).max(1), buckets: num_buckets.max(1) },
        }
    }

    /// Buckets whose width grows with the value, so that the relative error stays bounded.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::{Builder, HistogramConfiguration, LogHistogram};
    ///
    /// // From a microsecond to a second, each known to within an eighth.
    /// let log = LogHistogram::builder()
    ///     .min_value(Duration::from_micros(1))
    ///     .max_value(Duration::from_secs(1))
    ///     .max_error(0.125);
    /// let runtime = Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .metrics_poll_time_histogram_configuration(HistogramConfiguration::log(log))
    ///     .build()
    ///     .unwrap();
    /// let range = runtime.metrics().poll_time_histogram_bucket_range(50);
    /// assert!(range.end - range.start <= range.start / 8);
    /// ```
    pub fn log(configuration: impl Into<LogHistogram>) -> HistogramConfiguration {
        HistogramConfiguration { layout: Layout::Log(configuration.into()) }
    }

    pub(crate) fn doubling(width: Duration, buckets: usize) -> HistogramConfiguration {
        HistogramConfiguration {
            layout: Layout::Doubling {
                width_ns: nanos(width).max(1).next_power_of_two(),
                buckets: buckets.max(1),
            },
        }
    }
}

impl Layout {
    pub(crate) fn buckets(&self) -> usize {
        match *self {
            Layout::Linear { buckets, .. } | Layout::Doubling { buckets, .. } => buckets,
            Layout::Log(log) => log.buckets,
        }
    }

    pub(crate) fn bucket_of(&self, value_ns: u64) -> usize {
        match *self {
            Layout::Linear { width_ns, buckets } => {
                usize::try_from(value_ns / width_ns).unwrap_or(usize::MAX).min(buckets - 1)
            }
            Layout::Doubling { width_ns, buckets } => match value_ns / width_ns {
                0 => 0,
                n => (n.ilog2() as usize + 1).min(buckets - 1),
            },
            Layout::Log(log) => log.bucket_of(value_ns),
        }
    }

    /// # Panics
    /// If there is no such bucket.
    #[track_caller]
    pub(crate) fn range(&self, bucket: usize) -> Range<Duration> {
        assert!(bucket < self.buckets(), "no such bucket: {bucket}");
        let start = |bucket: usize| match *self {
            Layout::Linear { width_ns, .. } => width_ns.saturating_mul(bucket as u64),
            Layout::Doubling { width_ns, .. } => match bucket {
                0 => 0,
                n => width_ns.checked_shl(n as u32 - 1).unwrap_or(u64::MAX),
            },
            Layout::Log(log) => log.start_of(bucket),
        };
        let end = if bucket + 1 == self.buckets() { u64::MAX } else { start(bucket + 1) };
        Duration::from_nanos(start(bucket))..Duration::from_nanos(end)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A logarithmic histogram with a bounded relative error, as in "H2" histograms.
///
/// The range of each power of two is cut into 2^*p* buckets of one width, so a value is known to within
/// 1 part in 2^*p*. What is below the smallest value of interest shares the first bucket, what is above the
/// largest the last one.
///
/// # Examples
/// ```
/// use yamanote::runtime::{HistogramConfiguration, LogHistogram};
///
/// let layout = LogHistogram::default();
/// assert!(layout.max_value() >= 60_000_000_000, "a minute at least, in nanoseconds");
/// let configuration = HistogramConfiguration::log(layout);
/// # drop(configuration);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHistogram {
    /// Each power of two is cut into 2^p buckets.
    p: u32,
    /// The bucket of the full layout, which begins at 0, that the second one here is.
    offset: usize,
    buckets: usize,
}

/// 1 part in 4.
const DEFAULT_ERROR: f64 = 0.25;
const DEFAULT_MIN: Duration = Duration::from_nanos(100);
const DEFAULT_MAX: Duration = Duration::from_secs(60);

impl LogHistogram {
    /// Starts configuring one.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::LogHistogram;
    ///
    /// assert_eq!(LogHistogram::builder().build(), LogHistogram::default());
    /// ```
    pub fn builder() -> LogHistogramBuilder {
        LogHistogramBuilder::default()
    }

    /// The largest value, in nanoseconds, that is told apart from all larger ones.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::LogHistogram;
    ///
    /// let layout = LogHistogram::builder().max_value(Duration::from_micros(10)).build();
    /// // Up to the end of a bucket, so somewhat more than asked for.
    /// assert!((10_000..20_000).contains(&layout.max_value()));
    /// ```
    pub fn max_value(&self) -> u64 {
        self.start_of(self.buckets - 1).saturating_sub(1)
    }

    fn new(p: u32, min_ns: u64, max_ns: u64) -> LogHistogram {
        // One for what is below, one for each up to the largest value's, one for what is above.
        let offset = full_bucket(p, min_ns);
        let last = full_bucket(p, max_ns);
        LogHistogram { p, offset, buckets: last.saturating_sub(offset) + 3 }
    }

    fn bucket_of(&self, value_ns: u64) -> usize {
        (full_bucket(self.p, value_ns) + 1).saturating_sub(self.offset).min(self.buckets - 1)
    }

    fn start_of(&self, bucket: usize) -> u64 {
        match bucket {
            0 => 0,
            n => full_start(self.p, n - 1 + self.offset),
        }
    }
}

/// The bucket of a value when all from 0 on are counted.
fn full_bucket(p: u32, value: u64) -> usize {
    if value < 1 << p {
        return value as usize;
    }
    let power = value.ilog2();
    let within = (value >> (power - p)) - (1 << p);
    (((power - p + 1) as usize) << p) + within as usize
}

/// The smallest value of a bucket when all from 0 on are counted.
fn full_start(p: u32, bucket: usize) -> u64 {
    let (group, within) = (bucket >> p, (bucket & ((1 << p) - 1)) as u64);
    match group {
        0 => within,
        n => ((1u64 << p) + within).checked_shl(n as u32 - 1).unwrap_or(u64::MAX),
    }
}

impl Default for LogHistogram {
    fn default() -> Self {
        LogHistogramBuilder::default().build()
    }
}

impl From<LogHistogramBuilder> for LogHistogram {
    fn from(builder: LogHistogramBuilder) -> Self {
        builder.build()
    }
}

/// Configures a [`LogHistogram`].
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use yamanote::runtime::LogHistogram;
///
/// let layout = LogHistogram::builder()
///     .min_value(Duration::from_micros(10))
///     .max_value(Duration::from_secs(1))
///     .precision_exact(1)
///     .build();
/// assert!(layout.max_value() >= 1_000_000_000);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LogHistogramBuilder {
    max_value: Option<Duration>,
    min_value: Option<Duration>,
    precision: Option<u32>,
}

impl LogHistogramBuilder {
    /// The largest relative error of a value, between 0 and 1. A quarter by default.
    ///
    /// # Panics
    /// If `max_error` is not above 0 and at most 1.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::LogHistogram;
    ///
    /// let coarse = LogHistogram::builder().max_error(0.5).build();
    /// // Half is one bit.
    /// assert_eq!(coarse, LogHistogram::builder().precision_exact(1).build());
    /// ```
    #[track_caller]
    pub fn max_error(mut self, max_error: f64) -> Self {
        assert!(max_error > 0.0, "max_error must be greater than 0");
        assert!(max_error <= 1.0, "max_error must be less than or equal to 1.0");
        let mut p = 0;
        while 2f64.powi(-p) > max_error && p < 16 {
            p += 1;
        }
        self.precision = Some(p as u32);
        self
    }

    /// Each power of two is cut into 2^`p` buckets.
    ///
    /// # Panics
    /// If `p` is above 10.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::LogHistogram;
    ///
    /// // Cuts 4 to 8 µs, say, into eight, and so every power of two.
    /// let fine = LogHistogram::builder().precision_exact(3).build();
    /// assert_eq!(fine, LogHistogram::builder().max_error(0.125).build());
    /// ```
    #[track_caller]
    pub fn precision_exact(mut self, p: u32) -> Self {
        assert!(p <= 10, "precision must be less than or equal to 10");
        self.precision = Some(p);
        self
    }

    /// Durations below this one share a bucket. 100 nanoseconds by default.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::LogHistogram;
    ///
    /// // Saves buckets for what nobody asks about.
    /// let layout = |min| LogHistogram::builder().min_value(min).max_buckets(100);
    /// assert!(layout(Duration::from_millis(1)).is_ok());
    /// assert!(layout(Duration::from_nanos(1)).is_err());
    /// ```
    pub fn min_value(mut self, duration: Duration) -> Self {
        self.min_value = Some(duration);
        self
    }

    /// Durations above this one share a bucket. 60 seconds by default.
    ///
    /// # Panics
    /// If it is zero.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::LogHistogram;
    ///
    /// let layout = LogHistogram::builder().max_value(Duration::from_millis(100)).build();
    /// assert!(layout.max_value() < LogHistogram::default().max_value());
    /// ```
    #[track_caller]
    pub fn max_value(mut self, duration: Duration) -> Self {
        assert!(duration > Duration::ZERO, "max value must be greater than 0");
        self.max_value = Some(duration);
        self
    }

    /// Makes the histogram, unless it would have more than `max_buckets` buckets.
    ///
    /// # Errors
    /// If it would.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::{InvalidHistogramConfiguration, LogHistogram};
    ///
    /// let mut fine = LogHistogram::builder().precision_exact(6);
    /// let Err(InvalidHistogramConfiguration::TooManyBuckets { required_bucket_count }) =
    ///     fine.max_buckets(100)
    /// else {
    ///     panic!("64 for each power of two");
    /// };
    /// assert!(fine.max_buckets(required_bucket_count).is_ok());
    /// ```
    pub fn max_buckets(
        &mut self,
        max_buckets: usize,
    ) -> Result<LogHistogram, InvalidHistogramConfiguration> {
        let histogram = self.build();
        if histogram.buckets > max_buckets {
            return Err(InvalidHistogramConfiguration::TooManyBuckets {
                required_bucket_count: histogram.buckets,
            });
        }
        Ok(histogram)
    }

    /// Makes the histogram.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::LogHistogram;
    ///
    /// let layout: LogHistogram = LogHistogram::builder().max_error(0.25).build();
    /// assert_eq!(layout, LogHistogram::default());
    /// ```
    pub fn build(&self) -> LogHistogram {
        let max = nanos(self.max_value.unwrap_or(DEFAULT_MAX));
        // The precision's default is that of `DEFAULT_ERROR`: a quarter is 2^-2.
        let p = self.precision.unwrap_or((1.0 / DEFAULT_ERROR).log2() as u32);
        let min = nanos(self.min_value.unwrap_or(DEFAULT_MIN)).min(max);
        LogHistogram::new(p, min, max)
    }
}

/// Why a histogram cannot be made.
///
/// # Examples
/// ```
/// use yamanote::runtime::LogHistogram;
///
/// let error = LogHistogram::builder().precision_exact(10).max_buckets(1_000).unwrap_err();
/// println!("{error}"); // the configuration needs … buckets
/// ```
#[derive(Debug)]
pub enum InvalidHistogramConfiguration {
    /// It would have more buckets than allowed.
    TooManyBuckets {
        /// How many it would have.
        required_bucket_count: usize,
    },
}

impl fmt::Display for InvalidHistogramConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyBuckets { required_bucket_count } => {
                write!(f, "the configuration needs {required_bucket_count} buckets")
            }
        }
    }
}

impl std::error::Error for InvalidHistogramConfiguration {}

/// A worker's histogram: the layout and the counts, which the worker alone writes.
#[derive(Debug)]
pub(crate) struct Histogram {
    layout: Layout,
    counts: Box<[Counter]>,
}

impl Histogram {
    pub(crate) fn new(configuration: &HistogramConfiguration) -> Self {
        let layout = configuration.layout;
        Histogram { layout, counts: defaults(layout.buckets()) }
    }

    pub(crate) fn record(&self, duration: Duration) {
        self.counts[self.layout.bucket_of(nanos(duration))].add(1);
    }

    #[track_caller]
    pub(crate) fn count(&self, bucket: usize) -> u64 {
        self.counts[bucket].get()
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn buckets_join_without_gaps_and_hold_their_values() {
        for p in 0..=4 {
            let log = LogHistogramBuilder::default().precision_exact(p).build();
            let layout = Layout::Log(log);
            for bucket in 0..layout.buckets() {
                let range = layout.range(bucket);
                if bucket > 0 {
                    assert_eq!(layout.range(bucket - 1).end, range.start);
                }
                assert_eq!(layout.bucket_of(nanos(range.start)), bucket, "p = {p}");
                assert_eq!(layout.bucket_of(nanos(range.end) - 1), bucket, "p = {p}");
            }
        }
    }
}
