//! The receiving half.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, ready};

use super::error::{RecvError, TryRecvError};
use super::ring::Shared;
use crate::engine::block_on::block_on_thread;
use crate::loom::sync::Arc;
use crate::loom::sync::atomic::Ordering::Acquire;
use crate::task::coop;

/// Receives what is sent to a broadcast channel while it exists.
///
/// Made by [`channel`](super::channel), [`Sender::subscribe`](super::Sender::subscribe) and [`Receiver::resubscribe`]. It is not `Clone`, since it
/// would be unclear where the clone begins; `resubscribe` begins with what is sent next.
pub struct Receiver<T> {
    pub(super) shared: Arc<Shared<T>>,
    /// What it gets next.
    pub(super) next: u64,
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

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::Receiver").finish_non_exhaustive()
    }
}
