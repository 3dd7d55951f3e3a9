//! What a thread knows about the runtime it is in.
//!
//! Two thread-locals: the hot one is plain cells without a destructor, so that reaching it is one
//! address computation; the runtime handle, which has a destructor, is apart (see `runtime::context`).

use std::cell::Cell;

use crate::engine::budget::Budget;

/// Whether this thread is inside `block_on` or a worker's loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// Blocking is fine.
    No,
    /// Driving a runtime: blocking here would stall its tasks.
    Yes {
        /// `block_in_place` may turn this thread into a blocking one.
        allow_block_in_place: bool,
    },
}

pub(crate) struct Context {
    pub(crate) budget: Cell<Budget>,
    pub(crate) entered: Cell<Entered>,
    /// The task being polled, as the number inside `task::Id`; 0 is none.
    pub(crate) task_id: Cell<u64>,
    /// State of the thread's random generator; 0 is not seeded yet.
    pub(crate) rng: Cell<u64>,
}

thread_local! {
    static CONTEXT: Context = const {
        Context {
            budget: Cell::new(Budget::unconstrained()),
            entered: Cell::new(Entered::No),
            task_id: Cell::new(0),
            rng: Cell::new(0),
        }
    };
}

/// Runs `f` on the thread's context. Never fails: the context has no destructor.
#[inline(always)]
pub(crate) fn with<R>(f: impl FnOnce(&Context) -> R) -> R {
    CONTEXT.with(f)
}

/// A pseudo-random number below `n`, from the thread's generator: fast, not secure.
pub(crate) fn thread_rng_n(n: u32) -> u32 {
    with(|context| {
        let mut x = context.rng.get();
        if x == 0 {
            x = crate::util::rng::fresh_seed();
        }
        let (next, value) = crate::util::rng::step(x);
        context.rng.set(next);
        crate::util::rng::scale(value, n)
    })
}
