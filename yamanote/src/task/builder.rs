//! Tasks with options.

use std::future::Future;
use std::io;
use std::sync::Arc;

use crate::engine::blocking::{Mandatory, SpawnError};
use crate::engine::task::Origin;
use crate::engine::{local, spawn};
use crate::runtime::Handle;
use crate::task::{JoinHandle, LocalSet};

/// Spawns tasks with options; so far that is a name, for tools that show tasks.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = yamanote::task::Builder::new().name("adder").spawn(async { 1 + 1 }).unwrap();
/// assert_eq!(task.await.unwrap(), 2);
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Builder<'a> {
    name: Option<&'a str>,
}

impl<'a> Builder<'a> {
    /// Makes a builder without options.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::Builder;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = Builder::new().name("sum").spawn(async { 1 + 1 }).unwrap();
    /// assert_eq!(task.await.unwrap(), 2);
    /// # }
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the tasks that the result spawns.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::Builder;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// Builder::new().name("the first of many").spawn(async {}).unwrap().await.unwrap();
    /// # }
    /// ```
    pub fn name(&self, name: &'a str) -> Self {
        Builder { name: Some(name) }
    }

    /// Spawns a task on the current runtime; see [`spawn`](crate::spawn).
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::Builder;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = Builder::new().name("sum").spawn(async { 1 + 1 }).unwrap();
    /// assert_eq!(task.await.unwrap(), 2);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Ok(super::spawn::spawn_from(future, Origin::here().named(self.name)))
    }

    /// Spawns a task on the given runtime; see [`Handle::spawn`].
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Runtime;
    /// use yamanote::task::Builder;
    ///
    /// let runtime = Runtime::new().unwrap();
    /// let task = Builder::new().name("sum").spawn_on(async { 1 + 1 }, runtime.handle()).unwrap();
    /// assert_eq!(runtime.block_on(task).unwrap(), 2);
    /// ```
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Ok(spawn::spawn(Arc::clone(&handle.shared), future, Origin::here().named(self.name)))
    }

    /// Spawns a task that need not be `Send`; see [`spawn_local`](crate::task::spawn_local).
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
    /// use yamanote::task::{Builder, LocalSet};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let value = Rc::new(1); // is not `Send`
    /// let inside = async { Builder::new().name("local").spawn_local(async move { *value }).unwrap().await };
    /// assert_eq!(LocalSet::new().run_until(inside).await.unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Ok(local::spawn(future, Origin::here().named(self.name)))
    }

    /// Adds a task to the given set; see [`LocalSet::spawn_local`].
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    /// use yamanote::task::{Builder, LocalSet};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (local, value) = (LocalSet::new(), Rc::new(1));
    /// let task = Builder::new().name("local").spawn_local_on(async move { *value }, &local).unwrap();
    /// assert_eq!(local.run_until(task).await.unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Ok(local_set.spawn_from(future, Origin::here().named(self.name)))
    }

    /// Runs a closure that blocks on a thread made for that; see
    /// [`spawn_blocking`](crate::task::spawn_blocking).
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Errors
    /// If the operating system gives no thread and the pool has none.
    ///
    /// # Examples
    /// ```
    /// use yamanote::task::Builder;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = Builder::new().name("crunch").spawn_blocking(|| (1..=10).sum::<u32>()).unwrap();
    /// assert_eq!(task.await.unwrap(), 55);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, R>(self, function: F) -> io::Result<JoinHandle<R>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.spawn_blocking_on(function, &Handle::current())
    }

    /// Runs a closure that blocks on a thread of the given runtime.
    ///
    /// # Errors
    /// If the operating system gives no thread and the pool has none.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Runtime;
    /// use yamanote::task::Builder;
    ///
    /// let runtime = Runtime::new().unwrap();
    /// let task = Builder::new().name("crunch").spawn_blocking_on(|| 1 + 1, runtime.handle()).unwrap();
    /// assert_eq!(runtime.block_on(task).unwrap(), 2);
    /// ```
    #[track_caller]
    pub fn spawn_blocking_on<F, R>(self, function: F, handle: &Handle) -> io::Result<JoinHandle<R>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let pool = &handle.shared.pool;
        let origin = Origin::here().named(self.name);
        let (join, result) = pool.try_spawn(handle, function, Mandatory::No, origin);
        match result {
            // Shut down: the handle tells that the job was cancelled.
            Ok(()) | Err(SpawnError::ShutDown) => Ok(join),
            Err(SpawnError::NoThreads(error)) => Err(error),
        }
    }
}
