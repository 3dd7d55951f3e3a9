//! A span for each task, and an event for all that happens to its wakers.

use std::cell::Cell;
use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;
use tracing::instrument::{Instrument, Instrumented};
use tracing::{Span, trace, trace_span};

use super::WakerOperation;
use crate::engine::task::{BOX_ABOVE, Origin, waker};

/// The span of a task. It may be closed: wakers outlive the future. `None`: nobody wanted one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SpanId(Option<NonZeroU64>);

impl SpanId {
    fn of(span: &Span) -> SpanId {
        SpanId(span.id().map(|id| id.into_non_zero_u64()))
    }

    /// Tells what is done with a waker of the task.
    #[inline]
    pub(crate) fn note(self, operation: WakerOperation) {
        if let Some(id) = self.0 {
            let op = match operation {
                WakerOperation::Clone => "waker.clone",
                WakerOperation::Wake => "waker.wake",
                WakerOperation::WakeByRef => "waker.wake_by_ref",
                WakerOperation::Drop => "waker.drop",
            };
            trace!(target: "tokio::task::waker", op, task.id = id.get());
        }
    }
}

pin_project! {
    /// What a future is spawned as.
    pub(crate) struct Task<F> {
        #[pin]
        future: Instrumented<F>,
    }
}

thread_local! {
    /// The task that has yielded in the poll under way.
    static YIELDED: Cell<Option<SpanId>> = const { Cell::new(None) };
}

impl<F: Future> Future for Task<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let poll = self.project().future.poll(cx);
        // Inside the span it would be taken for a task that wakes itself, which is a fault in a future; one that
        // yields is woken by the runtime when it had its turn.
        if let Some(span) = YIELDED.take() {
            span.note(WakerOperation::Wake);
        }
        poll
    }
}

/// Wakes a task by itself, to be polled again behind its peers.
pub(crate) fn yielded(waker: &Waker) {
    match waker::wake_unnoted(waker) {
        Some(span) => {
            if YIELDED.replace(Some(span)) != Some(span) {
                span.note(WakerOperation::Clone);
            }
        }
        None => waker.wake_by_ref(),
    }
}

/// The span of a task, with the size that its future of type `F` is polled with, and its own if it is boxed for that.
fn span<F>(kind: &'static str, origin: &Origin<'_>, is_boxed: bool) -> Span {
    let (size, original_size) = match is_boxed {
        true => (size_of::<Box<F>>(), Some(size_of::<F>())),
        false => (size_of::<F>(), None),
    };
    trace_span!(
        target: "tokio::task",
        parent: None,
        "runtime.spawn",
        %kind,
        task.name = %origin.name.unwrap_or_default(),
        task.id = origin.id.as_u64(),
        original_size.bytes = original_size,
        size.bytes = size,
        loc.file = origin.location.file(),
        loc.line = origin.location.line(),
        loc.col = origin.location.column(),
    )
}

fn spanned<F>(span: Span, future: F) -> (Task<F>, SpanId) {
    let id = SpanId::of(&span);
    (Task { future: future.instrument(span) }, id)
}

/// What a future is spawned as.
pub(crate) fn task<F>(kind: &'static str, origin: &Origin<'_>, future: F) -> (Task<F>, SpanId) {
    spanned(span::<F>(kind, origin, size_of::<F>() > BOX_ABOVE), future)
}

/// What a closure of type `F` is run as.
pub(crate) fn blocking<F, T>(origin: &Origin<'_>, task: T) -> (Task<T>, SpanId) {
    let span = trace_span!(
        target: "tokio::task::blocking",
        "runtime.spawn",
        kind = %"blocking",
        task.name = %origin.name.unwrap_or_default(),
        task.id = origin.id.as_u64(),
        fn = %std::any::type_name::<F>(),
        original_size.bytes = None::<usize>,
        size.bytes = size_of::<F>(),
        loc.file = origin.location.file(),
        loc.line = origin.location.line(),
        loc.col = origin.location.column(),
    );
    spanned(span, task)
}

/// What a future of type `F` is run as by `block_on`, which has boxed it if it is not the same as `T`.
#[track_caller]
pub(crate) fn block_on<F, T>(future: T) -> Instrumented<T> {
    let is_boxed = size_of::<F>() != size_of::<T>();
    future.instrument(span::<F>("block_on", &Origin::here(), is_boxed))
}
