//! No ring: see the twin in `ring_on.rs`.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::io::source::WakeBatch;
use crate::engine::shared::Shared;

#[derive(Debug)]
pub(crate) struct RingSlot;

impl RingSlot {
    pub(crate) fn new() -> RingSlot {
        RingSlot
    }

    #[inline(always)]
    pub(crate) fn is_made(&self) -> bool {
        false
    }

    #[inline(always)]
    pub(crate) fn turn(&self, _: &mut WakeBatch) -> usize {
        0
    }

    #[inline(always)]
    pub(crate) fn shorten(&self, timeout: Option<Duration>) -> Option<Duration> {
        timeout
    }

    pub(crate) fn shutdown(&self, _: &mut WakeBatch) {}
}

pub(crate) fn finish(_: &Arc<Shared>) {}
