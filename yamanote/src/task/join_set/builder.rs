//! Tasks with options, in a set.

use std::fmt;
use std::future::Future;
use std::io;

use crate::runtime::Handle;
use crate::task::{self, AbortHandle, JoinSet, LocalSet};

/// Spawns a task with options into a [`JoinSet`]. Made by [`JoinSet::build_task`].
///
/// See [`task::Builder`] for what the options mean.
///
/// # Examples
/// ```
/// use yamanote::task::JoinSet;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut set = JoinSet::new();
/// set.build_task().name("one").spawn(async { 1 }).unwrap();
/// assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
/// # }
/// ```
#[must_use = "builders do nothing unless used to spawn a task"]
pub struct Builder<'a, T> {
    set: &'a mut JoinSet<T>,
    builder: task::Builder<'a>,
}

impl<'a, T: 'static> Builder<'a, T> {
    pub(super) fn new(set: &'a mut JoinSet<T>) -> Self {
        Builder { set, builder: task::Builder::new() }
    }

    /// Names the task.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::JoinSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// set.build_task().name("one of the set").spawn(async {}).unwrap();
    /// set.join_all().await;
    /// # }
    /// ```
    pub fn name(self, name: &'a str) -> Self {
        Builder { builder: self.builder.name(name), ..self }
    }

    /// Spawns a task on the current runtime; see [`JoinSet::spawn`].
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::JoinSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// set.build_task().name("one").spawn(async { 1 }).unwrap();
    /// assert_eq!(set.join_all().await, [1]);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let handle = self.builder.spawn(future)?;
        Ok(self.set.insert(handle))
    }

    /// Spawns a task on the given runtime; see [`JoinSet::spawn_on`].
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Runtime;
    /// use yamanote::task::JoinSet;
    ///
    /// let runtime = Runtime::new().unwrap();
    /// let mut set = JoinSet::new();
    /// set.build_task().name("one").spawn_on(async { 1 }, runtime.handle()).unwrap();
    /// assert_eq!(runtime.block_on(set.join_all()), [1]);
    /// ```
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let handle = self.builder.spawn_on(future, handle)?;
        Ok(self.set.insert(handle))
    }

    /// Runs a closure that blocks on a thread made for that; see [`JoinSet::spawn_blocking`].
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Errors
    /// If no thread can be had.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::JoinSet;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// set.build_task().name("crunch").spawn_blocking(|| 1).unwrap();
    /// assert_eq!(set.join_all().await, [1]);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F>(self, f: F) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let handle = self.builder.spawn_blocking(f)?;
        Ok(self.set.insert(handle))
    }

    /// Runs a closure that blocks on a thread of the given runtime; see [`JoinSet::spawn_blocking_on`].
    ///
    /// # Errors
    /// If no thread can be had.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Runtime;
    /// use yamanote::task::JoinSet;
    ///
    /// let runtime = Runtime::new().unwrap();
    /// let mut set = JoinSet::new();
    /// set.build_task().name("crunch").spawn_blocking_on(|| 1, runtime.handle()).unwrap();
    /// assert_eq!(runtime.block_on(set.join_all()), [1]);
    /// ```
    #[track_caller]
    pub fn spawn_blocking_on<F>(self, f: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let handle = self.builder.spawn_blocking_on(f, handle)?;
        Ok(self.set.insert(handle))
    }

    /// Spawns a task that need not be `Send`; see [`JoinSet::spawn_local`].
    ///
    /// # Panics
    /// Outside a [`LocalSet`] and a [`LocalRuntime`](crate::runtime::LocalRuntime).
    ///
    /// # Errors
    /// None so far.
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
    ///         let (mut set, value) = (JoinSet::new(), Rc::new(1));
    ///         set.build_task().name("local").spawn_local(async move { *value }).unwrap();
    ///         assert_eq!(set.join_all().await, [1]);
    ///     })
    ///     .await;
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        let handle = self.builder.spawn_local(future)?;
        Ok(self.set.insert(handle))
    }

    /// Spawns a task on the given set; see [`JoinSet::spawn_local_on`].
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    /// use yamanote::task::{JoinSet, LocalSet};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (local, value) = (LocalSet::new(), Rc::new(1));
    /// let mut set = JoinSet::new();
    /// set.build_task().name("local").spawn_local_on(async move { *value }, &local).unwrap();
    /// assert_eq!(local.run_until(set.join_all()).await, [1]);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        let handle = self.builder.spawn_local_on(future, local_set)?;
        Ok(self.set.insert(handle))
    }
}

impl<T> fmt::Debug for Builder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("join_set::Builder")
            .field("join_set", &self.set)
            .field("builder", &self.builder)
            .finish()
    }
}
