//! Every value to every receiver.
//!
//! Values are kept in a ring. Each receiver has its own place in it and gets a clone of every value that
//! was sent after it was made. A value is dropped when the last receiver it was sent to has got it.
//!
//! # Lagging
//! Sending never waits. When the ring is full, the oldest value is overwritten, whoever has not received
//! it. A receiver that lost values this way is told how many by an error (`Lagged`), once, and goes on with
//! the oldest value that is left. The number of values kept is the capacity rounded up to a power of two.
//!
//! # When it ends
//! When all senders are dropped, receivers get what is left and then the error `Closed`. Without receivers
//! [`Sender::send`] fails; new ones can still be made by [`Sender::subscribe`].
//!
//! # Examples
//! ```
//! use yamanote::sync::broadcast;
//!
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut rx1) = broadcast::channel(16);
//! let mut rx2 = tx.subscribe();
//! let other = yamanote::spawn(async move { rx2.recv().await.unwrap() + rx2.recv().await.unwrap() });
//!
//! tx.send(10).unwrap();
//! tx.send(20).unwrap();
//! assert_eq!(rx1.recv().await.unwrap(), 10);
//! assert_eq!(rx1.recv().await.unwrap(), 20);
//! assert_eq!(other.await.unwrap(), 30);
//! # }
//! ```
//!
//! A receiver that lags:
//!
//! ```
//! use yamanote::sync::broadcast::{self, error::RecvError};
//!
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut rx) = broadcast::channel(2);
//! for i in 1..=3 {
//!     tx.send(i).unwrap();
//! }
//! assert_eq!(rx.recv().await, Err(RecvError::Lagged(1)));
//! assert_eq!(rx.recv().await, Ok(2));
//! assert_eq!(rx.recv().await, Ok(3));
//! # }
//! ```

// # How it works
//
// * `tail`, behind a lock: the next position, how many receivers there are, whether somebody waits. Sending
//   takes it, so that positions and the ring's content go together; receiving takes it only when there
//   seems to be nothing.
// * Each slot of the ring, behind a lock of its own: which position's value it holds, the value, and how
//   many receivers have yet to get it. Cloning happens under it, one receiver at a time, since values need
//   not be `Sync`.
// * `waiting`: receivers that found nothing.
//
// Locks are taken in the order waiting → tail → slot, and never two of a kind. No value is dropped and no
// waker run under any of them.
//
// A receiver that finds nothing takes a place in `waiting` and, under its lock, looks at the tail again;
// if there is still nothing it leaves the note that somebody waits there. A sender finds the note under
// the same lock, or the receiver finds the value.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::pin;
use std::task::{Poll, ready};

use crate::engine::block_on::block_on_thread;
use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use crate::loom::sync::{Arc, Mutex, MutexGuard};
use crate::task::coop;
use crate::util::CachePadded;
use crate::util::wait_list::{WaitList, WaitSet};

pub mod error {
    //! What can go wrong on a broadcast channel.

    use std::error::Error;
    use std::fmt;

    /// There are no receivers; the value comes back.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast::{self, error::SendError};
    ///
    /// let (send, receive) = broadcast::channel(4);
    /// drop(receive);
    /// // Nobody hears it; the value comes back.
    /// let SendError(value) = send.send("hello?").unwrap_err();
    /// assert_eq!(value, "hello?");
    /// ```
    #[derive(Debug)]
    pub struct SendError<T>(pub T);

    impl<T> fmt::Display for SendError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("channel closed")
        }
    }

    impl<T: fmt::Debug> Error for SendError<T> {}

    /// Why [`Receiver::recv`](super::Receiver::recv) has no value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast::{self, error::RecvError};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, mut receive) = broadcast::channel(2);
    /// for i in 0..3 {
    ///     send.send(i).unwrap();
    /// }
    /// drop(send);
    /// // Too slow for the first one; then the others, and the end.
    /// assert_eq!(receive.recv().await, Err(RecvError::Lagged(1)));
    /// assert_eq!(receive.recv().await, Ok(1));
    /// assert_eq!(receive.recv().await, Ok(2));
    /// assert_eq!(receive.recv().await, Err(RecvError::Closed));
    /// # }
    /// ```
    #[derive(Debug, PartialEq, Eq, Clone)]
    pub enum RecvError {
        /// All senders were dropped and there is nothing left.
        Closed,
        /// The receiver was too slow and lost that many values. It goes on with the oldest one left.
        Lagged(u64),
    }

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                RecvError::Closed => f.write_str("channel closed"),
                RecvError::Lagged(lost) => write!(f, "channel lagged by {lost}"),
            }
        }
    }

    impl Error for RecvError {}

    /// Why [`Receiver::try_recv`](super::Receiver::try_recv) has no value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast::{self, error::TryRecvError};
    ///
    /// let (send, mut receive) = broadcast::channel(1);
    /// assert_eq!(receive.try_recv(), Err(TryRecvError::Empty));
    /// send.send(1).unwrap();
    /// send.send(2).unwrap();
    /// assert_eq!(receive.try_recv(), Err(TryRecvError::Lagged(1)));
    /// drop(send);
    /// assert_eq!(receive.try_recv(), Ok(2));
    /// assert_eq!(receive.try_recv(), Err(TryRecvError::Closed));
    /// ```
    #[derive(Debug, PartialEq, Eq, Clone)]
    pub enum TryRecvError {
        /// There is nothing now.
        Empty,
        /// All senders were dropped and there is nothing left.
        Closed,
        /// The receiver was too slow and lost that many values. It goes on with the oldest one left.
        Lagged(u64),
    }

    impl fmt::Display for TryRecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                TryRecvError::Empty => f.write_str("channel empty"),
                TryRecvError::Closed => f.write_str("channel closed"),
                TryRecvError::Lagged(lost) => write!(f, "channel lagged by {lost}"),
            }
        }
    }

    impl Error for TryRecvError {}
}

use error::{RecvError, SendError, TryRecvError};

/// Receivers a channel may have: far from where counting them could overflow.
const MAX_RECEIVERS: usize = usize::MAX >> 2;

struct Shared<T> {
    ring: Box<[Mutex<Slot<T>>]>,
    tail: CachePadded<Mutex<Tail>>,
    waiting: WaitList,
    senders: AtomicUsize,
    weak_senders: AtomicUsize,
    /// Senders that wait for the receivers to go.
    closed: WaitSet,
    /// A panicking `clone` may leave what values share in any state.
    _not_unwind_safe: PhantomData<dyn Send + Sync + Unpin>,
}

struct Tail {
    /// Where the next value goes. 64 bits do not wrap.
    position: u64,
    receivers: usize,
    /// Somebody is in `waiting` who has to be woken by the next sender.
    is_awaited: bool,
    /// All senders are gone.
    closed: bool,
}

struct Slot<T> {
    /// Which value it holds or held last.
    position: u64,
    /// How many receivers have yet to get it. At 0 the value has been dropped.
    owed: usize,
    value: Option<T>,
}

/// Sends to all receivers of a broadcast channel; clones send to the same ones.
///
/// Made by [`channel`] and [`Sender::new`]. The channel ends when all of them are dropped.
///
/// # Examples
/// ```
/// use yamanote::sync::broadcast;
///
/// let (tx, mut rx) = broadcast::channel(4);
/// tx.clone().send(1).unwrap();
/// tx.send(2).unwrap();
/// assert_eq!(rx.try_recv(), Ok(1));
/// assert_eq!(rx.try_recv(), Ok(2));
/// ```
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// Receives what is sent to a broadcast channel while it exists.
///
/// Made by [`channel`], [`Sender::subscribe`] and [`Receiver::resubscribe`]. It is not `Clone`, since it
/// would be unclear where the clone begins; `resubscribe` begins with what is sent next.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// What it gets next.
    next: u64,
}

/// A sender that does not keep its broadcast channel open.
///
/// Made by [`Sender::downgrade`]. To send, [`upgrade`](WeakSender::upgrade) it.
///
/// # Examples
/// ```
/// use yamanote::sync::broadcast;
///
/// let (tx, _rx) = broadcast::channel::<u32>(1);
/// let weak = tx.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(tx);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakSender<T> {
    shared: Arc<Shared<T>>,
}

/// Makes a channel that keeps at least `capacity` values, with one receiver.
///
/// # Panics
/// If `capacity` is 0 or more than `usize::MAX / 2`.
///
/// # Examples
/// ```
/// use yamanote::sync::broadcast;
///
/// let (tx, mut rx) = broadcast::channel(8);
/// tx.send("hello").unwrap();
/// assert_eq!(rx.try_recv(), Ok("hello"));
/// ```
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let sender = Sender { shared: Shared::new(capacity) };
    let receiver = sender.subscribe();
    (sender, receiver)
}

impl<T> Shared<T> {
    #[track_caller]
    fn new(capacity: usize) -> Arc<Shared<T>> {
        assert!(capacity > 0, "broadcast channel capacity cannot be zero");
        assert!(capacity <= usize::MAX >> 1, "broadcast channel capacity exceeded `usize::MAX / 2`");
        let capacity = capacity.next_power_of_two();
        // No receiver asks for these positions: they precede the first by a round.
        let ring = (0..capacity)
            .map(|i| {
                let position = (i as u64).wrapping_sub(capacity as u64);
                Mutex::new(Slot { position, owed: 0, value: None })
            })
            .collect();
        Arc::new(Shared {
            ring,
            tail: CachePadded::new(Mutex::new(Tail {
                position: 0,
                receivers: 0,
                is_awaited: false,
                closed: false,
            })),
            waiting: WaitList::new(),
            senders: AtomicUsize::new(1),
            weak_senders: AtomicUsize::new(0),
            closed: WaitSet::new(),
            _not_unwind_safe: PhantomData,
        })
    }

    #[inline]
    fn slot(&self, position: u64) -> &Mutex<Slot<T>> {
        // The length is a power of two.
        &self.ring[position as usize & (self.ring.len() - 1)]
    }

    /// A receiver of what is sent from now on.
    #[track_caller]
    fn subscribe(this: &Arc<Self>) -> Receiver<T> {
        let mut tail = this.tail.lock();
        let full = tail.receivers >= MAX_RECEIVERS;
        let next = tail.position;
        if !full {
            tail.receivers += 1;
        }
        drop(tail);
        assert!(!full, "max receivers");
        Receiver { shared: Arc::clone(this), next }
    }

    /// Moves on past the value at `next`, if it is there, handing it to `f`.
    #[inline]
    fn take<R>(&self, next: &mut u64, f: impl FnOnce(&T) -> R) -> Option<R> {
        let slot = self.slot(*next).lock();
        if slot.position != *next {
            return None;
        }
        // Before foreign code runs: after a panic in it, the receiver goes on with the next value.
        *next += 1;
        let got = Got(Some(slot));
        match got.0.as_ref().and_then(|slot| slot.value.as_ref()) {
            Some(value) => Some(f(value)),
            None => unreachable!("a value stays until all have got it"),
        }
    }

    /// Why there is nothing at `next`; `None` if there is something by now.
    fn why_not(&self, next: &mut u64) -> Option<TryRecvError> {
        let tail = self.tail.lock();
        let kept = self.ring.len() as u64;
        let behind = tail.position - *next;
        if behind == 0 {
            Some(if tail.closed { TryRecvError::Closed } else { TryRecvError::Empty })
        } else if behind > kept {
            let lost = behind - kept;
            *next += lost;
            Some(TryRecvError::Lagged(lost))
        } else {
            None
        }
    }

    #[inline]
    fn try_recv(&self, next: &mut u64) -> Result<T, TryRecvError>
    where
        T: Clone,
    {
        loop {
            if let Some(value) = self.take(next, T::clone) {
                return Ok(value);
            }
            if let Some(error) = self.why_not(next) {
                return Err(error);
            }
        }
    }
}

/// A slot whose value a receiver has got, or does not want. When this is dropped, also because cloning
/// the value panicked, one less is owed; the last one drops the value, outside the lock.
struct Got<'a, T>(Option<MutexGuard<'a, Slot<T>>>);

impl<T> Drop for Got<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let Some(mut slot) = self.0.take() else { return };
        slot.owed -= 1;
        let unneeded = if slot.owed == 0 { slot.value.take() } else { None };
        drop(slot);
        drop(unneeded);
    }
}

impl<T> Sender<T> {
    /// Makes a channel without receivers. They are made by [`subscribe`](Sender::subscribe).
    ///
    /// # Panics
    /// If `capacity` is 0 or more than `usize::MAX / 2`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast::Sender;
    ///
    /// let tx = Sender::new(4);
    /// assert!(tx.send(1).is_err());
    /// let mut rx = tx.subscribe();
    /// tx.send(2).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(2));
    /// ```
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        Sender { shared: Shared::new(capacity) }
    }

    /// Sends a value to all receivers there are now, and returns how many.
    ///
    /// `Ok` does not say that they will get it: they may be dropped before, or lag.
    ///
    /// # Errors
    /// The value comes back if there are no receivers. Later sends may succeed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (tx, rx) = broadcast::channel(4);
    /// let _rx2 = tx.subscribe();
    /// assert_eq!(tx.send(1).unwrap(), 2);
    /// drop((rx, _rx2));
    /// assert_eq!(tx.send(2).unwrap_err().0, 2);
    /// ```
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let shared = &*self.shared;
        let mut tail = shared.tail.lock();
        let receivers = tail.receivers;
        if receivers == 0 {
            drop(tail);
            return Err(SendError(value));
        }
        let position = tail.position;
        let overwritten = {
            let mut slot = shared.slot(position).lock();
            slot.position = position;
            slot.owed = receivers;
            slot.value.replace(value)
        };
        tail.position = position + 1;
        let is_awaited = std::mem::take(&mut tail.is_awaited);
        drop(tail);
        if is_awaited {
            shared.waiting.notify_all(|| {});
        }
        drop(overwritten);
        Ok(receivers)
    }

    /// Makes a receiver of what is sent from now on.
    ///
    /// # Panics
    /// If there are more receivers than can be counted.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (tx, _rx) = broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// let mut rx2 = tx.subscribe();
    /// tx.send(2).unwrap();
    /// assert_eq!(rx2.try_recv(), Ok(2));
    /// ```
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        Shared::subscribe(&self.shared)
    }

    /// Makes a sender that does not keep the channel open.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (send, _receive) = broadcast::channel::<u8>(4);
    /// let weak = send.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(send);
    /// // The channel is closed: a weak handle does not keep it open.
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[must_use = "a weak sender does nothing by itself"]
    pub fn downgrade(&self) -> WeakSender<T> {
        // Relaxed: the number orders nothing.
        self.shared.weak_senders.fetch_add(1, Relaxed);
        WeakSender { shared: Arc::clone(&self.shared) }
    }

    /// How many values are kept that some receiver has yet to get.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (tx, mut rx) = broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// tx.send(2).unwrap();
    /// assert_eq!(tx.len(), 2);
    /// rx.try_recv().unwrap();
    /// assert_eq!(tx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        let shared = &*self.shared;
        let tail = shared.tail.lock();
        // Who has yet to get a value has yet to get all that follow: search for the first.
        let (mut settled, mut owed) = (0, shared.ring.len());
        while settled < owed {
            let middle = settled + (owed - settled) / 2;
            let position =
                tail.position.wrapping_sub(shared.ring.len() as u64).wrapping_add(middle as u64);
            if shared.slot(position).lock().owed == 0 {
                settled = middle + 1;
            } else {
                owed = middle;
            }
        }
        shared.ring.len() - settled
    }

    /// Whether all receivers have got everything.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::broadcast::channel(4);
    /// assert!(tx.is_empty());
    /// tx.send(1).unwrap();
    /// assert!(!tx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        let tail = self.shared.tail.lock();
        // Whoever has something to get has yet to get the newest.
        self.shared.slot(tail.position.wrapping_sub(1)).lock().owed == 0
    }

    /// How many receivers there are.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::broadcast::channel::<()>(4);
    /// let _rx2 = tx.subscribe();
    /// assert_eq!(tx.receiver_count(), 2);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.shared.tail.lock().receivers
    }

    /// Whether both send to the same channel.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::broadcast::channel::<()>(4);
    /// assert!(tx.same_channel(&tx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Waits until there are no receivers.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost by dropping it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, rx) = broadcast::channel::<()>(4);
    /// yamanote::spawn(async move { drop(rx) });
    /// tx.closed().await;
    /// # }
    /// ```
    pub async fn closed(&self) {
        self.shared.closed.wait_until(|| self.receiver_count() == 0).await;
    }

    /// How many senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (send, _receive) = broadcast::channel::<u8>(4);
    /// let other = send.clone();
    /// assert_eq!(send.strong_count(), 2);
    /// # drop(other);
    /// ```
    pub fn strong_count(&self) -> usize {
        // Acquire: as `Arc::strong_count`.
        self.shared.senders.load(Acquire)
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (send, _receive) = broadcast::channel::<u8>(4);
    /// let weak = send.downgrade();
    /// assert_eq!(send.weak_count(), 1);
    /// # drop(weak);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.shared.weak_senders.load(Acquire)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        // Relaxed: there is one, so it cannot become 0 meanwhile.
        self.shared.senders.fetch_add(1, Relaxed);
        Sender { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // AcqRel: the last one passes on what all of them did.
        if self.shared.senders.fetch_sub(1, AcqRel) == 1 {
            let mut tail = self.shared.tail.lock();
            tail.closed = true;
            let is_awaited = std::mem::take(&mut tail.is_awaited);
            drop(tail);
            if is_awaited {
                self.shared.waiting.notify_all(|| {});
            }
        }
    }
}

impl<T> WeakSender<T> {
    /// A sender, unless all senders have been dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (send, mut receive) = broadcast::channel(4);
    /// let weak = send.downgrade();
    /// if let Some(send) = weak.upgrade() {
    ///     send.send("still open").unwrap();
    /// }
    /// assert_eq!(receive.try_recv(), Ok("still open"));
    /// ```
    #[must_use = "the upgraded sender is dropped at once"]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let mut senders = self.shared.senders.load(Relaxed);
        loop {
            if senders == 0 {
                return None;
            }
            // Acquire: as if cloned from the sender that counts. Relaxed on failure: tried again.
            let next = senders + 1;
            match self.shared.senders.compare_exchange_weak(senders, next, AcqRel, Relaxed) {
                Ok(_) => return Some(Sender { shared: Arc::clone(&self.shared) }),
                Err(actual) => senders = actual,
            }
        }
    }

    /// How many senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (send, _receive) = broadcast::channel::<u8>(4);
    /// let weak = send.downgrade();
    /// assert_eq!(weak.strong_count(), 1);
    /// drop(send);
    /// assert_eq!(weak.strong_count(), 0);
    /// ```
    pub fn strong_count(&self) -> usize {
        // Acquire: as `Arc::strong_count`.
        self.shared.senders.load(Acquire)
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (send, _receive) = broadcast::channel::<u8>(4);
    /// let weak = send.downgrade();
    /// let another = weak.clone();
    /// assert_eq!(weak.weak_count(), 2);
    /// # drop(another);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.shared.weak_senders.load(Acquire)
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        // Relaxed: the number orders nothing.
        self.shared.weak_senders.fetch_add(1, Relaxed);
        WeakSender { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        // Release: as `Arc` does, for whoever counts.
        self.shared.weak_senders.fetch_sub(1, AcqRel);
    }
}

impl<T> Receiver<T> {
    /// How many values were sent and not received, with those that were overwritten.
    ///
    /// With more than the channel keeps, the next receive reports the loss.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (tx, mut rx) = broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// tx.send(2).unwrap();
    /// assert_eq!(rx.len(), 2);
    /// rx.try_recv().unwrap();
    /// assert_eq!(rx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        (self.shared.tail.lock().position - self.next) as usize
    }

    /// Whether everything was received.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = yamanote::sync::broadcast::channel(4);
    /// assert!(rx.is_empty());
    /// tx.send(1).unwrap();
    /// assert!(!rx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both receive from the same channel.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = yamanote::sync::broadcast::channel::<()>(4);
    /// assert!(rx.same_channel(&tx.subscribe()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// How many senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (send, receive) = broadcast::channel::<u8>(4);
    /// let other = send.clone();
    /// assert_eq!(receive.sender_strong_count(), 2);
    /// drop((send, other));
    /// assert_eq!(receive.sender_strong_count(), 0);
    /// ```
    pub fn sender_strong_count(&self) -> usize {
        // Acquire: as `Arc::strong_count`.
        self.shared.senders.load(Acquire)
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (send, receive) = broadcast::channel::<u8>(4);
    /// let weak = send.downgrade();
    /// assert_eq!(receive.sender_weak_count(), 1);
    /// # drop(weak);
    /// ```
    pub fn sender_weak_count(&self) -> usize {
        self.shared.weak_senders.load(Acquire)
    }

    /// Whether all senders are dropped. There may be values left to receive.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = yamanote::sync::broadcast::channel::<()>(4);
    /// drop(tx);
    /// assert!(rx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        // Acquire pairs with the Release of the last sender.
        self.shared.senders.load(Acquire) == 0
    }
}

impl<T: Clone> Receiver<T> {
    /// Makes another receiver, of what is sent from now on. What this one has not received is not for it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast;
    ///
    /// let (tx, mut rx) = broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// let mut rx2 = rx.resubscribe();
    /// tx.send(2).unwrap();
    /// assert_eq!(rx2.try_recv(), Ok(2));
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    pub fn resubscribe(&self) -> Self {
        Shared::subscribe(&self.shared)
    }

    /// Receives the next value.
    ///
    /// # Cancel safety
    /// Cancel safe: a value is either returned or stays to be received.
    ///
    /// # Errors
    /// [`RecvError::Closed`] when all senders are dropped and there is nothing left,
    /// [`RecvError::Lagged`] if values were lost; the next call returns the oldest one left.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast::{self, error::RecvError};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = broadcast::channel(4);
    /// yamanote::spawn(async move { tx.send(1).unwrap() });
    /// assert_eq!(rx.recv().await, Ok(1));
    /// assert_eq!(rx.recv().await, Err(RecvError::Closed));
    /// # }
    /// ```
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let Receiver { shared, next } = self;
        let mut waiter = pin!(shared.waiting.waiter());
        poll_fn(|cx| {
            let coop = ready!(coop::poll_proceed(cx));
            let result = loop {
                match shared.try_recv(next) {
                    Ok(value) => break Ok(value),
                    Err(TryRecvError::Closed) => break Err(RecvError::Closed),
                    Err(TryRecvError::Lagged(lost)) => break Err(RecvError::Lagged(lost)),
                    Err(TryRecvError::Empty) => {}
                }
                let something = waiter.as_mut().enqueue(cx, || {
                    let mut tail = shared.tail.lock();
                    let nothing = tail.position == *next && !tail.closed;
                    // The next sender, or the last one that goes, finds this.
                    tail.is_awaited |= nothing;
                    !nothing
                });
                if !something {
                    return Poll::Pending;
                }
            };
            coop.made_progress();
            Poll::Ready(result)
        })
        .await
    }

    /// Receives the next value if it is there, without waiting.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if there is nothing now, otherwise as [`recv`](Receiver::recv).
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::broadcast::{self, error::TryRecvError};
    ///
    /// let (tx, mut rx) = broadcast::channel(4);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(1).unwrap();
    /// drop(tx);
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.shared.try_recv(&mut self.next)
    }

    /// As [`recv`](Receiver::recv), on a thread that is not driving tasks.
    ///
    /// # Panics
    /// In an asynchronous context.
    ///
    /// # Errors
    /// As `recv`.
    ///
    /// # Examples
    /// ```
    /// use std::thread;
    /// use yamanote::sync::broadcast;
    ///
    /// let (tx, mut rx) = broadcast::channel(4);
    /// let thread = thread::spawn(move || rx.blocking_recv());
    /// tx.send(1).unwrap();
    /// assert_eq!(thread.join().unwrap(), Ok(1));
    /// ```
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        block_on_thread(self.recv())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        /// Lets go of the values that were not received, also if dropping one of them panics.
        struct Unread<'a, T> {
            shared: &'a Shared<T>,
            next: u64,
            until: u64,
        }

        impl<T> Unread<'_, T> {
            fn settle(&mut self) {
                // What was overwritten is owed to nobody.
                let kept = self.shared.ring.len() as u64;
                self.next = self.next.max(self.until.saturating_sub(kept));
                while self.next < self.until {
                    if self.shared.take(&mut self.next, |_| ()).is_none() {
                        self.next += 1;
                    }
                }
            }
        }

        impl<T> Drop for Unread<'_, T> {
            fn drop(&mut self) {
                self.settle();
            }
        }

        let mut tail = self.shared.tail.lock();
        tail.receivers -= 1;
        let until = tail.position;
        let is_last = tail.receivers == 0;
        drop(tail);
        let mut unread = Unread { shared: &self.shared, next: self.next, until };
        unread.settle();
        drop(unread);
        if is_last {
            self.shared.closed.notify_all();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::WeakSender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::Receiver").finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
