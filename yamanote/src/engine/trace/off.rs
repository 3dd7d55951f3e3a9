//! Nothing is ever traced.

use std::task::{Context, Poll};

use crate::engine::worker::Worker;

#[inline(always)]
pub(crate) fn leaf(_: &mut Context<'_>) -> Poll<()> {
    Poll::Ready(())
}

/// Runs `f`, a poll by the runtime.
#[inline(always)]
pub(crate) fn during_poll<R>(f: impl FnOnce() -> R) -> R {
    f()
}

pub(crate) fn is_tracing() -> bool {
    false
}

/// What a future is spawned as.
#[inline(always)]
pub(crate) fn root<F>(future: F) -> F {
    future
}

/// The runtime's part in dumps.
#[derive(Debug, Default)]
pub(crate) struct Dumper {}

impl Dumper {
    #[inline(always)]
    pub(crate) fn is_active(&self) -> bool {
        false
    }

    #[inline(always)]
    pub(crate) fn calls(&self) -> usize {
        0
    }

    #[inline(always)]
    pub(crate) fn acknowledge(&self, _: &Worker) {}

    #[inline(always)]
    pub(crate) fn poll(&self, _: &Worker, _: crate::engine::task::Id, poll: impl FnOnce()) {
        poll();
    }
}
