//! A channel for a single value between two tasks.
//!
//! [`channel`] makes the two halves. The [`Sender`] is used up by sending and does not wait: there is
//! always room for the one value. The [`Receiver`] is a future that resolves to the value, or to an error
//! if the sender was dropped without sending.
//!
//! The usual place for it is a request that carries the way back for its answer.
//!
//! # Examples
//! ```
//! use yamanote::sync::oneshot;
//!
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, rx) = oneshot::channel();
//!
//! yamanote::spawn(async move {
//!     if tx.send("done").is_err() {
//!         println!("nobody is interested any more");
//!     }
//! });
//!
//! match rx.await {
//!     Ok(word) => assert_eq!(word, "done"),
//!     Err(_) => println!("the sender was dropped"),
//! }
//! # }
//! ```
//!
//! The receiver can be polled by reference, which keeps it usable in a loop with `select!`:
//!
//! ```
//! use yamanote::sync::oneshot;
//! use yamanote::time::{Duration, interval};
//!
//! # #[yamanote::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let (tx, mut rx) = oneshot::channel();
//! yamanote::spawn(async move {
//!     yamanote::time::sleep(Duration::from_secs(1)).await;
//!     tx.send("ready").unwrap();
//! });
//!
//! let mut ticks = interval(Duration::from_millis(300));
//! let answer = loop {
//!     yamanote::select! {
//!         _ = ticks.tick() => println!("still waiting"),
//!         answer = &mut rx => break answer.unwrap(),
//!     }
//! };
//! assert_eq!(answer, "ready");
//! # }
//! ```

// # How it works
//
// One allocation, shared by two raw pointers, and one word that says who may touch what. Each half has
// three bits:
//
// * `DONE`: the half will do nothing more that concerns the other: the sender has sent or was dropped, the
//   receiver was closed or dropped. Set once.
// * `GONE`: the half will not touch the allocation any more. The second one to set it frees.
// * `WAKER`: the half's waker is in its cell, for the other half.
//
// and there is `VALUE`: the value is in its cell. It comes with the sender's `DONE`, and only if the
// receiver's was not set: what is sent after closing comes back to the sender.
//
// Who may touch a waker cell: its owner while its `WAKER` is not set. The other half, if it found `WAKER`
// set in the step that set its own `DONE`, once. The owner again, if it took `WAKER` back in a step that
// found the other's `DONE` not set. The value cell: the sender until `VALUE`, then the receiver.
//
// A half that finds no waker of the other sets `DONE` and `GONE` in one step. So a value that is sent
// before it is waited for costs one read-modify-write: the receiver finds the sender gone, and owns
// everything.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker, ready};

use crate::engine::block_on::block_on_thread;
use crate::engine::instrument::{Inherits, Receiving, Resource};
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use crate::task::coop;

pub mod error {
    //! What can go wrong on a oneshot channel.

    use std::fmt;

    /// The sender was dropped without sending, or the channel was closed before anything was sent.
    ///
    /// Returned by awaiting a [`Receiver`](super::Receiver).
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::oneshot;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, receive) = oneshot::channel::<u8>();
    /// drop(send); // without having sent anything
    /// assert_eq!(receive.await.unwrap_err().to_string(), "channel closed");
    /// # }
    /// ```
    #[derive(Debug, Eq, PartialEq, Clone)]
    pub struct RecvError(pub(super) ());

    /// Why [`Receiver::try_recv`](super::Receiver::try_recv) has no value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::oneshot::{self, error::TryRecvError};
    ///
    /// let (send, mut receive) = oneshot::channel::<u8>();
    /// assert_eq!(receive.try_recv(), Err(TryRecvError::Empty));
    /// drop(send);
    /// assert_eq!(receive.try_recv(), Err(TryRecvError::Closed));
    /// ```
    #[derive(Debug, Eq, PartialEq, Clone)]
    pub enum TryRecvError {
        /// Nothing has been sent yet; it may still be.
        Empty,
        /// The sender was dropped without sending, the channel was closed, or the value was taken before.
        Closed,
    }

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("channel closed")
        }
    }

    impl std::error::Error for RecvError {}

    impl fmt::Display for TryRecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                TryRecvError::Empty => "channel empty",
                TryRecvError::Closed => "channel closed",
            })
        }
    }

    impl std::error::Error for TryRecvError {}
}

use error::{RecvError, TryRecvError};

const VALUE: usize = 1;

/// The bits of one half, and which waker cell is its.
struct Half {
    done: usize,
    gone: usize,
    waker: usize,
    cell: usize,
}

const TX: Half = Half { done: 1 << 1, gone: 1 << 2, waker: 1 << 3, cell: 0 };
const RX: Half = Half { done: 1 << 4, gone: 1 << 5, waker: 1 << 6, cell: 1 };

/// See the comment at the top for who may touch what.
struct Inner<T> {
    state: AtomicUsize,
    wakers: [UnsafeCell<Option<Waker>>; 2],
    value: UnsafeCell<Option<T>>,
}

/// Makes a channel for one value.
///
/// # Examples
/// ```
/// use yamanote::sync::oneshot;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, rx) = oneshot::channel();
/// tx.send(3).unwrap();
/// assert_eq!(rx.await, Ok(3));
/// # }
/// ```
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let inner = NonNull::from(Box::leak(Box::new(Inner {
        state: AtomicUsize::new(0),
        wakers: [UnsafeCell::new(None), UnsafeCell::new(None)],
        value: UnsafeCell::new(None),
    })));
    let resource = Resource::oneshot();
    let receiving = Receiving::new(&resource);
    (
        Sender { inner, resource: resource.clone(), _owns: PhantomData },
        Receiver { inner: Some(inner), resource, receiving, _owns: PhantomData },
    )
}

impl<T> Inner<T> {
    /// Takes the waker out of a half's cell.
    ///
    /// # Safety
    /// The cell must be the caller's to touch.
    unsafe fn take_waker(&self, half: &Half) -> Option<Waker> {
        // SAFETY: passed on to the caller.
        unsafe { self.wakers[half.cell].with_mut(|cell| (*cell).take()) }
    }

    /// Leaves the task's waker for the other half. `true` if the other half is done instead.
    ///
    /// # Safety
    /// To be called by the half `own`, which must not be done.
    unsafe fn register(&self, own: &Half, other: &Half, cx: &mut Context<'_>) -> bool {
        // Acquire pairs with the Release of the other half's `DONE`.
        let mut state = self.state.load(Acquire);
        if state & other.done != 0 {
            return true;
        }
        if state & own.waker != 0 {
            // SAFETY: nobody changes the cell while `WAKER` is set and the other half is not done; if it
            // becomes done meanwhile it takes the waker out, so look only after taking it back.
            state = self.state.fetch_and(!own.waker, AcqRel);
            if state & other.done != 0 {
                return true;
            }
        }
        // SAFETY: `WAKER` is not set and the other half was not done, so the cell is ours.
        let replaced = unsafe {
            self.wakers[own.cell].with_mut(|cell| match &*cell {
                Some(old) if old.will_wake(cx.waker()) => None,
                _ => (*cell).replace(cx.waker().clone()),
            })
        };
        // Release: the cell, for the other half's Acquire in `finish`. Acquire as above.
        let state = self.state.fetch_or(own.waker, AcqRel);
        drop(replaced);
        state & other.done != 0
    }
}

/// Ends a half: sets its `DONE` (with `extra`) unless that is set or the other half forbids it, wakes the
/// other half, sets `GONE` and frees if the other half is gone.
///
/// Returns `false`, with nothing changed, if `unless` is set.
///
/// # Safety
/// To be called by the half `own`, whose pointer is valid and is not used afterwards if this returns
/// `true`.
#[inline]
unsafe fn finish<T>(
    inner: NonNull<Inner<T>>,
    own: &Half,
    other: &Half,
    extra: usize,
    unless: usize,
) -> bool {
    // SAFETY: valid by contract; freed below only, or by the other half once `GONE` is set.
    let shared = unsafe { inner.as_ref() };
    // Relaxed: the exchange below synchronises.
    let mut state = shared.state.load(Relaxed);
    let old = loop {
        if state & unless != 0 {
            return false;
        }
        let mut next = (state | own.done | extra) & !own.waker;
        if (state & own.waker == 0 || state & other.done != 0)
            && (state & other.waker == 0 || state & own.done != 0)
        {
            next |= own.gone;
        }
        // Release: the value, and the cells, for the other half. Acquire: its waker, and if it is gone all
        // it did to the allocation.
        match shared.state.compare_exchange_weak(state, next, AcqRel, Relaxed) {
            Ok(_) => {
                if next & own.gone != 0 {
                    if next & other.gone != 0 {
                        // SAFETY: both are gone: nobody else has the pointer.
                        drop(unsafe { Box::from_raw(inner.as_ptr()) });
                    }
                    return true;
                }
                break state;
            }
            Err(actual) => state = actual,
        }
    };
    let wake = if old & other.waker != 0 && old & own.done == 0 {
        // SAFETY: the other half's waker was set when our `DONE` was: it is ours, once.
        unsafe { shared.take_waker(other) }
    } else {
        None
    };
    let unused = if old & own.waker != 0 && old & other.done == 0 {
        // SAFETY: our `WAKER` was taken back while the other half was not done.
        unsafe { shared.take_waker(own) }
    } else {
        None
    };
    // Release: the cells, for whoever frees. Acquire: to free.
    if shared.state.fetch_or(own.gone, AcqRel) & other.gone != 0 {
        // SAFETY: both are gone: nobody else has the pointer.
        drop(unsafe { Box::from_raw(inner.as_ptr()) });
    }
    drop(unused);
    if let Some(waker) = wake {
        waker.wake();
    }
    true
}

/// Sends the value of a oneshot channel.
///
/// Made by [`channel`]. Dropping it without sending makes the receiver's end in an error.
pub struct Sender<T> {
    inner: NonNull<Inner<T>>,
    resource: Resource,
    _owns: PhantomData<Inner<T>>,
}

// SAFETY: the value moves from one thread to the other; the word arbitrates everything else. No method
// gives out a reference to the value.
unsafe impl<T: Send> Send for Sender<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Sender<T> {}

impl<T> Sender<T> {
    /// Sends the value, without waiting.
    ///
    /// `Ok` says that the receiver was there, not that it will look at the value: it may be dropped before.
    ///
    /// # Errors
    /// The value comes back if the receiver was dropped or [closed](Receiver::close).
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::oneshot;
    ///
    /// let (tx, rx) = oneshot::channel();
    /// drop(rx);
    /// assert_eq!(tx.send("too late"), Err("too late"));
    /// ```
    pub fn send(mut self, value: T) -> Result<(), T> {
        // Taken out: the sender is used up, whatever comes of it, and may be forgotten.
        let resource = std::mem::take(&mut self.resource);
        let inner = self.inner;
        // SAFETY: a live half keeps the allocation.
        let shared = unsafe { inner.as_ref() };
        // Acquire pairs with the Release of the receiver's `DONE`.
        if shared.state.load(Acquire) & RX.done != 0 {
            return Err(value);
        }
        // SAFETY: `VALUE` is not set, so the cell is the sender's.
        unsafe { shared.value.with_mut(|cell| *cell = Some(value)) };
        // SAFETY: the pointer is not used again if this returns `true`: `self` is forgotten.
        if unsafe { finish(inner, &TX, &RX, VALUE, RX.done) } {
            std::mem::forget(self);
            resource.sent();
            return Ok(());
        }
        // SAFETY: as above.
        match unsafe { shared.value.with_mut(|cell| (*cell).take()) } {
            Some(value) => Err(value),
            None => unreachable!("nobody else touches the value before it is sent"),
        }
    }

    /// Waits until the receiver is dropped or [closed](Receiver::close): for giving up on an answer that
    /// nobody wants any more.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost by dropping it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::oneshot;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (mut tx, rx) = oneshot::channel::<u32>();
    /// yamanote::spawn(async move { drop(rx) });
    ///
    /// yamanote::select! {
    ///     _ = tx.closed() => println!("no use computing it"),
    ///     _ = std::future::pending::<()>() => unreachable!(),
    /// }
    /// assert!(tx.is_closed());
    /// # }
    /// ```
    pub async fn closed(&mut self) {
        let resource = self.resource.clone();
        let closed = move || poll_fn(move |cx| self.poll_closed(cx));
        resource.operation("Sender::closed", "poll_closed", Inherits::No, closed).await;
    }

    /// Whether the receiver was dropped or [closed](Receiver::close), so that
    /// [`send`](Sender::send) will fail.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::oneshot;
    ///
    /// let (tx, rx) = oneshot::channel::<()>();
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        // Acquire pairs with the Release of the receiver's `DONE`.
        self.shared().state.load(Acquire) & RX.done != 0
    }

    /// Asks whether the receiver was dropped or closed, and has the task woken when it is.
    ///
    /// Only the waker of the last call is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::sync::oneshot;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (mut tx, mut rx) = oneshot::channel::<()>();
    /// yamanote::spawn(async move { rx.close() });
    /// poll_fn(|cx| tx.poll_closed(cx)).await;
    /// # }
    /// ```
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let coop = ready!(coop::poll_proceed(cx));
        // SAFETY: this is the sender, not done as long as it exists.
        if unsafe { self.shared().register(&TX, &RX, cx) } {
            coop.made_progress();
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn shared(&self) -> &Inner<T> {
        // SAFETY: a live half keeps the allocation.
        unsafe { self.inner.as_ref() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer is not used again.
        unsafe { finish(self.inner, &TX, &RX, 0, 0) };
        self.resource.sender_gone();
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("is_closed", &self.is_closed()).finish()
    }
}

/// Receives the value of a oneshot channel: a future that resolves to it.
///
/// Made by [`channel`]. It resolves to an error if the sender is dropped without sending. A reference to
/// it is a future too, so it can be awaited in parts.
///
/// # Cancel safety
/// Cancel safe when polled by reference: the value stays until it is taken.
///
/// # Panics
/// If it is polled again after it resolved.
///
/// # Examples
/// ```
/// use yamanote::sync::oneshot;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, rx) = oneshot::channel::<u32>();
/// drop(tx);
/// assert!(rx.await.is_err());
/// # }
/// ```
pub struct Receiver<T> {
    /// `None` once it has given its result.
    inner: Option<NonNull<Inner<T>>>,
    resource: Resource,
    receiving: Receiving,
    _owns: PhantomData<Inner<T>>,
}

// SAFETY: as for `Sender`.
unsafe impl<T: Send> Send for Receiver<T> {}
// SAFETY: as for `Sender`.
unsafe impl<T: Send> Sync for Receiver<T> {}
// As for `Sender`.
// A value on its way is never pinned: hyper moves a pinned sender.
impl<T> Unpin for Sender<T> {}
impl<T> Unpin for Receiver<T> {}

impl<T> Receiver<T> {
    /// Refuses what has not been sent yet: from here on [`Sender::send`] fails.
    ///
    /// A value sent before can still be received. Without one, the receiver resolves to an error.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::oneshot;
    /// use yamanote::sync::oneshot::error::TryRecvError;
    ///
    /// let (tx, mut rx) = oneshot::channel();
    /// rx.close();
    /// assert!(tx.send(1).is_err());
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    ///
    /// let (tx, mut rx) = oneshot::channel();
    /// tx.send(2).unwrap();
    /// rx.close();
    /// assert_eq!(rx.try_recv(), Ok(2));
    /// ```
    pub fn close(&mut self) {
        let Some(shared) = self.shared() else { return };
        // Relaxed: the bits are not followed by any access.
        if shared.state.load(Relaxed) & (TX.done | RX.done) != 0 {
            return;
        }
        // Acquire: the sender's waker. Release: what was done before closing, for the sender that sees it.
        let old = shared.state.fetch_or(RX.done, AcqRel);
        if old & TX.waker != 0 && old & (TX.done | RX.done) == 0 {
            // SAFETY: the sender's waker was set when our `DONE` was: it is ours, once.
            let waker = unsafe { shared.take_waker(&TX) };
            if let Some(waker) = waker {
                waker.wake();
            }
        }
        self.resource.receiver_gone();
    }

    /// Whether it has given its result (a value or the error), so that polling it again would panic.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::oneshot;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = oneshot::channel();
    /// tx.send(()).unwrap();
    /// assert!(!rx.is_terminated());
    /// (&mut rx).await.unwrap();
    /// assert!(rx.is_terminated());
    /// # }
    /// ```
    pub fn is_terminated(&self) -> bool {
        self.inner.is_none()
    }

    /// Whether there is no value to receive now: not sent yet, never to be sent, or taken.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::oneshot;
    ///
    /// let (tx, rx) = oneshot::channel();
    /// assert!(rx.is_empty());
    /// tx.send(0).unwrap();
    /// assert!(!rx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        // Acquire pairs with the sender's Release.
        self.shared().is_none_or(|shared| shared.state.load(Acquire) & VALUE == 0)
    }

    /// Takes the value if it is there, without waiting.
    ///
    /// The task is not woken for a value that comes later: for that, poll the receiver.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if nothing has been sent yet, [`TryRecvError::Closed`] if nothing will be,
    /// or the result was given before.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::oneshot;
    /// use yamanote::sync::oneshot::error::TryRecvError;
    ///
    /// let (tx, mut rx) = oneshot::channel();
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(5).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(5));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Some(shared) = self.shared() else { return Err(TryRecvError::Closed) };
        // Acquire pairs with the sender's Release: the value.
        let state = shared.state.load(Acquire);
        if state & (TX.done | RX.done) == 0 {
            return Err(TryRecvError::Empty);
        }
        let value = self.take().ok_or(TryRecvError::Closed)?;
        self.resource.received();
        Ok(value)
    }

    /// Waits for the value on a thread that is not driving tasks.
    ///
    /// # Panics
    /// In an asynchronous context.
    ///
    /// # Errors
    /// As awaiting it.
    ///
    /// # Examples
    /// ```
    /// use std::thread;
    /// use yamanote::sync::oneshot;
    ///
    /// let (tx, rx) = oneshot::channel();
    /// let thread = thread::spawn(move || rx.blocking_recv());
    /// tx.send(1).unwrap();
    /// assert_eq!(thread.join().unwrap(), Ok(1));
    /// ```
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        block_on_thread(self)
    }

    fn shared(&self) -> Option<&Inner<T>> {
        // SAFETY: a live half keeps the allocation.
        self.inner.as_ref().map(|inner| unsafe { inner.as_ref() })
    }

    /// Ends the half with the value, if there is one. One of the halves must be done.
    fn take(&mut self) -> Option<T> {
        let inner = self.inner.take()?;
        // SAFETY: valid until `finish`.
        let shared = unsafe { inner.as_ref() };
        // Acquire pairs with the sender's Release: the value, or that there will be none.
        let state = shared.state.load(Acquire);
        let value = if state & VALUE != 0 {
            // SAFETY: with `VALUE` set, the cell is the receiver's.
            unsafe { shared.value.with_mut(|cell| (*cell).take()) }
        } else {
            None
        };
        if state & TX.gone != 0 {
            // SAFETY: the sender is gone, Acquire above: nobody else has the pointer.
            drop(unsafe { Box::from_raw(inner.as_ptr()) });
        } else {
            // SAFETY: the pointer was taken out and is not used again.
            unsafe { finish(inner, &RX, &TX, 0, 0) };
        }
        value
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (resource, receiving) = (self.resource.clone(), self.receiving.clone());
        receiving.poll(&resource, || self.poll_recv(cx))
    }
}

impl<T> Receiver<T> {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let Some(shared) = self.shared() else { panic!("called after complete") };
        let coop = ready!(coop::poll_proceed(cx));
        // Acquire pairs with the sender's Release.
        let closed = shared.state.load(Acquire) & RX.done != 0;
        // SAFETY: this is the receiver, and it is not done.
        if !closed && !unsafe { shared.register(&RX, &TX, cx) } {
            return Poll::Pending;
        }
        coop.made_progress();
        Poll::Ready(self.take().ok_or(RecvError(())))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let is_open = self.inner.is_some();
        // A value that was sent is dropped here.
        drop(self.take());
        if is_open {
            self.resource.receiver_gone();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("is_terminated", &self.is_terminated())
            .field("is_empty", &self.is_empty())
            .finish()
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
