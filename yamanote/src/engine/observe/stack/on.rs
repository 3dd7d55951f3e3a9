//! Stacks are copied when a worker is found stuck, and looked into when somebody asks.

use std::sync::Arc;

use crate::engine::observe::current::Current;
use crate::sys::stack;

/// What was seen of a worker's stack, if anything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stack(Option<Arc<stack::Sample>>);

impl Stack {
    /// Of the thread that drives the worker now.
    pub(crate) fn of(current: &Current) -> Stack {
        Stack(current.thread().and_then(stack::sample).map(Arc::new))
    }

    pub(crate) fn calls(&self) -> Option<stack::Calls> {
        self.0.as_deref().map(stack::Sample::calls)
    }
}

/// The calling thread drives the worker from now on.
pub(crate) fn note_thread(current: &Current) {
    current.set_thread(stack::thread_id());
}
