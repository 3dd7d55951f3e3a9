//! Whether it pays to look for work a moment longer before a thread blocks.
//!
//! To block and be woken costs two system calls, and the better part of ten microseconds until the thread runs
//! again, more where a processor has to leave a sleep state. A thread that is woken again at once, because it and
//! another hand work back and forth, is better off looking. One that is not burns a processor. So a [`Spinner`]
//! looks only where looking paid of late: each success buys some further tries, each failure costs
//! more than one. Once in a while it tries without credit, since two threads that both block never see how
//! quick the other would be if they did not.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use crate::engine::limits::{SPIN_CREDIT, SPIN_LIMIT, SPIN_PROBE_EVERY};

/// Looks between two looks at the clock.
const LOOKS: u32 = 32;

/// One waiting place's memory. Relaxed throughout: what is lost when two threads write at once is a try.
#[derive(Debug)]
pub(crate) struct Spinner {
    credit: AtomicU32,
    /// Waits until the next try without credit.
    until_probe: AtomicU32,
}

impl Spinner {
    pub(crate) const fn new() -> Spinner {
        Spinner { credit: AtomicU32::new(0), until_probe: AtomicU32::new(SPIN_PROBE_EVERY) }
    }

    /// Whether to look before this wait. Never where there is but one processor: what we wait for needs it.
    pub(crate) fn should(&self) -> bool {
        self.has_credit() || self.probe()
    }

    /// Whether looking paid of late.
    pub(crate) fn has_credit(&self) -> bool {
        // Models take either way in any case: a look finds what is there or not.
        cfg!(loom) || self.credit.load(Ordering::Relaxed) > 0
    }

    /// Counts a wait that a look could have spared, and tells whether to try one.
    pub(crate) fn probe(&self) -> bool {
        self.is_due() && has_several_processors()
    }

    /// Counts a wait, and tells whether it is the one in so many.
    fn is_due(&self) -> bool {
        let left = self.until_probe.load(Ordering::Relaxed);
        if left > 1 {
            self.until_probe.store(left - 1, Ordering::Relaxed);
            return false;
        }
        self.until_probe.store(SPIN_PROBE_EVERY, Ordering::Relaxed);
        true
    }

    /// Whether to look before this wait for something that does not come from this process, so that one processor is
    /// enough.
    #[cfg_attr(
        not(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring")),
        allow(dead_code, reason = "for pollers")
    )]
    pub(crate) fn should_for_outside(&self) -> bool {
        self.has_credit() || self.is_due()
    }

    /// The next wait is to be preceded by a look.
    pub(crate) fn give_credit(&self) {
        self.credit.fetch_max(1, Ordering::Relaxed);
    }

    /// Looks until `found`, or for as long as blocking would cost. Tells whether it found.
    pub(crate) fn spin(&self, at_most: Option<Duration>, mut found: impl FnMut() -> bool) -> bool {
        if cfg!(loom) {
            return found();
        }
        let limit = at_most.map_or(SPIN_LIMIT, |at_most| at_most.min(SPIN_LIMIT));
        let start = Instant::now();
        let success = loop {
            if (0..LOOKS).any(|_| {
                std::hint::spin_loop();
                found()
            }) {
                break true;
            }
            if start.elapsed() >= limit {
                break false;
            }
        };
        self.learn(success);
        success
    }

    /// What came of a look.
    pub(crate) fn learn(&self, success: bool) {
        let credit = self.credit.load(Ordering::Relaxed);
        let credit = if success { (credit + 1).min(SPIN_CREDIT) } else { credit.saturating_sub(2) };
        self.credit.store(credit, Ordering::Relaxed);
    }

    /// What was found was not worth it after all: takes back what the success gave, and counts a failure.
    pub(crate) fn regret(&self) {
        let credit = self.credit.load(Ordering::Relaxed);
        self.credit.store(credit.saturating_sub(3), Ordering::Relaxed);
    }
}

fn has_several_processors() -> bool {
    static SEVERAL: OnceLock<bool> = OnceLock::new();
    *SEVERAL.get_or_init(|| available_parallelism().is_ok_and(|n| n.get() > 1))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn tries_follow_success() {
        let spinner = Spinner::new();
        let tries = |n: u32| (0..n).filter(|_| spinner.should()).count() as u32;
        let probes = if has_several_processors() { 3 } else { 0 };
        assert_eq!(tries(3 * SPIN_PROBE_EVERY), probes);
        assert!(spinner.spin(None, || true));
        assert_eq!(tries(10), 10);
        assert!(!spinner.spin(None, || false));
        assert!(tries(SPIN_PROBE_EVERY - 1) == 0);
    }

    #[test]
    fn a_look_is_bounded() {
        let mut looks = 0;
        assert!(!Spinner::new().spin(Some(Duration::ZERO), || {
            looks += 1;
            false
        }));
        assert_eq!(looks, LOOKS);
    }
}
