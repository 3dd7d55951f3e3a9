//! The channel without a bound.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use super::chan::{self, Rx, Tx, Unlimited, Weak};
use super::error::{SendError, TryRecvError};
use crate::engine::block_on::block_on_thread;

/// Sends to an unbounded channel; clones send to the same one.
///
/// Made by [`unbounded_channel`]. The channel ends when all of them are dropped.
pub struct UnboundedSender<T> {
    chan: Tx<T, Unlimited>,
}

/// Receives from an unbounded channel.
///
/// Made by [`unbounded_channel`].
pub struct UnboundedReceiver<T> {
    chan: Rx<T, Unlimited>,
}

/// A sender that does not keep its unbounded channel open.
///
/// Made by [`UnboundedSender::downgrade`]. To send, [`upgrade`](WeakUnboundedSender::upgrade) it.
///
/// # Examples
/// ```
/// use yamanote::sync::mpsc;
///
/// let (tx, _rx) = mpsc::unbounded_channel::<u32>();
/// let weak = tx.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(tx);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakUnboundedSender<T> {
    chan: Weak<T, Unlimited>,
}

/// Makes a channel without a bound: sending never waits.
///
/// # Examples
/// ```
/// use yamanote::sync::mpsc;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = mpsc::unbounded_channel();
/// yamanote::spawn(async move {
///     for i in 0..3 {
///         tx.send(i).unwrap();
///     }
/// });
/// let mut sum = 0;
/// while let Some(i) = rx.recv().await {
///     sum += i;
/// }
/// assert_eq!(sum, 3);
/// # }
/// ```
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (tx, rx) = chan::channel(Unlimited);
    (UnboundedSender { chan: tx }, UnboundedReceiver { chan: rx })
}

impl<T> UnboundedSender<T> {
    /// Sends a value.
    ///
    /// `Ok` says that the receiver was there, not that it will receive the value: it may be dropped before.
    ///
    /// # Errors
    /// The value comes back if the receiver was [closed](UnboundedReceiver::close) or dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (tx, mut rx) = mpsc::unbounded_channel();
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// drop(rx);
    /// assert_eq!(tx.send(2).unwrap_err().0, 2);
    /// ```
    #[inline]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.chan.chan().push(value).map_err(SendError)
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
    /// let (tx, rx) = mpsc::unbounded_channel::<()>();
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
    /// let (tx, rx) = yamanote::sync::mpsc::unbounded_channel::<()>();
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.chan.chan().is_closed()
    }

    /// Whether both send to the same channel.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::mpsc::unbounded_channel::<()>();
    /// assert!(tx.same_channel(&tx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        self.chan.same_channel(&other.chan)
    }

    /// Makes a sender that does not keep the channel open.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, mut receive) = mpsc::unbounded_channel::<u8>();
    /// let weak = send.downgrade();
    /// drop(send);
    /// // A weak handle keeps nobody waiting: the channel is closed.
    /// assert_eq!(receive.recv().await, None);
    /// assert!(weak.upgrade().is_none());
    /// # }
    /// ```
    #[must_use = "a weak sender does nothing by itself"]
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender { chan: self.chan.downgrade() }
    }

    /// How many senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, _receive) = mpsc::unbounded_channel::<u8>();
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
    /// let (send, _receive) = mpsc::unbounded_channel::<u8>();
    /// let weak = send.downgrade();
    /// assert_eq!(send.weak_count(), 1);
    /// # drop(weak);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.chan.weak_count()
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        UnboundedSender { chan: self.chan.clone() }
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedSender").field("chan", self.chan.chan()).finish()
    }
}

impl<T> UnboundedReceiver<T> {
    /// Receives the next value; `None` when the channel has ended: everything was received, and all senders
    /// are dropped or it was [closed](UnboundedReceiver::close).
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
    /// let (tx, mut rx) = mpsc::unbounded_channel();
    /// tx.send("hello").unwrap();
    /// drop(tx);
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
    /// let (tx, mut rx) = mpsc::unbounded_channel();
    /// for i in 0..5 {
    ///     tx.send(i).unwrap();
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
    /// let (tx, mut rx) = mpsc::unbounded_channel();
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(1).unwrap();
    /// drop(tx);
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.chan.try_recv()
    }

    /// As [`recv`](UnboundedReceiver::recv), on a thread that is not driving tasks.
    ///
    /// # Panics
    /// In an asynchronous context.
    ///
    /// # Examples
    /// ```
    /// use std::thread;
    /// use yamanote::sync::mpsc;
    ///
    /// let (tx, mut rx) = mpsc::unbounded_channel();
    /// let thread = thread::spawn(move || rx.blocking_recv());
    /// tx.send(10).unwrap();
    /// assert_eq!(thread.join().unwrap(), Some(10));
    /// ```
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Option<T> {
        block_on_thread(self.recv())
    }

    /// As [`recv_many`](UnboundedReceiver::recv_many), on a thread that is not driving tasks.
    ///
    /// # Panics
    /// In an asynchronous context.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, mut receive) = mpsc::unbounded_channel();
    /// for i in 0..5 {
    ///     send.send(i).unwrap();
    /// }
    /// let mut values = Vec::new();
    /// assert_eq!(receive.blocking_recv_many(&mut values, 3), 3);
    /// assert_eq!(values, [0, 1, 2]);
    /// ```
    #[track_caller]
    pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        block_on_thread(self.recv_many(buffer, limit))
    }

    /// Ends the channel from this side: nothing more can be sent, what was sent can be received.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::unbounded_channel();
    /// tx.send(1).unwrap();
    /// rx.close();
    /// assert!(tx.send(2).is_err());
    /// assert_eq!(rx.recv().await, Some(1));
    /// assert_eq!(rx.recv().await, None);
    /// # }
    /// ```
    pub fn close(&mut self) {
        self.chan.close();
    }

    /// Whether nothing more can be sent: it was closed, or all senders are dropped. There may be values
    /// left to receive.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, mut receive) = mpsc::unbounded_channel::<u8>();
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
    /// let (tx, rx) = yamanote::sync::mpsc::unbounded_channel();
    /// assert!(rx.is_empty());
    /// tx.send(0).unwrap();
    /// assert!(!rx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values there are to receive.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = yamanote::sync::mpsc::unbounded_channel();
    /// tx.send(0).unwrap();
    /// assert_eq!(rx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.chan.len()
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
    /// let (send, mut receive) = mpsc::unbounded_channel();
    /// send.send(1).unwrap();
    /// assert_eq!(poll_fn(|cx| receive.poll_recv(cx)).await, Some(1));
    /// # }
    /// ```
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.chan.poll_recv(cx)
    }

    /// Asks for what is there, up to `limit` values, and has the task woken when there is something or
    /// the channel ends. See [`recv_many`](UnboundedReceiver::recv_many) and
    /// [`poll_recv`](UnboundedReceiver::poll_recv).
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, mut receive) = mpsc::unbounded_channel();
    /// for i in 0..5 {
    ///     send.send(i).unwrap();
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
    /// let (send, receive) = mpsc::unbounded_channel::<u8>();
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
    /// let (send, receive) = mpsc::unbounded_channel::<u8>();
    /// let weak = send.downgrade();
    /// assert_eq!(receive.sender_weak_count(), 1);
    /// # drop(weak);
    /// ```
    pub fn sender_weak_count(&self) -> usize {
        self.chan.weak_count()
    }
}

impl<T> fmt::Debug for UnboundedReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedReceiver").field("chan", self.chan.chan()).finish()
    }
}

impl<T> WeakUnboundedSender<T> {
    /// A sender, unless all senders have been dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, mut receive) = mpsc::unbounded_channel();
    /// let weak = send.downgrade();
    /// if let Some(send) = weak.upgrade() {
    ///     send.send("still open").unwrap();
    /// }
    /// assert_eq!(receive.recv().await, Some("still open"));
    /// # }
    /// ```
    pub fn upgrade(&self) -> Option<UnboundedSender<T>> {
        self.chan.upgrade().map(|chan| UnboundedSender { chan })
    }

    /// How many senders there are.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (send, _receive) = mpsc::unbounded_channel::<u8>();
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
    /// let (send, _receive) = mpsc::unbounded_channel::<u8>();
    /// let weak = send.downgrade();
    /// let another = weak.clone();
    /// assert_eq!(weak.weak_count(), 2);
    /// # drop(another);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.chan.weak_count()
    }
}

impl<T> Clone for WeakUnboundedSender<T> {
    fn clone(&self) -> Self {
        WeakUnboundedSender { chan: self.chan.clone() }
    }
}

impl<T> fmt::Debug for WeakUnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakUnboundedSender").finish_non_exhaustive()
    }
}
