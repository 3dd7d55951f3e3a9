//! Spare workers: they stand in for workers that are stuck in a poll.
//!
//! A spare has a slot of its own, beyond those of the configured workers: a ring, a LIFO slot, a bit in `idle`. It
//! has no driver. It waits in the driver of the worker it stands in for, whose [`Seat`](super::seat::Seat) it
//! holds, so timers and sources that its tasks wait for are where they stay when it goes; it also takes that worker's
//! inbox for its own. Everything else it does as any worker.
//!
//! ```text
//!   free ──take (monitor)──► manned: a thread drives a core ──leave──► free
//! ```
//!
//! * *Comes*: the monitor finds a worker stuck, takes a free slot, passes the stuck worker's seat to it, and
//!   starts a thread that drives a fresh core. The stuck worker's own core stays where it is, on its thread's stack:
//!   no core is ever driven by two threads.
//! * *Goes*: when the seat is lost, to the worker that came back or, if the spare was stuck itself, to the next spare.
//!   What is left in its slot goes to the inbox of the worker it stood in for, where all can take it.
//!
//! At shutdown a spare counts as a worker: queues are emptied only when it has left too.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::engine::limits::{MAX_SPARES, MAX_WORKERS, MIN_SPARES};
use crate::engine::queue::Chain;
use crate::engine::schedule::{notify, push_chain};
use crate::engine::shared::{Config, Shared};
use crate::engine::shutdown;
use crate::engine::worker::Core;
use crate::loom::sync::atomic::{AtomicUsize, Ordering};
use crate::loom::sync::{Mutex, MutexGuard};
use crate::runtime::{RuntimeFlavor, Threads};
use crate::util::canary::canary;
use crate::util::contain::contain;

/// How many slots for spares a runtime gets.
pub(crate) fn slots(config: &Config) -> usize {
    let rescues = config.flavor == RuntimeFlavor::MultiThread && config.stall_limit.is_some();
    if rescues { config.spares.min(MAX_WORKERS - config.workers) } else { 0 }
}

/// How many spares there may be, unless the builder says otherwise: each worker may be stuck, and the spare after it.
pub(crate) fn default_spares(workers: usize) -> usize {
    (2 * workers).clamp(MIN_SPARES, MAX_SPARES.max(workers))
}

/// Who is there: the workers that have left for good, and the spares.
// Boxed as they come: a core is handed around by pointer.
pub(crate) struct Crew<C = Box<Core>> {
    state: Mutex<State<C>>,
    /// Slots from here on are free; written under the lock.
    in_use: AtomicUsize,
    workers: usize,
}

struct State<C> {
    /// The cores of workers that have left; the last one empties what all leave behind.
    retired: Vec<C>,
    /// Whether there is a spare in slot `workers + i`.
    manned: Vec<bool>,
    /// All workers have left: no spare comes any more.
    over: bool,
    /// Spares that were ever sent.
    sent: u64,
    /// Their threads, to be joined.
    threads: Vec<JoinHandle<()>>,
}

impl<C> State<C> {
    fn spares(&self) -> usize {
        self.manned.iter().filter(|manned| **manned).count()
    }
}

impl<C> Crew<C> {
    pub(crate) fn new(workers: usize, spares: usize) -> Crew<C> {
        Crew {
            state: Mutex::new(State {
                retired: Vec::new(),
                manned: vec![false; spares],
                over: false,
                sent: 0,
                threads: Vec::new(),
            }),
            in_use: AtomicUsize::new(workers),
            workers,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock()
    }

    /// One more than the highest slot in which there may be a worker.
    #[inline]
    pub(crate) fn slots_in_use(&self) -> usize {
        // Relaxed: a spare's slot is in it before the spare queues anything, so the fences of `idle` cover it.
        self.in_use.load(Ordering::Relaxed)
    }

    /// Whether there is a spare in `slot`, or it is a worker's.
    pub(crate) fn is_manned(&self, slot: usize) -> bool {
        slot < self.workers || self.lock().manned[slot - self.workers]
    }

    /// How many spares there are, and how many there ever were.
    pub(crate) fn spares(&self) -> (usize, u64) {
        let state = self.lock();
        (state.spares(), state.sent)
    }

    /// A free slot, for the caller to man.
    fn take(&self) -> Option<usize> {
        let mut state = self.lock();
        if state.over {
            return None;
        }
        let free = state.manned.iter().position(|manned| !manned)?;
        state.manned[free] = true;
        state.sent += 1;
        self.publish(&state);
        Some(self.workers + free)
    }

    fn keep(&self, thread: JoinHandle<()>) {
        let mut state = self.lock();
        // Those of spares that have gone need no joining.
        state.threads.retain(|thread| !thread.is_finished());
        state.threads.push(thread);
    }

    /// The spares' threads that may still be there, once.
    pub(crate) fn take_threads(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut self.lock().threads)
    }

    fn publish(&self, state: &State<C>) {
        let highest = state.manned.iter().rposition(|manned| *manned);
        let in_use = self.workers + highest.map_or(0, |highest| highest + 1);
        if !canary!("spare-slot-unseen") {
            self.in_use.store(in_use, Ordering::SeqCst);
        }
    }

    /// A worker leaves for good. The last one gets all cores, to empty what they leave.
    pub(crate) fn retire(&self, core: C) -> Option<Vec<C>> {
        let mut state = self.lock();
        state.retired.push(core);
        self.all_left(&mut state)
    }

    /// The spare in `slot` has left it empty.
    fn free(&self, slot: usize) -> Option<Vec<C>> {
        let mut state = self.lock();
        state.manned[slot - self.workers] = false;
        self.publish(&state);
        self.all_left(&mut state)
    }

    fn all_left(&self, state: &mut State<C>) -> Option<Vec<C>> {
        let all = state.retired.len() == self.workers && state.spares() == 0;
        if !all || std::mem::replace(&mut state.over, true) {
            return None;
        }
        Some(std::mem::take(&mut state.retired))
    }
}

/// Has a spare stand in for the worker in `stuck`, in whose driver, `driver`, it would wait. `false`: there is none,
/// or it is not stuck after all.
pub(crate) fn relieve(shared: &Arc<Shared>, stuck: usize, driver: usize) -> bool {
    let Some(slot) = shared.crew.take() else { return false };
    // Relaxed: the thread that is started, and the seat's lock, order it for all who look.
    shared.remotes[slot].sits_in.store(driver, Ordering::Relaxed);
    if shared.remotes[driver].seat.pass(stuck, slot) {
        let core = Core::for_spare(slot, driver, shared, shared.next_seed());
        // The user names the thread, and may panic over it.
        if let Some(Ok(thread)) = contain(|| Threads::start_one(shared, core)) {
            shared.crew.keep(thread);
            return true;
        }
        // A system that cannot start one more thread: the monitor goes on in its stead.
        shared.remotes[driver].seat.pass(slot, stuck);
    }
    if let Some(cores) = shared.crew.free(slot) {
        shutdown::finish(shared, cores);
    }
    false
}

/// A spare goes, with its core: it is not searching any more, and its bit in `idle` is not set.
pub(crate) fn leave(shared: &Arc<Shared>, core: Box<Core>) {
    let (slot, driver) = (core.index, core.driver);
    drop(core);
    let remote = &shared.remotes[slot];
    let mut chain = Chain::default();
    remote.deferred.drain(&mut |task| chain.push(task));
    remote.ring.drain(&mut |task| chain.push(task));
    if let Some(task) = remote.lifo.take() {
        chain.push(task);
    }
    if !chain.is_empty() {
        push_chain(shared, driver, chain);
        notify(shared, driver);
    }
    if shared.is_shutdown() {
        shared.live.close_and_shutdown_all(slot);
    }
    if let Some(cores) = shared.crew.free(slot) {
        shutdown::finish(shared, cores);
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::engine::idle::{Idle, Sleep};
    use crate::loom::sync::Arc;
    use crate::loom::{model, thread};

    /// The monitor sends a spare while the only worker leaves for good: one of the two, the last, empties what is left,
    /// and no spare comes after that.
    #[test]
    fn the_last_to_leave_gets_the_cores() {
        model(|| {
            let crew = Arc::new(Crew::<usize>::new(1, 1));
            let other = Arc::clone(&crew);
            let monitor_and_spare = thread::spawn(move || {
                let Some(slot) = other.take() else { return None };
                assert!(other.is_manned(slot) && other.slots_in_use() == 2);
                other.free(slot)
            });
            let ours = crew.retire(5);
            let its = monitor_and_spare.join().unwrap();
            assert!(matches!((ours.as_deref(), its.as_deref()), (Some([5]), None) | (None, Some([5]))));
            assert_eq!((crew.take(), crew.slots_in_use()), (None, 1));
        });
    }

    /// A runtime's queues reduced to how much is in them: slot by slot, and the inbox of worker 0.
    struct World {
        crew: Crew<usize>,
        idle: Idle,
        rings: [AtomicUsize; 2],
        inbox: AtomicUsize,
        unparked: AtomicUsize,
    }

    impl World {
        fn notify(&self) {
            if self.idle.notify_one(0).is_some() {
                self.unparked.fetch_add(1, Ordering::Relaxed);
            }
        }

        /// As a worker looks at what it could take.
        fn has_work(&self) -> bool {
            let in_use = self.crew.slots_in_use();
            let ring = self.rings[..in_use].iter().any(|ring| ring.load(Ordering::Relaxed) > 0);
            ring || self.inbox.load(Ordering::Relaxed) > 0
        }
    }

    /// A spare comes, queues a task, gets stuck or leaves it behind, and goes; the worker that falls asleep meanwhile sees the
    /// task wherever it is, or is woken.
    #[test]
    fn what_a_spare_queues_is_found() {
        for leaves in [false, true] {
            model(move || {
                let world = Arc::new(World {
                    crew: Crew::new(1, 1),
                    idle: Idle::new(1, 2),
                    rings: [AtomicUsize::new(0), AtomicUsize::new(0)],
                    inbox: AtomicUsize::new(0),
                    unparked: AtomicUsize::new(0),
                });
                let other = Arc::clone(&world);
                let monitor_and_spare = thread::spawn(move || {
                    let slot = other.crew.take().unwrap();
                    other.rings[slot].store(1, Ordering::Relaxed);
                    other.notify();
                    if leaves {
                        // As `leave` does.
                        other.rings[slot].store(0, Ordering::Relaxed);
                        other.inbox.store(1, Ordering::Relaxed);
                        other.notify();
                        other.crew.free(slot);
                    }
                });
                let asleep = world.idle.fall_asleep(0, false, || world.has_work()) == Sleep::Asleep;
                monitor_and_spare.join().unwrap();
                assert!(!asleep || world.unparked.load(Ordering::Relaxed) > 0, "slept over");
            });
        }
    }
}
