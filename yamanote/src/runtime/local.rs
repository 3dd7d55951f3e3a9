//! A single-threaded runtime whose tasks need not be `Send`.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::shared::Shared;
use crate::engine::spawn;
use crate::engine::task::Origin;
use crate::runtime::{Builder, EnterGuard, Handle, Runtime, RuntimeMetrics};
use crate::task::JoinHandle;

/// A runtime that stays on the thread it was made on, and therefore takes tasks that are not `Send`.
///
/// [`task::spawn_local`](crate::task::spawn_local) works anywhere inside it, without a
/// [`LocalSet`](crate::task::LocalSet). Its [`Handle`] may go to other threads, which may spawn `Send` tasks
/// by it.
///
/// # Examples
/// ```
/// use std::rc::Rc;
/// use yamanote::runtime::LocalRuntime;
///
/// let runtime = LocalRuntime::new().unwrap();
/// let answer = runtime.block_on(async {
///     let shared = Rc::new(42);
///     yamanote::task::spawn_local(async move { *shared }).await.unwrap()
/// });
/// assert_eq!(answer, 42);
/// ```
#[derive(Debug)]
pub struct LocalRuntime {
    runtime: Runtime,
    _not_send: PhantomData<*const ()>,
}

/// Options that only a [`LocalRuntime`] has; none so far.
///
/// # Examples
/// ```
/// use std::rc::Rc;
/// use yamanote::runtime::{Builder, LocalOptions};
///
/// let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).unwrap();
/// let shared = Rc::new(7);
/// let task = runtime.spawn_local(async move { *shared });
/// assert_eq!(runtime.block_on(task).unwrap(), 7);
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct LocalOptions {
    _not_send: PhantomData<*const ()>,
}

impl LocalRuntime {
    /// Makes a runtime with default settings and all drivers.
    ///
    /// # Errors
    /// If the operating system refuses an event queue.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::LocalRuntime;
    ///
    /// let runtime = LocalRuntime::new().unwrap();
    /// assert_eq!(runtime.block_on(async { 1 }), 1);
    /// ```
    pub fn new() -> io::Result<LocalRuntime> {
        Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
    }

    pub(crate) fn start(shared: Shared) -> io::Result<LocalRuntime> {
        Ok(LocalRuntime { runtime: Runtime::start(Arc::new(shared))?, _not_send: PhantomData })
    }

    /// A handle, which may go to other threads.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::LocalRuntime;
    ///
    /// let runtime = LocalRuntime::new().unwrap();
    /// let task = runtime.handle().spawn(async { 1 });
    /// assert_eq!(runtime.block_on(task).unwrap(), 1);
    /// ```
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Spawns a task that need not be `Send`. It runs while [`block_on`](LocalRuntime::block_on) does.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::LocalRuntime::new().unwrap();
    /// let task = runtime.spawn_local(async { std::rc::Rc::new(1) });
    /// assert_eq!(*runtime.block_on(task).unwrap(), 1);
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let shared = Arc::clone(&self.handle().shared);
        // SAFETY: neither this type nor a reference to it leaves the thread, and the runtime is driven and
        // dropped through it only, so polls and drops of the future happen here.
        unsafe { spawn::spawn_unchecked(shared, future, Origin::here()) }
    }

    /// Runs a closure that blocks on a thread made for that.
    ///
    /// # Panics
    /// If the operating system gives no thread and the pool has none.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::LocalRuntime;
    ///
    /// let runtime = LocalRuntime::new().unwrap();
    /// let sum = runtime.spawn_blocking(|| (1..=10).sum::<u32>());
    /// assert_eq!(runtime.block_on(sum).unwrap(), 55);
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.runtime.spawn_blocking(func)
    }

    /// Runs a future to its end, and the runtime's tasks meanwhile.
    ///
    /// # Panics
    /// Inside an asynchronous context, and if the future panics.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    /// use yamanote::runtime::LocalRuntime;
    /// use yamanote::task::spawn_local;
    ///
    /// let runtime = LocalRuntime::new().unwrap();
    /// let value = Rc::new(1); // is not `Send`
    /// let answer = runtime.block_on(async { spawn_local(async move { *value }).await });
    /// assert_eq!(answer.unwrap(), 1);
    /// ```
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Makes this runtime the current one of the thread until the guard is dropped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::LocalRuntime;
    ///
    /// let runtime = LocalRuntime::new().unwrap();
    /// let guard = runtime.enter();
    /// let task = yamanote::task::spawn_local(async { 1 });
    /// drop(guard);
    /// assert_eq!(runtime.block_on(task).unwrap(), 1);
    /// ```
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Shuts down, waiting `duration` at the most for blocking jobs that are under way.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::LocalRuntime;
    ///
    /// let runtime = LocalRuntime::new().unwrap();
    /// runtime.spawn_blocking(|| std::thread::sleep(Duration::from_secs(1)));
    /// runtime.shutdown_timeout(Duration::from_millis(10)); // does not wait for it
    /// ```
    pub fn shutdown_timeout(self, duration: Duration) {
        self.runtime.shutdown_timeout(duration);
    }

    /// Shuts down without waiting.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::LocalRuntime;
    ///
    /// let runtime = LocalRuntime::new().unwrap();
    /// runtime.spawn_blocking(|| std::thread::sleep(Duration::from_secs(1)));
    /// runtime.shutdown_background(); // does not wait for it
    /// ```
    pub fn shutdown_background(self) {
        self.runtime.shutdown_background();
    }

    /// A view on what the runtime counts.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::LocalRuntime;
    ///
    /// let runtime = LocalRuntime::new().unwrap();
    /// assert_eq!(runtime.metrics().num_workers(), 1);
    /// ```
    pub fn metrics(&self) -> RuntimeMetrics {
        self.runtime.metrics()
    }
}

impl std::panic::UnwindSafe for LocalRuntime {}
impl std::panic::RefUnwindSafe for LocalRuntime {}
