//! How a worker waits that does not wait in a poller: on a condition variable.
//!
//! To wait in the poller costs the waker a write to an event, and the worker two system calls. While there is no
//! source, or another worker leads, no event can come, and a condition variable does for less. Two things end
//! such a wait: an unpark, and a source that another thread registers. Both make themselves visible (a flag, a count)
//! and then look whether the worker dozes; the worker says that it dozes and then looks at flag and count. Between each
//! write and the read after it stands a sequentially consistent fence, so one of the two sees the other.
//!
//! Before it blocks, here or in the poller, the worker may look for an unpark for a moment ([`Spinner`]). An interrupt
//! that finds it at that need do nothing: the worker looks once more before it blocks.

use std::time::Duration;

use crate::engine::io::condvar::CondvarPark;
use crate::engine::spin::Spinner;
use crate::loom::sync::atomic::{AtomicU32, Ordering, fence};

/// The worker is not here: it works, or waits in the poller.
const AWAY: u32 = 0;
/// It looks, and will look again before it blocks.
const LOOKING: u32 = 1;
/// It blocks, or is about to.
const BLOCKED: u32 = 2;

#[derive(Debug)]
pub(crate) struct Doze {
    /// Set by the worker only.
    state: AtomicU32,
    park: CondvarPark,
    spinner: Spinner,
}

impl Doze {
    pub(crate) fn new() -> Doze {
        Doze { state: AtomicU32::new(AWAY), park: CondvarPark::new(), spinner: Spinner::new() }
    }

    /// Waits for an [`interrupt`](Self::interrupt), at most for `timeout`, unless it was `unparked` already or is
    /// `wanted` elsewhere. May return early for no reason.
    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        unparked: impl Fn() -> bool,
        wanted: impl Fn() -> bool,
    ) {
        if !self.look(timeout, &unparked) {
            self.block(timeout, || unparked() || wanted());
        }
        // Relaxed: an interrupt that still finds it set makes the next wait return early, no more.
        self.state.store(AWAY, Ordering::Relaxed);
    }

    /// Looks a moment longer, if that promises to pay.
    fn look(&self, timeout: Option<Duration>, unparked: impl Fn() -> bool) -> bool {
        if !self.spinner.should() {
            return false;
        }
        // Relaxed: whoever misses it does more than it need.
        self.state.store(LOOKING, Ordering::Relaxed);
        self.spinner.spin(timeout, unparked)
    }

    /// For a worker that is about to wait in its poller, where to be woken is dearer still: looks if that paid of
    /// late. Whether it was `unparked` has to be looked at once more after it.
    pub(crate) fn leave(&self, timeout: Option<Duration>, unparked: impl Fn() -> bool) {
        if self.spinner.has_credit() {
            // Relaxed: whoever misses it does more than it need.
            self.state.store(LOOKING, Ordering::Relaxed);
            self.spinner.spin(timeout, unparked);
            self.state.store(AWAY, Ordering::Relaxed);
        }
        // Partner: the fence in `interrupt`. If that found us looking, or found no poller to wake us from, we see
        // what it came for.
        fence(Ordering::SeqCst);
    }

    /// The worker was woken out of its poller's wait, and not by an event: once in a while, try a look.
    pub(crate) fn note_woken_elsewhere(&self) {
        if self.spinner.probe() {
            self.spinner.give_credit();
        }
    }

    /// What ended the last wait was not worth a look.
    pub(crate) fn regret(&self) {
        self.spinner.regret();
    }

    fn block(&self, timeout: Option<Duration>, wanted: impl Fn() -> bool) {
        // Relaxed: ordered by the fence. Partner: the fence in `interrupt`.
        self.state.store(BLOCKED, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !wanted() {
            self.park.wait(timeout);
        }
    }

    /// Ends the worker's wait, after what it looks at was made visible. `false`: it is not here.
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
    use crate::engine::parker::Parker;
    use crate::loom::sync::atomic::{AtomicBool, AtomicUsize};
    use crate::loom::sync::{Arc, Condvar, Mutex};
    use crate::loom::{model, thread};

    const NOBODY: usize = usize::MAX;

    #[derive(Debug)]
    struct Seat {
        parker: Parker,
        doze: Doze,
        unparked: AtomicBool,
    }

    impl Seat {
        fn new() -> Seat {
            Seat { parker: Parker::new(), doze: Doze::new(), unparked: AtomicBool::new(false) }
        }
    }

    /// A poller reduced to what matters here, with its workers' seats: how many sources it watches, who leads, and
    /// the event that is all a wait in it sees. The steps are those of the real one and of its seats.
    struct Poller {
        seats: [Seat; 2],
        leader: AtomicUsize,
        watching: AtomicUsize,
        event: Mutex<bool>,
        condvar: Condvar,
    }

    impl Poller {
        fn new() -> Arc<Poller> {
            Arc::new(Poller {
                seats: [Seat::new(), Seat::new()],
                leader: AtomicUsize::new(NOBODY),
                watching: AtomicUsize::new(0),
                event: Mutex::new(false),
                condvar: Condvar::new(),
            })
        }

        fn try_lead(&self, worker: usize) -> bool {
            let (relaxed, watching) = (Ordering::Relaxed, self.watching.load(Ordering::Acquire));
            watching != 0 && self.leader.compare_exchange(NOBODY, worker, relaxed, relaxed).is_ok()
        }

        /// Whether the event came.
        fn wait(&self, worker: usize) -> bool {
            let mut came = false;
            self.seats[worker].parker.park_with(|| came = self.turn(worker));
            came
        }

        fn turn(&self, worker: usize) -> bool {
            let Seat { doze, unparked: flag, .. } = &self.seats[worker];
            let unparked = || flag.load(Ordering::Relaxed);
            let mut came = false;
            if self.try_lead(worker) {
                doze.leave(None, unparked);
                if !unparked() {
                    let mut event = self.event.lock();
                    while !*event {
                        event = self.condvar.wait(event);
                    }
                    *event = false;
                    came = true;
                }
                self.leader.store(NOBODY, Ordering::Relaxed);
            } else {
                doze.wait(None, unparked, || {
                    self.watching.load(Ordering::Acquire) != 0
                        && self.leader.load(Ordering::Relaxed) == NOBODY
                });
            }
            flag.store(false, Ordering::Relaxed);
            came
        }

        /// By a worker that has work, or the monitor.
        fn try_turn(&self) {
            let mut event = self.event.lock();
            if std::mem::take(&mut *event) && self.leader.load(Ordering::Relaxed) != NOBODY {
                *event = true;
                self.condvar.notify_one();
            }
        }

        fn raise_event(&self) {
            *self.event.lock() = true;
            self.condvar.notify_one();
        }

        fn unpark(&self, worker: usize) {
            let seat = &self.seats[worker];
            seat.parker.unpark_with(|| {
                seat.unparked.store(true, Ordering::Relaxed);
                if !seat.doze.interrupt() && self.leader.load(Ordering::Relaxed) == worker {
                    self.raise_event();
                }
            });
        }

        /// By a thread that is no worker, for worker 0.
        fn register(&self) {
            self.watching.fetch_add(1, Ordering::Release);
            fence(Ordering::SeqCst);
            if self.leader.load(Ordering::Relaxed) == NOBODY {
                self.seats[0].doze.interrupt();
            }
        }
    }

    #[test]
    fn an_unpark_reaches_a_worker_that_dozes() {
        model(|| {
            let poller = Poller::new();
            let other = Arc::clone(&poller);
            // The looking side runs on the spawned thread.
            let worker = thread::spawn(move || {
                other.wait(0);
            });
            poller.unpark(0);
            worker.join().unwrap();
        });
    }

    #[test]
    fn an_unpark_reaches_a_worker_on_its_way_into_the_poller() {
        model(|| {
            let poller = Poller::new();
            poller.watching.store(1, Ordering::Relaxed);
            let other = Arc::clone(&poller);
            let worker = thread::spawn(move || {
                other.wait(0);
            });
            poller.unpark(0);
            worker.join().unwrap();
        });
    }

    /// A worker with work turns the poller meanwhile.
    #[test]
    fn an_unpark_reaches_a_worker_although_another_turns_the_poller() {
        model(|| {
            let poller = Poller::new();
            poller.watching.store(1, Ordering::Relaxed);
            let (zero, other) = (Arc::clone(&poller), Arc::clone(&poller));
            let worker = thread::spawn(move || {
                zero.wait(0);
            });
            let busy = thread::spawn(move || other.try_turn());
            poller.unpark(0);
            worker.join().unwrap();
            busy.join().unwrap();
        });
    }

    #[test]
    fn a_source_that_another_thread_registers_is_waited_for() {
        model(|| {
            let poller = Poller::new();
            let other = Arc::clone(&poller);
            let worker = thread::spawn(move || {
                // As the worker does: parks again until there is something.
                while !other.wait(0) {}
            });
            poller.register();
            poller.raise_event();
            worker.join().unwrap();
        });
    }

    /// Worker 1 comes back from a wait while a source is registered for worker 0, which dozes or is about to.
    #[test]
    fn of_two_workers_that_wait_one_leads() {
        model(|| {
            let poller = Poller::new();
            poller.leader.store(1, Ordering::Relaxed);
            let (zero, one) = (Arc::clone(&poller), Arc::clone(&poller));
            let done = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&done);
            let worker = thread::spawn(move || {
                while !seen.load(Ordering::SeqCst) {
                    if zero.wait(0) {
                        seen.store(true, Ordering::SeqCst);
                        zero.unpark(1);
                    }
                }
            });
            let registrar = thread::spawn(move || {
                one.register();
                one.raise_event();
            });
            poller.leader.store(NOBODY, Ordering::Relaxed);
            while !done.load(Ordering::SeqCst) {
                if poller.wait(1) {
                    done.store(true, Ordering::SeqCst);
                    poller.unpark(0);
                }
            }
            worker.join().unwrap();
            registrar.join().unwrap();
        });
    }
}
