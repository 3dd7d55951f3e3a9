//! The channel with a bound: a semaphore in front of the queue.
//!
//! A sender takes a permit before it sends, the receiver returns it when it took the value out. The
//! semaphore is fair, so senders get room in the order in which they began to wait.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use super::chan::{self, Chan, Flow, Rx, Tx, Weak};
use super::error::{SendError, TryRecvError, TrySendError};
use super::permit::{OwnedPermit, Permit, PermitIterator};
use crate::engine::block_on::block_on_thread;
use crate::sync::batch_semaphore::{Semaphore, TryAcquire};

/// A permit for each value the channel has room for.
#[derive(Debug)]
pub(super) struct Bounded {
    semaphore: Semaphore,
    bound: usize,
}

impl Flow for Bounded {
    /// Permits that are out may still be used.
    const CLOSES_ROW: bool = false;

    #[inline]
    fn taken(&self, n: usize) {
        self.semaphore.release(n);
    }

    fn close(&self) {
        self.semaphore.close();
    }

    fn is_drained(&self) -> bool {
        self.semaphore.is_closed() && self.semaphore.available_permits() == self.bound
    }

    fn is_closed(&self) -> bool {
        self.semaphore.is_closed()
    }
}

impl<T> Chan<T, Bounded> {
    /// Sends with a permit, which goes with the value.
    #[inline]
    pub(super) fn push_permitted(&self, value: T) {
        // The row is closed by the last sender only, and a permit keeps one alive.
        let sent = self.push(value);
        debug_assert!(sent.is_ok());
    }

    /// Takes permits back that were not used.
    pub(super) fn return_permits(&self, n: usize) {
        self.flow.semaphore.release(n);
        self.permit_returned();
    }

    /// Waits for `n` permits.
    async fn acquire(&self, n: usize) -> Result<(), SendError<()>> {
        /// After a place in the queue was given up, with what had been assigned to it: that may have been
        /// the last permit the closed receiver waited for.
        struct GivenUp<'a, T>(&'a Chan<T, Bounded>);

        impl<T> Drop for GivenUp<'_, T> {
            fn drop(&mut self) {
                self.0.permit_returned();
            }
        }

        if n > self.flow.bound {
            return Err(SendError(()));
        }
        // Dropped after the future that is awaited next, whether that ends or is cancelled.
        let given_up = GivenUp(self);
        let acquired = self.flow.semaphore.acquire(n).await;
        if acquired.is_ok() {
            std::mem::forget(given_up);
        }
        acquired.map_err(|_| SendError(()))
    }

    #[inline]
    fn try_acquire(&self, n: usize) -> Result<(), TrySendError<()>> {
        if n > self.flow.bound {
            // Never, and maybe more than a semaphore can be asked for.
            let closed = self.flow.semaphore.is_closed();
            return Err(if closed { TrySendError::Closed(()) } else { TrySendError::Full(()) });
        }
        self.flow.semaphore.try_acquire(n).map_err(|error| match error {
            TryAcquire::Closed => TrySendError::Closed(()),
            TryAcquire::NoPermits => TrySendError::Full(()),
        })
    }
}

/// Sends to a bounded channel; clones send to the same one.
///
/// Made by [`channel`]. The channel ends when all of them are dropped.
pub struct Sender<T> {
    chan: Tx<T, Bounded>,
}

/// Receives from a bounded channel.
///
/// Made by [`channel`].
pub struct Receiver<T> {
    chan: Rx<T, Bounded>,
}

/// A sender that does not keep its bounded channel open.
///
/// Made by [`Sender::downgrade`]. To send, [`upgrade`](WeakSender::upgrade) it.
///
/// # Examples
/// ```
/// use yamanote::sync::mpsc;
///
/// let (tx, _rx) = mpsc::channel::<u32>(1);
/// let weak = tx.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(tx);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakSender<T> {
    chan: Weak<T, Bounded>,
}

/// Makes a channel with room for `buffer` values: senders wait when it is full.
///
/// # Panics
/// If `buffer` is 0, or more than [`Semaphore::MAX_PERMITS`](crate::sync::Semaphore::MAX_PERMITS).
///
/// # Examples
/// ```
/// use yamanote::sync::mpsc;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = mpsc::channel(2);
/// yamanote::spawn(async move {
///     for i in 0..10 {
///         if tx.send(i).await.is_err() {
///             println!("the receiver is gone");
///             return;
///         }
///     }
/// });
/// let mut sum = 0;
/// while let Some(i) = rx.recv().await {
///     sum += i;
/// }
/// assert_eq!(sum, 45);
/// # }
/// ```
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    assert!(buffer > 0, "mpsc bounded channel requires buffer > 0");
    let (tx, rx) = chan::channel(Bounded { semaphore: Semaphore::new(buffer), bound: buffer });
    (Sender { chan: tx }, Receiver { chan: rx })
}

impl<T> Sender<T> {
    #[inline]
    pub(super) fn chan(&self) -> &Chan<T, Bounded> {
        self.chan.chan()
    }

    /// Sends a value, waiting for room.
    ///
    /// `Ok` says that the receiver was there, not that it will receive the value: it may be dropped before.
    ///
    /// # Cancel safety
    /// Dropped before it completes, nothing is sent and the value is dropped, and the place in the queue
    /// is lost. To keep the value, [`reserve`](Sender::reserve) first.
    ///
    /// # Errors
    /// The value comes back if the receiver was [closed](Receiver::close) or dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// tx.send("a").await.unwrap();
    /// assert_eq!(rx.recv().await, Some("a"));
    /// drop(rx);
    /// assert_eq!(tx.send("b").await.unwrap_err().0, "b");
    /// # }
    /// ```
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        match self.chan().acquire(1).await {
            Ok(()) => {
                self.chan().push_permitted(value);
                Ok(())
            }
            Err(_) => Err(SendError(value)),
        }
    }

    /// Sends a value if there is room now.
    ///
    /// # Errors
    /// The value comes back: [`TrySendError::Full`] without room, [`TrySendError::Closed`] if the receiver
    /// was closed or dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc::{self, error::TrySendError};
    ///
    /// let (tx, rx) = mpsc::channel(1);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
    /// drop(rx);
    /// assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
    /// ```
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        match self.chan().try_acquire(1) {
            Ok(()) => {
                self.chan().push_permitted(value);
                Ok(())
            }
            Err(TrySendError::Full(())) => Err(TrySendError::Full(value)),
            Err(TrySendError::Closed(())) => Err(TrySendError::Closed(value)),
        }
    }

    /// As [`send`](Sender::send), on a thread that is not driving tasks.
    ///
    /// # Panics
    /// In an asynchronous context.
    ///
    /// # Errors
    /// The value comes back if the receiver was closed or dropped.
    ///
    /// # Examples
    /// ```
    /// use std::thread;
    /// use yamanote::sync::mpsc;
    ///
    /// let (tx, mut rx) = mpsc::channel(1);
    /// let thread = thread::spawn(move || {
    ///     for i in 0..3 {
    ///         tx.blocking_send(i).unwrap();
    ///     }
    /// });
    /// assert_eq!(rx.blocking_recv(), Some(0));
    /// assert_eq!(rx.blocking_recv(), Some(1));
    /// assert_eq!(rx.blocking_recv(), Some(2));
    /// thread.join().unwrap();
    /// ```
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        block_on_thread(self.send(value))
    }

    /// Waits for room and reserves it: the [`Permit`] then sends without waiting.
    ///
    /// For values that are made, or taken from elsewhere, only once it is certain that they can be sent.
    ///
    /// # Cancel safety
    /// Cancel safe, but that the place in the queue is lost.
    ///
    /// # Errors
    /// If the receiver was closed or dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// tx.reserve().await.unwrap().send(7);
    /// assert_eq!(rx.recv().await, Some(7));
    /// # }
    /// ```
    pub async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        self.chan().acquire(1).await?;
        Ok(Permit::new(self.chan()))
    }

    /// Waits for room for `n` values and reserves it, all at once.
    ///
    /// # Cancel safety
    /// Cancel safe, but that the place in the queue is lost.
    ///
    /// # Errors
    /// If the receiver was closed or dropped, or if `n` exceeds the channel's bound.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(4);
    /// for (i, permit) in tx.reserve_many(2).await.unwrap().enumerate() {
    ///     permit.send(i);
    /// }
    /// assert_eq!(rx.recv().await, Some(0));
    /// assert_eq!(rx.recv().await, Some(1));
    /// # }
    /// ```
    pub async fn reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, SendError<()>> {
        self.chan().acquire(n).await?;
        Ok(PermitIterator::new(self.chan(), n))
    }

    /// As [`reserve`](Sender::reserve), moving the sender into the permit.
    ///
    /// Clone the sender first if it is still needed.
    ///
    /// # Cancel safety
    /// Dropped before it completes, the sender is dropped too.
    ///
    /// # Errors
    /// If the receiver was closed or dropped. The sender is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// let permit = tx.clone().reserve_owned().await.unwrap();
    /// permit.send(1);
    /// assert_eq!(rx.recv().await, Some(1));
    /// # }
    /// ```
    pub async fn reserve_owned(self) -> Result<OwnedPermit<T>, SendError<()>> {
        self.chan().acquire(1).await?;
        Ok(OwnedPermit::new(self))
    }

    /// Reserves room if there is some now.
    ///
    /// # Errors
    /// [`TrySendError::Full`] without room, [`TrySendError::Closed`] if the receiver was closed or dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (tx, _rx) = mpsc::channel::<u32>(1);
    /// let permit = tx.try_reserve().unwrap();
    /// assert!(tx.try_reserve().is_err());
    /// drop(permit);
    /// assert!(tx.try_reserve().is_ok());
    /// ```
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.chan().try_acquire(1)?;
        Ok(Permit::new(self.chan()))
    }

    /// Reserves room for `n` values if there is as much now.
    ///
    /// # Errors
    /// [`TrySendError::Full`] without that much room, [`TrySendError::Closed`] if the receiver was closed
    /// or dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (tx, _rx) = mpsc::channel::<u32>(3);
    /// assert_eq!(tx.try_reserve_many(2).unwrap().len(), 2);
    /// assert!(tx.try_reserve_many(4).is_err());
    /// ```
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        self.chan().try_acquire(n)?;
        Ok(PermitIterator::new(self.chan(), n))
    }

    /// As [`try_reserve`](Sender::try_reserve), moving the sender into the permit.
    ///
    /// # Errors
    /// As `try_reserve`; the sender comes back.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (tx, mut rx) = mpsc::channel(1);
    /// let tx = tx.try_reserve_owned().unwrap().send(1);
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// drop(rx);
    /// let _tx = tx.try_reserve_owned().unwrap_err().into_inner();
    /// ```
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        match self.chan().try_acquire(1) {
            Ok(()) => Ok(OwnedPermit::new(self)),
            Err(TrySendError::Full(())) => Err(TrySendError::Full(self)),
            Err(TrySendError::Closed(())) => Err(TrySendError::Closed(self)),
        }
    }

    /// Waits until the receiver is closed or dropped.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost by dropping it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, rx) = mpsc::channel::<()>(1);
    /// yamanote::spawn(async move { drop(rx) });
    /// tx.closed().await;
    /// # }
    /// ```
    pub async fn closed(&self) {
        self.chan.closed().await;
    }

    /// Whether the receiver was closed or dropped, so that sending will fail.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = yamanote::sync::mpsc::channel::<()>(1);
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.chan().is_closed()
    }

    /// Whether both send to the same channel.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::mpsc::channel::<()>(1);
    /// assert!(tx.same_channel(&tx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        self.chan.same_channel(&other.chan)
    }

    /// For how many values there is room now: the bound less what was sent and not received, and what is
    /// reserved.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::mpsc::channel(5);
    /// tx.try_send(1).unwrap();
    /// let _permit = tx.try_reserve().unwrap();
    /// assert_eq!(tx.capacity(), 3);
    /// assert_eq!(tx.max_capacity(), 5);
    /// ```
    pub fn capacity(&self) -> usize {
        self.chan().flow.semaphore.available_permits()
    }

    /// The bound: the number of values the channel was made for.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, _receive) = mpsc::channel(3);
    /// send.try_send(1).unwrap();
    /// assert_eq!((send.capacity(), send.max_capacity()), (2, 3));
    /// ```
    pub fn max_capacity(&self) -> usize {
        self.chan().flow.bound
    }

    /// Makes a sender that does not keep the channel open.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, mut receive) = mpsc::channel::<u8>(1);
    /// let weak = send.downgrade();
    /// drop(send);
    /// // A weak handle keeps nobody waiting: the channel is closed.
    /// assert_eq!(receive.recv().await, None);
    /// assert!(weak.upgrade().is_none());
    /// # }
    /// ```
    #[must_use = "a weak sender does nothing by itself"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { chan: self.chan.downgrade() }
    }

    /// How many senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, _receive) = mpsc::channel::<u8>(3);
    /// let other = send.clone();
    /// assert_eq!(send.strong_count(), 2);
    /// # drop(other);
    /// ```
    pub fn strong_count(&self) -> usize {
        self.chan.strong_count()
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, _receive) = mpsc::channel::<u8>(3);
    /// let weak = send.downgrade();
    /// assert_eq!(send.weak_count(), 1);
    /// # drop(weak);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.chan.weak_count()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender { chan: self.chan.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("chan", self.chan()).finish()
    }
}

impl<T> Receiver<T> {
    /// Receives the next value; `None` when the channel has ended: everything was received, and all senders
    /// are dropped or it was [closed](Receiver::close) and no permit is out.
    ///
    /// # Cancel safety
    /// Cancel safe: a value is either returned or stays in the channel.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(10);
    /// yamanote::spawn(async move { tx.send("hello").await.unwrap() });
    /// assert_eq!(rx.recv().await, Some("hello"));
    /// assert_eq!(rx.recv().await, None);
    /// # }
    /// ```
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.chan.poll_recv(cx)).await
    }

    /// Receives what is there, up to `limit` values, waiting for the first; appends them to `buffer` and
    /// returns how many.
    ///
    /// 0 means that the channel has ended, or that `limit` is 0.
    ///
    /// # Cancel safety
    /// Cancel safe: dropped before it completes, nothing was received.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(10);
    /// for i in 0..5 {
    ///     tx.send(i).await.unwrap();
    /// }
    /// let mut buffer = Vec::new();
    /// assert_eq!(rx.recv_many(&mut buffer, 3).await, 3);
    /// assert_eq!(rx.recv_many(&mut buffer, 3).await, 2);
    /// assert_eq!(buffer, [0, 1, 2, 3, 4]);
    /// # }
    /// ```
    pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        poll_fn(|cx| self.chan.poll_recv_many(cx, buffer, limit)).await
    }

    /// Receives the next value if it is there, without waiting.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if there is nothing now, [`TryRecvError::Disconnected`] if the channel has
    /// ended.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc::{self, error::TryRecvError};
    ///
    /// let (tx, mut rx) = mpsc::channel(1);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.try_send(1).unwrap();
    /// drop(tx);
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.chan.try_recv()
    }

    /// As [`recv`](Receiver::recv), on a thread that is not driving tasks.
    ///
    /// # Panics
    /// In an asynchronous context.
    ///
    /// # Examples
    /// ```
    /// use std::thread;
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(10);
    /// let thread = thread::spawn(move || rx.blocking_recv());
    /// tx.send(1).await.unwrap();
    /// assert_eq!(thread.join().unwrap(), Some(1));
    /// # }
    /// ```
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Option<T> {
        block_on_thread(self.recv())
    }

    /// As [`recv_many`](Receiver::recv_many), on a thread that is not driving tasks.
    ///
    /// # Panics
    /// In an asynchronous context.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, mut receive) = mpsc::channel(8);
    /// for i in 0..5 {
    ///     send.try_send(i).unwrap();
    /// }
    /// let mut values = Vec::new();
    /// assert_eq!(receive.blocking_recv_many(&mut values, 3), 3);
    /// assert_eq!(values, [0, 1, 2]);
    /// ```
    #[track_caller]
    pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        block_on_thread(self.recv_many(buffer, limit))
    }

    /// Ends the channel from this side: nothing more can be sent but with permits that are out; what was
    /// sent can be received.
    ///
    /// [`recv`](Receiver::recv) answers `None` once everything was received and all permits are back.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(10);
    /// let permit = tx.reserve().await.unwrap();
    /// rx.close();
    /// assert!(tx.send(2).await.is_err());
    /// permit.send(1);
    /// assert_eq!(rx.recv().await, Some(1));
    /// assert_eq!(rx.recv().await, None);
    /// # }
    /// ```
    pub fn close(&mut self) {
        self.chan.close();
    }

    /// Whether nothing more can be sent (but with permits that are out): it was closed, or all senders are
    /// dropped. There may be values left to receive.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, mut receive) = mpsc::channel::<u8>(3);
    /// assert!(!receive.is_closed());
    /// receive.close();
    /// assert!(receive.is_closed());
    /// # drop(send);
    /// ```
    pub fn is_closed(&self) -> bool {
        self.chan.is_closed()
    }

    /// Whether there is nothing to receive.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = yamanote::sync::mpsc::channel(1);
    /// assert!(rx.is_empty());
    /// tx.try_send(0).unwrap();
    /// assert!(!rx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values there are to receive.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = yamanote::sync::mpsc::channel(1);
    /// tx.try_send(0).unwrap();
    /// assert_eq!(rx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.chan.len()
    }

    /// For how many values there is room now. See [`Sender::capacity`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, receive) = mpsc::channel(3);
    /// send.try_send(1).unwrap();
    /// assert_eq!(receive.capacity(), 2);
    /// ```
    pub fn capacity(&self) -> usize {
        self.chan.chan().flow.semaphore.available_permits()
    }

    /// The bound: the number of values the channel was made for.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, receive) = mpsc::channel(3);
    /// send.try_send(1).unwrap();
    /// assert_eq!(receive.max_capacity(), 3);
    /// ```
    pub fn max_capacity(&self) -> usize {
        self.chan.chan().flow.bound
    }

    /// Asks for the next value, and has the task woken when there is one or the channel ends.
    ///
    /// `Ready(None)` when it has ended. Only the waker of the last call is woken. `Pending` may also mean
    /// that the task's [budget](crate::task::coop) is spent; it is woken then as well.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, mut receive) = mpsc::channel(8);
    /// send.try_send(1).unwrap();
    /// assert_eq!(poll_fn(|cx| receive.poll_recv(cx)).await, Some(1));
    /// # }
    /// ```
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.chan.poll_recv(cx)
    }

    /// Asks for what is there, up to `limit` values, and has the task woken when there is something or
    /// the channel ends. See [`recv_many`](Receiver::recv_many) and [`poll_recv`](Receiver::poll_recv).
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, mut receive) = mpsc::channel(8);
    /// for i in 0..5 {
    ///     send.try_send(i).unwrap();
    /// }
    /// let mut values = Vec::new();
    /// assert_eq!(poll_fn(|cx| receive.poll_recv_many(cx, &mut values, 3)).await, 3);
    /// assert_eq!(values, [0, 1, 2]);
    /// # }
    /// ```
    pub fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        self.chan.poll_recv_many(cx, buffer, limit)
    }

    /// How many senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, receive) = mpsc::channel::<u8>(3);
    /// let other = send.clone();
    /// assert_eq!(receive.sender_strong_count(), 2);
    /// # drop(other);
    /// ```
    pub fn sender_strong_count(&self) -> usize {
        self.chan.strong_count()
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, receive) = mpsc::channel::<u8>(3);
    /// let weak = send.downgrade();
    /// assert_eq!(receive.sender_weak_count(), 1);
    /// # drop(weak);
    /// ```
    pub fn sender_weak_count(&self) -> usize {
        self.chan.weak_count()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("chan", self.chan.chan()).finish()
    }
}

impl<T> WeakSender<T> {
    /// A sender, unless all senders have been dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, mut receive) = mpsc::channel(1);
    /// let weak = send.downgrade();
    /// if let Some(send) = weak.upgrade() {
    ///     send.send("still open").await.unwrap();
    /// }
    /// assert_eq!(receive.recv().await, Some("still open"));
    /// # }
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.chan.upgrade().map(|chan| Sender { chan })
    }

    /// How many senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, _receive) = mpsc::channel::<u8>(1);
    /// let weak = send.downgrade();
    /// assert_eq!(weak.strong_count(), 1);
    /// drop(send);
    /// assert_eq!(weak.strong_count(), 0);
    /// ```
    pub fn strong_count(&self) -> usize {
        self.chan.strong_count()
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, _receive) = mpsc::channel::<u8>(1);
    /// let weak = send.downgrade();
    /// let another = weak.clone();
    /// assert_eq!(weak.weak_count(), 2);
    /// # drop(another);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.chan.weak_count()
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        WeakSender { chan: self.chan.clone() }
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}
