//! Nobody is told. What each is for, the other twin says.

use std::task::Poll;
use std::time::Duration;

pub(crate) struct Sleeping;

pub(crate) struct InPoll;

impl Sleeping {
    #[inline(always)]
    pub(crate) fn new() -> Sleeping {
        Sleeping
    }

    #[inline(always)]
    pub(crate) fn enter(&self) -> InPoll {
        InPoll
    }

    #[inline(always)]
    pub(crate) fn reset(&mut self, _: impl FnOnce() -> Duration) {}
}

#[inline(always)]
pub(crate) fn armed(_: impl FnOnce() -> Option<Duration>) {}

#[inline(always)]
pub(crate) fn elapsed<T>(poll: Poll<T>) -> Poll<T> {
    poll
}
