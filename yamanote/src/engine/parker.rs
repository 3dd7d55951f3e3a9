//! The single place where a worker blocks.
//!
//! A three-state word per worker: `EMPTY` (running), `PARKED` (blocked in its driver), `NOTIFIED` (an unpark
//! came and was not consumed yet). An unpark before a park is remembered, so that between "nothing to do"
//! and blocking nothing is lost; several unparks are one.

use std::time::Duration;

use crate::engine::driver::Driver;
use crate::loom::sync::atomic::{AtomicU32, Ordering};
use crate::util::canary::canary;

const EMPTY: u32 = 0;
const PARKED: u32 = 1;
const NOTIFIED: u32 = 2;

#[derive(Debug)]
pub(crate) struct Parker {
    state: AtomicU32,
}

/// How a park ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parked {
    /// Somebody called [`Parker::unpark`].
    Notified,
    /// An event, the timeout, or for no reason.
    Returned,
}

impl Parker {
    pub(crate) fn new() -> Self {
        Parker { state: AtomicU32::new(EMPTY) }
    }

    /// Blocks in `driver`'s turn until an event, an unpark or the timeout. For the worker itself.
    pub(crate) fn park(&self, driver: &Driver, timeout: Option<Duration>, max_events: usize) -> Parked {
        self.park_with(|| {
            driver.io.turn(timeout, max_events);
        })
    }

    pub(crate) fn park_with(&self, block: impl FnOnce()) -> Parked {
        // AcqRel/Acquire pair with `unpark`'s release: what was done before it is seen after the park.
        if self.state.compare_exchange(EMPTY, PARKED, Ordering::AcqRel, Ordering::Acquire).is_err() {
            self.state.swap(EMPTY, Ordering::Acquire);
            if !canary!("unpark-forgotten") {
                return Parked::Notified;
            }
        }
        let parked = Unpark(self);
        block();
        std::mem::forget(parked);
        match self.state.swap(EMPTY, Ordering::Acquire) {
            NOTIFIED => Parked::Notified,
            _ => Parked::Returned,
        }
    }

    /// Makes the current or the next park return; `unblock` does so with a worker that is blocked in its driver.
    pub(crate) fn unpark_with(&self, unblock: impl FnOnce()) {
        // Release pairs with `park`'s acquire.
        if self.state.swap(NOTIFIED, Ordering::AcqRel) == PARKED {
            unblock();
        }
    }

    /// Whether the worker is blocked in its driver; a snapshot.
    pub(crate) fn is_parked(&self) -> bool {
        self.state.load(Ordering::Relaxed) == PARKED
    }
}

/// No longer parked, when a waker that was woken in the driver panics.
struct Unpark<'a>(&'a Parker);

impl Drop for Unpark<'_> {
    fn drop(&mut self) {
        self.0.state.swap(EMPTY, Ordering::Acquire);
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::{Arc, Condvar, Mutex};
    use crate::loom::thread;

    /// A driver reduced to its waker: an event that stays until it is taken.
    struct Event(Mutex<bool>, Condvar);

    /// An unpark at any moment ends the park; if it did not, the model would deadlock.
    #[test]
    fn an_unpark_is_never_lost() {
        crate::loom::model(|| {
            let parker = Arc::new(Parker::new());
            let event = Arc::new(Event(Mutex::new(false), Condvar::new()));
            let other = (Arc::clone(&parker), Arc::clone(&event));
            let unparker = thread::spawn(move || {
                other.0.unpark_with(|| {
                    *other.1.0.lock() = true;
                    other.1.1.notify_one();
                });
            });
            parker.park_with(|| {
                let mut set = event.0.lock();
                while !*set {
                    set = event.1.wait(set);
                }
                *set = false;
            });
            unparker.join().unwrap();
        });
    }
}
