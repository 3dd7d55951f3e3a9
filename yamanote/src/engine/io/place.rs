//! A worker's place at a poller that several share: how it waits there, and how that wait is ended.
//!
//! A worker with nothing to do leads, if there is anything to wait for in the poller and nobody else does; else it dozes.
//! An unpark and a source that another thread registers end either wait. What [`doze`](super::doze) tells
//! of fences holds here: the unpark's flag, the lead and the count of sources are written before, and read after one.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::io::doze::Doze;
use crate::engine::io::lead::Lead;
use crate::loom::sync::atomic::{AtomicBool, Ordering, fence};
use crate::util::canary::canary;

/// What a place needs of its poller.
pub(crate) trait Waits {
    fn lead(&self) -> &Lead;

    /// Whether a turn could bring an event.
    fn has_sources(&self) -> bool;

    /// Whether waiting is of use.
    fn wants_turns(&self) -> bool;

    /// Waits for events, gives the lead up, and tells how many came. For the leader.
    fn wait(&self, timeout: Option<Duration>, max_events: usize) -> usize;

    /// Ends the leader's wait, or its next.
    fn end_wait(&self);
}

#[derive(Debug)]
pub(crate) struct Place<P> {
    worker: usize,
    poller: Arc<P>,
    /// An unpark came for the worker's wait.
    unparked: AtomicBool,
    doze: Doze,
}

impl<P: Waits> Place<P> {
    pub(crate) fn new(worker: usize, poller: Arc<P>) -> Place<P> {
        Place { worker, poller, unparked: AtomicBool::new(false), doze: Doze::new() }
    }

    #[inline]
    pub(crate) fn poller(&self) -> &Arc<P> {
        &self.poller
    }

    /// Waits until an event comes, an [`unpark`](Self::unpark), or the time is over; also for no reason. How many events
    /// there were.
    pub(crate) fn wait(&self, timeout: Option<Duration>, max_events: usize) -> usize {
        let unparked = || self.unparked.load(Ordering::Relaxed);
        let mut count = 0;
        if self.poller.wants_turns() && self.poller.lead().try_take(self.worker) {
            self.doze.leave(timeout, unparked);
            let timeout = if unparked() { Some(Duration::ZERO) } else { timeout };
            count = self.poller.wait(timeout, max_events);
            if count == 0 && timeout != Some(Duration::ZERO) && unparked() {
                self.doze.note_woken_elsewhere();
            }
        } else {
            self.doze.wait(timeout, unparked, || self.wants_leader());
        }
        // An unpark comes but once a park, so this one was for the park that ends here. Relaxed: what it is about
        // is handed over by the parker.
        self.unparked.store(false, Ordering::Relaxed);
        count
    }

    fn wants_leader(&self) -> bool {
        self.poller.has_sources() && !self.poller.lead().is_taken()
    }

    pub(crate) fn unpark(&self) {
        // Relaxed: `interrupt` puts a fence behind it.
        self.unparked.store(true, Ordering::Relaxed);
        // Partner of the look at the lead, by that fence: the one between taking it and waiting, in `Doze::leave`.
        if !self.doze.interrupt() && self.poller.lead().is_with(self.worker) {
            self.poller.end_wait();
        }
    }

    /// A source was registered, perhaps by another thread.
    pub(crate) fn note_source(&self) {
        // If the worker waits where no event reaches it, it must move; unless another leads, which will find the
        // source when it parks again. Partner: the fence in `Doze`, between giving up the lead and dozing.
        if !canary!("source-noted-without-fence") {
            fence(Ordering::SeqCst);
        }
        if !self.poller.lead().is_taken() {
            self.doze.interrupt();
        }
    }

    /// If nobody waits for events, and the worker dozes, it shall.
    pub(crate) fn call_to_lead(&self) {
        if self.wants_leader() {
            self.doze.interrupt();
        }
    }

    /// For the worker: what ended its last wait was not worth looking for, see [`Doze`].
    pub(crate) fn regret_look(&self) {
        self.doze.regret();
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::engine::parker::Parker;
    use crate::loom::sync::atomic::AtomicUsize;
    use crate::loom::sync::{Condvar, Mutex};
    use crate::loom::{model, thread};

    /// A poller reduced to what matters here: how many sources it watches, and the event that is all a wait sees.
    struct Poller {
        lead: Lead,
        watching: AtomicUsize,
        event: Mutex<bool>,
        condvar: Condvar,
    }

    impl Poller {
        /// Whether the event was there.
        fn raise_event(&self) {
            *self.event.lock() = true;
            self.condvar.notify_one();
        }

        /// By a worker that has work, or the monitor. As the real one, it leaves the leader what is to end its wait.
        fn try_turn(&self) {
            let mut event = self.event.lock();
            if std::mem::take(&mut *event) && self.lead.is_taken() {
                *event = true;
                self.condvar.notify_one();
            }
        }
    }

    impl Waits for Poller {
        fn lead(&self) -> &Lead {
            &self.lead
        }

        fn has_sources(&self) -> bool {
            self.watching.load(Ordering::Acquire) != 0
        }

        fn wants_turns(&self) -> bool {
            self.has_sources()
        }

        fn wait(&self, timeout: Option<Duration>, _: usize) -> usize {
            let mut event = self.event.lock();
            while !*event && timeout.is_none() {
                event = self.condvar.wait(event);
            }
            let came = std::mem::take(&mut *event);
            self.lead.give_up();
            usize::from(came)
        }

        fn end_wait(&self) {
            self.raise_event();
        }
    }

    /// Two workers at one poller.
    struct World {
        poller: Arc<Poller>,
        places: [Place<Poller>; 2],
        parkers: [Parker; 2],
    }

    impl World {
        fn new() -> crate::loom::sync::Arc<World> {
            let poller = Arc::new(Poller {
                lead: Lead::new(),
                watching: AtomicUsize::new(0),
                event: Mutex::new(false),
                condvar: Condvar::new(),
            });
            let place = |worker| Place::new(worker, Arc::clone(&poller));
            let places = [place(0), place(1)];
            crate::loom::sync::Arc::new(World {
                poller,
                places,
                parkers: [Parker::new(), Parker::new()],
            })
        }

        /// Whether the event came.
        fn wait(&self, worker: usize) -> bool {
            let mut count = 0;
            self.parkers[worker].park_with(|| count = self.places[worker].wait(None, 1));
            count > 0
        }

        fn unpark(&self, worker: usize) {
            self.parkers[worker].unpark_with(|| self.places[worker].unpark());
        }

        /// By a thread that is no worker, for worker 0.
        fn register(&self) {
            self.poller.watching.fetch_add(1, Ordering::Release);
            self.places[0].note_source();
        }
    }

    #[test]
    fn an_unpark_reaches_a_worker_that_dozes() {
        model(|| {
            let world = World::new();
            let other = world.clone();
            // The looking side runs on the spawned thread.
            let worker = thread::spawn(move || {
                other.wait(0);
            });
            world.unpark(0);
            worker.join().unwrap();
        });
    }

    #[test]
    fn an_unpark_reaches_a_worker_on_its_way_into_the_poller() {
        model(|| {
            let world = World::new();
            world.poller.watching.store(1, Ordering::Relaxed);
            let other = world.clone();
            let worker = thread::spawn(move || {
                other.wait(0);
            });
            world.unpark(0);
            worker.join().unwrap();
        });
    }

    /// A worker with work turns the poller meanwhile.
    #[test]
    fn an_unpark_reaches_a_worker_although_another_turns_the_poller() {
        model(|| {
            let world = World::new();
            world.poller.watching.store(1, Ordering::Relaxed);
            let (zero, other) = (world.clone(), world.clone());
            let worker = thread::spawn(move || {
                zero.wait(0);
            });
            let busy = thread::spawn(move || other.poller.try_turn());
            world.unpark(0);
            worker.join().unwrap();
            busy.join().unwrap();
        });
    }

    #[test]
    fn a_source_that_another_thread_registers_is_waited_for() {
        model(|| {
            let world = World::new();
            let other = world.clone();
            let worker = thread::spawn(move || {
                // As the worker does: parks again until there is something.
                while !other.wait(0) {}
            });
            world.register();
            world.poller.raise_event();
            worker.join().unwrap();
        });
    }

    /// Worker 1 comes back from a wait while a source is registered for worker 0, which dozes or is about to.
    #[test]
    fn of_two_workers_that_wait_one_leads() {
        model(|| {
            let world = World::new();
            assert!(world.poller.lead.try_take(1));
            let (zero, one) = (world.clone(), world.clone());
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
                one.poller.raise_event();
            });
            world.poller.lead.give_up();
            while !done.load(Ordering::SeqCst) {
                if world.wait(1) {
                    done.store(true, Ordering::SeqCst);
                    world.unpark(0);
                }
            }
            worker.join().unwrap();
            registrar.join().unwrap();
        });
    }
}
