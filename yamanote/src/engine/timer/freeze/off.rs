//! The production twin: time flows, and nobody can stop it.

use std::time::Instant;

pub(crate) struct Freeze;

/// Whether some clock of the process was ever frozen.
#[inline(always)]
pub(crate) fn is_used() -> bool {
    false
}

impl Freeze {
    pub(crate) fn new(_start: Instant, _allowed: bool, _frozen: bool) -> Freeze {
        Freeze
    }

    #[inline(always)]
    pub(crate) fn now(&self) -> Instant {
        Instant::now()
    }

    #[inline(always)]
    pub(crate) fn is_frozen(&self) -> bool {
        false
    }

    #[inline(always)]
    pub(crate) fn can_auto_advance(&self) -> bool {
        false
    }

    pub(crate) fn move_to(&self, _to: Instant) {}

    #[inline(always)]
    pub(crate) fn inhibit_auto_advance(&self) {}

    #[inline(always)]
    pub(crate) fn allow_auto_advance(&self) {}
}
