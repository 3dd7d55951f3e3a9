//! Driving one future on a thread that is not a worker: the thread parks between polls.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::engine::budget;
use crate::engine::context::{self, Entered};

/// Wakes a parked thread.
struct ThreadWaker {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release pairs with the Acquire in `park`: what the waking side did is seen by the next poll.
        if !self.woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

/// Polls `future` to its end, parking the calling thread while it is pending.
pub(crate) fn park_until<F: Future>(future: F) -> F::Output {
    let waker = Arc::new(ThreadWaker { thread: thread::current(), woken: AtomicBool::new(false) });
    let task_waker = Waker::from(Arc::clone(&waker));
    let mut cx = Context::from_waker(&task_waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = budget::with_budget(|| future.as_mut().poll(&mut cx)) {
            return output;
        }
        while !waker.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

/// For `blocking_recv` and its kin: as [`park_until`], refused where the thread drives a runtime.
///
/// # Panics
/// Inside an asynchronous context.
#[track_caller]
pub(crate) fn block_on_thread<F: Future>(future: F) -> F::Output {
    if context::with(|c| c.entered.get()) != Entered::No {
        panic!(
            "Cannot block the current thread from within a runtime. This happens because a function \
             attempted to block the current thread while the thread is being used to drive \
             asynchronous tasks."
        );
    }
    park_until(future)
}
