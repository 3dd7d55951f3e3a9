//! Something to be done every so often.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::engine::instrument::{Inherits, Resource};
use crate::time::{Instant, Sleep, sleep_until};

/// How late a tick may be and still count as in time: timers have a granularity of a millisecond, and a
/// task is not polled at the instant it is woken. Upstream's number, on which the tick times of its users rest.
const SLACK: Duration = Duration::from_millis(5);

/// Ticks at once and then every `period`.
///
/// An interval differs from a [`sleep`](crate::time::sleep) in a loop in that it takes off what the loop's body takes:
/// it keeps the rhythm, not the pause. What happens when the body takes longer than a period is up to the
/// [`MissedTickBehavior`], which is [`Burst`](MissedTickBehavior::Burst) unless set.
///
/// # Panics
/// If `period` is zero. Outside a runtime, and in a runtime without timers.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::time::{Duration, Instant, interval};
///
/// let start = Instant::now();
/// let mut interval = interval(Duration::from_millis(10));
/// interval.tick().await; // at once
/// interval.tick().await;
/// interval.tick().await;
/// assert!(start.elapsed() >= Duration::from_millis(20));
/// # }
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    check(period);
    new(Instant::now(), period)
}

/// Ticks at `start` and then every `period`.
///
/// As [`interval`] otherwise.
///
/// # Panics
/// If `period` is zero. Outside a runtime, and in a runtime without timers.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::time::{Duration, Instant, interval_at};
///
/// let start = Instant::now() + Duration::from_millis(10);
/// let mut interval = interval_at(start, Duration::from_millis(5));
/// assert_eq!(interval.tick().await, start);
/// assert_eq!(interval.tick().await, start + Duration::from_millis(5));
/// # }
/// ```
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    check(period);
    new(start, period)
}

#[track_caller]
fn check(period: Duration) {
    assert!(!period.is_zero(), "`period` must be non-zero.");
}

#[track_caller]
fn new(start: Instant, period: Duration) -> Interval {
    let resource = Resource::interval();
    let delay = Box::pin(sleep_until(start));
    Interval { delay, period, behavior: MissedTickBehavior::default(), resource }
}

/// What an [`Interval`] does when it was not polled in time.
///
/// A tick counts as missed when it is taken more than 5 milliseconds late.
///
/// # Examples
/// An interval of ten milliseconds, of which the second tick is taken at 25 instead of 10:
/// ```
/// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use yamanote::time::{self, Duration, Instant, MissedTickBehavior, interval};
///
/// async fn third_and_fourth(behavior: MissedTickBehavior) -> [u128; 2] {
///     let start = Instant::now();
///     let mut interval = interval(Duration::from_millis(10));
///     interval.set_missed_tick_behavior(behavior);
///     interval.tick().await;
///     time::advance(Duration::from_millis(25)).await;
///     interval.tick().await;
///     let third = interval.tick().await - start;
///     let fourth = interval.tick().await - start;
///     [third.as_millis(), fourth.as_millis()]
/// }
///
/// assert_eq!(third_and_fourth(MissedTickBehavior::Burst).await, [20, 30]);
/// assert_eq!(third_and_fourth(MissedTickBehavior::Delay).await, [35, 45]);
/// assert_eq!(third_and_fourth(MissedTickBehavior::Skip).await, [30, 40]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// Makes up for it: ticks follow at once until the interval is where it would have been.
    ///
    /// For what has to be done as many times as there were periods.
    #[default]
    Burst,

    /// Counts anew from the tick that came late: there is a whole period between any two ticks.
    ///
    /// For what must not be done too often.
    Delay,

    /// Leaves out the ticks that were missed: goes on at the next multiple of the period from the start.
    ///
    /// For what has to be done at certain times or not at all.
    Skip,
}

impl MissedTickBehavior {
    /// The tick after `tick`, which was taken late at `now`.
    fn next(self, tick: Instant, now: Instant, period: Duration) -> Instant {
        match self {
            MissedTickBehavior::Burst => Instant::after(tick.into_std(), period),
            MissedTickBehavior::Delay => Instant::after(now.into_std(), period),
            MissedTickBehavior::Skip => {
                // Less than a period, and a late tick is less than centuries late.
                let over = (now - tick).as_nanos() % period.as_nanos();
                let over = Duration::from_nanos(over.try_into().unwrap_or(u64::MAX));
                Instant::after(now.into_std(), period.saturating_sub(over))
            }
        }
    }
}

/// Ticks at a fixed rate: from [`interval`] and [`interval_at`].
///
/// It can be turned into a stream by the wrapper of the same kind in a stream library.
#[derive(Debug)]
pub struct Interval {
    /// Waits for the next tick.
    delay: Pin<Box<Sleep>>,
    period: Duration,
    behavior: MissedTickBehavior,
    resource: Resource,
}

impl Interval {
    /// Waits for the next tick, and tells when it was due.
    ///
    /// # Cancel safety
    /// Safe: if the future is dropped before it completes, no tick is lost.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::time::{Duration, interval};
    ///
    /// let mut interval = interval(Duration::from_millis(2));
    /// let first = interval.tick().await;
    /// assert_eq!(interval.tick().await, first + Duration::from_millis(2));
    /// # }
    /// ```
    pub async fn tick(&mut self) -> Instant {
        let resource = self.resource.clone();
        let tick = move || poll_fn(move |cx| self.poll_tick(cx));
        resource.operation("Interval::tick", "poll_tick", Inherits::No, tick).await
    }

    /// Polls for the next tick.
    ///
    /// When it answers `Pending`, the task is woken for the next tick; only the last task that polled is. When
    /// it answers `Ready` with the time at which the tick was due, nothing is arranged for the next one: poll
    /// again.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::time::Duration;
    /// use yamanote::time::{Instant, interval};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut ticks = interval(Duration::from_millis(1));
    /// let first = poll_fn(|cx| ticks.poll_tick(cx)).await;
    /// assert!(first <= Instant::now());
    /// # }
    /// ```
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        use std::future::Future;

        ready!(self.delay.as_mut().poll(cx));
        let tick = self.delay.deadline();
        let now = Instant::from_std(self.delay.now());
        let next = if now - tick > SLACK {
            self.behavior.next(tick, now, self.period)
        } else {
            Instant::after(tick.into_std(), self.period)
        };
        self.delay.as_mut().reset_to(next, next > now);
        Poll::Ready(tick)
    }

    /// Starts over: the next tick comes a period from now.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// use yamanote::time::{self, Duration, Instant, interval};
    ///
    /// let start = Instant::now();
    /// let mut interval = interval(Duration::from_millis(100));
    /// interval.tick().await;
    /// time::advance(Duration::from_millis(50)).await;
    /// interval.reset();
    /// interval.tick().await;
    /// assert_eq!(start.elapsed(), Duration::from_millis(150));
    /// # }
    /// ```
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// Makes the next tick come at once; those after it follow a period apart.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// use yamanote::time::{Duration, Instant, interval};
    ///
    /// let start = Instant::now();
    /// let mut interval = interval(Duration::from_millis(100));
    /// interval.tick().await;
    /// interval.reset_immediately();
    /// interval.tick().await;
    /// assert_eq!(start.elapsed(), Duration::ZERO);
    /// # }
    /// ```
    pub fn reset_immediately(&mut self) {
        self.reset_after(Duration::ZERO);
    }

    /// Makes the next tick come `after` from now; those after it follow a period apart.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// use yamanote::time::{Duration, Instant, interval};
    ///
    /// let start = Instant::now();
    /// let mut interval = interval(Duration::from_millis(100));
    /// interval.tick().await;
    /// interval.reset_after(Duration::from_millis(30));
    /// interval.tick().await;
    /// assert_eq!(start.elapsed(), Duration::from_millis(30));
    /// # }
    /// ```
    pub fn reset_after(&mut self, after: Duration) {
        self.reset_at(Instant::after(self.delay.now(), after));
    }

    /// Makes the next tick come at `deadline`, which may be past; those after it follow a period apart.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// use yamanote::time::{Duration, Instant, interval};
    ///
    /// let start = Instant::now();
    /// let mut interval = interval(Duration::from_millis(100));
    /// interval.tick().await;
    /// interval.reset_at(start + Duration::from_secs(1));
    /// assert_eq!(interval.tick().await, start + Duration::from_secs(1));
    /// # }
    /// ```
    pub fn reset_at(&mut self, deadline: Instant) {
        self.delay.as_mut().reset(deadline);
    }

    /// What happens when a tick is missed.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::{MissedTickBehavior, interval};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let ticks = interval(Duration::from_secs(1));
    /// assert_eq!(ticks.missed_tick_behavior(), MissedTickBehavior::Burst);
    /// # }
    /// ```
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.behavior
    }

    /// Sets what happens when a tick is missed.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::{MissedTickBehavior, advance, interval};
    ///
    /// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let mut ticks = interval(Duration::from_secs(1));
    /// ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    /// let first = ticks.tick().await;
    /// advance(Duration::from_millis(3_500)).await;
    /// ticks.tick().await; // at once, and late: two more were missed and are left out
    /// assert_eq!(ticks.tick().await, first + Duration::from_secs(4));
    /// # }
    /// ```
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.behavior = behavior;
    }

    /// The time between two ticks.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::interval;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(interval(Duration::from_secs(1)).period(), Duration::from_secs(1));
    /// # }
    /// ```
    pub fn period(&self) -> Duration {
        self.period
    }
}
