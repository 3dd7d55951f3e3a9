//! What the bounded and the unbounded channel share: the queue, who is there, and who waits.
//!
//! # When the receiver's end is reached
//! * The last sender goes: it closes the row of slots and wakes the receiver.
//! * The receiver closes an unbounded channel: it closes the row itself.
//! * The receiver closes a bounded channel: permits that are out may still be used, so the row stays open,
//!   only the semaphore is closed. The end is reached when all permits are back ([`Flow::is_drained`]).
//!   Whoever returns one after closing looks for that and wakes the receiver.
//!
//! # Who may touch what
//! `head` belongs to the receiver: changed through `&mut` to it only, read through `&`. Everything else is
//! shared.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll, ready};

use super::list::{self, Head, Pop, Tail};
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::Arc;
use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use crate::sync::mpsc::error::TryRecvError;
use crate::task::coop;
use crate::util::canary::canary;
use crate::util::wait_list::WaitSet;
use crate::util::{AtomicWaker, CachePadded};

/// What bounds a channel.
pub(super) trait Flow {
    /// Whether closing by the receiver ends the row at once.
    const CLOSES_ROW: bool;

    /// `n` values were taken out.
    fn taken(&self, n: usize);

    /// The receiver closes.
    fn close(&self);

    /// The receiver has closed and no permit is out.
    fn is_drained(&self) -> bool;

    fn is_closed(&self) -> bool;
}

/// No bound.
#[derive(Debug)]
pub(super) struct Unlimited;

impl Flow for Unlimited {
    const CLOSES_ROW: bool = true;

    fn taken(&self, _: usize) {}

    fn close(&self) {}

    fn is_drained(&self) -> bool {
        false
    }

    fn is_closed(&self) -> bool {
        false
    }
}

/// See the module.
pub(super) struct Chan<T, F: Flow> {
    tail: CachePadded<Tail<T>>,
    rx_waker: CachePadded<AtomicWaker>,
    head: UnsafeCell<Head<T>>,
    pub(super) flow: F,
    senders: AtomicUsize,
    weak_senders: AtomicUsize,
    /// Senders that wait for the receiver to go.
    closed: WaitSet,
}

// SAFETY: values move from senders' threads to the receiver's; the rest is atomic, behind a lock, or
// (`head`) the receiver's alone.
unsafe impl<T: Send, F: Flow + Send> Send for Chan<T, F> {}
// SAFETY: as above.
unsafe impl<T: Send, F: Flow + Sync> Sync for Chan<T, F> {}
// No foreign code runs while something here is out of order: a panic in one leaves a channel as usable as
// it was.
impl<T, F: Flow> UnwindSafe for Chan<T, F> {}
impl<T, F: Flow> RefUnwindSafe for Chan<T, F> {}

/// A channel with one sender.
pub(super) fn channel<T, F: Flow>(flow: F) -> (Tx<T, F>, Rx<T, F>) {
    let (tail, head) = list::new();
    let chan = Arc::new(Chan {
        tail: CachePadded::new(tail),
        rx_waker: CachePadded::new(AtomicWaker::new()),
        head: UnsafeCell::new(head),
        flow,
        senders: AtomicUsize::new(1),
        weak_senders: AtomicUsize::new(0),
        closed: WaitSet::new(),
    });
    (Tx { chan: Arc::clone(&chan) }, Rx { chan })
}

impl<T, F: Flow> Chan<T, F> {
    /// Appends a value; it comes back if the row is closed.
    #[inline]
    pub(super) fn push(&self, value: T) -> Result<(), T> {
        if self.tail.push(value)? {
            self.rx_waker.wake();
        }
        Ok(())
    }

    /// To be called when a permit came back without a value.
    pub(super) fn permit_returned(&self) {
        // The order to the receiver's look is that of the waker: it registers before it looks.
        if self.flow.is_drained() {
            self.rx_waker.wake();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.flow.is_closed() || self.tail.is_closed()
    }

    fn strong_count(&self) -> usize {
        // Acquire: as `Arc::strong_count`.
        self.senders.load(Acquire)
    }

    fn weak_count(&self) -> usize {
        self.weak_senders.load(Acquire)
    }
}

impl<T, F: Flow> Drop for Chan<T, F> {
    fn drop(&mut self) {
        /// Frees the blocks, also if dropping a value panics, and drops the remaining values first.
        struct Rest<'a, T> {
            head: &'a mut Head<T>,
            tail: &'a mut Tail<T>,
        }

        impl<T> Drop for Rest<'_, T> {
            fn drop(&mut self) {
                while let Pop::Value(value) = self.head.pop(self.tail) {
                    drop(value);
                }
                // SAFETY: this is the last that is done with the row.
                unsafe { self.head.free(self.tail) };
            }
        }

        let tail = &mut *self.tail;
        self.head.with_mut(|head| {
            // SAFETY: `&mut self`: nobody else is here.
            let rest = Rest { head: unsafe { &mut *head }, tail };
            while let Pop::Value(value) = rest.head.pop(rest.tail) {
                drop(value);
            }
        });
    }
}

/// A sender's share in the channel.
pub(super) struct Tx<T, F: Flow> {
    chan: Arc<Chan<T, F>>,
}

impl<T, F: Flow> Tx<T, F> {
    #[inline]
    pub(super) fn chan(&self) -> &Chan<T, F> {
        &self.chan
    }

    pub(super) fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chan, &other.chan)
    }

    pub(super) fn strong_count(&self) -> usize {
        self.chan.strong_count()
    }

    pub(super) fn weak_count(&self) -> usize {
        self.chan.weak_count()
    }

    pub(super) fn downgrade(&self) -> Weak<T, F> {
        // Relaxed: the number orders nothing.
        self.chan.weak_senders.fetch_add(1, Relaxed);
        Weak { chan: Arc::clone(&self.chan) }
    }

    /// Waits until the receiver closes or goes.
    pub(super) async fn closed(&self) {
        self.chan.closed.wait_until(|| self.chan.is_closed()).await;
    }
}

impl<T, F: Flow> Clone for Tx<T, F> {
    fn clone(&self) -> Self {
        // Relaxed: there is one sender, so it cannot become 0 meanwhile, and nothing else is ordered.
        self.chan.senders.fetch_add(1, Relaxed);
        Tx { chan: Arc::clone(&self.chan) }
    }
}

impl<T, F: Flow> Drop for Tx<T, F> {
    fn drop(&mut self) {
        // Release: what this sender sent. Acquire: what the others sent; it is all there when the row is
        // closed.
        if self.chan.senders.fetch_sub(1, AcqRel) == 1 {
            self.chan.tail.close();
            if !canary!("no-wake-on-last-drop") {
                self.chan.rx_waker.wake();
            }
        }
    }
}

/// A share in the channel that does not keep it open.
pub(super) struct Weak<T, F: Flow> {
    chan: Arc<Chan<T, F>>,
}

impl<T, F: Flow> Weak<T, F> {
    /// A sender, unless all are gone.
    pub(super) fn upgrade(&self) -> Option<Tx<T, F>> {
        let mut senders = self.chan.senders.load(Relaxed);
        loop {
            if senders == 0 {
                return None;
            }
            // Relaxed on failure: tried again. Acquire: as if cloned from the sender that counts.
            match self.chan.senders.compare_exchange_weak(senders, senders + 1, AcqRel, Relaxed) {
                Ok(_) => return Some(Tx { chan: Arc::clone(&self.chan) }),
                Err(actual) => senders = actual,
            }
        }
    }

    pub(super) fn strong_count(&self) -> usize {
        self.chan.strong_count()
    }

    pub(super) fn weak_count(&self) -> usize {
        self.chan.weak_count()
    }
}

impl<T, F: Flow> Clone for Weak<T, F> {
    fn clone(&self) -> Self {
        // Relaxed: the number orders nothing.
        self.chan.weak_senders.fetch_add(1, Relaxed);
        Weak { chan: Arc::clone(&self.chan) }
    }
}

impl<T, F: Flow> Drop for Weak<T, F> {
    fn drop(&mut self) {
        // Release: as `Arc` does, for whoever counts.
        self.chan.weak_senders.fetch_sub(1, AcqRel);
    }
}

/// The receiver's share in the channel.
pub(super) struct Rx<T, F: Flow> {
    chan: Arc<Chan<T, F>>,
}

impl<T, F: Flow> Rx<T, F> {
    #[inline]
    pub(super) fn chan(&self) -> &Chan<T, F> {
        &self.chan
    }

    /// Runs `f` on the receiver's side of the queue.
    #[inline]
    fn with_head<R>(&mut self, f: impl FnOnce(&mut Head<T>, &Chan<T, F>) -> R) -> R {
        let chan = &*self.chan;
        // SAFETY: the head is the receiver's, there is one, and it is borrowed mutably.
        chan.head.with_mut(|head| f(unsafe { &mut *head }, chan))
    }

    pub(super) fn len(&self) -> usize {
        // SAFETY: changed through `&mut` to the receiver only, which is borrowed.
        self.chan.head.with(|head| unsafe { &*head }.len(&self.chan.tail))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.chan.is_closed()
    }

    pub(super) fn strong_count(&self) -> usize {
        self.chan.strong_count()
    }

    pub(super) fn weak_count(&self) -> usize {
        self.chan.weak_count()
    }

    pub(super) fn close(&mut self) {
        self.with_head(|head, chan| {
            if F::CLOSES_ROW {
                head.close(&chan.tail);
            }
        });
        self.chan.flow.close();
        self.chan.closed.notify_all();
    }

    #[inline]
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let coop = ready!(coop::poll_proceed(cx));
        let poll = self.with_head(|head, chan| match head.pop(&chan.tail) {
            Pop::Value(value) => {
                chan.flow.taken(1);
                Poll::Ready(Some(value))
            }
            Pop::Closed => Poll::Ready(None),
            Pop::Empty | Pop::Busy => chan.register(head, cx),
        });
        if poll.is_ready() {
            coop.made_progress();
        }
        poll
    }

    pub(super) fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        if limit == 0 {
            return Poll::Ready(0);
        }
        let coop = ready!(coop::poll_proceed(cx));
        let poll = self.with_head(|head, chan| {
            /// Returns the permits also if the buffer cannot grow.
            struct Taken<'a, F: Flow>(&'a F, usize);

            impl<F: Flow> Drop for Taken<'_, F> {
                fn drop(&mut self) {
                    if self.1 > 0 {
                        self.0.taken(self.1);
                    }
                }
            }

            let mut taken = Taken(&chan.flow, 0);
            // The first may have to be waited for; the others are those that are there.
            loop {
                match head.pop(&chan.tail) {
                    Pop::Value(value) => {
                        taken.1 += 1;
                        buffer.push(value);
                        if taken.1 == limit {
                            break;
                        }
                    }
                    Pop::Closed => break,
                    Pop::Empty | Pop::Busy if taken.1 > 0 => break,
                    Pop::Empty | Pop::Busy => match ready!(chan.register(head, cx)) {
                        // `register` returned its permit.
                        Some(value) => {
                            buffer.push(value);
                            return Poll::Ready(1);
                        }
                        None => break,
                    },
                }
            }
            Poll::Ready(taken.1)
        });
        if poll.is_ready() {
            coop.made_progress();
        }
        poll
    }

    pub(super) fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.with_head(|head, chan| {
            let result = match head.pop_complete(&chan.tail) {
                Pop::Empty if chan.flow.is_drained() => {
                    // A value may have come between the look and the last permit's return.
                    head.pop_complete(&chan.tail).drained()
                }
                other => other,
            };
            match result {
                Pop::Value(value) => {
                    chan.flow.taken(1);
                    Ok(value)
                }
                Pop::Empty | Pop::Busy => Err(TryRecvError::Empty),
                Pop::Closed => Err(TryRecvError::Disconnected),
            }
        })
    }
}

impl<T> Pop<T> {
    /// Nothing more will come.
    fn drained(self) -> Self {
        match self {
            Pop::Empty => Pop::Closed,
            other => other,
        }
    }
}

impl<T, F: Flow> Chan<T, F> {
    /// Leaves the task's waker and looks again: the value may have come before the waker was there.
    #[cold]
    fn register(&self, head: &mut Head<T>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.rx_waker.register(cx.waker());
        head.await_next(&self.tail);
        // All permits back means that nothing is under way: looked at first, as a value may precede it.
        let drained = self.flow.is_drained();
        match head.pop(&self.tail) {
            Pop::Value(value) => {
                self.flow.taken(1);
                Poll::Ready(Some(value))
            }
            Pop::Closed => Poll::Ready(None),
            Pop::Empty if drained => Poll::Ready(None),
            Pop::Empty | Pop::Busy => Poll::Pending,
        }
    }
}

impl<T, F: Flow> Drop for Rx<T, F> {
    fn drop(&mut self) {
        /// Drops what was sent, also if dropping one of the values panics.
        struct Drain<'a, T, F: Flow>(&'a mut Rx<T, F>);

        impl<T, F: Flow> Drain<'_, T, F> {
            fn run(&mut self) {
                loop {
                    let pop = self.0.with_head(|head, chan| head.pop_complete(&chan.tail));
                    let Pop::Value(value) = pop else { return };
                    self.0.chan.flow.taken(1);
                    drop(value);
                }
            }
        }

        impl<T, F: Flow> Drop for Drain<'_, T, F> {
            fn drop(&mut self) {
                self.run();
            }
        }

        self.close();
        let mut drain = Drain(self);
        drain.run();
        std::mem::forget(drain);
        // Senders may live on for long: they need not keep this task.
        drop(self.chan.rx_waker.take());
    }
}

impl<T, F: Flow + fmt::Debug> fmt::Debug for Chan<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chan")
            .field("flow", &self.flow)
            .field("senders", &self.strong_count())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
