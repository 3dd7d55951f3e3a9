//! The sending half, and the one that does not keep the channel open.

use std::fmt;

use super::Receiver;
use super::error::SendError;
use super::ring::Shared;
use crate::loom::sync::Arc;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

/// Sends to all receivers of a broadcast channel; clones send to the same ones.
///
/// Made by [`channel`](super::channel) and [`Sender::new`]. The channel ends when all of them are dropped.
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
    pub(super) shared: Arc<Shared<T>>,
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
