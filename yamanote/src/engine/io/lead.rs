//! Who waits in a poller that several workers share: the one that leads.

use crate::loom::sync::atomic::{AtomicUsize, Ordering};

/// No worker has this number.
const NOBODY: usize = usize::MAX;

/// The worker that waits, or is about to. Relaxed throughout: whoever relies on what it reads here puts a fence between
/// its own write and that look (see [`place`](super::place)), and the poller's lock orders what a turn touches.
#[derive(Debug)]
pub(crate) struct Lead(AtomicUsize);

impl Lead {
    pub(crate) fn new() -> Lead {
        Lead(AtomicUsize::new(NOBODY))
    }

    /// Whether somebody leads.
    pub(crate) fn is_taken(&self) -> bool {
        self.0.load(Ordering::Relaxed) != NOBODY
    }

    /// Whether `worker` does.
    pub(crate) fn is_with(&self, worker: usize) -> bool {
        self.0.load(Ordering::Relaxed) == worker
    }

    /// Makes `worker` the one that waits, unless another is.
    pub(crate) fn try_take(&self, worker: usize) -> bool {
        self.0.compare_exchange(NOBODY, worker, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The one that waited does no more.
    pub(crate) fn give_up(&self) {
        self.0.store(NOBODY, Ordering::Relaxed);
    }
}
