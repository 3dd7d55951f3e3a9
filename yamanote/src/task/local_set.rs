//! Tasks that are not `Send`, on one thread.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::context::forbid_block_in_place;
use crate::engine::local::{self, EnterGuard, LocalShared};
use crate::engine::task::Origin;
use crate::runtime::{Id as RuntimeId, Runtime, UnhandledPanic};
use crate::task::JoinHandle;

/// A set of tasks that run on one thread, so that they need not be [`Send`].
///
/// A set is not a runtime: its tasks make progress only while something polls it, and they use the timers and sockets of
/// the runtime in which that happens. There are three ways:
///
/// * [`run_until`](LocalSet::run_until) runs the set beside a future, until the future is done;
/// * awaiting the set itself runs it until all its tasks are done;
/// * [`block_on`](LocalSet::block_on) is `run_until` inside a runtime's `block_on`.
///
/// Within a future or a task of the set, [`spawn_local`] adds tasks. The set cannot be sent, so the future that drives it cannot
/// be given to [`spawn`](crate::spawn): it belongs into a `block_on`, or onto a thread of its own. Where a
/// whole runtime may stay on one thread, a [`LocalRuntime`](crate::runtime::LocalRuntime) does without a set.
///
/// When the set is dropped its tasks are cancelled, and their futures dropped, at once.
///
/// [`block_in_place`](crate::task::block_in_place) panics inside the set: its tasks could not go on elsewhere.
///
/// # Examples
/// ```
/// use std::rc::Rc;
/// use yamanote::task::{self, LocalSet};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let shared = Rc::new(40);
/// let set = LocalSet::new();
/// let answer = set
///     .run_until(async move {
///         let other = Rc::clone(&shared);
///         task::spawn_local(async move { *other + 2 }).await.unwrap()
///     })
///     .await;
/// assert_eq!(answer, 42);
/// # }
/// ```
///
/// A thread that serves requests from a runtime with things that cannot be sent to it:
/// ```
/// use yamanote::sync::{mpsc, oneshot};
/// use yamanote::task::LocalSet;
///
/// let (requests, mut inbox) = mpsc::unbounded_channel::<(u32, oneshot::Sender<u32>)>();
/// let server = std::thread::spawn(move || {
///     let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
///     let set = LocalSet::new();
///     set.spawn_local(async move {
///         while let Some((n, answer)) = inbox.recv().await {
///             yamanote::task::spawn_local(async move { answer.send(*std::rc::Rc::new(n) + 1) });
///         }
///     });
///     runtime.block_on(set);
/// });
///
/// let (tx, rx) = oneshot::channel();
/// requests.send((1, tx)).unwrap();
/// assert_eq!(rx.blocking_recv().unwrap(), 2);
/// drop(requests);
/// server.join().unwrap();
/// ```
pub struct LocalSet {
    shared: Arc<LocalShared>,
    /// Only the thread that made it may touch it.
    _not_send: PhantomData<*const ()>,
}

impl LocalSet {
    /// Makes an empty set, that belongs to the current thread.
    ///
    /// Needs no runtime; driving the set does.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::{LocalSet, spawn_local};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let local = LocalSet::new();
    /// let answer = local.run_until(async { spawn_local(async { 1 }).await.unwrap() }).await;
    /// assert_eq!(answer, 1);
    /// # }
    /// ```
    pub fn new() -> LocalSet {
        LocalSet { shared: Arc::new(LocalShared::new()), _not_send: PhantomData }
    }

    /// Makes this set the one that [`spawn_local`] spawns on, until the guard is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::{self, LocalSet};
    ///
    /// let set = LocalSet::new();
    /// let guard = set.enter();
    /// let task = task::spawn_local(async { "from outside" });
    /// drop(guard);
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    /// assert_eq!(set.block_on(&runtime, task).unwrap(), "from outside");
    /// ```
    pub fn enter(&self) -> LocalEnterGuard {
        LocalEnterGuard { _guard: local::enter(&self.shared) }
    }

    /// Adds a task to the set. It runs when the set is driven next.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::task::LocalSet;
    ///
    /// let set = LocalSet::new();
    /// let task = set.spawn_local(async { std::rc::Rc::new(5) });
    /// set.await;
    /// assert_eq!(*task.await.unwrap(), 5);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_from(future, Origin::here())
    }

    pub(super) fn spawn_from<F>(&self, future: F, origin: Origin<'_>) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        // SAFETY: a `LocalSet` is neither `Send` nor `Sync`: this is the thread that made it.
        unsafe { self.shared.spawn(future, origin) }
    }

    /// Runs a future to its end on `rt`, and the set's tasks beside it.
    ///
    /// Tasks that are not done by then stay in the set, and go on when it is driven again.
    ///
    /// # Panics
    /// Inside an asynchronous context, and if the future panics.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::{self, LocalSet};
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    /// let set = LocalSet::new();
    /// let n = set.block_on(&runtime, async { task::spawn_local(async { 1 }).await.unwrap() });
    /// assert_eq!(n, 1);
    /// ```
    #[track_caller]
    pub fn block_on<F>(&self, rt: &Runtime, future: F) -> F::Output
    where
        F: Future,
    {
        rt.block_on(self.run_until(future))
    }

    /// Runs a future to its end, and the set's tasks beside it.
    ///
    /// Tasks that are not done by then stay in the set, and go on when it is driven again.
    ///
    /// # Cancel safety
    /// If `future` can be dropped without loss, so can this: the tasks are the set's.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::task::{self, LocalSet};
    ///
    /// let set = LocalSet::new();
    /// let first = set.run_until(async { task::spawn_local(async { 1 }).await.unwrap() }).await;
    /// let second = set.run_until(async { task::spawn_local(async { 2 }).await.unwrap() }).await;
    /// assert_eq!(first + second, 3);
    /// # }
    /// ```
    pub async fn run_until<F>(&self, future: F) -> F::Output
    where
        F: Future,
    {
        RunUntil { set: self, future }.await
    }

    /// The set's number; runtimes are counted with the same numbers, so no two are alike.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::LocalSet;
    ///
    /// let (one, other) = (LocalSet::new(), LocalSet::new());
    /// assert_ne!(one.id(), other.id());
    /// ```
    pub fn id(&self) -> RuntimeId {
        self.shared.id
    }

    /// Chooses what a panic of one task means for the others.
    ///
    /// With [`UnhandledPanic::ShutdownRuntime`] all of the set's tasks are cancelled, and whatever drives the set panics.
    ///
    /// # Panics
    /// If the set has tasks, or is entered.
    ///
    /// # Examples
    /// ```should_panic
    /// use yamanote::runtime::UnhandledPanic;
    /// use yamanote::task::LocalSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = LocalSet::new();
    /// set.unhandled_panic(UnhandledPanic::ShutdownRuntime);
    /// set.spawn_local(async { panic!("one for all") });
    /// set.run_until(std::future::pending::<()>()).await
    /// # }
    /// ```
    #[track_caller]
    pub fn unhandled_panic(&mut self, behavior: UnhandledPanic) -> &mut Self {
        Arc::get_mut(&mut self.shared)
            .expect("Unhandled Panic behavior modified after starting LocalSet")
            .unhandled_panic = behavior;
        self
    }

    /// Polls the set, with `beside` first.
    fn poll_with<R>(
        &self,
        cx: &mut Context<'_>,
        beside: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let _entered = local::enter(&self.shared);
        forbid_block_in_place(|| {
            // SAFETY: a `LocalSet` is neither `Send` nor `Sync`: this is the thread that made it.
            unsafe {
                let _serving = self.shared.begin(cx.waker());
                if let Poll::Ready(output) = beside(cx) {
                    return Poll::Ready(output);
                }
                if self.shared.run_some() {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
        })
    }
}

/// Drives the set until all its tasks are done.
impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let _ = self.poll_with(cx, |_| Poll::<()>::Pending);
        // SAFETY: a `LocalSet` is neither `Send` nor `Sync`: this is the thread that made it.
        if unsafe { self.shared.is_empty() } { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Default for LocalSet {
    fn default() -> LocalSet {
        LocalSet::new()
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        // What futures spawn from their drops is cancelled too, instead of going to an outer set.
        let _entered = local::enter(&self.shared);
        // SAFETY: a `LocalSet` is neither `Send` nor `Sync`: this is the thread that made it.
        forbid_block_in_place(|| unsafe { self.shared.close() });
    }
}

pin_project! {
    /// A future with a set beside it.
    struct RunUntil<'a, F> {
        set: &'a LocalSet,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for RunUntil<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.set.poll_with(cx, |cx| this.future.poll(cx))
    }
}

/// Makes a [`LocalSet`] the one that [`spawn_local`] spawns on, until dropped. Made by [`LocalSet::enter`].
///
/// # Examples
/// ```
/// use yamanote::task::{LocalSet, spawn_local};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let local = LocalSet::new();
/// let guard = local.enter();
/// let task = spawn_local(async { 1 }); // belongs to `local`
/// drop(guard);
/// assert_eq!(local.run_until(task).await.unwrap(), 1);
/// # }
/// ```
#[must_use = "Creating and dropping a guard does nothing"]
pub struct LocalEnterGuard {
    _guard: EnterGuard,
}

impl UnwindSafe for LocalEnterGuard {}
impl RefUnwindSafe for LocalEnterGuard {}

impl fmt::Debug for LocalEnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnterGuard").finish()
    }
}

/// Spawns a task that need not be [`Send`] on the current [`LocalSet`], or else on the current
/// [`LocalRuntime`](crate::runtime::LocalRuntime).
///
/// It runs on the current thread, whether or not the handle is awaited. A task spawned by [`spawn`](crate::spawn) is not part of the
/// set it was spawned in, and cannot call this.
///
/// # Panics
/// Outside a set and a local runtime; on another thread than the runtime's.
///
/// # Examples
/// ```
/// use std::rc::Rc;
/// use yamanote::task::{self, LocalSet};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let set = LocalSet::new();
/// set.run_until(async {
///     let text = Rc::new("not sent anywhere");
///     task::spawn_local(async move { println!("{text}") }).await.unwrap();
/// })
/// .await;
/// # }
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    local::spawn(future, Origin::here())
}
