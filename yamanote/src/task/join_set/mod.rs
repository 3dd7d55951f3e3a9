//! Many tasks, joined in the order in which they are done.

mod builder;
mod entries;
#[cfg(all(test, loom))]
mod models;

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::panic;
use std::task::{Context, Poll, ready};

use crate::runtime::Handle;
use crate::task::coop;
use crate::task::{AbortHandle, Id, JoinError, JoinHandle, LocalSet};

pub use builder::Builder;

use entries::Entries;

/// A collection of tasks with outputs of one type, that are joined in the order in which they are done.
///
/// Dropping the set aborts all its tasks; [`detach_all`](JoinSet::detach_all) lets them go on. A task costs no
/// allocation besides its own, and each completion is found in constant time, however many tasks there are.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::task::JoinSet;
///
/// let mut set = JoinSet::new();
/// for i in 0..10 {
///     set.spawn(async move { i * i });
/// }
/// let mut sum = 0;
/// while let Some(output) = set.join_next().await {
///     sum += output.unwrap();
/// }
/// assert_eq!(sum, 285);
/// # }
/// ```
pub struct JoinSet<T> {
    entries: Entries,
    _handles: PhantomData<JoinHandle<T>>,
}

impl<T> JoinSet<T> {
    /// Makes an empty set.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::JoinSet;
    ///
    /// let set: JoinSet<u32> = JoinSet::new();
    /// assert_eq!(set.len(), 0);
    /// ```
    pub fn new() -> Self {
        JoinSet { entries: Entries::new(), _handles: PhantomData }
    }

    /// How many tasks are in the set, done or not.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::JoinSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// set.spawn(async {});
    /// set.spawn(async {});
    /// assert_eq!(set.len(), 2);
    /// set.join_next().await;
    /// assert_eq!(set.len(), 1); // finished ones count until they are joined
    /// # }
    /// ```
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no task is in the set.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::JoinSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// assert!(set.is_empty());
    /// set.spawn(async {});
    /// assert!(!set.is_empty());
    /// # }
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: 'static> JoinSet<T> {
    /// A builder for a task with options; it spawns into this set.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = yamanote::task::JoinSet::new();
    /// set.build_task().name("worker").spawn(async { 7 }).unwrap();
    /// assert_eq!(set.join_next().await.unwrap().unwrap(), 7);
    /// # }
    /// ```
    pub fn build_task(&mut self) -> Builder<'_, T> {
        Builder::new(self)
    }

    /// Spawns a task on the current runtime; see [`spawn`](crate::spawn).
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::JoinSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// let handle = set.spawn(async { 1 });
    /// assert!(!handle.is_finished());
    /// assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(crate::task::spawn(task))
    }

    /// Spawns a task on the given runtime.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Runtime;
    /// use yamanote::task::JoinSet;
    ///
    /// let runtime = Runtime::new().unwrap();
    /// let mut set = JoinSet::new();
    /// set.spawn_on(async { 1 }, runtime.handle()); // from outside of the runtime
    /// let result = runtime.block_on(set.join_next());
    /// assert_eq!(result.unwrap().unwrap(), 1);
    /// ```
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(task))
    }

    /// Spawns a task that need not be `Send`; see [`spawn_local`](crate::task::spawn_local).
    ///
    /// # Panics
    /// Outside a [`LocalSet`] and a [`LocalRuntime`](crate::runtime::LocalRuntime).
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    /// use yamanote::task::{JoinSet, LocalSet};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let local = LocalSet::new();
    /// local
    ///     .run_until(async {
    ///         let value = Rc::new(1); // is not `Send`
    ///         let mut set = JoinSet::new();
    ///         set.spawn_local(async move { *value });
    ///         assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
    ///     })
    ///     .await;
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(crate::task::spawn_local(task))
    }

    /// Spawns a task on the given [`LocalSet`].
    ///
    /// It runs while that set is driven.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    /// use yamanote::task::{JoinSet, LocalSet};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let local = LocalSet::new();
    /// let value = Rc::new(1); // is not `Send`
    /// let mut set = JoinSet::new();
    /// set.spawn_local_on(async move { *value }, &local);
    /// // It runs when the local set does.
    /// let result = local.run_until(set.join_next()).await;
    /// assert_eq!(result.unwrap().unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(local_set.spawn_local(task))
    }

    /// Runs a closure that blocks on a thread made for that; see
    /// [`spawn_blocking`](crate::task::spawn_blocking).
    ///
    /// Once it runs, aborting it does nothing.
    ///
    /// # Panics
    /// Outside a runtime; if no thread can be had.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = yamanote::task::JoinSet::new();
    /// for n in 1..=3u32 {
    ///     set.spawn_blocking(move || (1..=n).product::<u32>());
    /// }
    /// let mut products = set.join_all().await;
    /// products.sort();
    /// assert_eq!(products, [1, 2, 6]);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(crate::task::spawn_blocking(f))
    }

    /// Runs a closure that blocks on a thread of the given runtime.
    ///
    /// # Panics
    /// If no thread can be had.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Runtime;
    /// use yamanote::task::JoinSet;
    ///
    /// let runtime = Runtime::new().unwrap();
    /// let mut set = JoinSet::new();
    /// set.spawn_blocking_on(|| 1, runtime.handle());
    /// let result = runtime.block_on(set.join_next());
    /// assert_eq!(result.unwrap().unwrap(), 1);
    /// ```
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn_blocking(f))
    }

    /// Adds a task whose handle nobody has polled.
    fn insert(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        self.entries.insert(handle);
        abort
    }

    /// Waits for the next task to be done, takes it out of the set and gives its output; `None` if the set is empty.
    ///
    /// # Cancel safety
    /// If this is dropped before it is ready, no task was taken out.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = yamanote::task::JoinSet::new();
    /// set.spawn(async { panic!("no luck") });
    /// assert!(set.join_next().await.unwrap().unwrap_err().is_panic());
    /// assert!(set.join_next().await.is_none());
    /// # }
    /// ```
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`join_next`](JoinSet::join_next), with the task's id. An error has the id itself.
    ///
    /// # Cancel safety
    /// If this is dropped before it is ready, no task was taken out.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = yamanote::task::JoinSet::new();
    /// let id = set.spawn(async { "done" }).id();
    /// assert_eq!(set.join_next_with_id().await.unwrap().unwrap(), (id, "done"));
    /// # }
    /// ```
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// Takes out a task that is done, if there is one.
    ///
    /// `None` says that none is done *or* that the set is empty.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = yamanote::task::JoinSet::new();
    /// set.spawn(async { 1 });
    /// assert!(set.try_join_next().is_none());
    /// yamanote::task::yield_now().await;
    /// assert_eq!(set.try_join_next().unwrap().unwrap(), 1);
    /// # }
    /// ```
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_join_next_with_id().map(without_id)
    }

    /// As [`try_join_next`](JoinSet::try_join_next), with the task's id.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::{JoinSet, yield_now};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// let expected = set.spawn(async { 1 }).id();
    /// let (id, value) = loop {
    ///     match set.try_join_next_with_id() {
    ///         Some(result) => break result.unwrap(),
    ///         None => yield_now().await, // not finished yet
    ///     }
    /// };
    /// assert_eq!((id, value), (expected, 1));
    /// # }
    /// ```
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        if self.entries.is_ready() { self.take_ready() } else { None }
    }

    /// Aborts all tasks and waits until they are gone.
    ///
    /// What tasks that were done had for an output is dropped, panics too.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = yamanote::task::JoinSet::new();
    /// set.spawn(std::future::pending::<()>());
    /// set.shutdown().await;
    /// assert!(set.is_empty());
    /// # }
    /// ```
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Waits for all tasks and gives their outputs, in the order in which the tasks were done.
    ///
    /// # Cancel safety
    /// If this is dropped before it is ready, outputs are lost and the remaining tasks are aborted, as the set is consumed.
    ///
    /// # Panics
    /// With a task's panic, when one panicked, and when one was aborted. The others are aborted then.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::time::Duration;
    /// use yamanote::task::JoinSet;
    ///
    /// let mut set = JoinSet::new();
    /// for i in [3, 1, 2] {
    ///     set.spawn(async move {
    ///         yamanote::time::sleep(Duration::from_millis(20 * i)).await;
    ///         i
    ///     });
    /// }
    /// assert_eq!(set.join_all().await, [1, 2, 3]);
    /// # }
    /// ```
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(output) = self.join_next().await {
            match output {
                Ok(output) => outputs.push(output),
                Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
                Err(error) => panic!("{error}"),
            }
        }
        outputs
    }

    /// Aborts all tasks. They stay in the set, and are joined as cancelled.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::JoinSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// for _ in 0..3 {
    ///     set.spawn(std::future::pending::<()>());
    /// }
    /// set.abort_all();
    /// while let Some(result) = set.join_next().await {
    ///     assert!(result.unwrap_err().is_cancelled());
    /// }
    /// # }
    /// ```
    pub fn abort_all(&mut self) {
        self.entries.abort_all();
    }

    /// Takes all tasks out of the set without aborting them: they go on, and nobody waits for them.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::oneshot;
    /// use yamanote::task::JoinSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (send, receive) = oneshot::channel();
    /// let mut set = JoinSet::new();
    /// set.spawn(async move { send.send("still running") });
    /// set.detach_all();
    /// assert!(set.is_empty());
    /// drop(set); // would have aborted it
    /// assert_eq!(receive.await, Ok("still running"));
    /// # }
    /// ```
    pub fn detach_all(&mut self) {
        self.entries.clear(false);
    }

    /// Polls for the next task that is done.
    ///
    /// `Ready(None)`: the set is empty. `Pending`: no task is done; the waker of the last call is woken when
    /// one is. As with other operations, the task's budget may be spent: then this is `Pending` although a
    /// task is done, and the waker was woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::task::JoinSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// set.spawn(async { 1 });
    /// let result = poll_fn(|cx| set.poll_join_next(cx)).await;
    /// assert_eq!(result.unwrap().unwrap(), 1);
    /// # }
    /// ```
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_join_next_with_id(cx).map(|output| output.map(without_id))
    }

    /// As [`poll_join_next`](JoinSet::poll_join_next), with the task's id.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::task::JoinSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// let expected = set.spawn(async { 1 }).id();
    /// let (id, value) = poll_fn(|cx| set.poll_join_next_with_id(cx)).await.unwrap().unwrap();
    /// assert_eq!((id, value), (expected, 1));
    /// # }
    /// ```
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        if self.is_empty() {
            return Poll::Ready(None);
        }
        ready!(self.entries.poll_ready(cx));
        let coop = ready!(coop::poll_proceed(cx));
        coop.made_progress();
        Poll::Ready(self.take_ready())
    }

    /// Takes out a task that is known to be done.
    fn take_ready(&mut self) -> Option<Result<(Id, T), JoinError>> {
        // SAFETY: `insert` takes handles with output `T`.
        let mut handle: JoinHandle<T> = unsafe { self.entries.take_ready() }?;
        let id = handle.id();
        handle.take_output().map(|output| output.map(|output| (id, output)))
    }
}

fn without_id<T>(output: Result<(Id, T), JoinError>) -> Result<T, JoinError> {
    output.map(|(_, output)| output)
}

// SAFETY: what goes to another thread with the set are outputs.
unsafe impl<T: Send> Send for JoinSet<T> {}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        JoinSet::new()
    }
}

/// Spawns the futures on the current runtime.
impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(iter: I) -> Self {
        let mut set = Self::new();
        set.extend(iter);
        set
    }
}

/// Spawns the futures on the current runtime.
impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, iter: I) {
        for task in iter {
            self.spawn(task);
        }
    }
}
