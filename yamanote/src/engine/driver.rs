//! What a worker waits in: its poller and its timers.
//!
//! One per worker (neighbours share a poller), both behind locks of their own, so that another thread can take over while
//! the worker is
//! stuck in a poll (see `monitor`). Only `parker` blocks in it; everybody else turns it without waiting.

use std::time::Duration;

use crate::engine::io::{IoDriver, PollerConfig};
use crate::engine::timer::{Clock, Timers};

pub(crate) struct Driver {
    pub(crate) io: IoDriver,
    pub(crate) timers: Option<Timers>,
}

impl Driver {
    /// The driver of `worker`. It shares the poller of `neighbour`, if there is one.
    pub(crate) fn new(
        (enable_io, enable_time): (bool, bool),
        worker: usize,
        poller: PollerConfig,
        neighbour: Option<&Driver>,
    ) -> Driver {
        let io = IoDriver::new(enable_io, worker, poller, neighbour.map(|neighbour| &neighbour.io));
        Driver { io, timers: enable_time.then(Timers::new) }
    }

    /// How long the worker may block: until its next timer, forever if there is none. For who is about to.
    pub(crate) fn park_timeout(&self, clock: &Clock) -> Option<Duration> {
        let until = self.timers.as_ref()?.arm(|| clock.now_tick())?;
        Some(clock.duration_until(until))
    }

    /// Fires what is due. Reads the clock only if there are timers.
    pub(crate) fn fire_timers(&self, clock: &Clock) -> usize {
        match &self.timers {
            Some(timers) if timers.next_expiration().is_some() => timers.fire_expired(clock.now_tick()),
            _ => 0,
        }
    }

    /// What another thread does for a worker that is stuck: takes its events and fires its timers.
    pub(crate) fn turn_for_another(&self, clock: &Clock, max_events: usize) -> usize {
        self.io.try_turn(max_events).unwrap_or(0) + self.fire_timers(clock)
    }

    pub(crate) fn shutdown(&self) {
        if let Some(timers) = &self.timers {
            timers.shutdown();
        }
        self.io.shutdown();
    }
}
