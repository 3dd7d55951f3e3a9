//! The synchronisation the runtime is built on: the standard library's, or loom's under `--cfg loom`.
//!
//! Everything lock-free or lost-wake-up-prone takes its atomics, locks, cells and threads from here, so
//! that the models beside it run the production code. Both twins have the same signatures; `Mutex`
//! ignores poisoning (a panic under one of our locks leaves data that is still consistent, or aborts).

// Only in the program of the models: a library, built with the flag beside them, has no dependency on loom, which
// would stand in every lock file.
#[cfg(not(all(loom, test)))]
mod std_types;
#[cfg(not(all(loom, test)))]
pub(crate) use std_types::*;

#[cfg(all(loom, test))]
mod loom_types;
#[cfg(all(loom, test))]
pub(crate) use loom_types::*;

/// Runs a model: exhaustively under loom.
#[cfg(all(test, loom))]
pub(crate) fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = ::loom::model::Builder::new();
    if builder.preemption_bound.is_none() {
        // Two preemptions find nearly every ordering bug and keep a model at seconds;
        // LOOM_MAX_PREEMPTIONS overrides it.
        builder.preemption_bound = Some(2);
    }
    builder.check(f);
}
