//! Cooperative scheduling: how tasks share a thread without being interrupted.
//!
//! A task that always finds more to do (a socket that always has data, a channel that is never empty)
//! would keep its worker forever, since an asynchronous task only lets go at an `.await` that has to
//! wait. So every poll of a task starts with a budget of operations. Each operation of this runtime that
//! completes takes one unit; once all are spent, operations answer `Pending` although they could go on,
//! and the task is woken at once, so that it goes on after its peers had a turn.
//!
//! Nothing has to be done to take part. Code of its own that loops without any of the runtime's
//! operations takes part by [`consume_budget`], by [`poll_proceed`] or by wrapping a future in
//! [`cooperative`]; code that must not be throttled opts out with [`unconstrained`].

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::engine::budget::{self, Budget};
use crate::engine::trace;

/// Whether the current task still has budget.
///
/// Outside a task, and inside [`unconstrained`], there is no limit and the answer is `true`.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::task;
///
/// assert!(task::coop::has_budget_remaining());
/// # }
/// ```
#[inline]
pub fn has_budget_remaining() -> bool {
    budget::current().has_remaining()
}

/// Takes one unit of the task's budget, and lets other tasks run if none is left.
///
/// Unlike [`yield_now`](crate::task::yield_now) it goes on at once most of the time, so it is cheap
/// enough for the body of a loop that would otherwise never give way.
///
/// # Examples
/// ```
/// async fn sum(numbers: impl Iterator<Item = u64>) -> u64 {
///     let mut total = 0;
///     for n in numbers {
///         total += n;
///         yamanote::task::coop::consume_budget().await;
///     }
///     total
/// }
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(sum(0..1000).await, 499_500);
/// # }
/// ```
pub async fn consume_budget() {
    std::future::poll_fn(|cx| {
        ready!(poll_proceed(cx)).made_progress();
        Poll::Ready(())
    })
    .await
}

/// Asks for one unit of the budget on behalf of an operation about to be tried.
///
/// `Ready` comes with a guard. Call [`RestoreOnPending::made_progress`] on it when the operation
/// completes; if the guard is dropped without that, the unit is given back. `Pending` means that the
/// budget is spent; the task has been woken and the operation must answer `Pending` too.
///
/// # Examples
/// ```
/// use std::task::{Context, Poll, ready};
/// use yamanote::task::coop;
///
/// /// A source that always has a value: without the budget it would never let go of the thread.
/// fn poll_value(cx: &mut Context<'_>) -> Poll<u32> {
///     let coop = ready!(coop::poll_proceed(cx));
///     coop.made_progress();
///     Poll::Ready(7)
/// }
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(std::future::poll_fn(poll_value).await, 7);
/// # }
/// ```
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    std::task::ready!(trace::leaf(cx));
    match budget::take() {
        Some(before) => {
            Poll::Ready(RestoreOnPending { before: Cell::new(before), _not_send: PhantomData })
        }
        None => {
            exhausted(cx);
            Poll::Pending
        }
    }
}

/// Schedules the task behind its peers. Out of line: happens once in 128 operations at most.
#[cold]
fn exhausted(cx: &mut Context<'_>) {
    crate::engine::defer(cx.waker());
}

/// Gives a unit of budget back, unless the operation it was taken for
/// [made progress](RestoreOnPending::made_progress).
///
/// Made by [`poll_proceed`].
///
/// # Examples
/// ```
/// use std::task::{Poll, ready};
/// use yamanote::task::coop;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut tries = 0;
/// let value = std::future::poll_fn(|cx| {
///     let budget = ready!(coop::poll_proceed(cx));
///     tries += 1;
///     if tries < 3 {
///         cx.waker().wake_by_ref();
///         // Nothing there: the unit goes back when the guard is dropped.
///         return Poll::Pending;
///     }
///     budget.made_progress();
///     Poll::Ready(tries)
/// })
/// .await;
/// assert_eq!(value, 3);
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct RestoreOnPending {
    before: Cell<Budget>,
    /// It speaks of the thread it was made on.
    _not_send: PhantomData<*const ()>,
}

impl RestoreOnPending {
    /// The operation completed: its unit stays spent.
    ///
    /// # Examples
    /// ```
    /// use std::task::{Poll, ready};
    /// use yamanote::task::coop;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// // Something that is always ready makes way for other tasks after a while, if it counts.
    /// let task = yamanote::spawn(async {
    ///     let mut in_a_row = 0;
    ///     std::future::poll_fn(|cx| {
    ///         loop {
    ///             if !coop::has_budget_remaining() {
    ///                 return Poll::Ready(in_a_row);
    ///             }
    ///             ready!(coop::poll_proceed(cx)).made_progress();
    ///             in_a_row += 1;
    ///         }
    ///     })
    ///     .await
    /// });
    /// assert_eq!(task.await.unwrap(), 128);
    /// # }
    /// ```
    #[inline]
    pub fn made_progress(&self) {
        self.before.set(Budget::unconstrained());
    }
}

impl Drop for RestoreOnPending {
    #[inline]
    fn drop(&mut self) {
        // A limited budget that was recorded and not cleared is an operation that did not complete.
        // An unlimited one need not be restored.
        let before = self.before.get();
        if !before.is_unconstrained() {
            budget::restore(before);
        }
    }
}

pin_project! {
    /// The future behind [`unconstrained`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::coop::{Unconstrained, unconstrained};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// /// A future of a library's that shall not be interrupted, kept under a name.
    /// struct Critical<F>(Unconstrained<F>);
    ///
    /// let critical = Critical(unconstrained(async { 7 }));
    /// assert_eq!(critical.0.await, 7);
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Unconstrained<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.project().inner;
        budget::with_unconstrained(|| inner.poll(cx))
    }
}

/// Frees a future from the cooperative budget: its operations never answer `Pending` to let others run.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::{sync::mpsc, task};
///
/// let (tx, mut rx) = mpsc::unbounded_channel();
/// for i in 0..1000 {
///     tx.send(i).unwrap();
/// }
/// drop(tx);
/// // Received without a pause.
/// task::unconstrained(async move { while rx.recv().await.is_some() {} }).await;
/// # }
/// ```
pub fn unconstrained<F>(inner: F) -> Unconstrained<F> {
    Unconstrained { inner }
}

pin_project! {
    /// The future behind [`cooperative`].
    ///
    /// # Examples
    /// ```
    /// use std::future::Ready;
    /// use yamanote::task::coop::{Coop, cooperative};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let ready: Coop<Ready<u32>> = cooperative(std::future::ready(7));
    /// assert_eq!(ready.await, 7);
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Coop<F: Future> {
        #[pin]
        inner: F,
    }
}

impl<F: Future> Future for Coop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let coop = ready!(poll_proceed(cx));
        let poll = self.project().inner.poll(cx);
        if poll.is_ready() {
            coop.made_progress();
        }
        poll
    }
}

/// Makes a future take part in cooperative scheduling: it takes one unit of budget when it completes and
/// is not polled when none is left.
///
/// For leaf futures of other libraries that are often ready at once.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::task::coop::cooperative;
///
/// assert_eq!(cooperative(std::future::ready(1)).await, 1);
/// # }
/// ```
pub fn cooperative<F: Future>(inner: F) -> Coop<F> {
    Coop { inner }
}
