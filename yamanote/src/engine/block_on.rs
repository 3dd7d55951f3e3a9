//! Driving one future to its end on the calling thread.
//!
//! * On a thread that is not a worker the thread parks between polls ([`park_until`]).
//! * On a single-threaded runtime the calling thread takes the runtime's core and runs the worker loop
//!   with the future as its root ([`drive_current_thread`]); if another thread has the core, it parks like any other until
//!   its future is woken or the core comes free.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::engine::context::{self, Entered};
use crate::engine::observe::futurelock;
use crate::engine::spin::Spinner;
use crate::engine::{block_in_place, budget};

/// Wakes a parked thread.
struct ThreadWaker {
    thread: Thread,
    woken: AtomicBool,
    spinner: Spinner,
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release pairs with the Acquire in `take`: what the waking side did is seen by the next poll.
        if !self.woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

impl ThreadWaker {
    fn new(woken: bool) -> Arc<ThreadWaker> {
        Arc::new(ThreadWaker {
            thread: thread::current(),
            woken: AtomicBool::new(woken),
            spinner: Spinner::new(),
        })
    }

    fn take(&self) -> bool {
        self.woken.swap(false, Ordering::Acquire)
    }

    /// Waits for a wake-up; may return without one. For the thread itself.
    fn wait(&self) {
        // Relaxed: `take` looks for good. What a wake-up does to the thread besides stays for the next park.
        let woken = || self.woken.load(Ordering::Relaxed);
        if !(self.spinner.should() && self.spinner.spin(None, woken)) {
            thread::park();
        }
    }
}

thread_local! {
    /// The waker that the thread parked with last, and its other self, for the next time. A wake-up that comes late
    /// makes that one poll once too often. Whoever uses it takes it out: a future polled inside another's poll must
    /// not swallow the other's wake-ups.
    static SPARE: Cell<Option<(Arc<ThreadWaker>, Waker)>> = const { Cell::new(None) };
}

/// Polls the future that a thread waits for.
#[inline]
fn poll_root<F: Future>(future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
    let begun = futurelock::is_wanted().then(futurelock::begin_poll);
    let poll = budget::with_budget(|| future.poll(cx));
    if let Some(begun) = begun {
        futurelock::end_root_poll(begun);
    }
    poll
}

/// Polls `future` to its end, parking the calling thread while it is pending.
pub(crate) fn park_until<F: Future>(future: F) -> F::Output {
    let spare = SPARE.try_with(Cell::take).ok().flatten();
    let (waker, task_waker) = spare.unwrap_or_else(|| {
        let waker = ThreadWaker::new(false);
        (Arc::clone(&waker), Waker::from(waker))
    });
    let mut cx = Context::from_waker(&task_waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll_root(future.as_mut(), &mut cx) {
            let _ = SPARE.try_with(|spare| spare.set(Some((waker, task_waker))));
            return output;
        }
        while !waker.take() {
            block_in_place::note_waiting();
            waker.wait();
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

pub(crate) use rt::drive_current_thread;

mod rt {
    use super::*;
    use crate::engine::shared::Shared;
    use crate::engine::shutdown;
    use crate::engine::worker::{Core, Root, Worker};
    use crate::runtime::Handle;

    /// Wakes the root of a single-threaded runtime. The flag is the runtime's, not the root's, which spares each
    /// `block_on` an allocation; a waker that outlives its `block_on` makes the next one poll once too often.
    impl Wake for Shared {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }

        fn wake_by_ref(self: &Arc<Self>) {
            // Release pairs with `take_woken`'s Acquire.
            if !self.root_woken.swap(true, Ordering::AcqRel) && context::worker_index(self).is_none() {
                self.unpark(0);
            }
        }
    }

    /// The future that `block_on` waits for, as the worker's root.
    struct BlockOn<'a, F: Future> {
        future: Pin<&'a mut F>,
        output: &'a mut Option<F::Output>,
        woken: &'a AtomicBool,
        waker: &'a Waker,
    }

    impl<F: Future> Root for BlockOn<'_, F> {
        fn take_woken(&mut self) -> bool {
            // Relaxed: only spares the swap. Acquire pairs with the Release in `wake_by_ref`.
            self.woken.load(Ordering::Relaxed) && self.woken.swap(false, Ordering::Acquire)
        }

        fn poll(&mut self) -> bool {
            let mut cx = Context::from_waker(self.waker);
            match poll_root(self.future.as_mut(), &mut cx) {
                Poll::Ready(output) => {
                    *self.output = Some(output);
                    true
                }
                Poll::Pending => false,
            }
        }

        fn is_woken(&self) -> bool {
            self.woken.load(Ordering::Relaxed)
        }
    }

    /// Puts the core back where the next `block_on` finds it, also when the future panics.
    struct PutBack<'a>(&'a Worker);

    impl Drop for PutBack<'_> {
        fn drop(&mut self) {
            if let Some(mut core) = self.0.take_core() {
                core.rest(&self.0.shared);
                self.0.shared.core_slot.put(core);
            }
        }
    }

    /// `Runtime::block_on` of a single-threaded runtime.
    #[track_caller]
    pub(crate) fn drive_current_thread<F: Future>(handle: &Handle, future: F) -> F::Output {
        context::enter_runtime(handle, false, || {
            let mut future = pin!(future);
            let shared = &handle.shared;
            if let Some(core) = shared.core_slot.take() {
                return drive(shared, core, future);
            }
            let thread_waker = ThreadWaker::new(true);
            let waker = Waker::from(Arc::clone(&thread_waker));
            loop {
                if let Some(core) = shared.core_slot.take_or_wait() {
                    return drive(shared, core, future);
                }
                if shared.had_unhandled_panic() && shared.is_shutdown() {
                    stopped();
                }
                // Another thread drives the runtime; this one only polls its own future.
                if thread_waker.take() {
                    let mut cx = Context::from_waker(&waker);
                    if let Poll::Ready(output) = poll_root(future.as_mut(), &mut cx) {
                        shared.core_slot.stop_waiting();
                        return output;
                    }
                } else {
                    thread::park();
                }
            }
        })
    }

    #[track_caller]
    fn stopped() -> ! {
        panic!("a spawned task panicked and the runtime is configured to shut down on unhandled panic")
    }

    #[track_caller]
    fn drive<F: Future>(shared: &Arc<Shared>, mut core: Box<Core>, future: Pin<&mut F>) -> F::Output {
        core.resume();
        let worker = Worker::new(Arc::clone(shared), core);
        // Relaxed: whoever holds the core reads it next.
        shared.root_woken.store(true, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(shared));
        let mut output = None;
        context::become_worker(&worker, || {
            let _put_back = PutBack(&worker);
            let mut root =
                BlockOn { future, output: &mut output, woken: &shared.root_woken, waker: &waker };
            if !worker.run(&mut root) && shared.had_unhandled_panic() {
                // For good: what else was spawned is cancelled, and so is what will be.
                shared.start_shutdown();
                if let Some(core) = worker.take_core() {
                    shutdown::retire(shared, core);
                }
                shared.core_slot.wake_all();
            }
        });
        match output {
            Some(output) => output,
            None => stopped(),
        }
    }
}
