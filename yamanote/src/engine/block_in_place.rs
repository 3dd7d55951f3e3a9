//! `block_in_place`: a worker thread turns into a blocking one, and another thread takes the worker over.

use std::sync::Arc;

use crate::engine::context::{self, Entered};
use crate::engine::task::Origin;
use crate::engine::{budget, worker};
use crate::runtime::Handle;

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
    let handed = context::with_any_worker(hand_over).flatten();
    let budget_before = budget::stop();
    let _restore = Restore { handed, budget_before };
    context::exit_runtime(f)
}

/// Gives this thread's worker to a thread of the blocking pool. `None` if it is given away already.
fn hand_over(worker: &worker::Worker) -> Option<Arc<Handed>> {
    let core = worker.take_core()?;
    let handed = Arc::new(Handed(std::sync::Mutex::new(Some(core))));
    let handle = Handle { shared: Arc::clone(&worker.shared) };
    let (shared, core) = (Arc::clone(&worker.shared), Arc::clone(&handed));
    let lent = worker.shared.pool.lend_core();
    // The user's hook and thread name may panic: then this thread stays the worker.
    let put_back = PutBack(worker, &handed);
    // The job's result is of no interest: it runs until the worker is taken over again or shuts down.
    let (_join, result) = worker.shared.pool.try_spawn(
        &handle,
        move || {
            let _lent = lent;
            if let Some(core) = core.take() {
                context::exit_runtime(|| worker::drive(shared, core));
            }
        },
        crate::engine::blocking::Mandatory::Core,
        Origin::here(),
    );
    drop(result);
    std::mem::forget(put_back);
    Some(handed)
}

/// Undoes a hand-over that nobody came for.
struct PutBack<'a>(&'a worker::Worker, &'a Handed);

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        if let Some(core) = self.1.take() {
            self.0.put_core(core);
        }
    }
}

/// A core on its way from one thread to another.
struct Handed(std::sync::Mutex<Option<Box<worker::Core>>>);

impl Handed {
    fn take(&self) -> Option<Box<worker::Core>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).take()
    }
}

/// Goes back to being a worker if nobody took the core meanwhile; in any case the budget is restored.
struct Restore {
    handed: Option<Arc<Handed>>,
    budget_before: budget::Budget,
}

impl Drop for Restore {
    fn drop(&mut self) {
        if let Some(core) = self.handed.as_ref().and_then(|handed| handed.take()) {
            context::with_any_worker(|worker| worker.put_core(core));
        }
        let nobody_took_it = context::with_any_worker(|worker| worker.has_core()) == Some(true);
        if nobody_took_it {
            budget::restore(self.budget_before);
        }
    }
}
