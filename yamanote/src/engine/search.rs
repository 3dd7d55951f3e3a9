//! Looking for work in other workers' queues.
//!
//! Victims are visited from a random start, so that searchers spread. A ring gives half; an inbox gives
//! half of what waits. The LIFO slot is left alone: what is in it is about to run where its data is warm,
//! and taking it on every search cost upstream a wake-up per message; `monitor` opens it when its
//! worker is stuck.

use crate::engine::limits::INBOX_BATCH;
use crate::engine::queue::Raw;
use crate::engine::shared::Shared;
use crate::engine::worker::Core;

/// Takes work from another worker: a task to run now, and more into the own ring.
pub(crate) fn steal(shared: &Shared, core: &mut Core) -> Option<Raw> {
    let slots = shared.crew.slots_in_use();
    let own = &shared.remotes[core.index];
    let start = core.random_below(slots);
    for i in 0..slots {
        let victim = (start + i) % slots;
        if victim == core.index {
            continue;
        }
        let remote = &shared.remotes[victim];
        if let Some((task, n)) = remote.ring.steal_into(&own.ring) {
            own.stats.steals.add(n as u64);
            own.stats.steal_operations.add(1);
            return Some(task);
        }
        let room = own.ring.room().min(INBOX_BATCH);
        let taken = remote.inbox.take(room + 1, true, |task| {
            if own.ring.push(task).is_err() {
                // Only we push, and room was left for all of them.
                unreachable!("no room for stolen tasks");
            }
        });
        if taken.is_some() {
            return taken;
        }
    }
    // Between the last look at the own inbox and now something may have arrived there.
    shared.remotes[core.driver].inbox.pop()
}
