//! Moments of the runtime's clock.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

use crate::engine::timer;

/// A moment, as shown by a clock that never runs backwards.
///
/// Wraps [`std::time::Instant`], into which it converts and from which it is made, so that
/// [`now`](Instant::now) can follow the runtime's clock: with the feature `test-util` that clock may be
/// [paused](crate::time::pause) and moved by hand. Otherwise the two show the same.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use yamanote::time::Instant;
///
/// let start = Instant::now();
/// let later = start + Duration::from_secs(1);
/// assert_eq!(later - start, Duration::from_secs(1));
/// // What would be negative is zero.
/// assert_eq!(start - later, Duration::ZERO);
/// ```
#[derive(Clone, Copy, Eq, PartialEq, PartialOrd, Ord, Hash)]
pub struct Instant {
    std: std::time::Instant,
}

impl Instant {
    /// The present moment.
    ///
    /// # Examples
    /// ```
    /// use yamanote::time::Instant;
    ///
    /// assert!(Instant::now() <= Instant::now());
    /// ```
    #[inline]
    pub fn now() -> Instant {
        Instant { std: timer::now() }
    }

    /// A moment so far away that nobody waits for it: what stands for deadlines that cannot be represented.
    pub(crate) fn far_future(now: std::time::Instant) -> Instant {
        // Thirty years. More may overflow what some operating systems can represent.
        Instant { std: now + Duration::from_secs(30 * 365 * 24 * 60 * 60) }
    }

    /// `after` later than `now`, or [`far_future`](Self::far_future).
    #[inline]
    pub(crate) fn after(now: std::time::Instant, after: Duration) -> Instant {
        match now.checked_add(after) {
            Some(std) => Instant { std },
            None => Instant::far_future(now),
        }
    }

    /// Wraps the standard library's type.
    ///
    /// # Examples
    /// ```
    /// use yamanote::time::Instant;
    ///
    /// let instant = std::time::Instant::now();
    /// assert_eq!(Instant::from_std(instant).into_std(), instant);
    /// ```
    pub fn from_std(std: std::time::Instant) -> Instant {
        Instant { std }
    }

    /// The wrapped value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::time::Instant;
    ///
    /// let instant: std::time::Instant = Instant::now().into_std();
    /// # let _ = instant;
    /// ```
    pub fn into_std(self) -> std::time::Instant {
        self.std
    }

    /// How much later this is than `earlier`; zero if it is not later.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::Instant;
    ///
    /// let now = Instant::now();
    /// let later = now + Duration::from_secs(60);
    /// assert_eq!(later.duration_since(now), Duration::from_secs(60));
    /// assert_eq!(now.duration_since(later), Duration::ZERO);
    /// ```
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// How much later this is than `earlier`; `None` if it is earlier.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::Instant;
    ///
    /// let now = Instant::now();
    /// let later = now + Duration::from_millis(5);
    /// assert_eq!(later.checked_duration_since(now), Some(Duration::from_millis(5)));
    /// assert_eq!(now.checked_duration_since(later), None);
    /// ```
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.std.checked_duration_since(earlier.std)
    }

    /// How much later this is than `earlier`; zero if it is not later.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::Instant;
    ///
    /// let now = Instant::now();
    /// assert_eq!(now.saturating_duration_since(now + Duration::from_secs(1)), Duration::ZERO);
    /// ```
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// How long ago this was; zero if it lies ahead.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::time::{Duration, Instant, sleep};
    ///
    /// let start = Instant::now();
    /// sleep(Duration::from_millis(10)).await;
    /// assert!(start.elapsed() >= Duration::from_millis(10));
    /// # }
    /// ```
    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(*self)
    }

    /// The moment `duration` later, if it can be represented.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::Instant;
    ///
    /// let now = Instant::now();
    /// assert!(now.checked_add(Duration::from_secs(60)).is_some());
    /// assert_eq!(now.checked_add(Duration::MAX), None);
    /// ```
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_add(duration).map(Instant::from_std)
    }

    /// The moment `duration` earlier, if it can be represented.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::Instant;
    ///
    /// let now = Instant::now();
    /// let later = now + Duration::from_secs(60);
    /// assert_eq!(later.checked_sub(Duration::from_secs(60)), Some(now));
    /// ```
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_sub(duration).map(Instant::from_std)
    }
}

impl From<std::time::Instant> for Instant {
    fn from(std: std::time::Instant) -> Instant {
        Instant::from_std(std)
    }
}

impl From<Instant> for std::time::Instant {
    fn from(instant: Instant) -> std::time::Instant {
        instant.into_std()
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    /// # Panics
    /// If the result cannot be represented.
    fn add(self, duration: Duration) -> Instant {
        Instant::from_std(self.std + duration)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    /// # Panics
    /// If the result cannot be represented.
    fn sub(self, duration: Duration) -> Instant {
        Instant::from_std(self.std - duration)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std.fmt(f)
    }
}
