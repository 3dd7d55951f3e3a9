//! Timers and the clock; what the worker loop needs of them.

use std::time::Duration;

/// The runtime's clock.
pub(crate) struct Clock;

impl Clock {
    pub(crate) fn new(_enable_pausing: bool, _start_paused: bool) -> Self {
        Clock
    }

    pub(crate) fn now_tick(&self) -> u64 {
        0
    }

    /// How long until a tick begins; zero if it has.
    pub(crate) fn duration_until(&self, _tick: u64) -> Duration {
        Duration::ZERO
    }

    pub(crate) fn is_paused(&self) -> bool {
        false
    }

    pub(crate) fn can_auto_advance(&self) -> bool {
        false
    }

    pub(crate) fn auto_advance_to(&self, _tick: u64) {}

    pub(crate) fn inhibit_auto_advance(&self) {}

    pub(crate) fn allow_auto_advance(&self) {}
}

/// A worker's timers.
pub(crate) struct Timers;

impl Timers {
    pub(crate) fn new() -> Self {
        Timers
    }

    /// The tick at which the next timer may be due.
    pub(crate) fn next_expiration(&self) -> Option<u64> {
        None
    }

    pub(crate) fn fire_expired(&self, _now_tick: u64) -> usize {
        0
    }

    pub(crate) fn shutdown(&self) {}
}
