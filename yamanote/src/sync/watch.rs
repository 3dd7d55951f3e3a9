//! The latest value, for everybody who wants to know.
//!
//! A watch channel holds one value. Senders replace it, receivers look at it whenever they like and can
//! wait until it changes. Nobody waits for receivers: who is slow misses the values in between, never the
//! last one. That suits configuration, states to react to, and the signal to shut down.
//!
//! # Seen and unseen
//! Each value has a version, and each receiver remembers which one it has seen. The value the channel is
//! made with counts as seen, as does the current one for a receiver made by [`Sender::subscribe`].
//! [`Receiver::changed`] waits for an unseen one and marks it seen; [`Receiver::borrow_and_update`] marks
//! the one it returns, [`Receiver::borrow`] does not mark.
//!
//! In a loop, use `borrow_and_update`: with `borrow`, a value that comes between `changed` and the look is
//! looked at and reported as changed once more.
//!
//! # Borrowing
//! A [`Ref`] is a read lock on the value. While one is held, senders block, and with a sender waiting
//! further borrows may block as well: keep it short, do not hold two on one thread, and not across
//! `.await` (the compiler sees to that in spawned tasks). Clone the value out if it is needed for longer.
//!
//! # When it ends
//! When all senders are dropped, `changed` reports a last unseen value and then an error. When all
//! receivers are dropped, [`Sender::send`] fails and [`Sender::closed`] completes; new receivers can still
//! be made.
//!
//! # Examples
//! ```
//! use yamanote::sync::watch;
//!
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut rx) = watch::channel(0);
//! let follower = yamanote::spawn(async move {
//!     let mut last = *rx.borrow_and_update();
//!     while rx.changed().await.is_ok() {
//!         last = *rx.borrow_and_update();
//!     }
//!     last
//! });
//! for i in 1..=10 {
//!     tx.send(i).unwrap();
//! }
//! drop(tx);
//! // Some may have been missed, the last one is not.
//! assert_eq!(follower.await.unwrap(), 10);
//! # }
//! ```

// # How it works
//
// One word holds the version and two flags:
//
//     state: [ version | WAITING | CLOSED ]
//
// The version goes up by a read-modify-write, under the write lock on the value. What it returns tells
// whether anybody waits, so that a send without waiting receivers takes no lock but the value's. A receiver
// that is about to wait sets `WAITING` by a read-modify-write on the same word, with its place in the
// queue taken, and learns from it whether the version has moved on. One of the two sees the other.
//
// `WAITING` is set and cleared under the queue's lock only, and cleared when the queue is empty.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::ops;
use std::pin::pin;
use std::task::Poll;

use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::loom::sync::{Arc, RwLock, RwLockReadGuard};
use crate::task::coop;
use crate::util::CachePadded;
use crate::util::canary::canary;
use crate::util::wait_list::{WaitList, WaitSet};

pub mod error {
    //! What can go wrong on a watch channel.

    use std::error::Error;
    use std::fmt;

    /// There are no receivers; the value comes back.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch::{self, error::SendError};
    ///
    /// let (send, receive) = watch::channel(0);
    /// drop(receive);
    /// // Nobody sees it; the value comes back, and the old one stays.
    /// assert_eq!(send.send(1), Err(SendError(1)));
    /// assert_eq!(*send.borrow(), 0);
    /// ```
    #[derive(PartialEq, Eq, Clone, Copy)]
    pub struct SendError<T>(pub T);

    impl<T> fmt::Debug for SendError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("SendError").finish_non_exhaustive()
        }
    }

    impl<T> fmt::Display for SendError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("channel closed")
        }
    }

    impl<T> Error for SendError<T> {}

    /// All senders were dropped: the value will not change any more.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, mut receive) = watch::channel(0);
    /// drop(send); // nothing will change any more
    /// assert!(receive.changed().await.is_err());
    /// assert_eq!(*receive.borrow(), 0);
    /// # }
    /// ```
    #[derive(Debug, Clone)]
    pub struct RecvError(pub(super) ());

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("channel closed")
        }
    }

    impl Error for RecvError {}
}

use error::{RecvError, SendError};

const CLOSED: usize = 1;
const WAITING: usize = 2;
/// From one version to the next. Versions wrap; a receiver would have to miss all of them to be misled.
const VERSION: usize = 4;

fn version_of(state: usize) -> usize {
    state & !(CLOSED | WAITING)
}

struct Shared<T> {
    value: RwLock<T>,
    state: CachePadded<AtomicUsize>,
    /// Receivers that wait for another version.
    waiting: WaitList,
    senders: AtomicUsize,
    receivers: AtomicUsize,
    /// Senders that wait for the receivers to go.
    closed: WaitSet,
    /// A panic while a value is changed in place leaves it as it is.
    _not_unwind_safe: PhantomData<dyn Send + Sync + Unpin>,
}

/// Replaces the value of a watch channel; clones do so for the same one.
///
/// Made by [`channel`] and [`Sender::new`].
#[derive(Debug)]
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// Follows the value of a watch channel; clones do so independently, from the version this one has seen.
///
/// Made by [`channel`] and [`Sender::subscribe`].
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The version seen last.
    seen: usize,
}

/// A look at the value of a watch channel: a read lock on it.
///
/// Made by [`Receiver::borrow`], [`Receiver::borrow_and_update`], [`Receiver::wait_for`] and
/// [`Sender::borrow`]. Keep it short: senders block meanwhile.
#[derive(Debug)]
pub struct Ref<'a, T> {
    value: RwLockReadGuard<'a, T>,
    has_changed: bool,
    /// What it shows may be half changed, if the change panicked.
    _not_unwind_safe: PhantomData<&'a (dyn Send + Sync)>,
}

/// Makes a channel with one sender and one receiver. The value counts as seen.
///
/// # Examples
/// ```
/// use yamanote::sync::watch;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = watch::channel("hello");
/// yamanote::spawn(async move { tx.send("goodbye").unwrap() });
/// rx.changed().await.unwrap();
/// assert_eq!(*rx.borrow(), "goodbye");
/// # }
/// ```
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(init);
    let receiver = sender.subscribe();
    (sender, receiver)
}

impl<T> Shared<T> {
    /// Wakes the receivers that wait, if the state before the change says that there are any.
    fn notify(&self, before: usize) {
        if before & WAITING != 0 {
            self.waiting.notify_all(|| {
                // Relaxed: changed under the queue's lock.
                self.state.fetch_and(!WAITING, Relaxed);
            });
        }
    }

    /// Whether the version differs from the one seen; an error if it does not and will not.
    fn changed_since(state: usize, seen: usize) -> Option<Result<usize, RecvError>> {
        if version_of(state) != seen {
            Some(Ok(version_of(state)))
        } else if state & CLOSED != 0 {
            Some(Err(RecvError(())))
        } else {
            None
        }
    }

    /// Waits for a version other than `seen`, and returns it.
    async fn changed(&self, seen: usize) -> Result<usize, RecvError> {
        let mut waiter = pin!(self.waiting.waiter());
        poll_fn(|cx| {
            // Acquire pairs with the Release that moved the version: what the sender did before.
            let mut state = self.state.load(Acquire);
            let mut changed = Shared::<T>::changed_since(state, seen);
            if changed.is_none() {
                waiter.as_mut().enqueue(cx, || {
                    // Acquire as above. The flag is cleared under the lock only, so if it is set it stays set while we
                    // hold that: whoever moves the version from here on finds the flag, and then our place.
                    state = self.state.load(Acquire);
                    if state & WAITING == 0 {
                        // AcqRel: the place in the queue; what the sender did before.
                        state = self.state.fetch_or(WAITING, AcqRel);
                    }
                    if !canary!("watch-without-second-look") {
                        changed = Shared::<T>::changed_since(state, seen);
                    }
                    changed.is_some()
                });
            }
            match changed {
                Some(result) => Poll::Ready(result),
                None => Poll::Pending,
            }
        })
        .await
    }

    fn borrow(&self) -> RwLockReadGuard<'_, T> {
        self.value.read()
    }
}

impl<T> Sender<T> {
    /// Makes a channel without receivers. They are made by [`subscribe`](Sender::subscribe).
    ///
    /// # Examples
    /// ```
    /// let tx = yamanote::sync::watch::Sender::new(1);
    /// assert!(tx.is_closed());
    /// let rx = tx.subscribe();
    /// tx.send(2).unwrap();
    /// assert_eq!(*rx.borrow(), 2);
    /// ```
    pub fn new(init: T) -> Self {
        Sender {
            shared: Arc::new(Shared {
                value: RwLock::new(init),
                state: CachePadded::new(AtomicUsize::new(0)),
                waiting: WaitList::new(),
                senders: AtomicUsize::new(1),
                receivers: AtomicUsize::new(0),
                closed: WaitSet::new(),
                _not_unwind_safe: PhantomData,
            }),
        }
    }

    /// Replaces the value and wakes the receivers that wait.
    ///
    /// # Errors
    /// The new value comes back if there are no receivers; the old one stays. To set it nevertheless, use
    /// [`send_replace`](Sender::send_replace).
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// let (tx, rx) = watch::channel(1);
    /// tx.send(2).unwrap();
    /// assert_eq!(*rx.borrow(), 2);
    /// drop(rx);
    /// assert_eq!(tx.send(3).unwrap_err().0, 3);
    /// ```
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.receiver_count() == 0 {
            return Err(SendError(value));
        }
        self.send_replace(value);
        Ok(())
    }

    /// Changes the value in place and wakes the receivers that wait, whether there are receivers or not.
    ///
    /// `modify` runs under the write lock: nobody can look at the value meanwhile.
    ///
    /// # Panics
    /// If `modify` panics. The value stays as it was left and receivers are not woken.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// let (tx, rx) = watch::channel(vec![1]);
    /// tx.send_modify(|list| list.push(2));
    /// assert_eq!(*rx.borrow(), [1, 2]);
    /// ```
    pub fn send_modify<F>(&self, modify: F)
    where
        F: FnOnce(&mut T),
    {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// As [`send_modify`](Sender::send_modify), but wakes the receivers only if `modify` answers `true`,
    /// and then so does this.
    ///
    /// Without that, a change remains unnoticed until somebody looks or the next version comes.
    ///
    /// # Panics
    /// As `send_modify`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// let (tx, rx) = watch::channel(5);
    /// let raise = |to: i32| {
    ///     tx.send_if_modified(|value| std::mem::replace(value, to.max(*value)) < to)
    /// };
    /// assert!(!raise(3));
    /// assert!(!rx.has_changed().unwrap());
    /// assert!(raise(8));
    /// assert!(rx.has_changed().unwrap());
    /// ```
    pub fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        let before = {
            let mut value = self.shared.value.write();
            // A panic leaves the lock unpoisoned (see `loom`): the channel goes on with what is there.
            if !modify(&mut value) {
                return false;
            }
            // Under the lock, so that who holds it finds the version that belongs to the value. AcqRel: what
            // was done before sending, for receivers; and the places of those that wait.
            self.shared.state.fetch_add(VERSION, AcqRel)
        };
        self.shared.notify(before);
        true
    }

    /// Replaces the value whether there are receivers or not, wakes those that wait, and returns the old
    /// value.
    ///
    /// # Examples
    /// ```
    /// let tx = yamanote::sync::watch::Sender::new(1);
    /// assert_eq!(tx.send_replace(2), 1);
    /// assert_eq!(*tx.borrow(), 2);
    /// ```
    pub fn send_replace(&self, mut value: T) -> T {
        // The old value leaves the lock before anybody can drop it.
        let before = {
            let mut current = self.shared.value.write();
            std::mem::swap(&mut *current, &mut value);
            // As in `send_if_modified`.
            self.shared.state.fetch_add(VERSION, AcqRel)
        };
        self.shared.notify(before);
        value
    }

    /// Looks at the value. [`Ref::has_changed`] is `false`: a sender has seen all.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::watch::channel(1);
    /// assert_eq!(*tx.borrow(), 1);
    /// ```
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref { value: self.shared.borrow(), has_changed: false, _not_unwind_safe: PhantomData }
    }

    /// Whether there are no receivers.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = yamanote::sync::watch::channel(());
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until there are no receivers.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost by dropping it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, rx) = watch::channel(());
    /// yamanote::spawn(async move { drop(rx) });
    /// tx.closed().await;
    /// # }
    /// ```
    pub async fn closed(&self) {
        coop::cooperative(self.shared.closed.wait_until(|| self.is_closed())).await;
    }

    /// Makes a receiver. The current value counts as seen.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// let (tx, _rx) = watch::channel(1);
    /// tx.send(2).unwrap();
    /// let rx = tx.subscribe();
    /// assert!(!rx.has_changed().unwrap());
    /// assert_eq!(*rx.borrow(), 2);
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        // Acquire: as when the value is seen.
        let seen = version_of(self.shared.state.load(Acquire));
        Receiver::new(Arc::clone(&self.shared), seen)
    }

    /// How many receivers there are.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = yamanote::sync::watch::channel(());
    /// let _other = rx.clone();
    /// assert_eq!(tx.receiver_count(), 2);
    /// ```
    pub fn receiver_count(&self) -> usize {
        // Acquire pairs with the Release of a receiver that goes.
        self.shared.receivers.load(Acquire)
    }

    /// How many senders there are.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::watch::channel(());
    /// let _other = tx.clone();
    /// assert_eq!(tx.sender_count(), 2);
    /// ```
    pub fn sender_count(&self) -> usize {
        // Acquire pairs with the Release of a sender that goes.
        self.shared.senders.load(Acquire)
    }

    /// Whether both send to the same channel.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::watch::channel(());
    /// assert!(tx.same_channel(&tx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        // Relaxed: there is one, so it cannot become 0 meanwhile.
        self.shared.senders.fetch_add(1, Relaxed);
        Sender { shared: Arc::clone(&self.shared) }
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Sender::new(T::default())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // AcqRel: the last one passes on what all of them did.
        if self.shared.senders.fetch_sub(1, AcqRel) == 1 {
            let before = self.shared.state.fetch_or(CLOSED, AcqRel);
            self.shared.notify(before);
        }
    }
}

impl<T> Receiver<T> {
    fn new(shared: Arc<Shared<T>>, seen: usize) -> Self {
        // Relaxed: the number orders nothing when it grows.
        shared.receivers.fetch_add(1, Relaxed);
        Receiver { shared, seen }
    }

    /// Looks at the value without marking it seen.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// let (tx, rx) = watch::channel("a");
    /// tx.send("b").unwrap();
    /// assert_eq!(*rx.borrow(), "b");
    /// assert!(rx.has_changed().unwrap());
    /// ```
    pub fn borrow(&self) -> Ref<'_, T> {
        let value = self.shared.borrow();
        // Relaxed: the version moves under the write lock only.
        let version = version_of(self.shared.state.load(Relaxed));
        Ref { value, has_changed: version != self.seen, _not_unwind_safe: PhantomData }
    }

    /// Looks at the value and marks it seen.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// let (tx, mut rx) = watch::channel("a");
    /// tx.send("b").unwrap();
    /// assert_eq!(*rx.borrow_and_update(), "b");
    /// assert!(!rx.has_changed().unwrap());
    /// ```
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let value = self.shared.borrow();
        // Relaxed: the version moves under the write lock only.
        let version = version_of(self.shared.state.load(Relaxed));
        let has_changed = version != self.seen;
        self.seen = version;
        Ref { value, has_changed, _not_unwind_safe: PhantomData }
    }

    /// Whether there is an unseen value.
    ///
    /// # Errors
    /// If all senders are dropped, also with an unseen value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// let (tx, rx) = watch::channel(1);
    /// assert!(!rx.has_changed().unwrap());
    /// tx.send(2).unwrap();
    /// assert!(rx.has_changed().unwrap());
    /// drop(tx);
    /// assert!(rx.has_changed().is_err());
    /// ```
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        // Acquire pairs with the Release of the senders.
        let state = self.shared.state.load(Acquire);
        if state & CLOSED != 0 { Err(RecvError(())) } else { Ok(version_of(state) != self.seen) }
    }

    /// Makes the current value count as unseen.
    ///
    /// For doing first what is to be done after each change.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (_tx, mut rx) = watch::channel(1);
    /// rx.mark_changed();
    /// rx.changed().await.unwrap();
    /// # }
    /// ```
    pub fn mark_changed(&mut self) {
        // Relaxed: compared only.
        let version = version_of(self.shared.state.load(Relaxed));
        self.seen = version.wrapping_sub(VERSION);
    }

    /// Makes the current value count as seen.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// let (tx, mut rx) = watch::channel(1);
    /// tx.send(2).unwrap();
    /// rx.mark_unchanged();
    /// assert!(!rx.has_changed().unwrap());
    /// ```
    pub fn mark_unchanged(&mut self) {
        // Acquire: as when the value is seen.
        self.seen = version_of(self.shared.state.load(Acquire));
    }

    /// Waits for an unseen value and marks it seen. Completes at once if there is one.
    ///
    /// # Cancel safety
    /// Cancel safe: dropped before it completes, no value is marked.
    ///
    /// # Errors
    /// If all senders are dropped and the last value was seen.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = watch::channel(1);
    /// tx.send(2).unwrap();
    /// drop(tx);
    /// assert!(rx.changed().await.is_ok());
    /// assert!(rx.changed().await.is_err());
    /// # }
    /// ```
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        self.seen = coop::cooperative(self.shared.changed(self.seen)).await?;
        Ok(())
    }

    /// Waits until the value satisfies `predicate`, and returns a look at it, marked seen. Completes at
    /// once if it does already, seen or not.
    ///
    /// Values that come in quick succession may be passed over, as always. `predicate` runs under the read
    /// lock.
    ///
    /// # Cancel safety
    /// Cancel safe: dropped before it completes, values that did not satisfy are marked seen.
    ///
    /// # Errors
    /// If all senders are dropped and the last value does not satisfy.
    ///
    /// # Panics
    /// If `predicate` panics.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = watch::channel(0);
    /// yamanote::spawn(async move {
    ///     for i in 1..=5 {
    ///         tx.send(i).unwrap();
    ///     }
    /// });
    /// assert!(*rx.wait_for(|n| *n >= 3).await.unwrap() >= 3);
    /// assert!(rx.wait_for(|n| *n > 100).await.is_err());
    /// # }
    /// ```
    pub async fn wait_for(
        &mut self,
        predicate: impl FnMut(&T) -> bool,
    ) -> Result<Ref<'_, T>, RecvError> {
        // As a whole: it takes part also when it completes at once.
        coop::cooperative(self.wait_until(predicate)).await
    }

    async fn wait_until(
        &mut self,
        mut predicate: impl FnMut(&T) -> bool,
    ) -> Result<Ref<'_, T>, RecvError> {
        let mut ended = false;
        loop {
            {
                let value = self.shared.borrow();
                // Relaxed: the version moves under the write lock only.
                let version = version_of(self.shared.state.load(Relaxed));
                let has_changed = version != self.seen;
                self.seen = version;
                if (!ended || has_changed) && predicate(&value) {
                    return Ok(Ref { value, has_changed, _not_unwind_safe: PhantomData });
                }
            }
            if ended {
                return Err(RecvError(()));
            }
            // A last value may have come with the end: it is looked at once more.
            ended = self.shared.changed(self.seen).await.is_err();
        }
    }

    /// Whether all senders are dropped. There may be an unseen value.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = yamanote::sync::watch::channel(());
    /// drop(tx);
    /// assert!(rx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        // Acquire pairs with the Release of the last sender.
        self.shared.state.load(Acquire) & CLOSED != 0
    }

    /// Whether both follow the same channel.
    ///
    /// # Examples
    /// ```
    /// let (_tx, rx) = yamanote::sync::watch::channel(());
    /// assert!(rx.same_channel(&rx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Receiver::new(Arc::clone(&self.shared), self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // Release: what this receiver did, for senders that find none.
        if self.shared.receivers.fetch_sub(1, Release) == 1 {
            self.shared.closed.notify_all();
        }
    }
}

impl<T> Ref<'_, T> {
    /// Whether the value was unseen when it was borrowed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::watch;
    ///
    /// let (tx, mut rx) = watch::channel(1);
    /// tx.send(2).unwrap();
    /// assert!(rx.borrow_and_update().has_changed());
    /// assert!(!rx.borrow_and_update().has_changed());
    /// ```
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> ops::Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Relaxed: for display.
        let state = self.state.load(Relaxed);
        f.debug_struct("Shared")
            .field("value", &self.value)
            .field("version", &(version_of(state) / VERSION))
            .field("closed", &(state & CLOSED != 0))
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
