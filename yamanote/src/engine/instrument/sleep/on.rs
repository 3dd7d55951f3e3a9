//! The span of a `Sleep`, with the one operation that it is.

use std::task::Poll;
use std::time::Duration;

use tracing::trace_span;

use crate::engine::instrument::Resource;
use crate::engine::instrument::{InPoll, Waiting, polled, resource, update};

/// The spans of a timer.
#[derive(Debug)]
pub(crate) struct Sleeping {
    waiting: Waiting,
    resource: Resource,
}

impl Sleeping {
    #[track_caller]
    pub(crate) fn new() -> Sleeping {
        let resource = resource!("tokio::time::sleep", "Sleep", "timer");
        let operation = trace_span!(
            target: "tokio::time::sleep",
            parent: &resource,
            "runtime.resource.async_op",
            source = "Sleep::new_timeout",
        );
        let poll = trace_span!(
            target: "tokio::time::sleep",
            parent: &operation,
            "runtime.resource.async_op.poll",
        );
        Sleeping { waiting: Waiting { operation, poll }, resource: Resource(resource) }
    }

    /// Enters the spans for a poll.
    pub(crate) fn enter(&self) -> InPoll<'_> {
        self.waiting.enter(&self.resource)
    }

    /// The timer begins anew, with so much to wait.
    pub(crate) fn reset(&mut self, remaining: impl FnOnce() -> Duration) {
        let waiting = &mut self.waiting;
        self.resource.0.in_scope(|| {
            waiting.operation = trace_span!(
                target: "tokio::time::sleep",
                "runtime.resource.async_op",
                source = "Sleep::reset",
            );
            waiting.operation.in_scope(|| {
                waiting.poll =
                    trace_span!(target: "tokio::time::sleep", "runtime.resource.async_op.poll");
                duration(remaining());
            });
        });
    }
}

/// Inside the spans of a poll: the timer is being set, if `remaining` says so.
pub(crate) fn armed(remaining: impl FnOnce() -> Option<Duration>) {
    if let Some(remaining) = remaining() {
        duration(remaining);
    }
}

/// How long a timer will wait, in the milliseconds that it counts in.
fn duration(remaining: Duration) {
    let duration = u64::try_from(remaining.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    update!(duration, duration.unit = "ms", duration.op = "override");
}

/// Inside the spans of a poll: tells how a part of it ended.
pub(crate) fn elapsed<T>(poll: Poll<T>) -> Poll<T> {
    polled("poll_elapsed", poll.is_ready());
    poll
}
