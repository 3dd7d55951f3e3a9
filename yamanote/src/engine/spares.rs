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

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::engine::limits::{MAX_SPARES, MAX_WORKERS, MIN_SPARES};
use crate::engine::queue::Chain;
use crate::engine::schedule::notify;
use crate::engine::shared::{Config, Shared};
use crate::engine::shutdown;
use crate::engine::worker::Core;
use crate::runtime::{RuntimeFlavor, Threads};
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
pub(crate) struct Crew {
    state: Mutex<State>,
    /// Slots from here on are free; written under the lock.
    in_use: AtomicUsize,
    workers: usize,
}

struct State {
    /// The cores of workers that have left; the last one empties what all leave behind.
    // Boxed as they come: a core is handed around by pointer.
    #[allow(clippy::vec_box)]
    retired: Vec<Box<Core>>,
    /// Whether there is a spare in slot `workers + i`.
    manned: Vec<bool>,
    /// All workers have left: no spare comes any more.
    over: bool,
    /// Spares that were ever sent.
    sent: u64,
    /// Their threads, to be joined.
    threads: Vec<JoinHandle<()>>,
}

impl State {
    fn spares(&self) -> usize {
        self.manned.iter().filter(|manned| **manned).count()
    }
}

impl Crew {
    pub(crate) fn new(workers: usize, spares: usize) -> Crew {
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn publish(&self, state: &State) {
        let highest = state.manned.iter().rposition(|manned| *manned);
        let in_use = self.workers + highest.map_or(0, |highest| highest + 1);
        self.in_use.store(in_use, Ordering::SeqCst);
    }

    /// A worker leaves for good. The last one gets all cores, to empty what they leave.
    #[allow(clippy::vec_box)]
    pub(crate) fn retire(&self, core: Box<Core>) -> Option<Vec<Box<Core>>> {
        let mut state = self.lock();
        state.retired.push(core);
        self.all_left(&mut state)
    }

    /// The spare in `slot` has left it empty.
    #[allow(clippy::vec_box)]
    fn free(&self, slot: usize) -> Option<Vec<Box<Core>>> {
        let mut state = self.lock();
        state.manned[slot - self.workers] = false;
        self.publish(&state);
        self.all_left(&mut state)
    }

    #[allow(clippy::vec_box)]
    fn all_left(&self, state: &mut State) -> Option<Vec<Box<Core>>> {
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
    if chain.len() > 0 {
        // Not closed: that happens when the last spare has left.
        shared.remotes[driver].inbox.push_chain(chain);
        notify(shared, driver);
    }
    if shared.is_shutdown() {
        shared.live.close_and_shutdown_all(slot);
    }
    if let Some(cores) = shared.crew.free(slot) {
        shutdown::finish(shared, cores);
    }
}
