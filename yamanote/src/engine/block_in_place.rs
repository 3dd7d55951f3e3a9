//! `block_in_place`: a worker thread turns into a blocking one, and if that lasts, another thread takes the worker
//! over.
//!
//! The core is lent (see [`lent`](super::lent)), and what waits in the worker's queues is opened to the others. A thread
//! is sent for the core
//!
//! * at once, if tasks wait and no other worker is free to take them, or if nobody would notice how long it lasts;
//! * when the closure is about to wait for a future (`Handle::block_on` and its kin, which know that they will);
//! * when the monitor has seen it lent for a while.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use crate::engine::context::{self, Entered};
use crate::engine::monitor;
use crate::engine::shared::Shared;
use crate::engine::task::Origin;
use crate::engine::{budget, worker};
use crate::runtime::Handle;
use crate::util::contain::contain;

/// Runs `f`, which may block, without holding up the worker's tasks.
///
/// # Panics
/// On a single-threaded runtime, whose only thread cannot be replaced.
#[track_caller]
pub(crate) fn block_in_place<R>(f: impl FnOnce() -> R) -> R {
    let entered = context::with(|c| c.entered.get());
    let on_worker = context::with_any_worker(|worker| worker.shared.is_single());
    match (entered, on_worker) {
        // Not driving a runtime: blocking is nobody's loss.
        (Entered::No, _) => return f(),
        (_, Some(true)) => {
            panic!("can call blocking only when running on the multi-threaded runtime")
        }
        (Entered::Yes { allow_block_in_place: false }, _) => {
            panic!("can call blocking only when running on the multi-threaded runtime")
        }
        (Entered::Yes { .. }, _) => {}
    }
    let lending = context::with_any_worker(lend).flatten();
    let budget_before = budget::stop();
    let restore = Restore { lending, budget_before };
    if lending.is_some() {
        // After `restore`: the user's hook and thread name may panic.
        context::with_any_worker(open);
    }
    let output = context::exit_runtime(f);
    drop(restore);
    output
}

/// Puts this thread's core where another could take it. `None` if it is gone already.
fn lend(worker: &worker::Worker) -> Option<usize> {
    let core = worker.take_core()?;
    Some(worker.remote().lent.put(core))
}

/// Opens what waits behind the lent core to the others.
fn open(worker: &worker::Worker) {
    let shared = &worker.shared;
    let is_watched = shared.monitor.watch_lent(shared);
    let waits = monitor::open_queues(shared, worker.index, worker.driver);
    // Whoever searches, or was just woken, comes by.
    let is_helped = !waits || shared.idle.has_searchers();
    // The shutdown's own look at what is lent came before, or sees it. Partners: the fence in `Watch::is_off_after_put`,
    // which `watch_lent` passed, and that in `hand_over_all`.
    if !is_watched || !is_helped || shared.is_shutdown() {
        hand_over(shared, worker.index);
    }
}

/// This thread, which may have lent its core, is going to wait.
#[cold]
pub(crate) fn note_waiting() {
    context::with_any_worker(|worker| {
        if !worker.has_core() {
            // The user's hook and thread name may panic, which has been reported: the monitor will try again.
            contain(|| hand_over(&worker.shared, worker.index));
        }
    });
}

/// Sends a thread of the blocking pool for the core that is lent by the worker in `slot`. `false` if there is none.
pub(crate) fn hand_over(shared: &Arc<Shared>, slot: usize) -> bool {
    let lent = &shared.remotes[slot].lent;
    let Some(number) = lent.number() else { return true };
    if !lent.claim(number) {
        return true;
    }
    // The user's hook and thread name may panic.
    let give_up = GiveUp { shared, slot, number };
    let handle = Handle { shared: Arc::clone(shared) };
    let (to_drive, kept) = (Arc::clone(shared), shared.pool.lend_core());
    // The job's result is of no interest: it runs until the worker is taken over again or shuts down.
    let (_join, result) = shared.pool.try_spawn(
        &handle,
        move || {
            let _kept = kept;
            if let Some(core) = to_drive.remotes[slot].lent.take(number) {
                context::exit_runtime(|| worker::drive(to_drive, core));
            }
        },
        crate::engine::blocking::Mandatory::Core,
        Origin::here(),
    );
    let sent = result.is_ok();
    if sent {
        std::mem::forget(give_up);
    }
    sent
}

/// The runtime shuts down: its lent cores have to be driven to their end.
pub(crate) fn hand_over_all(shared: &Arc<Shared>) {
    // Between the flag and the look at what is lent; partner: the fence in
    // `Watch::is_off_after_put`, between the lending and the look at the flag.
    fence(Ordering::SeqCst);
    for slot in 0..shared.crew.slots_in_use() {
        contain(|| hand_over(shared, slot));
    }
}

/// No thread comes after all: another attempt may be made.
struct GiveUp<'a> {
    shared: &'a Shared,
    slot: usize,
    number: usize,
}

impl Drop for GiveUp<'_> {
    fn drop(&mut self) {
        self.shared.remotes[self.slot].lent.give_up(self.number);
    }
}

/// Goes back to being a worker if nobody took the core meanwhile; in any case the budget is restored.
struct Restore {
    lending: Option<usize>,
    budget_before: budget::Budget,
}

impl Drop for Restore {
    fn drop(&mut self) {
        if let Some(number) = self.lending {
            context::with_any_worker(|worker| {
                if let Some(core) = worker.remote().lent.take(number) {
                    worker.put_core(core);
                }
            });
        }
        let nobody_took_it = context::with_any_worker(|worker| worker.has_core()) == Some(true);
        if nobody_took_it {
            budget::restore(self.budget_before);
        }
    }
}
