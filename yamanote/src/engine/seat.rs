//! Who may wait in a worker's driver.
//!
//! Normally that is the worker itself. While it is stuck in a poll, a spare worker waits in its stead (see
//! `spares`), and there must never be two: one would swallow what wakes the other. So each driver has a
//! seat. Its *holder* is the slot whose worker may wait; the seat is *taken* while somebody does.
//!
//! ```text
//!   owner ──pass (monitor: the owner is in a poll)──► spare ──pass (it is stuck too)──► another spare
//!     ▲                                                 │
//!     └───────────── reclaim (the owner is back) ───────┘
//! ```
//!
//! * *Pass*: only while nobody waits, and only from the one that holds it.
//! * *Reclaim*: the owner says that it wants the seat, unparks the holder, and waits for the seat to be free. The
//!   holder looks for the wish after it took the seat and before it waits; an unpark that comes between ends the wait. So
//!   the owner is kept no longer than it takes the holder to return from its driver.
//!
//! *Timers.* Whoever links a timer that is the earliest must wake who waits for a later one. It links, then reads the
//! holder; a new holder is written first, and reads the earliest timer when it has sat down. A sequentially
//! consistent fence stands between each write and the read after it, so one of the two sees the other.

use crate::loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use crate::loom::sync::{Condvar, Mutex};
use crate::util::canary::canary;

#[derive(Debug)]
pub(crate) struct Seat {
    /// Written while `taken`.
    holder: AtomicUsize,
    /// The owner wants it back.
    wanted: AtomicBool,
    /// Somebody waits in the driver, or changes the holder.
    taken: AtomicBool,
    /// Where the owner waits for the seat.
    lock: Mutex<()>,
    freed: Condvar,
}

/// The right to wait in the driver.
#[derive(Debug)]
pub(crate) struct Sitting<'a>(&'a Seat);

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        // Release pairs with `try_take`'s acquire.
        self.0.taken.store(false, Ordering::Release);
        // Partner: the fence in `reclaim`, between the wish and the look at `taken`.
        if !canary!("seat-left-without-fence") {
            fence(Ordering::SeqCst);
        }
        if self.0.wanted.load(Ordering::Relaxed) {
            let _lock = self.0.lock.lock();
            self.0.freed.notify_one();
        }
    }
}

impl Seat {
    pub(crate) fn new(owner: usize) -> Seat {
        Seat {
            holder: AtomicUsize::new(owner),
            wanted: AtomicBool::new(false),
            taken: AtomicBool::new(false),
            lock: Mutex::new(()),
            freed: Condvar::new(),
        }
    }

    /// The slot whose worker may wait; a snapshot.
    #[inline]
    pub(crate) fn holder(&self) -> usize {
        // Relaxed: who depends on it takes the seat, or puts a fence before (`holder_after_write`).
        self.holder.load(Ordering::Relaxed)
    }

    /// The holder, for one who has just changed what a waiting holder should see.
    pub(crate) fn holder_after_write(&self) -> usize {
        // Partner: the fence in `sit` and `reclaim`.
        if !canary!("timer-linked-without-fence") {
            fence(Ordering::SeqCst);
        }
        self.holder()
    }

    /// Whether `slot` has to go: the seat is another's, or the owner wants it.
    #[inline]
    pub(crate) fn is_lost_to(&self, slot: usize) -> bool {
        // Relaxed: looked at again before every wait.
        self.holder() != slot || self.wanted.load(Ordering::Relaxed)
    }

    fn try_take(&self) -> Option<Sitting<'_>> {
        // Acquire pairs with the release of who left it, so that the holder it wrote is seen. Not a swap: it must
        // write nothing where it fails.
        let taken = self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        taken.is_ok().then(|| Sitting(self))
    }

    /// For `slot`, before it waits. `None`: it has to go, or look again (somebody may just have been at the seat).
    pub(crate) fn sit(&self, slot: usize) -> Option<Sitting<'_>> {
        let sitting = self.try_take()?;
        // Between the write of the holder and what is read from here on. Partner: the fence in
        // `holder_after_write`. If we miss the wish, its unpark goes to us.
        fence(Ordering::SeqCst);
        // Relaxed, both: `taken` orders the one, the fence the other.
        if self.holder() != slot || self.wanted.load(Ordering::Relaxed) {
            return None;
        }
        Some(sitting)
    }

    /// For the owner, before it waits. `unpark` ends a slot's park.
    pub(crate) fn reclaim(&self, owner: usize, unpark: impl Fn(usize)) -> Sitting<'_> {
        let sitting = match self.try_take() {
            Some(sitting) => sitting,
            None => {
                // Relaxed: ordered by the fence that follows.
                self.wanted.store(true, Ordering::Relaxed);
                // Its fence also stands between the wish and the looks at `taken` below; partner: `Sitting`'s drop.
                unpark(self.holder_after_write());
                let mut lock = self.lock.lock();
                loop {
                    match self.try_take() {
                        Some(sitting) => break sitting,
                        None => lock = self.freed.wait(lock),
                    }
                }
            }
        };
        self.take_back(owner);
        // Partner: the fence in `holder_after_write`.
        fence(Ordering::SeqCst);
        sitting
    }

    /// While the seat is taken.
    fn take_back(&self, owner: usize) {
        // Relaxed, both: the release of `taken` publishes them.
        self.holder.store(owner, Ordering::Relaxed);
        self.wanted.store(false, Ordering::Relaxed);
    }

    /// For the owner, while it has work: takes the seat, or has whoever waits there leave it soon.
    pub(crate) fn ask(&self, owner: usize, unpark: impl Fn(usize)) {
        match self.try_take() {
            Some(_sitting) => self.take_back(owner),
            None => {
                // Relaxed: ordered by the fence that follows.
                self.wanted.store(true, Ordering::Relaxed);
                unpark(self.holder_after_write());
            }
        }
    }

    /// Gives the seat of `from`, which is stuck in a poll, to `to`. `false`: it is not its, or it waits.
    pub(crate) fn pass(&self, from: usize, to: usize) -> bool {
        let Some(_sitting) = self.try_take() else { return false };
        if self.holder() != from || self.wanted.load(Ordering::Relaxed) {
            return false;
        }
        self.holder.store(to, Ordering::Relaxed);
        true
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::Arc;
    use crate::loom::{model, thread};

    const OWNER: usize = 0;
    const SPARE: usize = 1;

    /// A driver that counts who waits in it, and whose waker is remembered, as the parker's is.
    struct World {
        seat: Seat,
        waiting: AtomicUsize,
        unparked: Mutex<bool>,
        condvar: Condvar,
        earliest: AtomicUsize,
    }

    impl World {
        fn new() -> Arc<World> {
            Arc::new(World {
                seat: Seat::new(OWNER),
                waiting: AtomicUsize::new(0),
                unparked: Mutex::new(false),
                condvar: Condvar::new(),
                earliest: AtomicUsize::new(0),
            })
        }

        fn unpark(&self, slot: usize) {
            if slot == SPARE {
                *self.unparked.lock() = true;
                self.condvar.notify_one();
            }
        }

        /// Waits, with nobody else, until unparked. `false`: not allowed to.
        fn wait_as_spare(&self) -> bool {
            let Some(_guard) = self.seat.sit(SPARE) else { return false };
            assert_eq!(self.waiting.fetch_add(1, Ordering::SeqCst), 0);
            let mut unparked = self.unparked.lock();
            while !*unparked && self.earliest.load(Ordering::Relaxed) == 0 {
                unparked = self.condvar.wait(unparked);
            }
            *unparked = false;
            drop(unparked);
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            true
        }

        fn wait_as_owner(&self) {
            let _guard = match self.seat.sit(OWNER) {
                Some(guard) => guard,
                None => self.seat.reclaim(OWNER, |slot| self.unpark(slot)),
            };
            assert_eq!(self.waiting.fetch_add(1, Ordering::SeqCst), 0);
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// A spare whose wait ended by itself leaves while the owner comes for its seat. It leaves as soon as it knows that it
    /// has to, without sitting down once more: so that the owner hears of it hangs on the one look when it got up.
    #[test]
    fn the_owner_hears_of_a_seat_that_becomes_free() {
        model(|| {
            let world = World::new();
            assert!(world.seat.pass(OWNER, SPARE));
            let other = Arc::clone(&world);
            let spare = thread::spawn(move || {
                for _ in 0..2 {
                    if other.seat.is_lost_to(SPARE) {
                        break;
                    }
                    if let Some(sitting) = other.seat.sit(SPARE) {
                        // An event came.
                        drop(sitting);
                    }
                }
            });
            drop(world.seat.reclaim(OWNER, |slot| world.unpark(slot)));
            assert_eq!(world.seat.holder(), OWNER);
            spare.join().unwrap();
        });
    }

    /// The spare would wait for ever; the owner comes back at any moment and gets its seat.
    #[test]
    fn the_owner_gets_its_seat_back_and_nobody_shares_it() {
        model(|| {
            let world = World::new();
            let other = Arc::clone(&world);
            let monitor_and_spare = thread::spawn(move || {
                if other.seat.pass(OWNER, SPARE) {
                    while other.wait_as_spare() {}
                }
            });
            if world.seat.holder() != OWNER {
                let guard = world.seat.reclaim(OWNER, |slot| world.unpark(slot));
                assert_eq!(world.waiting.load(Ordering::SeqCst), 0);
                drop(guard);
            }
            world.wait_as_owner();
            // A pass that came after the owner's last wait: the owner is in a poll again, and comes back.
            while world.seat.holder() != OWNER {
                world.wait_as_owner();
            }
            // The spare may be given the seat once more by its thread; end it.
            world.seat.wanted.store(true, Ordering::SeqCst);
            world.unpark(SPARE);
            monitor_and_spare.join().unwrap();
        });
    }

    /// A timer linked while the seat changes hands is seen by the new holder, or wakes it.
    #[test]
    fn a_timer_linked_during_a_pass_is_not_slept_over() {
        model(|| {
            let world = World::new();
            let other = Arc::clone(&world);
            let monitor_and_spare = thread::spawn(move || {
                assert!(other.seat.pass(OWNER, SPARE));
                let _guard = other.seat.sit(SPARE).unwrap();
                let mut unparked = other.unparked.lock();
                // Read once, as the timeout of a wait is.
                let seen = other.earliest.load(Ordering::Relaxed) != 0;
                while !*unparked && !seen {
                    unparked = other.condvar.wait(unparked);
                }
            });
            world.earliest.store(1, Ordering::Relaxed);
            let holder = world.seat.holder_after_write();
            // The owner links it: it is the holder, or wakes who is.
            if holder != OWNER {
                world.unpark(holder);
            }
            monitor_and_spare.join().unwrap();
        });
    }
}
