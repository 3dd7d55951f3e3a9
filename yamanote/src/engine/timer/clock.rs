//! The only place where the runtime's timers read time.
//!
//! One clock a runtime. It counts in ticks from when it was made. A deadline is rounded up to the next tick
//! and the present down to the last one, so that no timer fires early. Under test the clock may be
//! stopped and moved by hand: see [`freeze`](super::freeze), which costs nothing where that is not compiled in,
//! and a relaxed load of a flag where it is compiled in but not used.

use std::time::{Duration, Instant};

use super::freeze::Freeze;
use super::tick;

pub(crate) struct Clock {
    /// Tick 0.
    start: Instant,
    freeze: Freeze,
}

impl Clock {
    /// A clock that may be frozen, or is from the start.
    pub(crate) fn new(may_freeze: bool, frozen: bool) -> Clock {
        let start = Instant::now();
        Clock { start, freeze: Freeze::new(start, may_freeze, frozen) }
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        self.freeze.now()
    }

    /// The tick that has begun.
    #[inline]
    pub(crate) fn now_tick(&self) -> u64 {
        let elapsed = self.now().saturating_duration_since(self.start);
        ticks(elapsed, elapsed.subsec_millis())
    }

    /// The first tick that begins at or after `deadline`.
    #[inline]
    pub(crate) fn deadline_tick(&self, deadline: Instant) -> u64 {
        let distance = deadline.saturating_duration_since(self.start);
        ticks(distance, distance.subsec_nanos().div_ceil(1_000_000))
    }

    /// How long until a tick begins; zero if it has.
    pub(crate) fn duration_until(&self, tick: u64) -> Duration {
        Duration::from_millis(tick).saturating_sub(self.now().saturating_duration_since(self.start))
    }

    /// Whether time stands still.
    #[inline]
    pub(crate) fn is_paused(&self) -> bool {
        self.freeze.is_frozen()
    }

    /// Whether time stands still, and may jump to the next timer when there is nothing else to do.
    pub(crate) fn can_auto_advance(&self) -> bool {
        self.freeze.can_auto_advance()
    }

    /// Moves frozen time forward to a tick.
    pub(crate) fn auto_advance_to(&self, tick: u64) {
        match self.start.checked_add(Duration::from_millis(tick)) {
            Some(to) => self.freeze.move_to(to),
            None => panic!("the next timer lies beyond what the paused clock can show"),
        }
    }

    /// A job runs outside that must not be overtaken by a jump of frozen time.
    pub(crate) fn inhibit_auto_advance(&self) {
        self.freeze.inhibit_auto_advance();
    }

    /// Takes an inhibition back.
    pub(crate) fn allow_auto_advance(&self) {
        self.freeze.allow_auto_advance();
    }
}

/// What `time::pause` and its kin need.
#[cfg(feature = "test-util")]
impl Clock {
    pub(crate) fn pause(&self) -> Result<(), &'static str> {
        self.freeze.freeze()
    }

    pub(crate) fn resume(&self) -> Result<(), &'static str> {
        self.freeze.thaw()
    }

    pub(crate) fn advance(&self, by: Duration) -> Result<(), &'static str> {
        self.freeze.advance(by)
    }
}

/// The ticks in the whole seconds of `duration`, and `part` more.
#[inline]
fn ticks(duration: Duration, part: u32) -> u64 {
    duration.as_secs().saturating_mul(1_000).saturating_add(u64::from(part)).min(tick::MAX)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn deadlines_round_up() {
        let clock = Clock::new(false, false);
        let at = |nanos| clock.deadline_tick(clock.start + Duration::from_nanos(nanos));
        assert_eq!([at(0), at(1), at(999_999)], [0, 1, 1]);
        assert_eq!([at(1_000_000), at(1_000_001), at(1_999_999_999)], [1, 2, 2_000]);
        if let Some(past) = clock.start.checked_sub(Duration::from_millis(1)) {
            assert_eq!(clock.deadline_tick(past), 0);
        }
    }

    #[test]
    fn huge_durations_saturate() {
        assert_eq!(ticks(Duration::MAX, 999), tick::MAX);
        assert_eq!(ticks(Duration::from_millis(1_234), 234), 1_234);
    }

    #[cfg(feature = "test-util")]
    #[test]
    fn frozen_time_moves_only_when_told() {
        let clock = Clock::new(true, true);
        let start = clock.now();
        assert_eq!((clock.now_tick(), clock.is_paused()), (0, true));
        assert!(clock.pause().is_err());
        clock.advance(Duration::from_micros(1_999)).unwrap();
        assert_eq!((clock.now_tick(), clock.duration_until(2)), (1, Duration::from_micros(1)));
        clock.auto_advance_to(40);
        assert_eq!(clock.now(), start + Duration::from_millis(40));
        // Never back.
        clock.auto_advance_to(30);
        assert_eq!(clock.now_tick(), 40);
        clock.resume().unwrap();
        assert!(clock.resume().is_err());
        assert!(clock.advance(Duration::ZERO).is_err());
        assert!(clock.now_tick() >= 40);
    }

    #[cfg(feature = "test-util")]
    #[test]
    fn a_job_outside_holds_frozen_time() {
        let clock = Clock::new(true, true);
        assert!(clock.can_auto_advance());
        clock.inhibit_auto_advance();
        clock.inhibit_auto_advance();
        clock.allow_auto_advance();
        assert!(!clock.can_auto_advance());
        clock.allow_auto_advance();
        assert!(clock.can_auto_advance());
        assert!(Clock::new(false, false).pause().is_err());
    }
}
