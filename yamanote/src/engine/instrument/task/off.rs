//! Nobody is told.

#![allow(clippy::extra_unused_type_parameters, reason = "the other twin uses them")]

use std::task::Waker;

use super::WakerOperation;
use crate::engine::task::Origin;

/// No task has a span.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SpanId;

impl SpanId {
    #[inline(always)]
    pub(crate) fn note(self, _: WakerOperation) {}
}

/// What a future is spawned as.
#[inline(always)]
pub(crate) fn task<F>(_: &'static str, origin: &Origin<'_>, future: F) -> (F, SpanId) {
    let _ = origin.name;
    (future, SpanId)
}

/// What a closure of type `F` is run as.
#[inline(always)]
pub(crate) fn blocking<F, T>(_: &Origin<'_>, task: T) -> (T, SpanId) {
    (task, SpanId)
}

/// What a future of type `F` is run as by `block_on`.
#[inline(always)]
pub(crate) fn block_on<F, T>(future: T) -> T {
    future
}

/// Wakes a task by itself, to be polled again behind its peers.
#[inline(always)]
pub(crate) fn yielded(waker: &Waker) {
    waker.wake_by_ref();
}
