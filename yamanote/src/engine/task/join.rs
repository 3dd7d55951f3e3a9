//! The way to a task's output, and the way to end it early.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker, ready};

use super::error::JoinError;
use super::header::Header;
use super::id::Id;
use super::{raw, refs};
use crate::task::coop;

/// An owned permission to join a task: await it for the task's output.
///
/// Dropping the handle *detaches* the task: it goes on, and its output is dropped when it is done. The
/// output is an error if the task panicked or was cancelled.
///
/// # Cancel safety
/// A `&mut JoinHandle` that is dropped before it is ready has taken nothing; it can be awaited again.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = yamanote::spawn(async { 40 + 2 });
/// assert_eq!(task.await.unwrap(), 42);
/// # }
/// ```
pub struct JoinHandle<T> {
    task: NonNull<Header>,
    _output: PhantomData<T>,
}

// SAFETY: what reaches the other side is the output, hence the bound; the rest of the task is only touched
// by atomics through this handle.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared handle can abort and ask, nothing more.
unsafe impl<T: Send> Sync for JoinHandle<T> {}
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}
impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    /// The caller must own the join handle's reference to a task with output `T`. With another `T` the result may
    /// only be dropped, aborted and asked.
    pub(crate) unsafe fn from_raw(task: NonNull<Header>) -> JoinHandle<T> {
        JoinHandle { task, _output: PhantomData }
    }

    pub(crate) fn into_raw(self) -> NonNull<Header> {
        ManuallyDrop::new(self).task
    }

    fn header(&self) -> &Header {
        // SAFETY: our reference keeps it alive.
        unsafe { self.task.as_ref() }
    }

    /// Cancels the task, if it is not done: its future is dropped at the `.await` where it is suspended.
    ///
    /// The task need not be gone when this returns; awaiting the handle waits for that. A task that is done,
    /// or gets done before the cancellation reaches it, still has its output. A blocking job cannot be
    /// stopped once it has begun.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(std::future::pending::<()>());
    /// task.abort();
    /// assert!(task.await.unwrap_err().is_cancelled());
    /// # }
    /// ```
    pub fn abort(&self) {
        // SAFETY: we hold a reference.
        unsafe { refs::abort(self.task) }
    }

    /// Whether the task is done, so that awaiting the handle would not wait.
    ///
    /// After an [`abort`](JoinHandle::abort) it takes a moment to become so.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::yield_now;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(async { 1 });
    /// while !task.is_finished() {
    ///     yield_now().await;
    /// }
    /// assert_eq!(task.await.unwrap(), 1);
    /// # }
    /// ```
    pub fn is_finished(&self) -> bool {
        self.header().state.load().is_complete()
    }

    /// A handle that can abort the task, and does not care for the output.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(std::future::pending::<()>());
    /// let abort = task.abort_handle();
    /// abort.abort();
    /// assert!(task.await.unwrap_err().is_cancelled());
    /// assert!(abort.is_finished());
    /// # }
    /// ```
    #[must_use = "abort handles do nothing unless `.abort` is called"]
    pub fn abort_handle(&self) -> AbortHandle {
        // SAFETY: we hold a reference; the new one is the abort handle's.
        unsafe { refs::add_ref(self.task) };
        AbortHandle { task: self.task }
    }

    /// The task's id.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(async { yamanote::task::id() });
    /// let id = task.id();
    /// assert_eq!(task.await.unwrap(), id);
    /// # }
    /// ```
    pub fn id(&self) -> Id {
        self.header().id
    }

    /// For a handle that was never polled: has `waker` woken, once, when the task is done; gives it back if
    /// the task is done already.
    pub(crate) fn watch(&mut self, waker: Waker) -> Result<(), Waker> {
        // SAFETY: only the join handle, which we are, calls this.
        unsafe { raw::watch(self.task, waker) }
    }

    /// The output of a task that is done, whatever the budget.
    pub(crate) fn take_output(&mut self) -> Option<Result<T, JoinError>> {
        match self.poll_output(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let mut output = Poll::Pending;
        // SAFETY: we are the join handle, and `output` is of the type that the task's output type makes.
        unsafe { raw::poll_join(self.task, std::ptr::from_mut(&mut output).cast(), cx) };
        output
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let coop = ready!(coop::poll_proceed(cx));
        let output = self.poll_output(cx);
        if output.is_ready() {
            coop.made_progress();
        }
        output
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if !self.header().state.drop_join_fast() {
            // SAFETY: we are the join handle, and our reference is consumed.
            unsafe { raw::drop_join(self.task) }
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id()).finish()
    }
}

/// An owned permission to abort a task.
///
/// It keeps the task's memory, not the task: one that ended is not kept from ending.
///
/// # Examples
/// ```
/// use yamanote::task::AbortHandle;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = yamanote::spawn(std::future::pending::<()>());
/// // Whoever awaits the task has the one handle, whoever may abort it the other.
/// let handle: AbortHandle = task.abort_handle();
/// yamanote::spawn(async move { handle.abort() });
/// assert!(task.await.unwrap_err().is_cancelled());
/// # }
/// ```
pub struct AbortHandle {
    task: NonNull<Header>,
}

// SAFETY: only atomics are touched through it, and the scheduler, which may be reached from any thread.
unsafe impl Send for AbortHandle {}
// SAFETY: as above.
unsafe impl Sync for AbortHandle {}
impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl AbortHandle {
    /// Cancels the task; see [`JoinHandle::abort`].
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(std::future::pending::<()>());
    /// task.abort_handle().abort();
    /// assert!(task.await.unwrap_err().is_cancelled());
    /// # }
    /// ```
    pub fn abort(&self) {
        // SAFETY: we hold a reference.
        unsafe { refs::abort(self.task) }
    }

    /// Whether the task is done.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(async {});
    /// let handle = task.abort_handle();
    /// assert!(!handle.is_finished());
    /// task.await.unwrap();
    /// assert!(handle.is_finished());
    /// # }
    /// ```
    pub fn is_finished(&self) -> bool {
        // SAFETY: our reference keeps it alive.
        unsafe { self.task.as_ref() }.state.load().is_complete()
    }

    /// The task's id.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(async {});
    /// assert_eq!(task.abort_handle().id(), task.id());
    /// # }
    /// ```
    pub fn id(&self) -> Id {
        // SAFETY: our reference keeps it alive.
        unsafe { self.task.as_ref() }.id
    }
}

impl Clone for AbortHandle {
    fn clone(&self) -> Self {
        // SAFETY: we hold a reference; the new one is the clone's.
        unsafe { refs::add_ref(self.task) };
        AbortHandle { task: self.task }
    }
}

impl Drop for AbortHandle {
    fn drop(&mut self) {
        // SAFETY: our reference.
        unsafe { refs::drop_ref(self.task) }
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("id", &self.id()).finish()
    }
}
