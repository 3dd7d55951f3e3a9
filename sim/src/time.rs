//! Time, which passes when threads run, and jumps when all of them wait.

use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::sync::OnceLock;

pub use ::std::time::{Duration, SystemTime, SystemTimeError, UNIX_EPOCH};

use crate::world;

/// A moment of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// The present.
    #[must_use]
    pub fn now() -> Instant {
        world::point("clock");
        let simulated = world::with(|world| Duration::from_nanos(world.now.get()));
        Instant(simulated.unwrap_or_else(|| {
            static START: OnceLock<::std::time::Instant> = OnceLock::new();
            let start = START.get_or_init(::std::time::Instant::now);
            Duration::from_nanos(world::BEGINNING) + start.elapsed()
        }))
    }

    /// Since `earlier`, or zero.
    #[must_use]
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Since `earlier`, or zero.
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Since `earlier`, if it was earlier.
    #[must_use]
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.0.checked_sub(earlier.0)
    }

    /// Until the present.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Instant::now().duration_since(*self)
    }

    /// Later by `duration`, if that can be represented.
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.0.checked_add(duration).map(Instant)
    }

    /// Earlier by `duration`, if that can be represented.
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.0.checked_sub(duration).map(Instant)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, other: Duration) -> Instant {
        Instant(self.0 + other)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, other: Duration) {
        self.0 += other;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, other: Duration) -> Instant {
        Instant(self.0 - other)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, other: Duration) {
        self.0 -= other;
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;

    fn sub(self, other: Instant) -> Duration {
        self.duration_since(other)
    }
}
