//! The operation that waits for permits, and what it has of them.

use std::mem;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::task::Poll;

use tracing::level_filters::LevelFilter;
use tracing::trace_span;

use crate::engine::instrument::Resource;
use crate::engine::instrument::{Waiting, polled, update, update_operation};

/// Spans of an operation that waits for permits; `None` if nobody wants them. Shared, so that whoever assigns permits
/// under the semaphore's lock can name the operation when the lock is released, by which time it may be over.
#[derive(Clone, Debug)]
pub(crate) struct Acquiring(Option<Arc<Waiting>>);

impl UnwindSafe for Acquiring {}
impl RefUnwindSafe for Acquiring {}

/// Runs a function when it is dropped.
struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}

impl Acquiring {
    pub(crate) fn new(resource: &Resource, permits: usize) -> Acquiring {
        resource.0.in_scope(|| {
            let operation = trace_span!(
                target: "tokio::sync::batch_semaphore",
                "runtime.resource.async_op",
                source = "Acquire::new",
            );
            let poll = operation.in_scope(|| {
                update_operation!(permits_requested = permits, permits.op = "override");
                update_operation!(permits_obtained = 0_usize, permits.op = "override");
                trace_span!(target: "tokio::sync::batch_semaphore", "runtime.resource.async_op.poll")
            });
            let is_wanted = !operation.is_disabled() || !poll.is_disabled();
            Acquiring(is_wanted.then(|| Arc::new(Waiting { operation, poll })))
        })
    }

    /// Runs `poll` inside the operation's spans; `give_back`, if it has ended with all permits and a subscriber panics
    /// after that.
    pub(crate) fn poll<E>(
        &self,
        resource: &Resource,
        poll: impl FnOnce() -> Poll<Result<(), E>>,
        give_back: impl FnOnce(),
    ) -> Poll<Result<(), E>> {
        let mut held = OnDrop(None);
        let poll = {
            let _spans = self.0.as_ref().map(|waiting| waiting.enter(resource));
            let poll = poll();
            match &poll {
                Poll::Ready(Ok(())) => {
                    held.0 = Some(give_back);
                    // Of the budget and of the permits, as upstream counts.
                    polled("poll_acquire", true);
                    polled("poll_acquire", true);
                }
                Poll::Ready(Err(_)) => {}
                Poll::Pending => polled("poll_acquire", false),
            }
            poll
        };
        mem::forget(held);
        poll
    }

    /// The operation has taken all its permits at once. `give_back` returns them if a subscriber panics.
    pub(crate) fn took_all(&self, resource: &Resource, permits: usize, give_back: impl FnOnce()) {
        let held = OnDrop(Some(give_back));
        resource.0.in_scope(|| {
            update!(permits, permits.op = "sub");
            update_operation!(permits_obtained = permits, permits.op = "add");
        });
        mem::forget(held);
    }

    /// The operation has taken so many permits and waits for more, or has waited.
    pub(crate) fn took_some(&self, resource: &Resource, permits: usize) {
        resource.0.in_scope(|| update!(permits, permits.op = "sub"));
        self.assigned(permits);
    }

    fn assigned(&self, permits: usize) {
        let update = || update_operation!(permits_obtained = permits, permits.op = "add");
        match &self.0 {
            Some(waiting) => waiting.operation.in_scope(update),
            None => update(),
        }
    }
}

/// Permits that were assigned to operations under the semaphore's lock, to be told after it.
pub(crate) struct Assigned(Vec<(Acquiring, usize)>);

impl Assigned {
    pub(crate) fn new() -> Assigned {
        Assigned(Vec::new())
    }

    pub(crate) fn push(&mut self, operation: &Acquiring, permits: usize) {
        // A number, and no call of the subscriber's: this is under the lock.
        if LevelFilter::current() == LevelFilter::TRACE {
            self.0.push((operation.clone(), permits));
        }
    }

    /// Tells of all, and forgets them.
    pub(crate) fn tell(&mut self) {
        for (operation, permits) in self.0.drain(..) {
            operation.assigned(permits);
        }
    }
}
