//! How long tasks wait between being woken and being polled, where somebody asked for it.
//!
//! The moments are kept beside the tasks, in a map under a lock: a task that nobody measures shall not be larger
//! for it. So this costs a lock and a reading of the clock for each wake and each poll, and nothing when it is
//! off.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::queue::Raw;

#[derive(Debug, Default)]
pub(crate) struct Latency {
    /// When each queued task was scheduled, by its address.
    scheduled: Mutex<HashMap<usize, Instant>>,
}

impl Latency {
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Instant>> {
        self.scheduled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A task is about to be queued.
    pub(crate) fn note_scheduled(&self, task: Raw) {
        // An address that another task had before: what is left of that one is overwritten.
        self.lock().insert(task.as_ptr().addr(), Instant::now());
    }

    /// A task is about to be polled: how long it waited.
    pub(crate) fn note_polled(&self, task: Raw) -> Option<Duration> {
        let scheduled = self.lock().remove(&task.as_ptr().addr())?;
        Some(scheduled.elapsed())
    }
}
