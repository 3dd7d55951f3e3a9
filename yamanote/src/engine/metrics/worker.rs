//! A worker's counters.
//!
//! Only the thread that holds the worker's core writes them, so an increment is a load and a store, no
//! read-modify-write. All accesses are Relaxed: each number stands alone.

use std::sync::Mutex;
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::engine::shared::TaskCounts;
use crate::util::Counter;

#[derive(Debug, Default)]
pub(crate) struct WorkerStats {
    pub(crate) polls: Counter,
    pub(crate) parks: Counter,
    /// Parks and unparks: odd while parked.
    pub(crate) park_unparks: Counter,
    /// Parks that followed an unpark without a task in between.
    pub(crate) noops: Counter,
    pub(crate) steals: Counter,
    pub(crate) steal_operations: Counter,
    pub(crate) local_schedules: Counter,
    pub(crate) overflows: Counter,
    pub(crate) busy_ns: Counter,
    /// A moving average over the times between two parks.
    pub(crate) mean_poll_ns: Counter,
    /// Tasks beyond the ring, which a queue nobody steals from keeps behind it.
    pub(crate) backlog: Counter,
    pub(crate) tasks: TaskCounts,
    thread: Mutex<Option<ThreadId>>,
}

impl WorkerStats {
    pub(crate) fn set_thread(&self, id: ThreadId) {
        *self.thread.lock().unwrap_or_else(|e| e.into_inner()) = Some(id);
    }

    pub(crate) fn thread(&self) -> Option<ThreadId> {
        *self.thread.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(crate) fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy_ns.get())
    }
}

/// Measures how long a worker is busy, from one park to the next.
#[derive(Debug)]
pub(crate) struct BusyTimer {
    since: Instant,
    polls_then: u64,
}

impl BusyTimer {
    pub(crate) fn start(stats: &WorkerStats) -> Self {
        BusyTimer { since: Instant::now(), polls_then: stats.polls.get() }
    }

    /// Whether nothing was polled yet since the worker stopped last.
    pub(crate) fn is_fresh(&self, stats: &WorkerStats) -> bool {
        self.polls_then == stats.polls.get()
    }

    /// The worker stops working: to park, or for good. How long it was at it.
    pub(crate) fn pause(&mut self, stats: &WorkerStats) -> Duration {
        let elapsed = self.since.elapsed();
        let ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        stats.busy_ns.add(ns);
        let polls = stats.polls.get();
        match polls.wrapping_sub(self.polls_then) {
            0 => stats.noops.add(1),
            n => {
                let (new, old) = (ns / n, stats.mean_poll_ns.get());
                // The latest stretch weighs an eighth.
                stats.mean_poll_ns.set(if old == 0 { new } else { old - old / 8 + new / 8 });
            }
        }
        self.polls_then = polls;
        elapsed
    }

    /// It works again, from the moment given back.
    pub(crate) fn resume(&mut self) -> Instant {
        self.since = Instant::now();
        self.since
    }
}
