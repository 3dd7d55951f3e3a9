//! A span for each resource, one for each operation on it, one for the polls of that, and events for their state.
//!
//! Subscribers find out what belongs together by what is entered: an event about a resource is sent inside its span,
//! one about an operation inside the operation's as well.

use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tracing::span::Entered;
use tracing::{Span, trace_span};

use super::Inherits;

/// Sends the new state of the resource whose span is entered.
macro_rules! update {
    ($($fields:tt)*) => {
        tracing::trace!(target: "runtime::resource::state_update", $($fields)*)
    };
}
/// Sends the new state of the operation whose span is entered.
macro_rules! update_operation {
    ($($fields:tt)*) => {
        tracing::trace!(target: "runtime::resource::async_op::state_update", $($fields)*)
    };
}
pub(crate) use {update, update_operation};

/// A resource's span, made where the user's code is.
macro_rules! resource {
    ($target:literal, $type:literal, $kind:literal $(, $name:ident = $value:expr)?) => {{
        let location = std::panic::Location::caller();
        tracing::trace_span!(
            target: $target,
            parent: None,
            "runtime.resource",
            concrete_type = $type,
            kind = $kind,
            loc.file = location.file(),
            loc.line = location.line(),
            loc.col = location.column(),
            $($name = $value)?
        )
    }};
}
pub(crate) use resource;

/// Tells how a poll ended; inside the operation's span.
pub(crate) fn polled(op_name: &'static str, is_ready: bool) {
    tracing::trace!(target: "runtime::resource::poll_op", op_name, is_ready);
}

/// What tasks wait for.
#[derive(Clone, Debug)]
pub(crate) struct Resource(pub(crate) Span);

// What a subscriber leaves broken when it panics is its own; nothing of ours is behind a span.
impl UnwindSafe for Resource {}
impl RefUnwindSafe for Resource {}

impl Default for Resource {
    fn default() -> Self {
        Resource::none()
    }
}

impl Resource {
    /// For what is made in a `const`: it has no span.
    pub(crate) const fn none() -> Resource {
        Resource(Span::none())
    }

    /// A `Mutex`, and what `make` makes for it.
    #[track_caller]
    pub(crate) fn mutex<R>(make: impl FnOnce() -> R) -> (Resource, R) {
        let span = resource!("tokio::sync::mutex", "Mutex", "Sync");
        let inner = span.in_scope(|| {
            update!(locked = false);
            make()
        });
        (Resource(span), inner)
    }

    /// An `RwLock`, and what `make` makes for it.
    #[track_caller]
    pub(crate) fn rwlock<R>(max_readers: u32, make: impl FnOnce() -> R) -> (Resource, R) {
        let span = resource!("tokio::sync::rwlock", "RwLock", "Sync");
        span.in_scope(|| {
            update!(max_readers);
            update!(write_locked = false);
            update!(current_readers = 0);
        });
        let inner = span.in_scope(make);
        (Resource(span), inner)
    }

    /// A `Semaphore`, and what `make` makes for it.
    #[track_caller]
    pub(crate) fn semaphore<R>(make: impl FnOnce() -> R) -> (Resource, R) {
        let span = resource!("tokio::sync::semaphore", "Semaphore", "Sync", inherits_child_attrs = true);
        let inner = span.in_scope(make);
        (Resource(span), inner)
    }

    /// The semaphore inside many others.
    pub(crate) fn permits(permits: usize) -> Resource {
        let span = trace_span!(
            target: "tokio::sync::batch_semaphore",
            parent: None,
            "runtime.resource",
            concrete_type = "Semaphore",
            kind = "Sync",
            is_internal = true,
        );
        span.in_scope(|| update!(permits, permits.op = "override"));
        Resource(span)
    }

    /// A `Barrier`.
    #[track_caller]
    pub(crate) fn barrier(size: usize) -> Resource {
        let span = resource!("tokio::sync::barrier", "Barrier", "Sync");
        span.in_scope(|| {
            update!(size);
            update!(arrived = 0);
        });
        Resource(span)
    }

    /// Both halves of a oneshot channel.
    #[track_caller]
    pub(crate) fn oneshot() -> Resource {
        let span = resource!("tokio::sync::oneshot", "Sender|Receiver", "Sync");
        span.in_scope(|| update!(tx_dropped = false, tx_dropped.op = "override"));
        span.in_scope(|| update!(rx_dropped = false, rx_dropped.op = "override"));
        span.in_scope(|| update!(value_sent = false, value_sent.op = "override"));
        span.in_scope(|| update!(value_received = false, value_received.op = "override"));
        Resource(span)
    }

    /// An `Interval`.
    #[track_caller]
    pub(crate) fn interval() -> Resource {
        Resource(resource!("tokio::time::interval", "Interval", "timer"))
    }

    /// To be kept by a guard.
    pub(crate) fn as_ref(&self) -> ResourceRef<'_> {
        ResourceRef(&self.0)
    }

    /// Permits were added that no waiter took.
    pub(crate) fn released(&self, permits: usize) {
        self.0.in_scope(|| update!(permits, permits.op = "add"));
    }

    /// The value is on its way.
    pub(crate) fn sent(&self) {
        self.0.in_scope(|| update!(value_sent = true, value_sent.op = "override"));
    }

    /// The value was taken without waiting.
    pub(crate) fn received(&self) {
        self.0.in_scope(|| update!(value_received = true, value_received.op = "override"));
    }

    /// The sender was dropped; if it was used up before, its resource was taken away.
    pub(crate) fn sender_gone(&self) {
        if !self.0.is_none() {
            self.0.in_scope(|| update!(tx_dropped = true, tx_dropped.op = "override"));
        }
    }

    /// The receiver was closed, or dropped without a value.
    pub(crate) fn receiver_gone(&self) {
        self.0.in_scope(|| update!(rx_dropped = true, rx_dropped.op = "override"));
    }

    /// An operation that waits: what `make` makes, polled inside the operation's spans. `source` is the method's name,
    /// `poll_op` what its polls are called.
    pub(crate) fn operation<F>(
        &self,
        source: &'static str,
        poll_op: &'static str,
        inherits: Inherits,
        make: impl FnOnce() -> F,
    ) -> Operation<F> {
        let _resource = self.0.enter();
        let operation = trace_span!(
            target: "tokio::util::trace",
            "runtime.resource.async_op",
            source,
            inherits_child_attrs = inherits == Inherits::Yes,
        );
        let (poll, future) = operation.in_scope(|| {
            let poll = trace_span!(target: "tokio::util::trace", "runtime.resource.async_op.poll");
            (poll, make())
        });
        Operation { future, waiting: Waiting { operation, poll }, resource: self.clone(), poll_op }
    }
}

/// A resource as its guards know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResourceRef<'a>(&'a Span);

impl UnwindSafe for ResourceRef<'_> {}
impl RefUnwindSafe for ResourceRef<'_> {}

impl ResourceRef<'_> {
    /// A mutex was locked or unlocked.
    pub(crate) fn locked(self, locked: bool) {
        self.0.in_scope(|| update!(locked));
    }

    /// Somebody got a reader-writer lock.
    pub(crate) fn entered(self, role: Role) {
        self.0.in_scope(|| match role.writes {
            false => update!(current_readers = 1, current_readers.op = "add"),
            true => update!(write_locked = true, write_locked.op = "override"),
        });
    }

    /// Somebody gave up a reader-writer lock.
    pub(crate) fn left(self, role: Role) {
        self.0.in_scope(|| match role.writes {
            false => update!(current_readers = 1, current_readers.op = "sub"),
            true => update!(write_locked = false, write_locked.op = "override"),
        });
    }
}

/// What somebody is to a reader-writer lock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Role {
    writes: bool,
}

impl Role {
    pub(crate) const READER: Role = Role { writes: false };
    pub(crate) const WRITER: Role = Role { writes: true };
}

/// A task has come to a barrier; inside the operation's spans.
pub(crate) fn arrived(is_leader: bool) {
    update!(arrived = 1, arrived.op = "add");
    update_operation!(arrived = true);
    if is_leader {
        update_operation!(is_leader = true);
    }
}

/// The spans of an operation and of its polls.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) operation: Span,
    pub(crate) poll: Span,
}

impl UnwindSafe for Waiting {}
impl RefUnwindSafe for Waiting {}

impl Waiting {
    /// Enters all spans of a poll; they are left in the opposite order.
    pub(crate) fn enter<'a>(&'a self, resource: &'a Resource) -> InPoll<'a> {
        let resource = resource.0.enter();
        let operation = self.operation.enter();
        InPoll { _poll: self.poll.enter(), _operation: operation, _resource: resource }
    }
}

/// The spans of a poll are entered.
pub(crate) struct InPoll<'a> {
    // In the order in which they are left.
    _poll: Entered<'a>,
    _operation: Entered<'a>,
    _resource: Entered<'a>,
}

pin_project! {
    /// A future that is polled inside the spans of an operation.
    pub(crate) struct Operation<F> {
        #[pin]
        future: F,
        waiting: Waiting,
        resource: Resource,
        poll_op: &'static str,
    }
}

impl<F: Future> Future for Operation<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _spans = this.waiting.enter(this.resource);
        let poll = this.future.poll(cx);
        polled(this.poll_op, poll.is_ready());
        poll
    }
}

/// The one operation of a oneshot channel's receiver.
#[derive(Clone, Debug)]
pub(crate) struct Receiving(Waiting);

impl Receiving {
    pub(crate) fn new(resource: &Resource) -> Receiving {
        let operation = resource.0.in_scope(|| {
            trace_span!(target: "tokio::sync::oneshot", "runtime.resource.async_op", source = "Receiver::await")
        });
        let poll = operation
            .in_scope(|| trace_span!(target: "tokio::sync::oneshot", "runtime.resource.async_op.poll"));
        Receiving(Waiting { operation, poll })
    }

    /// Runs `poll` inside the operation's spans.
    pub(crate) fn poll<T>(&self, resource: &Resource, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let _spans = self.0.enter(resource);
        let poll = poll();
        polled("poll_recv", poll.is_ready());
        poll
    }
}
