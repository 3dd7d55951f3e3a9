//! `Notify`: wake-ups without a value, for one task or for all that wait.
//!
//! # State
//! One word and two lists behind a lock:
//!
//! ```text
//! state: [ generation : word size - 2 | WAITERS | PERMIT ]
//! ```
//!
//! * `PERMIT`: a wake-up for one, that nobody waited for. Never set together with `WAITERS`.
//! * `WAITERS`: `queue` is not empty. Set and cleared under the lock only; while it is set, so is nothing
//!   else changed without the lock.
//! * `generation`: how often all were notified. A future remembers the generation it was created in; once
//!   the word shows another one, it has been notified, whether it was ever polled or not.
//!
//! `queue` holds the waiters of the current generation. Notifying all moves it to the end of `draining` in
//! one step with the change of generation, so that notification is a single event; the waiters are then
//! unlinked and woken in batches. Which list a waiter is in follows from its generation.
//!
//! # Who may touch a waiter
//! It lives in the pinned future. `links` and `waker` belong to the holder of the lock while it is linked,
//! to the future otherwise. `notification` is written under the lock by whoever unlinks the waiter, as the
//! last thing, since its owner may look without the lock and free it.
//!
//! A future that was notified as the *one* and is dropped before it saw that passes the notification on.

use std::cell::UnsafeCell as StdUnsafeCell;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use crate::engine::trace;
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::loom::sync::atomic::{AtomicU8, AtomicUsize};
use crate::loom::sync::{Mutex, MutexGuard};
use crate::util::linked_list::{Link, Links};
use crate::util::{LinkedList, WakeList};

const PERMIT: usize = 1;
const WAITERS: usize = 2;
const GENERATION: usize = 4;

fn generation(state: usize) -> usize {
    state & !(PERMIT | WAITERS)
}

/// Wakes tasks that wait for something to happen.
///
/// It carries no value: what has happened is in state that the tasks share. A task waits with
/// [`notified`](Self::notified)`().await`, another wakes it with [`notify_one`](Self::notify_one) or all
/// with [`notify_waiters`](Self::notify_waiters).
///
/// `notify_one` is remembered: if nobody waits, the next one to wait goes on at once. So a consumer that
/// looks at the shared state, finds nothing and *then* waits does not miss what happened in between. At
/// most one such permit is stored: a consumer has to process everything there is.
///
/// `notify_waiters` is not stored. It reaches every [`Notified`] that was *created* before, polled or not;
/// so create it first, then look at the state, then wait:
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use yamanote::sync::Notify;
///
/// #[derive(Default)]
/// struct Gate {
///     open: AtomicBool,
///     opened: Notify,
/// }
///
/// impl Gate {
///     fn open(&self) {
///         self.open.store(true, Ordering::Release);
///         self.opened.notify_waiters();
///     }
///
///     async fn pass(&self) {
///         let opened = self.opened.notified();
///         if !self.open.load(Ordering::Acquire) {
///             opened.await;
///         }
///     }
/// }
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let gate = std::sync::Arc::new(Gate::default());
/// let visitor = {
///     let gate = gate.clone();
///     yamanote::spawn(async move { gate.pass().await })
/// };
/// gate.open();
/// visitor.await.unwrap();
/// # }
/// ```
///
/// # Examples
/// An unbounded queue for one consumer:
///
/// ```
/// use std::collections::VecDeque;
/// use std::sync::Mutex;
/// use yamanote::sync::Notify;
///
/// #[derive(Default)]
/// struct Queue<T> {
///     values: Mutex<VecDeque<T>>,
///     pushed: Notify,
/// }
///
/// impl<T> Queue<T> {
///     fn push(&self, value: T) {
///         self.values.lock().unwrap().push_back(value);
///         self.pushed.notify_one();
///     }
///
///     async fn pop(&self) -> T {
///         loop {
///             let next = self.values.lock().unwrap().pop_front();
///             if let Some(value) = next {
///                 return value;
///             }
///             self.pushed.notified().await;
///         }
///     }
/// }
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let queue = std::sync::Arc::new(Queue::default());
/// let consumer = {
///     let queue = queue.clone();
///     yamanote::spawn(async move { queue.pop().await + queue.pop().await })
/// };
/// queue.push(1);
/// queue.push(2);
/// assert_eq!(consumer.await.unwrap(), 3);
/// # }
/// ```
#[derive(Debug)]
pub struct Notify {
    state: AtomicUsize,
    lists: Mutex<Lists>,
}

#[derive(Debug)]
struct Lists {
    /// Waiters of the current generation, oldest first.
    queue: LinkedList<Waiter>,
    /// Waiters of earlier generations: notified, yet to be unlinked and woken.
    draining: LinkedList<Waiter>,
}

/// How a waiter was notified (`Waiter::notification`).
mod notification {
    pub(super) const NONE: u8 = 0;
    /// As the one, from the front: passed on to the front if it is dropped.
    pub(super) const FIRST: u8 = 1;
    /// As the one, from the back: passed on to the back if it is dropped.
    pub(super) const LAST: u8 = 2;
    /// With all others.
    pub(super) const ALL: u8 = 3;
}

impl Notify {
    /// Without a permit and with nobody waiting.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Notify;
    ///
    /// static CHANGED: Notify = Notify::const_new();
    ///
    /// let changed = Notify::new();
    /// changed.notify_one(); // kept for the next one who waits
    /// # CHANGED.notify_waiters();
    /// ```
    pub fn new() -> Notify {
        Notify {
            state: AtomicUsize::new(0),
            lists: Mutex::new(Lists { queue: LinkedList::new(), draining: LinkedList::new() }),
        }
    }

    /// As [`new`](Self::new), for statics and constants.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Notify;
    ///
    /// static RELOAD: Notify = Notify::const_new();
    /// RELOAD.notify_one();
    /// ```
    #[cfg(not(loom))]
    pub const fn const_new() -> Notify {
        Notify {
            state: AtomicUsize::new(0),
            lists: Mutex::new(Lists { queue: LinkedList::new(), draining: LinkedList::new() }),
        }
    }

    /// A future that waits to be notified.
    ///
    /// It goes on at once if there is a permit from [`notify_one`](Self::notify_one), and takes it. Its
    /// place in the order of waiters is that of its first poll (or of [`enable`](Notified::enable)), but
    /// [`notify_waiters`](Self::notify_waiters) reaches it from its creation.
    ///
    /// # Cancel safety
    /// Dropping the future loses the place in the order. A notification it was given by `notify_one` goes
    /// to another waiter, or becomes a permit.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::sync::Arc;
    /// use yamanote::sync::Notify;
    ///
    /// let notify = Arc::new(Notify::new());
    /// let waiting = {
    ///     let notify = notify.clone();
    ///     yamanote::spawn(async move { notify.notified().await })
    /// };
    /// notify.notify_one();
    /// waiting.await.unwrap();
    /// # }
    /// ```
    #[inline]
    pub fn notified(&self) -> Notified<'_> {
        Notified { notify: self, inner: Inner::new(self) }
    }

    /// As [`notified`](Self::notified), with a future that keeps the `Notify` alive.
    ///
    /// # Cancel safety
    /// As for [`notified`](Self::notified).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::sync::Arc;
    /// use yamanote::sync::Notify;
    ///
    /// let notify = Arc::new(Notify::new());
    /// let waiting = yamanote::spawn(notify.clone().notified_owned());
    /// notify.notify_one();
    /// waiting.await.unwrap();
    /// # }
    /// ```
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        let inner = Inner::new(&self);
        OwnedNotified { notify: self, inner }
    }

    /// Wakes the task that has waited longest. If nobody waits, stores a permit for the next one; there
    /// is at most one permit.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::Notify;
    ///
    /// let notify = Notify::new();
    /// notify.notify_one();
    /// notify.notify_one(); // the permit is there already
    /// notify.notified().await; // takes it
    /// # }
    /// ```
    #[inline]
    pub fn notify_one(&self) {
        self.notify_with(notification::FIRST);
    }

    /// As [`notify_one`](Self::notify_one), but wakes the task that began to wait last.
    ///
    /// The data it works on is the most likely to be in a cache still. Those who waited longer may wait
    /// for ever.
    ///
    /// # Examples
    /// ```
    /// use std::future::{Future, poll_fn};
    /// use std::pin::pin;
    /// use std::task::Poll;
    /// use yamanote::sync::Notify;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = Notify::new();
    /// let (mut first, mut last) = (pin!(notify.notified()), pin!(notify.notified()));
    /// first.as_mut().enable();
    /// last.as_mut().enable();
    /// notify.notify_last();
    /// last.await;
    /// // The one that came first goes on waiting.
    /// poll_fn(|cx| {
    ///     assert!(first.as_mut().poll(cx).is_pending());
    ///     Poll::Ready(())
    /// })
    /// .await;
    /// # }
    /// ```
    #[inline]
    pub fn notify_last(&self) {
        self.notify_with(notification::LAST);
    }

    #[inline]
    fn notify_with(&self, kind: u8) {
        let mut state = self.state.load(Relaxed);
        while state & WAITERS == 0 {
            // Also if the permit is there already: whoever takes it has to see what was done before this
            // notification too. Release pairs with the Acquire of who takes the permit. Acquire keeps
            // the word a chain of events, see `Inner::start`.
            match self.state.compare_exchange_weak(state, state | PERMIT, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(actual) => state = actual,
            }
        }
        self.notify_waiter(kind);
    }

    /// The queue has become empty. With the lock held, and `WAITERS` set: the word changes under the lock only as
    /// long as it is.
    #[inline]
    fn clear_waiters(&self) {
        // Relaxed: ordered by the lock. So is what others did before they changed the word, which Release hands on,
        // as in `notify_with`.
        let state = self.state.load(Relaxed);
        debug_assert!(state & WAITERS != 0);
        self.state.store(state & !WAITERS, Release);
    }

    fn notify_waiter(&self, kind: u8) {
        let mut lists = self.lists.lock();
        let waiter = match kind {
            notification::LAST => lists.queue.pop_back(),
            _ => lists.queue.pop_front(),
        };
        let Some(waiter) = waiter else {
            // They left meanwhile. `WAITERS` is clear and stays so while the lock is held.
            // Orderings as in `notify_with`.
            self.state.fetch_or(PERMIT, AcqRel);
            return;
        };
        if lists.queue.is_empty() {
            self.clear_waiters();
        }
        // SAFETY: it was linked, so it is alive; the lock is held.
        let waker = unsafe { notify_unlinked(waiter, kind) };
        drop(lists);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Wakes every task that waits, and makes every [`Notified`] that exists ready, even if it was not
    /// polled yet. No permit is stored, and a stored one stays.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::Notify;
    ///
    /// let notify = Notify::new();
    /// let (one, two) = (notify.notified(), notify.notified());
    /// notify.notify_waiters();
    /// one.await;
    /// two.await;
    /// # }
    /// ```
    pub fn notify_waiters(&self) {
        let mut state = self.state.load(Relaxed);
        while state & WAITERS == 0 {
            // Orderings as in `notify_with`; Release also pairs with the Acquire of who sees the new
            // generation.
            let next = state.wrapping_add(GENERATION);
            match self.state.compare_exchange_weak(state, next, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(actual) => state = actual,
            }
        }
        self.notify_all();
    }

    #[cold]
    fn notify_all(&self) {
        let mut lists = self.lists.lock();
        if lists.queue.is_empty() {
            // They left meanwhile. Orderings as in `notify_waiters`.
            self.state.fetch_add(GENERATION, AcqRel);
            return;
        }
        // `WAITERS` is set, so this clears it, and nobody interferes. Orderings as in `notify_waiters`.
        self.state.fetch_add(GENERATION - WAITERS, AcqRel);
        let queue = lists.queue.take();
        lists.draining.append(queue);
        self.drain(lists);
    }

    /// Wakes everybody in `draining`, that of concurrent calls included.
    fn drain<'a>(&'a self, mut lists: MutexGuard<'a, Lists>) {
        /// Goes on where a panicking waker left off, so that nobody sleeps for ever.
        struct Rest<'a>(&'a Notify);

        impl Drop for Rest<'_> {
            fn drop(&mut self) {
                self.0.drain(self.0.lists.lock());
            }
        }

        fn next(lists: &mut MutexGuard<'_, Lists>) -> Option<Option<Waker>> {
            let waiter = lists.draining.pop_front()?;
            // SAFETY: it was linked, so it is alive; the guard shows that the lock is held.
            Some(unsafe { notify_unlinked(waiter, notification::ALL) })
        }

        let first = next(&mut lists).flatten();
        if lists.draining.is_empty() {
            // A single waiter need not pay for a batch.
            drop(lists);
            if let Some(waker) = first {
                waker.wake();
            }
            return;
        }
        let rest = Rest(self);
        let mut wakers = WakeList::new();
        if let Some(waker) = first {
            wakers.push(waker);
        }
        loop {
            while wakers.can_push() {
                match next(&mut lists) {
                    Some(Some(waker)) => wakers.push(waker),
                    Some(None) => {}
                    None => break,
                }
            }
            let done = lists.draining.is_empty();
            drop(lists);
            wakers.wake_all();
            if done {
                break;
            }
            lists = self.lists.lock();
        }
        std::mem::forget(rest);
    }
}

/// Tells a waiter that it was notified, and takes its waker. `waiter` must not be used afterwards.
///
/// # Safety
/// The lock is held, and `waiter` has just been unlinked under it.
unsafe fn notify_unlinked(waiter: NonNull<Waiter>, kind: u8) -> Option<Waker> {
    // SAFETY: it is alive until its notification is stored below, since its owner takes the lock before
    // it frees a waiter that was not notified.
    let waiter = unsafe { waiter.as_ref() };
    // SAFETY: the lock is held, and the owner leaves the waker alone until it is notified.
    let waker = unsafe { waiter.waker.with_mut(|w| (*w).take()) };
    // Release pairs with the Acquire in `Inner::poll` and `Inner::cancel`: the owner sees the unlinking and
    // all that happened before the notification.
    waiter.notification.store(kind, Release);
    waker
}

impl Default for Notify {
    fn default() -> Notify {
        Notify::new()
    }
}

#[derive(Debug)]
struct Waiter {
    links: StdUnsafeCell<Links<Waiter>>,
    waker: UnsafeCell<Option<Waker>>,
    /// One of `notification`.
    notification: AtomicU8,
}

// SAFETY: `links` is a field in a cell of its own, used by the lists only; a waiter is pinned within its
// future, which unlinks it before it goes.
unsafe impl Link for Waiter {
    type Node = Waiter;

    unsafe fn links(node: NonNull<Waiter>) -> NonNull<Links<Waiter>> {
        // SAFETY: the node is alive by contract, so the field's address is not null.
        unsafe { NonNull::new_unchecked(StdUnsafeCell::raw_get(&raw const (*node.as_ptr()).links)) }
    }
}

// SAFETY: the links are used by the lists only, which are behind the lock; the waker is `Send`.
unsafe impl Send for Waiter {}
// SAFETY: as above; what a shared reference gives access to without the lock is an atomic.
unsafe impl Sync for Waiter {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Not in the queue yet.
    Created,
    /// Linked, or notified without having seen it.
    Waiting,
    Done,
}

/// What the two futures share. Pinned with them from the first poll.
#[derive(Debug)]
struct Inner {
    progress: Progress,
    /// That of the word when the future was created.
    generation: usize,
    waiter: Waiter,
}

impl Inner {
    #[inline]
    fn new(notify: &Notify) -> Self {
        Inner {
            progress: Progress::Created,
            // Acquire pairs with the Release of who notified all: who is too late to be notified by that
            // sees what was done before it.
            generation: generation(notify.state.load(Acquire)),
            waiter: Waiter {
                links: StdUnsafeCell::new(Links::new()),
                waker: UnsafeCell::new(None),
                notification: AtomicU8::new(notification::NONE),
            },
        }
    }

    /// Looks whether it is notified, and waits if not; without a waker, nobody is woken.
    #[inline]
    fn poll(&mut self, notify: &Notify, waker: Option<&Waker>) -> Poll<()> {
        if self.progress == Progress::Created && self.take(notify) {
            self.progress = Progress::Done;
            return Poll::Ready(());
        }
        self.poll_queue(notify, waker)
    }

    #[inline(never)]
    fn poll_queue(&mut self, notify: &Notify, waker: Option<&Waker>) -> Poll<()> {
        let poll = match self.progress {
            Progress::Created => self.start(notify, waker),
            Progress::Waiting => self.look(notify, waker),
            Progress::Done => Poll::Ready(()),
        };
        if poll.is_ready() {
            self.progress = Progress::Done;
        }
        poll
    }

    /// For the first poll: whether it is notified already. Takes the permit, if there is one.
    #[inline]
    fn take(&self, notify: &Notify) -> bool {
        // Acquire, here and below, pairs with the Release of who notified all or stored the permit.
        let state = notify.state.load(Acquire);
        // Generation first: who was notified with all leaves the permit to others.
        generation(state) != self.generation
            || (state & PERMIT != 0
                && notify.state.compare_exchange(state, state & !PERMIT, AcqRel, Relaxed).is_ok())
    }

    /// Takes a permit or a place in the queue.
    ///
    /// Who has to wait made an atomic change to the word or saw it with `WAITERS` set (under the lock,
    /// after the change of another). A notifier, too, always changes the word atomically or finds
    /// `WAITERS`. So one of the two comes first: either the notifier finds the waiter, or the waiter
    /// sees what the notifier did before.
    fn start(&mut self, notify: &Notify, waker: Option<&Waker>) -> Poll<()> {
        // Foreign code, so before the lock is taken; and dropped, if need be, after it is released.
        let waker = waker.cloned();
        let mut lists = notify.lists.lock();
        // Acquire, here and below: as in `take`.
        let mut state = notify.state.load(Acquire);
        loop {
            if generation(state) != self.generation {
                drop(lists);
                return Poll::Ready(());
            }
            if state & WAITERS != 0 {
                break;
            }
            let taken = state & PERMIT != 0;
            let next = if taken { state & !PERMIT } else { state | WAITERS };
            match notify.state.compare_exchange(state, next, AcqRel, Acquire) {
                Ok(_) if taken => {
                    drop(lists);
                    return Poll::Ready(());
                }
                Ok(_) => break,
                Err(actual) => state = actual,
            }
        }
        // SAFETY: the waiter is not linked yet, so the waker is ours.
        unsafe { self.waiter.waker.with_mut(|w| *w = waker) };
        self.progress = Progress::Waiting;
        // SAFETY: it is pinned, in no list, and `cancel` unlinks it.
        unsafe { lists.queue.push_back(NonNull::from(&self.waiter)) };
        Poll::Pending
    }

    /// Looks again, while waiting.
    fn look(&mut self, notify: &Notify, waker: Option<&Waker>) -> Poll<()> {
        let waiter = &self.waiter;
        // Acquire pairs with the Release in `notify_unlinked`: once it is notified, nobody else knows the
        // waiter.
        if waiter.notification.load(Acquire) != notification::NONE {
            return Poll::Ready(());
        }
        let mut waker = waker.cloned();
        let mut lists = notify.lists.lock();
        if waiter.notification.load(Relaxed) != notification::NONE {
            drop(lists);
            return Poll::Ready(());
        }
        // Relaxed: the generation of linked waiters changes under the lock.
        let state = notify.state.load(Relaxed);
        if generation(state) != self.generation {
            // Notified with all; its waker has not been called yet and need not be.
            // SAFETY: it is linked, and in this list because of its generation.
            let removed = unsafe { lists.draining.remove(NonNull::from(waiter)) };
            assert!(removed, "a waiter that was not notified is in the list of its generation");
            // SAFETY: the lock is held, and the waiter unlinked under it.
            waker = unsafe { waiter.waker.with_mut(|w| (*w).take()) };
            drop(lists);
            drop(waker);
            return Poll::Ready(());
        }
        if waker.is_some() {
            // SAFETY: the waiter is linked and the lock is held, so the waker is ours. The old one is
            // dropped with `waker`, after the lock was released.
            unsafe { waiter.waker.with_mut(|w| std::ptr::swap(w, &mut waker)) };
        }
        drop(lists);
        Poll::Pending
    }

    /// Before it goes.
    #[inline]
    fn drop_with(&mut self, notify: &Notify) {
        if self.progress == Progress::Waiting {
            self.cancel(notify);
        }
    }

    #[cold]
    fn cancel(&mut self, notify: &Notify) {
        let waiter = &self.waiter;
        // Acquire pairs with the Release in `notify_unlinked`.
        let mut notification = waiter.notification.load(Acquire);
        if notification == notification::NONE {
            let mut lists = notify.lists.lock();
            notification = waiter.notification.load(Relaxed);
            if notification == notification::NONE {
                // Relaxed: the generation of linked waiters changes under the lock.
                let current = generation(notify.state.load(Relaxed)) == self.generation;
                let node = NonNull::from(waiter);
                // SAFETY: it is linked, and in this list because of its generation.
                let removed = unsafe {
                    if current { lists.queue.remove(node) } else { lists.draining.remove(node) }
                };
                // Or a list would point to what is about to be freed.
                assert!(removed, "a waiter that was not notified is in the list of its generation");
                if current && lists.queue.is_empty() {
                    notify.clear_waiters();
                }
                // SAFETY: the lock is held, and the waiter unlinked under it.
                let waker = unsafe { waiter.waker.with_mut(|w| (*w).take()) };
                drop(lists);
                drop(waker);
                return;
            }
        }
        if notification != notification::ALL {
            // Meant for one, which this one will not be any more.
            notify.notify_with(notification);
        }
    }
}

/// The future of [`Notify::notified`].
///
/// Once it was ready it stays so.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Notified<'a> {
    notify: &'a Notify,
    inner: Inner,
}

/// The future of [`Notify::notified_owned`].
///
/// Once it was ready it stays so.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use yamanote::sync::Notify;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let notify = Arc::new(Notify::new());
/// // Borrows nothing, so it can go to another task.
/// let notified = notify.clone().notified_owned();
/// let waiting = yamanote::spawn(notified);
/// notify.notify_one();
/// waiting.await.unwrap();
/// # }
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct OwnedNotified {
    notify: Arc<Notify>,
    inner: Inner,
}

impl<'a> Notified<'a> {
    /// Takes its place among the waiters without waiting. `true` if it is notified already (also if that
    /// took the permit).
    ///
    /// From then on it can be picked by [`notify_one`](Notify::notify_one). For several consumers that
    /// look at shared state before they wait: without it, two notifications in a row while two futures
    /// exist that were not polled would become one permit.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::pin::pin;
    /// use yamanote::sync::Notify;
    ///
    /// let notify = Notify::new();
    /// let mut one = pin!(notify.notified());
    /// let mut two = pin!(notify.notified());
    /// assert!(!one.as_mut().enable());
    /// assert!(!two.as_mut().enable());
    /// notify.notify_one();
    /// notify.notify_one();
    /// one.await;
    /// two.await;
    /// # }
    /// ```
    pub fn enable(self: Pin<&mut Self>) -> bool {
        let (notify, inner) = self.parts();
        inner.poll(notify, None).is_ready()
    }

    fn parts(self: Pin<&mut Self>) -> (&Notify, &mut Inner) {
        // SAFETY: nothing is moved out; `inner`, which a list may point to, stays in place.
        let this = unsafe { self.get_unchecked_mut() };
        (this.notify, &mut this.inner)
    }
}

impl OwnedNotified {
    /// As [`Notified::enable`].
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use std::sync::Arc;
    /// use yamanote::sync::Notify;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = Arc::new(Notify::new());
    /// let mut notified = pin!(notify.clone().notified_owned());
    /// notified.as_mut().enable(); // from here on it is among those that wait
    /// notify.notify_waiters();
    /// notified.await;
    /// # }
    /// ```
    pub fn enable(self: Pin<&mut Self>) -> bool {
        let (notify, inner) = self.parts();
        inner.poll(notify, None).is_ready()
    }

    fn parts(self: Pin<&mut Self>) -> (&Notify, &mut Inner) {
        // SAFETY: nothing is moved out; `inner`, which a list may point to, stays in place.
        let this = unsafe { self.get_unchecked_mut() };
        (&this.notify, &mut this.inner)
    }
}

impl Future for Notified<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(trace::leaf(cx));
        let (notify, inner) = self.parts();
        inner.poll(notify, Some(cx.waker()))
    }
}

impl Future for OwnedNotified {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(trace::leaf(cx));
        let (notify, inner) = self.parts();
        inner.poll(notify, Some(cx.waker()))
    }
}

impl Drop for Notified<'_> {
    #[inline]
    fn drop(&mut self) {
        self.inner.drop_with(self.notify);
    }
}

impl Drop for OwnedNotified {
    fn drop(&mut self) {
        self.inner.drop_with(&self.notify);
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
