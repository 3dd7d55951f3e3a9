//! The worker's I/O driver when no feature needs one: it only waits.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::io::PollerConfig;
use crate::engine::io::condvar::CondvarPark;
use crate::engine::shared::Shared;

/// See the twin in `on.rs`.
#[derive(Debug)]
pub(crate) struct IoDriver {
    park: CondvarPark,
}

impl IoDriver {
    pub(crate) fn new(_: bool, _: usize, _: PollerConfig, _: Option<&IoDriver>) -> IoDriver {
        IoDriver { park: CondvarPark::new() }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        false
    }

    pub(crate) fn turn(&self, timeout: Option<Duration>, _max_events: usize) -> usize {
        self.park.wait(timeout);
        0
    }

    pub(crate) fn try_turn(&self, _max_events: usize) -> Option<usize> {
        Some(0)
    }

    pub(crate) fn unpark(&self) {
        self.park.unpark();
    }

    pub(crate) fn call_to_lead(&self) {}

    pub(crate) fn regret_look(&self) {}

    pub(crate) fn shutdown(&self) {}

    pub(crate) fn finish(_: &Arc<Shared>) {}

    pub(crate) fn has_sources(&self) -> bool {
        false
    }

    pub(crate) fn is_shutdown(&self) -> bool {
        false
    }

    pub(crate) fn fd_registered_count(&self) -> u64 {
        0
    }

    pub(crate) fn fd_deregistered_count(&self) -> u64 {
        0
    }

    pub(crate) fn ready_count(&self) -> u64 {
        0
    }
}
