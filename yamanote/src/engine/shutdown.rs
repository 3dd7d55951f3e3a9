//! How a runtime ends.
//!
//! 1. `start_shutdown` raises the flag and unparks every worker.
//! 2. Each worker leaves its loop after the poll it is in, closes the set of suspended tasks and cancels
//!    what is in it: a task that is not being polled drops its future here, one that is being polled is
//!    cancelled by whoever polls it, when that poll ends; so is one that would be suspended for the first time.
//! 3. The last worker to leave (spares included) knows that no task is being polled: it empties all queues, cancelling the tasks
//!    that were never polled, closes the inboxes, so that what is spawned or woken late is cancelled there and
//!    then, and shuts the drivers down, which fails every pending operation.

use std::sync::Arc;

use crate::engine::io::IoDriver;
use crate::engine::queue::Raw;
use crate::engine::schedule::Runnable;
use crate::engine::shared::Shared;
use crate::engine::worker::Core;
use crate::util::contain::contain;

/// A worker leaves with its core.
pub(crate) fn retire(shared: &Arc<Shared>, core: Box<Core>) {
    shared.live.close_and_shutdown_all(core.index);
    if let Some(cores) = shared.crew.retire(core) {
        finish(shared, cores);
    }
}

/// Empties what all workers left behind.
#[allow(clippy::vec_box)]
pub(crate) fn finish(shared: &Arc<Shared>, cores: Vec<Box<Core>>) {
    for mut core in cores {
        core.drain(cancel);
    }
    for remote in &shared.remotes {
        while let Some(task) = remote.ring.pop() {
            cancel(task);
        }
        if let Some(task) = remote.lifo.take() {
            cancel(task);
        }
        remote.deferred.drain(&mut cancel);
        let mut chain = remote.inbox.close();
        while let Some(task) = chain.pop() {
            cancel(task);
        }
    }
    for remote in &shared.remotes {
        // A waker that panics keeps nobody else from being told: each attempt has fewer left.
        while contain(|| remote.driver.shutdown()).is_none() {}
    }
    IoDriver::finish(shared);
    shared.attachments.clear();
}

fn cancel(task: Raw) {
    // SAFETY: the queues carry reference units that `Runnable::into_raw` gave, each once.
    unsafe { Runnable::from_raw(task) }.shutdown();
}
