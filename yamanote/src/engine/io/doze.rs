//! How an owner waits whose poller watches nothing: on a condition variable.
//!
//! To wait in the poller costs its owner's waker a write to an event, and the owner two system calls. While there
//! is no source no event can come, and a condition variable does for less. Two things end such a wait, an unpark and
//! a source that another thread registers. Both make themselves visible (a flag, a count) and then look whether
//! the owner dozes; the owner says that it dozes and then looks at flag and count. Between each write and the
//! read after it stands a sequentially consistent fence, so one of the two sees the other.
//!
//! Before it blocks, the owner may look at flag and count for a moment ([`Spinner`]). An interrupt that finds it at
//! that need do nothing: the owner looks once more before it blocks.

use std::time::Duration;

use crate::engine::io::condvar::CondvarPark;
use crate::engine::spin::Spinner;
use crate::loom::sync::atomic::{AtomicU32, Ordering, fence};

/// The owner is not here: it works, or waits in the poller.
const AWAY: u32 = 0;
/// It looks, and will look again before it blocks.
const LOOKING: u32 = 1;
/// It blocks, or is about to.
const BLOCKED: u32 = 2;

#[derive(Debug)]
pub(crate) struct Doze {
    /// Set by the owner only.
    state: AtomicU32,
    park: CondvarPark,
    spinner: Spinner,
}

impl Doze {
    pub(crate) fn new() -> Doze {
        Doze { state: AtomicU32::new(AWAY), park: CondvarPark::new(), spinner: Spinner::new() }
    }

    /// Waits for an [`interrupt`](Self::interrupt), at most for `timeout`, unless `wanted` finds that there is a
    /// reason not to. For the owner. May return early for no reason.
    pub(crate) fn wait(&self, timeout: Option<Duration>, wanted: impl Fn() -> bool) {
        if !self.look(timeout, &wanted) {
            self.block(timeout, &wanted);
        }
        // Relaxed: an interrupt that still finds it set makes the next wait return early, no more.
        self.state.store(AWAY, Ordering::Relaxed);
    }

    /// Looks a moment longer, if that promises to pay.
    fn look(&self, timeout: Option<Duration>, wanted: impl Fn() -> bool) -> bool {
        if !self.spinner.should() {
            return false;
        }
        // Relaxed: whoever misses it does more than it need.
        self.state.store(LOOKING, Ordering::Relaxed);
        self.spinner.spin(timeout, wanted)
    }

    /// For an owner that is about to wait in its poller, where to be woken is dearer still: looks if that paid of
    /// late. What `wanted` looks at has to be looked at once more after it.
    pub(crate) fn leave(&self, timeout: Option<Duration>, wanted: impl Fn() -> bool) {
        if self.spinner.has_credit() {
            // Relaxed: whoever misses it does more than it need.
            self.state.store(LOOKING, Ordering::Relaxed);
            self.spinner.spin(timeout, wanted);
            self.state.store(AWAY, Ordering::Relaxed);
        }
        // Partner: the fence in `interrupt`. If that found us looking, or found no poller to wake us from, we see
        // what it came for.
        fence(Ordering::SeqCst);
    }

    /// The owner was woken out of its poller's wait, and not by an event: once in a while, try a look.
    pub(crate) fn note_woken_elsewhere(&self) {
        if self.spinner.probe() {
            self.spinner.give_credit();
        }
    }

    fn block(&self, timeout: Option<Duration>, wanted: impl Fn() -> bool) {
        // Relaxed: ordered by the fence. Partner: the fence in `interrupt`.
        self.state.store(BLOCKED, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !wanted() {
            self.park.wait(timeout);
        }
    }

    /// Ends the owner's wait, after what `wanted` looks at was made visible. `false`: the owner is not here.
    pub(crate) fn interrupt(&self) -> bool {
        // Partner: the fence in `block`.
        fence(Ordering::SeqCst);
        // Relaxed: ordered by the fence.
        let state = self.state.load(Ordering::Relaxed);
        if state == BLOCKED {
            self.park.unpark();
        }
        state != AWAY
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::atomic::{AtomicBool, AtomicUsize};
    use crate::loom::sync::{Arc, Condvar, Mutex};
    use crate::loom::{model, thread};

    /// A poller reduced to what matters here: how many sources it watches, the unpark flag, and the event that
    /// is all a wait in it sees.
    struct Poller {
        doze: Doze,
        watching: AtomicUsize,
        unparked: AtomicBool,
        event: Mutex<bool>,
        condvar: Condvar,
    }

    impl Poller {
        fn new() -> Arc<Poller> {
            Arc::new(Poller {
                doze: Doze::new(),
                watching: AtomicUsize::new(0),
                unparked: AtomicBool::new(false),
                event: Mutex::new(false),
                condvar: Condvar::new(),
            })
        }

        /// Whether the event came.
        fn turn(&self) -> bool {
            if self.watching.load(Ordering::Relaxed) == 0 {
                self.doze.wait(None, || {
                    self.watching.load(Ordering::Relaxed) != 0 || self.unparked.load(Ordering::Relaxed)
                });
                return false;
            }
            self.doze.leave(None, || self.unparked.load(Ordering::Relaxed));
            if self.unparked.load(Ordering::Relaxed) {
                return true;
            }
            let mut event = self.event.lock();
            while !*event {
                event = self.condvar.wait(event);
            }
            *event = false;
            true
        }

        fn raise_event(&self) {
            *self.event.lock() = true;
            self.condvar.notify_one();
        }

        fn unpark(&self) {
            self.unparked.store(true, Ordering::Relaxed);
            if !self.doze.interrupt() {
                self.raise_event();
            }
        }
    }

    #[test]
    fn an_unpark_reaches_the_owner_wherever_it_waits() {
        model(|| {
            let poller = Poller::new();
            let other = Arc::clone(&poller);
            // The looking side runs on the spawned thread.
            let owner = thread::spawn(move || {
                other.turn();
            });
            poller.unpark();
            owner.join().unwrap();
        });
    }

    #[test]
    fn an_unpark_reaches_the_owner_on_its_way_into_the_poller() {
        model(|| {
            let poller = Poller::new();
            poller.watching.store(1, Ordering::Relaxed);
            let other = Arc::clone(&poller);
            let owner = thread::spawn(move || {
                other.turn();
            });
            poller.unpark();
            owner.join().unwrap();
        });
    }

    #[test]
    fn a_source_that_another_thread_registers_is_waited_for() {
        model(|| {
            let poller = Poller::new();
            let other = Arc::clone(&poller);
            let owner = thread::spawn(move || {
                // As the worker does: parks again until there is something.
                while !other.turn() {}
            });
            poller.watching.fetch_add(1, Ordering::Relaxed);
            poller.doze.interrupt();
            poller.raise_event();
            owner.join().unwrap();
        });
    }
}
