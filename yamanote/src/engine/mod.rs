//! The engine: one scheduler, read in the order in which a task meets it.

pub(crate) mod block_on;
pub(crate) mod budget;
pub(crate) mod context;
pub(crate) mod io;

/// Wakes the task behind its peers: after the worker has looked at its driver, if the current thread is a
/// worker, else at once.
pub(crate) fn defer(waker: &std::task::Waker) {
    waker.wake_by_ref();
}
