//! The fair counting semaphore under `Semaphore`, `Mutex`, `RwLock`, `OnceCell` and the bounded channel.
//!
//! # State
//! One word and a queue behind a lock:
//!
//! ```text
//! state: [ permits : word size - 3 | unused | WAITERS | CLOSED ]
//! ```
//!
//! * `permits`: what anybody may take.
//! * `WAITERS`: the queue is not empty. Set and cleared under the lock only.
//! * `CLOSED`: set once, under the lock, never cleared.
//!
//! **While `WAITERS` is set, `permits` is 0**: the step that sets it takes every permit there is for the
//! waiter it queues, and releases go to the queue until it is empty. This is what makes the order strict
//! without a check in the fast path: whoever finds permits in the word knows that nobody waits for them.
//! It also means that, with `WAITERS` set, only the holder of the lock changes the word.
//!
//! # Transitions
//! * *acquire*: permits suffice → compare-and-swap, no lock. Else lock, take what is there, queue a
//!   [`Waiter`] for the rest.
//! * *release*: no `WAITERS` → compare-and-swap, no lock. Else lock and serve the queue from its front;
//!   what is left once it is empty goes to the word.
//! * *close*: lock, set `CLOSED`, unlink and wake every waiter. A waiter finds the bit when it is polled
//!   and gives back what it had been assigned when it is dropped.
//! * *cancel* (an [`Acquire`] is dropped): unlink, then release what was assigned, to the next in line.
//!
//! # Who may touch a waiter
//! It lives inside the pinned `Acquire`. `links` and `waker` belong to the holder of the lock while the
//! waiter is queued and to the `Acquire` otherwise. `needed` is written under the lock, except before
//! queueing; reaching 0 is the last thing that a releaser does to a waiter, after unlinking it and taking
//! its waker, because the owner may look without the lock and free it.

use std::cell::UnsafeCell as StdUnsafeCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll, Waker, ready};

use crate::engine::instrument::{Acquiring, Assigned, Resource};
use crate::engine::observe::futurelock;
use crate::engine::trace;
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire as AcquireOrder, Relaxed, Release};
use crate::loom::sync::{Mutex, MutexGuard};
use crate::task::coop;
use crate::util::canary::canary;
use crate::util::linked_list::{Link, Links};
use crate::util::{LinkedList, WakeList};

const CLOSED: usize = 1;
const WAITERS: usize = 2;
/// Leaves room for one more flag than is used, so that `MAX_PERMITS` is upstream's.
const SHIFT: u32 = 3;

/// See the module.
pub(crate) struct Semaphore {
    state: AtomicUsize,
    queue: Mutex<Queue>,
    resource: Resource,
    /// A lock or cell built on this must not be called unwind safe: a panic while a permit is held says
    /// nothing about what the permit protects.
    _not_unwind_safe: PhantomData<dyn Send + Sync + Unpin>,
}

type Queue = LinkedList<Waiter>;

/// The semaphore was closed.
#[derive(Debug)]
pub(crate) struct Closed;

/// Why [`Semaphore::try_acquire`] got nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TryAcquire {
    Closed,
    NoPermits,
}

impl Semaphore {
    /// The most permits one semaphore may hold.
    pub(crate) const MAX_PERMITS: usize = usize::MAX >> SHIFT;

    /// # Panics
    /// If `permits` exceeds [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    pub(crate) fn new(permits: usize) -> Self {
        assert_permits(permits);
        Semaphore {
            state: AtomicUsize::new(permits << SHIFT),
            queue: Mutex::new(LinkedList::new()),
            resource: Resource::permits(permits),
            _not_unwind_safe: PhantomData,
        }
    }

    /// As [`new`](Self::new), for statics.
    #[cfg(not(loom))]
    #[track_caller]
    pub(crate) const fn const_new(permits: usize) -> Self {
        assert_permits(permits);
        Semaphore {
            state: AtomicUsize::new(permits << SHIFT),
            queue: Mutex::new(LinkedList::new()),
            resource: Resource::none(),
            _not_unwind_safe: PhantomData,
        }
    }

    /// Without permits and closed from the start.
    pub(crate) fn new_closed() -> Self {
        Semaphore {
            state: AtomicUsize::new(CLOSED),
            queue: Mutex::new(LinkedList::new()),
            resource: Resource::none(),
            _not_unwind_safe: PhantomData,
        }
    }

    /// As [`new_closed`](Self::new_closed), for statics.
    #[cfg(not(loom))]
    pub(crate) const fn const_new_closed() -> Self {
        Semaphore {
            state: AtomicUsize::new(CLOSED),
            queue: Mutex::new(LinkedList::new()),
            resource: Resource::none(),
            _not_unwind_safe: PhantomData,
        }
    }

    /// How many permits could be taken now.
    pub(crate) fn available_permits(&self) -> usize {
        // Acquire pairs with the Release of `release`: whoever sees a permit back sees why it came back.
        self.state.load(AcquireOrder) >> SHIFT
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Acquire pairs with the AcqRel in `close`.
        self.state.load(AcquireOrder) & CLOSED != 0
    }

    /// Takes `n` permits if they are there.
    ///
    /// # Panics
    /// If `n` exceeds [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[inline]
    #[track_caller]
    pub(crate) fn try_acquire(&self, n: usize) -> Result<(), TryAcquire> {
        assert_permits(n);
        // Acquire also pairs with `close`: what was done before closing is seen by who gets `Closed`.
        let mut state = self.state.load(AcquireOrder);
        loop {
            if state & CLOSED != 0 {
                return Err(TryAcquire::Closed);
            }
            if state >> SHIFT < n {
                return Err(TryAcquire::NoPermits);
            }
            // Acquire pairs with the Release of those who returned the permits. (Swaps in between keep
            // the release sequence; the plain store in `settle` is ordered after them by the lock.)
            match self.state.compare_exchange_weak(
                state,
                state - (n << SHIFT),
                AcquireOrder,
                AcquireOrder,
            ) {
                Ok(_) => return Ok(()),
                Err(actual) => state = actual,
            }
        }
    }

    /// Waits for `n` permits, behind everybody who began to wait earlier. The place in the queue is taken
    /// by the first poll.
    ///
    /// # Panics
    /// If `n` exceeds [`MAX_PERMITS`](Self::MAX_PERMITS): it would wait for ever.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire(&self, n: usize) -> Acquire<'_> {
        assert_permits(n);
        let operation = Acquiring::new(&self.resource, n);
        Acquire { waiter: Waiter::new(n, operation), semaphore: self, permits: n, queued: false }
    }

    /// Adds `n` permits; waiters are served first.
    ///
    /// # Panics
    /// If there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[inline]
    #[track_caller]
    pub(crate) fn release(&self, n: usize) {
        if n == 0 {
            return;
        }
        if self.put_back(n) {
            self.resource.released(n);
        } else {
            self.release_to_waiters(n);
        }
    }

    /// Adds `n` permits to the word, unless somebody waits for them.
    #[inline]
    #[track_caller]
    fn put_back(&self, n: usize) -> bool {
        let mut state = self.state.load(Relaxed);
        while state & WAITERS == 0 {
            let next = add_permits(state, n);
            // Release pairs with the Acquire of whoever takes the permits.
            match self.state.compare_exchange_weak(state, next, Release, Relaxed) {
                Ok(_) => return true,
                Err(actual) => state = actual,
            }
        }
        false
    }

    #[cold]
    #[track_caller]
    fn release_to_waiters(&self, n: usize) {
        assert_permits(n);
        self.hand_out(n, self.queue.lock());
    }

    /// Removes up to `n` permits that nobody holds, and tells how many it were.
    pub(crate) fn forget_permits(&self, n: usize) -> usize {
        let mut state = self.state.load(Relaxed);
        loop {
            let taken = n.min(state >> SHIFT);
            if taken == 0 {
                return 0;
            }
            // Acquire as in `try_acquire`: this takes permits too.
            let next = state - (taken << SHIFT);
            match self.state.compare_exchange_weak(state, next, AcquireOrder, Relaxed) {
                Ok(_) => return taken,
                Err(actual) => state = actual,
            }
        }
    }

    /// No permit is handed out any more; who waits is woken to find out.
    pub(crate) fn close(&self) {
        /// Goes on where a panicking waker left off, so that nobody sleeps for ever.
        struct Rest<'a>(&'a Semaphore);

        impl Drop for Rest<'_> {
            fn drop(&mut self) {
                self.0.close();
            }
        }

        let mut queue = self.queue.lock();
        // Release: what was done before closing is seen by whoever finds it closed. Acquire: the closer
        // sees what was done by those whose permits it finds (the channel counts on that).
        self.state.fetch_or(CLOSED, AcqRel);
        if queue.is_empty() {
            return;
        }
        let rest = Rest(self);
        let mut wakers = WakeList::new();
        loop {
            while wakers.can_push() {
                let Some(waiter) = queue.pop_front() else { break };
                // SAFETY: it was queued, so it is alive, and the lock is held: the waker is ours.
                let waker = unsafe { waiter.as_ref().waker.with_mut(|w| (*w).take()) };
                // `needed` stays: what the waiter was assigned, it returns when it is dropped.
                if let Some(waker) = waker {
                    wakers.push(waker);
                }
            }
            let done = queue.is_empty();
            self.settle(&queue, 0);
            drop(queue);
            wakers.wake_all();
            if done {
                break;
            }
            queue = self.queue.lock();
        }
        std::mem::forget(rest);
    }

    /// Gives `n` permits to the waiters in order, the rest to the word, and wakes whom it completed.
    fn hand_out<'a>(&'a self, mut n: usize, mut queue: MutexGuard<'a, Queue>) {
        /// Permits that are in nobody's hands while wakers run, which may panic.
        struct InTransit<'a>(&'a Semaphore, usize);

        impl Drop for InTransit<'_> {
            fn drop(&mut self) {
                if self.1 > 0 {
                    self.0.release(self.1);
                }
            }
        }

        // One permit completes one waiter at most. That is every unlock of a mutex: it shall not pay
        // for a batch.
        let mut assigned = Assigned::new();
        let first = serve_front(&mut queue, &mut n, &mut assigned);
        if n == 0 || queue.is_empty() {
            self.settle(&queue, n);
            drop(queue);
            if let Some(waker) = first.flatten() {
                waker.wake();
            }
            self.tell(&mut assigned, n);
            return;
        }

        let mut wakers = WakeList::new();
        if let Some(waker) = first.flatten() {
            wakers.push(waker);
        }
        loop {
            while wakers.can_push() && n > 0 {
                match serve_front(&mut queue, &mut n, &mut assigned) {
                    Some(Some(waker)) => wakers.push(waker),
                    Some(None) => {}
                    None => break,
                }
            }
            let done = n == 0 || queue.is_empty();
            let left = if done { std::mem::take(&mut n) } else { 0 };
            if done {
                self.settle(&queue, left);
            }
            drop(queue);
            let mut rest = InTransit(self, n);
            wakers.wake_all();
            self.tell(&mut assigned, left);
            n = std::mem::take(&mut rest.1);
            if done {
                return;
            }
            queue = self.queue.lock();
        }
    }

    /// Tells subscribers who got permits, and how many nobody got. After all that has to be done: they may panic.
    #[inline]
    fn tell(&self, assigned: &mut Assigned, left: usize) {
        assigned.tell();
        if left > 0 {
            self.resource.released(left);
        }
    }

    /// After the queue changed: puts `n` permits that no waiter needs into the word, and clears `WAITERS`
    /// if nobody waits. `queue` proves that the lock is held.
    fn settle(&self, queue: &Queue, n: usize) {
        if !queue.is_empty() {
            debug_assert_eq!(n, 0, "permits left although somebody waits");
            return;
        }
        let state = self.state.load(Relaxed);
        if state & WAITERS != 0 {
            debug_assert_eq!(state >> SHIFT, 0);
            // Nobody else changes the word while `WAITERS` is set, see the module: a store will do.
            // Release pairs with the Acquire of whoever takes the permits; earlier releases happen
            // before this one through the step that set `WAITERS` and the lock.
            self.state.store(add_permits(state & CLOSED, n), Release);
        } else if n > 0 {
            let is_back = self.put_back(n);
            debug_assert!(is_back, "`WAITERS` is set under the lock only");
        }
    }
}

/// Serves the first waiter. `Some` if that completed it (with its waker, if it has one), `None` if
/// nobody waits or `n` did not suffice, in which case it is 0 now.
fn serve_front(queue: &mut Queue, n: &mut usize, assigned: &mut Assigned) -> Option<Option<Waker>> {
    let front = queue.front()?;
    // SAFETY: it is queued, so it is alive; nothing below frees it before the store that lets its owner
    // do so, and `waiter` is not used after that.
    let waiter = unsafe { front.as_ref() };
    let needed = waiter.needed.load(Relaxed);
    assigned.push(&waiter.operation, needed.min(*n));
    if *n < needed {
        waiter.needed.store(needed - *n, Relaxed);
        *n = 0;
        return None;
    }
    *n -= needed;
    queue.pop_front();
    // SAFETY: the lock is held (`queue` is borrowed from it), so the waker is ours.
    let waker = unsafe { waiter.waker.with_mut(|w| (*w).take()) };
    if futurelock::is_wanted() {
        futurelock::note_handed(front.addr().get());
    }
    // Release pairs with the Acquire in `Acquire::poll` and `drop`: the owner sees the unlinking, and all
    // that happened before the permits were released.
    waiter.needed.store(0, Release);
    Some(waker)
}

/// `state` with `n` more permits.
#[inline]
#[track_caller]
fn add_permits(state: usize, n: usize) -> usize {
    let available = state >> SHIFT;
    assert!(
        n <= Semaphore::MAX_PERMITS - available,
        "adding {n} permits to {available} would exceed MAX_PERMITS ({})",
        Semaphore::MAX_PERMITS,
    );
    state + (n << SHIFT)
}

#[track_caller]
pub(super) const fn assert_permits(permits: usize) {
    assert!(
        permits <= Semaphore::MAX_PERMITS,
        "a semaphore may not have more than MAX_PERMITS permits (usize::MAX >> 3)"
    );
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        debug_assert!(self.queue.get_mut().is_empty(), "waiters borrow the semaphore");
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("permits", &self.available_permits())
            .field("closed", &self.is_closed())
            .finish()
    }
}

/// A place in the queue; see the module for who may touch what.
struct Waiter {
    links: StdUnsafeCell<Links<Waiter>>,
    waker: UnsafeCell<Option<Waker>>,
    /// Permits still to be assigned.
    needed: AtomicUsize,
    /// What subscribers are told of; never changed.
    operation: Acquiring,
}

impl Waiter {
    #[inline]
    fn new(n: usize, operation: Acquiring) -> Self {
        Waiter {
            links: StdUnsafeCell::new(Links::new()),
            waker: UnsafeCell::new(None),
            needed: AtomicUsize::new(n),
            operation,
        }
    }
}

// SAFETY: `links` is a field in a cell of its own, used by the list only; a `Waiter` is pinned within its
// `Acquire`, which unlinks it before it goes.
unsafe impl Link for Waiter {
    type Node = Waiter;

    unsafe fn links(node: NonNull<Waiter>) -> NonNull<Links<Waiter>> {
        // SAFETY: the node is alive by contract, so the field's address is not null.
        unsafe { NonNull::new_unchecked(StdUnsafeCell::raw_get(&raw const (*node.as_ptr()).links)) }
    }
}

// SAFETY: the links are used by the list only, which is behind the lock; the waker is `Send`.
unsafe impl Send for Waiter {}
// SAFETY: as above; what a shared reference gives access to without the lock is an atomic.
unsafe impl Sync for Waiter {}

/// The future of [`Semaphore::acquire`].
///
/// Once it answered `Ready(Ok)` the permits are the caller's to release. Dropped before, it gives up its
/// place in the queue and what it had been assigned. It is pinned because the queue points into it.
pub(crate) struct Acquire<'a> {
    waiter: Waiter,
    semaphore: &'a Semaphore,
    permits: usize,
    /// The waiter is or was in the queue (or holds permits taken ahead of a spent budget).
    queued: bool,
}

impl Future for Acquire<'_> {
    type Output = Result<(), Closed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(trace::leaf(cx));
        // SAFETY: nothing is moved out of it; `waiter`, which the queue may point to, stays in place.
        let this = unsafe { self.get_unchecked_mut() };
        let (semaphore, permits, operation) =
            (this.semaphore, this.permits, this.waiter.operation.clone());
        operation.poll(&semaphore.resource, || this.poll_inner(cx), || semaphore.release(permits))
    }
}

impl Acquire<'_> {
    #[inline]
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let this = self;
        let semaphore = this.semaphore;
        let result = if this.queued {
            ready!(this.poll_acquire(cx))
        } else {
            match semaphore.try_acquire(this.permits) {
                Ok(()) => {
                    let give_back = || semaphore.release(this.permits);
                    this.waiter.operation.took_all(&semaphore.resource, this.permits, give_back);
                    Ok(())
                }
                Err(TryAcquire::Closed) => Err(Closed),
                Err(TryAcquire::NoPermits) => ready!(this.poll_acquire(cx)),
            }
        };
        // The budget is looked at last: the order is that of the calls, whatever else the task did before,
        // and who waits for permits need not be woken to wait.
        let Poll::Ready(coop) = coop::poll_proceed(cx) else {
            // The permits are kept for the next poll, or given back if there is none.
            if result.is_ok() {
                this.waiter.needed.store(0, Relaxed);
                this.queued = true;
            }
            return Poll::Pending;
        };
        coop.made_progress();
        if result.is_ok() {
            // The permits are the caller's from here on.
            this.queued = false;
        }
        Poll::Ready(result)
    }

    /// Takes a place in the queue, or looks whether it has been served. On `Ready(Ok)` the permits are
    /// held by the waiter: `queued` says so, until it is cleared.
    #[cold]
    fn poll_acquire(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let watched = futurelock::is_wanted().then(|| (&raw const self.waiter).addr());
        if let Some(waiter) = watched.filter(|_| !self.queued) {
            futurelock::note_waiting(waiter);
        }
        let poll = self.poll_queue(cx);
        if let Some(waiter) = watched.filter(|_| poll.is_ready()) {
            futurelock::note_over(waiter);
        }
        poll
    }

    fn poll_queue(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        // Only shared access to the waiter from here on: others may be looking at it.
        let waiter = &self.waiter;
        let semaphore = self.semaphore;
        if semaphore.is_closed() {
            return Poll::Ready(Err(Closed));
        }
        // Acquire pairs with the Release in `serve_front`.
        if self.queued && waiter.needed.load(AcquireOrder) == 0 {
            waiter.operation.took_some(&semaphore.resource, 0);
            return Poll::Ready(Ok(()));
        }

        // Wakers are foreign code: cloned before, and dropped after the lock is held.
        let mut waker = Some(cx.waker().clone());
        let mut queue = semaphore.queue.lock();
        if self.queued {
            // Closing unlinks, so it has to be looked for again; the lock orders it.
            if semaphore.state.load(Relaxed) & CLOSED != 0 {
                drop(queue);
                return Poll::Ready(Err(Closed));
            }
            if waiter.needed.load(Relaxed) == 0 {
                drop(queue);
                waiter.operation.took_some(&semaphore.resource, 0);
                return Poll::Ready(Ok(()));
            }
            // SAFETY: the waiter is queued and the lock is held, so the waker is ours.
            unsafe { waiter.waker.with_mut(|w| ptr::swap(w, &mut waker)) };
            drop(queue);
            waiter.operation.took_some(&semaphore.resource, 0);
            return Poll::Pending;
        }

        let mut state = semaphore.state.load(Relaxed);
        let missing = loop {
            if state & CLOSED != 0 {
                drop(queue);
                return Poll::Ready(Err(Closed));
            }
            let available = state >> SHIFT;
            let (next, missing) = if available >= self.permits {
                (state - (self.permits << SHIFT), 0)
            } else {
                // Takes all there is, which keeps the module's invariant.
                (WAITERS, self.permits - available)
            };
            // Acquire as in `try_acquire`, and so that a later store to the word by a holder of the lock
            // is ordered after the releases that this one saw.
            match semaphore.state.compare_exchange(state, next, AcquireOrder, Relaxed) {
                Ok(_) => break missing,
                Err(actual) => state = actual,
            }
        };
        self.queued = true;
        waiter.needed.store(missing, Relaxed);
        if missing == 0 {
            drop(queue);
            // Dropping `self` gives them back.
            waiter.operation.took_all(&semaphore.resource, self.permits, || {});
            return Poll::Ready(Ok(()));
        }
        // SAFETY: the waiter is not queued yet, so the waker is ours.
        unsafe { waiter.waker.with_mut(|w| *w = waker) };
        // SAFETY: it is pinned, in no list, and `drop` unlinks it.
        unsafe { queue.push_back(NonNull::from(waiter)) };
        drop(queue);
        waiter.operation.took_some(&semaphore.resource, self.permits - missing);
        Poll::Pending
    }

    #[cold]
    fn cancel(&mut self) {
        let waiter = &self.waiter;
        if futurelock::is_wanted() {
            futurelock::note_over(ptr::from_ref(waiter).addr());
        }
        // Acquire pairs with the Release in `serve_front`: at 0 nobody else knows the waiter.
        if waiter.needed.load(AcquireOrder) == 0 {
            self.semaphore.release(self.permits);
            return;
        }
        let mut queue = self.semaphore.queue.lock();
        // SAFETY: the waiter is alive and linked in this list or, served or closed, in none.
        unsafe { queue.remove(NonNull::from(waiter)) };
        // SAFETY: the waiter is not queued any more, so the waker is ours.
        let waker = unsafe { waiter.waker.with_mut(|w| (*w).take()) };
        let assigned = self.permits - waiter.needed.load(Relaxed);
        let assigned = if canary!("permits-lost-on-cancel") { 0 } else { assigned };
        // Also with nothing assigned: the last in the queue has to clear `WAITERS`.
        self.semaphore.hand_out(assigned, queue);
        drop(waker);
    }
}

impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.queued {
            self.cancel();
        }
    }
}

impl fmt::Debug for Acquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("permits", &self.permits).finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
