//! Children that were dropped before their end was known: somebody has to ask for it, or they stay as zombies.
//!
//! They are asked for whenever a child is started or dropped, and on every `SIGCHLD`.

use std::process::Child;
use std::sync::{Mutex, PoisonError};

static ORPHANS: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Takes a child over.
pub(super) fn adopt(child: Child) {
    // Without a runtime at hand the signal is not listened for; the next child started or dropped asks then.
    let listening = crate::signal::on_child_exit(reap);
    ORPHANS.lock().unwrap_or_else(PoisonError::into_inner).push(child);
    // An error means that no handler could be installed; as above.
    let _ = listening;
    reap();
}

/// Asks for the end of all of them, without waiting.
pub(super) fn reap() {
    // Not merely tried: somebody who is at it may have passed the one whose end we heard of.
    let mut orphans = ORPHANS.lock().unwrap_or_else(PoisonError::into_inner);
    orphans.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}
