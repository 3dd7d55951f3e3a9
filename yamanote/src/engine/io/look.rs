//! Looking for events a moment before waiting for them, where the builder asked for it.
//!
//! Who waits in a poller and is woken by an event pays for two switches of the processor, and the event for the time they
//! take. Where the next message mostly comes within microseconds, asking again and again answers it sooner, for the
//! processor time that the switches would have cost, or more. Whether it comes so soon is learnt, see [`Spinner`]; the
//! memory is the poller's.
//!
//! The one who looks holds the same lock as the one who waits, and an unpark reaches it in the same way: as an event.

use std::time::{Duration, Instant};

use crate::engine::io::poller::Collected;
use crate::engine::spin::Spinner;

pub(super) struct Look {
    at_most: Duration,
    spinner: Spinner,
}

impl Look {
    pub(super) fn new(at_most: Duration) -> Look {
        Look { at_most, spinner: Spinner::new() }
    }

    /// Looks, if that promises to pay, and waits then, both with `collect`: for as long as it is told, at the most.
    pub(super) fn before(
        &self,
        timeout: Option<Duration>,
        mut collect: impl FnMut(Option<Duration>) -> Collected,
    ) -> Collected {
        if !self.spinner.should_for_outside() {
            return collect(timeout);
        }
        let limit = timeout.map_or(self.at_most, |timeout| timeout.min(self.at_most));
        let start = Instant::now();
        loop {
            let collected = collect(Some(Duration::ZERO));
            let found = collected.count > 0;
            if found || collected.unpark {
                self.spinner.learn(found);
                return collected;
            }
            let looked = start.elapsed();
            if looked >= limit {
                self.spinner.learn(false);
                return collect(timeout.map(|timeout| timeout.saturating_sub(looked)));
            }
            std::hint::spin_loop();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn nothing() -> Collected {
        Collected::default()
    }

    fn event() -> Collected {
        Collected { count: 1, unpark: false }
    }

    #[test]
    fn waits_for_the_rest_where_looking_is_in_vain() {
        let look = Look::new(Duration::from_millis(1));
        look.spinner.give_credit();
        let (mut looks, mut waits) = (0, Vec::new());
        let collected = look.before(Some(Duration::from_secs(9)), |timeout| {
            match timeout {
                Some(Duration::ZERO) => looks += 1,
                timeout => waits.push(timeout.unwrap()),
            }
            nothing()
        });
        assert_eq!(collected.count, 0);
        assert!(looks > 0);
        assert_eq!(waits.len(), 1);
        assert!(waits[0] < Duration::from_secs(9));
        // It did not pay: the next wait is one at once.
        look.before(None, |timeout| {
            assert_eq!(timeout, None);
            nothing()
        });
    }

    #[test]
    fn does_not_wait_where_something_is_found() {
        let look = Look::new(Duration::from_secs(9));
        look.spinner.give_credit();
        for _ in 0..100 {
            let mut looks = 0;
            let collected = look.before(None, |timeout| {
                assert_eq!(timeout, Some(Duration::ZERO));
                looks += 1;
                if looks == 3 { event() } else { nothing() }
            });
            assert_eq!(collected.count, 1);
        }
        // An unpark ends it as well.
        let collected = look.before(None, |_| Collected { count: 0, unpark: true });
        assert!(collected.unpark);
    }

    #[test]
    fn tries_now_and_then_without_having_paid() {
        let look = Look::new(Duration::ZERO);
        let mut looks = 0;
        for _ in 0..crate::engine::limits::SPIN_PROBE_EVERY {
            look.before(None, |timeout| {
                looks += usize::from(timeout.is_some());
                nothing()
            });
        }
        assert_eq!(looks, 1);
    }
}
