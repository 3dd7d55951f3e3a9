//! Tasks that wait for one and the same thing, all woken when it happens.
//!
//! [`WaitList`] is the queue; [`WaitSet`] adds the flag that spares the lock when nobody waits. What is
//! waited for is the caller's: a word it changes before it notifies.
//!
//! # Protocol
//! A waiting task takes its place under the lock and, still under it, looks at the condition with the
//! closure it passes to [`Waiter::enqueue`] (which also announces that somebody waits). Whoever makes the
//! condition true looks for that announcement afterwards and notifies. The announcement and the condition
//! must be ordered by the caller so that one side sees the other: by being one word, by sharing a lock, or
//! as [`WaitSet`] does it.
//!
//! [`WaitList::notify_all`] wakes in the order of arrival and only those who were there when it began:
//! each place carries the generation it was taken in. Between batches of wakers it lets go of the lock.
//!
//! # Who may touch a node
//! It lives inside the pinned [`Waiter`]. Everything in it belongs to the holder of the lock while
//! `queued` is set and to the `Waiter` otherwise. Clearing `queued` is the last thing a notifying thread
//! does to a node, since its owner may look without the lock and free it.

use std::cell::UnsafeCell as StdUnsafeCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use crate::loom::cell::UnsafeCell;
use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::AtomicBool;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::util::linked_list::{Link, Links};
use crate::util::{LinkedList, WakeList};

/// See the module.
pub(crate) struct WaitList {
    queue: Mutex<Queue>,
}

struct Queue {
    nodes: LinkedList<Node>,
    /// Counts the notifications. 64 bits do not wrap.
    generation: u64,
}

struct Node {
    links: StdUnsafeCell<Links<Node>>,
    waker: UnsafeCell<Option<Waker>>,
    /// When it was queued.
    generation: UnsafeCell<u64>,
    queued: AtomicBool,
}

// SAFETY: `links` is a field in a cell of its own, used by the list only; a node is pinned in its `Waiter`.
unsafe impl Link for Node {
    type Node = Node;

    unsafe fn links(node: NonNull<Node>) -> NonNull<Links<Node>> {
        // SAFETY: the node is alive by contract, so the field's address is not null.
        unsafe { NonNull::new_unchecked(StdUnsafeCell::raw_get(&raw const (*node.as_ptr()).links)) }
    }
}

// SAFETY: the lock guards everything in it while it is shared; the waker is `Send`.
unsafe impl Send for Node {}
// SAFETY: as above; what is reached without the lock is an atomic.
unsafe impl Sync for Node {}

impl WaitList {
    pub(crate) fn new() -> Self {
        WaitList { queue: Mutex::new(Queue { nodes: LinkedList::new(), generation: 0 }) }
    }

    /// A place in the queue, not taken yet.
    #[inline]
    pub(crate) fn waiter(&self) -> Waiter<'_> {
        Waiter {
            list: self,
            node: Node {
                links: StdUnsafeCell::new(Links::new()),
                waker: UnsafeCell::new(None),
                generation: UnsafeCell::new(0),
                queued: AtomicBool::new(false),
            },
        }
    }

    /// Wakes everybody who waits now. `emptied` runs under the lock at the end, if nobody has come since.
    pub(crate) fn notify_all(&self, emptied: impl FnOnce()) {
        /// Goes on where a panicking waker left off, so that nobody sleeps for ever.
        struct Rest<'a>(&'a WaitList);

        impl Drop for Rest<'_> {
            fn drop(&mut self) {
                self.0.notify_all(|| {});
            }
        }

        let mut queue = self.queue.lock();
        queue.generation += 1;
        let generation = queue.generation;
        // One waiter is the common case: it shall not pay for a batch.
        let first = queue.pop_before(generation);
        let done = queue.next_before(generation).is_none();
        if done {
            if queue.nodes.is_empty() {
                emptied();
            }
            drop(queue);
            if let Some(waker) = first.flatten() {
                waker.wake();
            }
            return;
        }

        let rest = Rest(self);
        let mut wakers = WakeList::new();
        if let Some(waker) = first.flatten() {
            wakers.push(waker);
        }
        loop {
            while wakers.can_push() {
                match queue.pop_before(generation) {
                    Some(Some(waker)) => wakers.push(waker),
                    Some(None) => {}
                    None => break,
                }
            }
            if queue.next_before(generation).is_none() {
                if queue.nodes.is_empty() {
                    emptied();
                }
                drop(queue);
                // What is left to wake is in the batch, which survives a panic by itself.
                std::mem::forget(rest);
                wakers.wake_all();
                return;
            }
            drop(queue);
            wakers.wake_all();
            queue = self.queue.lock();
        }
    }
}

impl Queue {
    /// The first in line, if it came before `generation`.
    fn next_before(&self, generation: u64) -> Option<NonNull<Node>> {
        // SAFETY: it is queued, so it is alive, and the lock is held.
        self.nodes.front().filter(|node| unsafe { node.as_ref().generation.with(|g| *g) } < generation)
    }

    /// Lets the first in line go, if it came before `generation`.
    fn pop_before(&mut self, generation: u64) -> Option<Option<Waker>> {
        let node = self.next_before(generation)?;
        self.nodes.pop_front();
        // SAFETY: it was queued, so it is alive until `queued` is cleared, and the lock is held.
        let node = unsafe { node.as_ref() };
        // SAFETY: as above.
        let waker = unsafe { node.waker.with_mut(|waker| (*waker).take()) };
        // Release pairs with the Acquire in `is_queued`: the owner sees the unlinking.
        node.queued.store(false, Release);
        Some(waker)
    }
}

impl fmt::Debug for WaitList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitList").finish_non_exhaustive()
    }
}

/// A place in a [`WaitList`]; given up when dropped.
pub(crate) struct Waiter<'a> {
    list: &'a WaitList,
    node: Node,
}

impl Waiter<'_> {
    /// Whether the place is taken, that is, no notification has come since.
    #[inline]
    fn is_queued(&self) -> bool {
        // Acquire pairs with the Release in `pop_before`.
        self.node.queued.load(Acquire)
    }

    /// Takes the place (or keeps it) with the task's waker, then asks `happened` under the lock. If it
    /// answers `true` the place is given up again and so does this; `false` means that the task waits.
    ///
    /// `happened` must be the caller's own code: it must not wake, drop foreign values or panic.
    pub(crate) fn enqueue(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        happened: impl FnOnce() -> bool,
    ) -> bool {
        let this = self.into_ref().get_ref();
        let node = &this.node;
        // Foreign code: cloned before, and what it replaces is dropped after the lock.
        let mut waker = Some(cx.waker().clone());
        let mut queue = this.list.queue.lock();
        // Relaxed: changed under the lock only.
        let was_queued = node.queued.load(Relaxed);
        // SAFETY: the lock is held, or the node is not queued: it is ours.
        unsafe { node.waker.with_mut(|w| std::ptr::swap(w, &mut waker)) };
        if !was_queued {
            // SAFETY: as above.
            unsafe { node.generation.with_mut(|g| *g = queue.generation) };
            node.queued.store(true, Relaxed);
            // SAFETY: it is pinned, in no list, and `drop` unlinks it.
            unsafe { queue.nodes.push_back(NonNull::from(node)) };
        }
        let happened = happened();
        let mut own = None;
        if happened {
            // SAFETY: the node is alive and in this list.
            unsafe { queue.nodes.remove(NonNull::from(node)) };
            node.queued.store(false, Relaxed);
            // SAFETY: the lock is held.
            own = unsafe { node.waker.with_mut(|w| (*w).take()) };
        }
        drop(queue);
        drop((waker, own));
        happened
    }
}

impl Drop for Waiter<'_> {
    #[inline]
    fn drop(&mut self) {
        #[cold]
        fn leave(waiter: &Waiter<'_>) {
            let mut queue = waiter.list.queue.lock();
            // Relaxed: changed under the lock only.
            if waiter.node.queued.load(Relaxed) {
                // SAFETY: the node is alive and, being queued, in this list.
                unsafe { queue.nodes.remove(NonNull::from(&waiter.node)) };
                waiter.node.queued.store(false, Relaxed);
            }
            // The waker goes with the node, after the lock.
        }
        if self.is_queued() {
            leave(self);
        }
    }
}

/// A [`WaitList`] for a condition that lives anywhere.
///
/// The order between the condition and the announcement comes from read-modify-writes on `waiting`: a
/// notifying side that does not find the announcement precedes it, so its Release is read by the
/// announcing side's Acquire, which then sees the condition.
pub(crate) struct WaitSet {
    waiting: AtomicBool,
    list: WaitList,
}

impl WaitSet {
    pub(crate) fn new() -> Self {
        WaitSet { waiting: AtomicBool::new(false), list: WaitList::new() }
    }

    /// Wakes everybody who waits. To be called after the condition was made true.
    pub(crate) fn notify_all(&self) {
        // AcqRel: see the type. If two notify at once, the one that finds the flag wakes for both: those
        // it wakes announce themselves anew before they look, and so see both conditions.
        if self.waiting.swap(false, AcqRel) {
            self.list.notify_all(|| {});
        }
    }

    /// Waits until `happened` answers `true`, asking it now and after each notification.
    ///
    /// `happened` may run under the lock: see [`Waiter::enqueue`].
    pub(crate) async fn wait_until(&self, happened: impl Fn() -> bool) {
        let mut waiter = pin!(self.list.waiter());
        poll_fn(|cx| {
            if happened() {
                return Poll::Ready(());
            }
            let announce = || {
                // AcqRel: see the type.
                self.waiting.swap(true, AcqRel);
                happened()
            };
            if waiter.as_mut().enqueue(cx, announce) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl fmt::Debug for WaitSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitSet").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::future::Future;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    struct Log {
        name: usize,
        log: Arc<std::sync::Mutex<Vec<usize>>>,
        panics: bool,
    }

    impl Wake for Log {
        fn wake(self: Arc<Self>) {
            self.log.lock().unwrap_or_else(|e| e.into_inner()).push(self.name);
            assert!(!self.panics, "planned");
        }
    }

    #[test]
    fn wakes_in_order_across_batches_and_panics() {
        for panicking in [None, Some(0), Some(40), Some(99)] {
            let set = WaitSet::new();
            let flag = std::sync::atomic::AtomicBool::new(false);
            let log = Arc::new(std::sync::Mutex::new(Vec::new()));
            let mut futures: Vec<_> =
                (0..100).map(|_| Box::pin(set.wait_until(|| flag.load(Ordering::Relaxed)))).collect();
            for (name, future) in futures.iter_mut().enumerate() {
                let panics = panicking == Some(name);
                let waker = Waker::from(Arc::new(Log { name, log: Arc::clone(&log), panics }));
                assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            }
            // Somebody in the middle leaves.
            drop(futures.remove(50));
            flag.store(true, Ordering::Relaxed);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| set.notify_all()));
            assert_eq!(result.is_err(), panicking.is_some());
            let woken = log.lock().map(|l| l.clone()).unwrap_or_else(|e| e.into_inner().clone());
            if panicking.is_none() {
                assert!(woken.iter().copied().eq((0..100).filter(|n| *n != 50)));
            }
            assert_eq!(woken.len(), 99);
        }
    }

    /// A waker that makes its task wait again must not be woken again by the same notification.
    #[test]
    fn one_wake_a_notification() {
        struct Requeue(AtomicUsize);
        impl Wake for Requeue {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let set = WaitSet::new();
        let count = Arc::new(Requeue(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut future = pin!(set.wait_until(|| false));
        for round in 1..4 {
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            set.notify_all();
            set.notify_all();
            assert_eq!(count.0.load(Ordering::Relaxed), round);
        }
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::Arc;
    use crate::loom::sync::atomic::AtomicUsize;
    use crate::loom::{model, thread};
    use loom::future::block_on;

    struct Shared {
        set: WaitSet,
        count: AtomicUsize,
    }

    #[test]
    fn nobody_sleeps_through() {
        model(|| {
            let shared = Arc::new(Shared { set: WaitSet::new(), count: AtomicUsize::new(0) });
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || {
                        // Relaxed: the set alone has to order it.
                        shared.count.fetch_add(1, Relaxed);
                        shared.set.notify_all();
                    })
                })
                .collect();
            block_on(shared.set.wait_until(|| shared.count.load(Relaxed) == 2));
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }

    #[test]
    fn leaving_races_with_notifying() {
        model(|| {
            let shared = Arc::new(Shared { set: WaitSet::new(), count: AtomicUsize::new(0) });
            let notifier = Arc::clone(&shared);
            let thread = thread::spawn(move || {
                notifier.count.fetch_add(1, Relaxed);
                notifier.set.notify_all();
            });
            {
                let mut abandoned = Box::pin(shared.set.wait_until(|| false));
                block_on(poll_fn(|cx| {
                    let _ = std::future::Future::poll(abandoned.as_mut(), cx);
                    Poll::Ready(())
                }));
            }
            block_on(shared.set.wait_until(|| shared.count.load(Relaxed) == 1));
            thread.join().unwrap();
        });
    }
}
