//! Where a worker waits when there is no I/O to wait for: a condition variable.
//!
//! Stands in for the poller when I/O is compiled out or not enabled, so that the parker has one code path.

use std::time::Duration;

use crate::loom::sync::{Condvar, Mutex};

#[derive(Debug)]
pub(crate) struct CondvarPark {
    /// Whether an unpark has come that no wait has consumed.
    unparked: Mutex<bool>,
    condvar: Condvar,
}

impl CondvarPark {
    pub(crate) fn new() -> CondvarPark {
        CondvarPark { unparked: Mutex::new(false), condvar: Condvar::new() }
    }

    /// Waits for an unpark, at most for `timeout`. May return early for no reason.
    pub(crate) fn wait(&self, timeout: Option<Duration>) {
        if timeout == Some(Duration::ZERO) {
            return;
        }
        let mut unparked = self.unparked.lock();
        if !*unparked {
            unparked = match timeout {
                None => self.condvar.wait(unparked),
                Some(timeout) => self.condvar.wait_timeout(unparked, timeout).0,
            };
        }
        *unparked = false;
    }

    pub(crate) fn unpark(&self) {
        *self.unparked.lock() = true;
        self.condvar.notify_one();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn an_early_unpark_counts() {
        let park = CondvarPark::new();
        park.unpark();
        // A wait that cannot wait leaves it to the next.
        park.wait(Some(Duration::ZERO));
        park.wait(None);
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(5) {
            park.wait(Some(Duration::from_millis(5)));
        }
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::Arc;
    use crate::loom::sync::atomic::{AtomicBool, Ordering};
    use crate::loom::{model, thread};

    #[test]
    fn unpark_is_not_lost() {
        model(|| {
            let shared = Arc::new((CondvarPark::new(), AtomicBool::new(false)));
            let other = {
                let shared = shared.clone();
                thread::spawn(move || {
                    shared.1.store(true, Ordering::SeqCst);
                    shared.0.unpark();
                })
            };
            while !shared.1.load(Ordering::SeqCst) {
                shared.0.wait(None);
            }
            other.join().unwrap();
        });
    }
}
