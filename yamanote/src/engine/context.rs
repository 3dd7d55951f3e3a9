//! What a thread knows about the runtime it is in.
//!
//! Two thread-locals. The hot one is plain cells without a destructor, so that reaching it is one address
//! computation and never fails. The current runtime handle, which has a destructor, is apart and may be
//! gone when other thread-locals' destructors run.

use std::cell::Cell;

use crate::engine::budget::Budget;

/// Whether this thread is inside `block_on` or a worker's loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// Blocking is fine.
    No,
    /// Driving a runtime: blocking here would stall its tasks.
    Yes {
        /// `block_in_place` may turn this thread into a blocking one.
        allow_block_in_place: bool,
    },
}

pub(crate) struct Context {
    pub(crate) budget: Cell<Budget>,
    pub(crate) entered: Cell<Entered>,
    /// The task being polled, as the number inside `task::Id`; 0 is none.
    pub(crate) task_id: Cell<u64>,
    /// State of the thread's random generator; 0 is not seeded yet.
    pub(crate) rng: Cell<u64>,
    /// The worker this thread drives.
    pub(crate) worker: Cell<*const crate::engine::worker::Worker>,
    /// A small number for the thread, from 1; 0 is not assigned yet.
    pub(crate) thread_number: Cell<usize>,
}

thread_local! {
    static CONTEXT: Context = const {
        Context {
            budget: Cell::new(Budget::unconstrained()),
            entered: Cell::new(Entered::No),
            task_id: Cell::new(0),
            rng: Cell::new(0),
            worker: Cell::new(std::ptr::null()),
            thread_number: Cell::new(0),
        }
    };
}

/// Runs `f` on the thread's context. Never fails: the context has no destructor.
#[inline(always)]
pub(crate) fn with<R>(f: impl FnOnce(&Context) -> R) -> R {
    CONTEXT.with(f)
}

/// A pseudo-random number below `n`, from the thread's generator: fast, not secure.
pub(crate) fn thread_rng_n(n: u32) -> u32 {
    with(|context| {
        let mut x = context.rng.get();
        if x == 0 {
            x = crate::util::rng::fresh_seed();
        }
        let (next, value) = crate::util::rng::step(x);
        context.rng.set(next);
        crate::util::rng::scale(value, n)
    })
}

/// Sets a cell until dropped, also by a panic.
pub(crate) struct Restore<'a, T: Copy>(&'a Cell<T>, T);

impl<'a, T: Copy> Restore<'a, T> {
    #[inline]
    pub(crate) fn replace(cell: &'a Cell<T>, value: T) -> Self {
        Restore(cell, cell.replace(value))
    }
}

impl<T: Copy> Drop for Restore<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}

/// Runs `f` with the thread marked as one that may block (inside `block_in_place`, on a blocking thread).
pub(crate) fn exit_runtime<R>(f: impl FnOnce() -> R) -> R {
    with(|context| {
        let _entered = Restore::replace(&context.entered, Entered::No);
        f()
    })
}

/// Runs `f` where `block_in_place` is refused: what shares the poll cannot go to another thread.
pub(crate) fn forbid_block_in_place<R>(f: impl FnOnce() -> R) -> R {
    with(|context| {
        let refused = match context.entered.get() {
            Entered::No => Entered::No,
            Entered::Yes { .. } => Entered::Yes { allow_block_in_place: false },
        };
        let _entered = Restore::replace(&context.entered, refused);
        f()
    })
}

pub(crate) use rt::*;

mod rt {
    use std::cell::{Cell, OnceCell, RefCell};
    use std::marker::PhantomData;
    use std::ops::Deref;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Entered, Restore, with};
    use crate::engine::shared::Shared;
    use crate::engine::worker::Worker;
    use crate::runtime::Handle;

    thread_local! {
        static CURRENT: Current = const { Current { handle: RefCell::new(None), depth: Cell::new(0) } };
    }

    struct Current {
        handle: RefCell<Option<Slot>>,
        /// How many guards are out: they have to be dropped in reverse.
        depth: Cell<usize>,
    }

    /// The current handle, and what is handed to those who take one often.
    struct Slot {
        handle: Handle,
        /// The same handle, counted apart: its count lies on a line that other threads seldom touch.
        lease: OnceCell<Arc<Handle>>,
        /// One that came back. What is made and dropped on this thread takes it and gives it back, and nothing is counted.
        spare: Cell<Option<Arc<Handle>>>,
    }

    /// A handle as what is made often, such as timers, keeps it: to clone the handle itself is a write to a line that all
    /// threads of the runtime share.
    pub(crate) struct Lease(
        /// There until it is dropped.
        pub(super) Option<Arc<Handle>>,
    );

    impl Deref for Lease {
        type Target = Handle;

        #[inline]
        fn deref(&self) -> &Handle {
            match &self.0 {
                Some(handle) => handle,
                None => unreachable!("a lease is used that was given back"),
            }
        }
    }

    impl Drop for Lease {
        #[inline]
        fn drop(&mut self) {
            let lease = self.0.take();
            // What is not given back is dropped after the visit: it may be the last handle of its runtime.
            let _rest = CURRENT.try_with(|current| match (&*current.handle.borrow(), &lease) {
                (Some(slot), Some(it)) if slot.lease.get().is_some_and(|own| Arc::ptr_eq(own, it)) => {
                    slot.spare.replace(lease)
                }
                _ => lease,
            });
        }
    }

    /// Why there is no current handle.
    #[derive(Clone, Copy, Debug)]
    pub(crate) enum NoHandle {
        NoContext,
        Destroyed,
    }

    /// Runs `f` on the current runtime's handle.
    #[inline]
    pub(crate) fn with_handle<R>(f: impl FnOnce(&Handle) -> R) -> Result<R, NoHandle> {
        CURRENT
            .try_with(|current| match &*current.handle.borrow() {
                Some(slot) => Ok(f(&slot.handle)),
                None => Err(NoHandle::NoContext),
            })
            .unwrap_or(Err(NoHandle::Destroyed))
    }

    /// A lease on the current runtime's handle, if that is `wanted`.
    #[inline]
    pub(crate) fn lease(wanted: impl FnOnce(&Handle) -> bool) -> Result<Option<Lease>, NoHandle> {
        CURRENT
            .try_with(|current| match &*current.handle.borrow() {
                Some(slot) if wanted(&slot.handle) => {
                    let lease = slot.spare.take().unwrap_or_else(|| {
                        Arc::clone(slot.lease.get_or_init(|| Arc::new(slot.handle.clone())))
                    });
                    Ok(Some(Lease(Some(lease))))
                }
                Some(_) => Ok(None),
                None => Err(NoHandle::NoContext),
            })
            .unwrap_or(Err(NoHandle::Destroyed))
    }

    /// Makes a handle current until the guard is dropped.
    pub(crate) struct HandleGuard {
        previous: Option<Slot>,
        depth: usize,
        /// It belongs to the thread.
        _not_send: PhantomData<*const ()>,
    }

    // SAFETY: through a shared guard nothing can be reached.
    unsafe impl Sync for HandleGuard {}

    impl std::fmt::Debug for HandleGuard {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("HandleGuard").finish_non_exhaustive()
        }
    }

    /// # Panics
    /// If the thread's context is gone.
    #[track_caller]
    pub(crate) fn set_handle(handle: &Handle) -> HandleGuard {
        match CURRENT.try_with(|current| {
            let slot = Slot { handle: handle.clone(), lease: OnceCell::new(), spare: Cell::new(None) };
            let previous = current.handle.borrow_mut().replace(slot);
            let depth = current.depth.get() + 1;
            current.depth.set(depth);
            HandleGuard { previous, depth, _not_send: PhantomData }
        }) {
            Ok(guard) => guard,
            Err(_) => panic!("{}", crate::runtime::THREAD_LOCAL_DESTROYED_ERROR),
        }
    }

    impl Drop for HandleGuard {
        fn drop(&mut self) {
            let replaced = CURRENT.try_with(|current| {
                if current.depth.get() != self.depth {
                    if !std::thread::panicking() {
                        panic!(
                            "`EnterGuard` values dropped out of order. Guards returned by \
                             `tokio::runtime::Handle::enter()` must be dropped in the reverse \
                             order as they were acquired."
                        );
                    }
                    return None;
                }
                current.depth.set(self.depth - 1);
                std::mem::replace(&mut *current.handle.borrow_mut(), self.previous.take())
            });
            // Dropped with the cell free again: it may be the last handle of its runtime.
            drop(replaced);
        }
    }

    /// Runs `f` if the current thread drives a worker of `shared`.
    #[inline]
    pub(crate) fn with_worker<R>(shared: *const Shared, f: impl FnOnce(&Worker) -> R) -> Option<R> {
        with(|context| {
            let worker = context.worker.get();
            if worker.is_null() {
                return None;
            }
            // SAFETY: `become_worker` sets the pointer to a worker that outlives the time it is set, on
            // this thread only, and `f` cannot carry the reference away.
            let worker = unsafe { &*worker };
            std::ptr::eq(Arc::as_ptr(&worker.shared), shared).then(|| f(worker))
        })
    }

    /// Runs `f` on the worker this thread drives, of whatever runtime.
    pub(crate) fn with_any_worker<R>(f: impl FnOnce(&Worker) -> R) -> Option<R> {
        with(|context| {
            // SAFETY: as in `with_worker`.
            unsafe { context.worker.get().as_ref() }.map(f)
        })
    }

    /// The slot of the worker of `shared` that this thread drives.
    #[inline]
    pub(crate) fn worker_index(shared: &Arc<Shared>) -> Option<usize> {
        with_worker(Arc::as_ptr(shared), |worker| worker.has_core().then_some(worker.index)).flatten()
    }

    /// The worker of `shared` in whose driver this thread waits: the one it drives or stands in for.
    #[inline]
    pub(crate) fn driver_index(shared: &Arc<Shared>) -> Option<usize> {
        with_worker(Arc::as_ptr(shared), |worker| worker.has_core().then_some(worker.driver)).flatten()
    }

    /// A small number that stays the same for the thread.
    pub(crate) fn thread_number() -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        with(|context| match context.thread_number.get() {
            0 => {
                // Relaxed: only has to differ.
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                context.thread_number.set(number);
                number
            }
            number => number,
        })
    }

    /// Runs `f` with this thread driving `worker`.
    pub(crate) fn enter_worker<R>(
        worker: &Worker,
        allow_block_in_place: bool,
        f: impl FnOnce() -> R,
    ) -> R {
        let handle = Handle { shared: Arc::clone(&worker.shared) };
        // A runtime that is dropped while the thread's own data goes still has to shut down.
        let _handle = CURRENT.try_with(|_| ()).ok().map(|()| set_handle(&handle));
        with(|context| {
            let _entered = Restore::replace(&context.entered, Entered::Yes { allow_block_in_place });
            let _rng = Restore::replace(&context.rng, worker.shared.next_seed());
            become_worker(worker, f)
        })
    }

    /// Runs `f` with this thread, which is inside the runtime already, driving `worker`.
    pub(crate) fn become_worker<R>(worker: &Worker, f: impl FnOnce() -> R) -> R {
        with(|context| {
            let _worker = Restore::replace(&context.worker, std::ptr::from_ref(worker));
            f()
        })
    }

    /// Runs `f` marked as inside `handle`'s runtime, on a thread that is no worker of it.
    ///
    /// # Panics
    /// If the thread is already driving a runtime.
    #[track_caller]
    pub(crate) fn enter_runtime<R>(
        handle: &Handle,
        allow_block_in_place: bool,
        f: impl FnOnce() -> R,
    ) -> R {
        // Out here, where panics are the caller's.
        if with(|context| context.entered.get()) != Entered::No {
            panic!(
                "Cannot start a runtime from within a runtime. This happens because a function (like \
                 `block_on`) attempted to block the current thread while the thread is being \
                 used to drive asynchronous tasks. If you are in an async function, use `.await` on the \
                     future instead of blocking on it."
            );
        }
        let _handle = set_handle(handle);
        with(|context| {
            let _entered = Restore::replace(&context.entered, Entered::Yes { allow_block_in_place });
            let _rng = Restore::replace(&context.rng, handle.shared.next_seed());
            f()
        })
    }
}

#[cfg(all(test, not(loom), feature = "time"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::runtime::Builder;

    fn take() -> Lease {
        lease(|_| true).ok().flatten().expect("there is a runtime")
    }

    #[test]
    fn a_lease_goes_back_where_it_came_from_or_away() {
        let build = || Builder::new_current_thread().build().unwrap();
        let (own, other) = (build(), build());
        let entered = own.enter();
        let first = take();
        let counted = Arc::downgrade(first.0.as_ref().unwrap());
        assert_eq!(counted.strong_count(), 2);
        drop(first);
        assert_eq!(counted.strong_count(), 2, "kept for the next");
        let (second, third) = (take(), take());
        assert_eq!(counted.strong_count(), 3);
        {
            let _other = other.enter();
            drop(second);
            assert_eq!(counted.strong_count(), 2, "of no use here");
            assert!(!std::ptr::eq(&*take(), &*third));
        }
        drop(third);
        drop(entered);
        assert_eq!(counted.strong_count(), 0);
    }
}
