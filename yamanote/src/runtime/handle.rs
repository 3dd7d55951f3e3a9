//! Handles: a runtime from a distance.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::engine::context::{self, HandleGuard, NoHandle};
use crate::engine::shared::Shared;
use crate::engine::task::Origin;
use crate::engine::{block_on, instrument, spawn};
use crate::runtime::{FlightRecorder, Id, RuntimeFlavor, RuntimeMetrics, TaskInfo};
use crate::task::JoinHandle;

pub(crate) const CONTEXT_MISSING_ERROR: &str =
    "there is no reactor running, must be called from the context of a Tokio 1.x runtime";
pub(crate) const THREAD_LOCAL_DESTROYED_ERROR: &str =
    "The Tokio context thread-local variable has been destroyed.";

/// A reference to a runtime: cheap to clone, and good from any thread.
///
/// A handle does not keep the runtime going: when the [`Runtime`](crate::runtime::Runtime) it came from is
/// dropped, tasks spawned through the handle are cancelled at once.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

/// Makes a runtime the current one of the thread until it is dropped.
///
/// Made by [`Runtime::enter`](crate::runtime::Runtime::enter) and [`Handle::enter`]. Guards have to be
/// dropped in the reverse order of their making.
///
/// # Examples
/// ```
/// use yamanote::runtime::{EnterGuard, Runtime};
///
/// let runtime = Runtime::new().unwrap();
/// let guard: EnterGuard<'_> = runtime.enter();
/// let task = yamanote::spawn(async { 1 }); // spawns on `runtime`
/// drop(guard);
/// assert_eq!(runtime.block_on(task).unwrap(), 1);
/// ```
#[derive(Debug)]
#[must_use = "Creating and dropping a guard does nothing"]
pub struct EnterGuard<'a> {
    _guard: HandleGuard,
    _handle: PhantomData<&'a Handle>,
}

impl Handle {
    /// Makes this runtime the current one: [`yamanote::spawn`](crate::spawn) and everything that needs a
    /// driver use it, until the guard is dropped.
    ///
    /// Do not hold the guard across an `.await`: it belongs to the thread.
    ///
    /// # Panics
    /// If the thread's context was destroyed already. Dropping guards out of order panics.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Runtime::new().unwrap();
    /// let guard = runtime.handle().enter();
    /// let task = yamanote::spawn(async { 1 });
    /// drop(guard);
    /// assert_eq!(runtime.block_on(task).unwrap(), 1);
    /// ```
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard { _guard: context::set_handle(self), _handle: PhantomData }
    }

    /// The handle of the runtime the calling code runs in.
    ///
    /// # Panics
    /// Outside a runtime. See [`try_current`](Handle::try_current).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let handle = yamanote::runtime::Handle::current();
    /// let handle = std::thread::spawn(move || handle.spawn(async { 7 })).join().unwrap();
    /// assert_eq!(handle.await.unwrap(), 7);
    /// # }
    /// ```
    #[track_caller]
    pub fn current() -> Handle {
        match context::with_handle(Handle::clone) {
            Ok(handle) => handle,
            Err(error) => panic!("{}", TryCurrentError::from(error)),
        }
    }

    /// The handle of the runtime the calling code runs in, if there is one.
    ///
    /// # Errors
    /// Outside a runtime, and while the thread's own data is being destroyed.
    ///
    /// # Examples
    /// ```
    /// assert!(yamanote::runtime::Handle::try_current().unwrap_err().is_missing_context());
    /// ```
    pub fn try_current() -> Result<Handle, TryCurrentError> {
        context::with_handle(Handle::clone).map_err(TryCurrentError::from)
    }

    /// Spawns a task onto the runtime. It starts at once, whether or not the join handle is awaited.
    ///
    /// See [`yamanote::spawn`](crate::spawn).
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Runtime::new().unwrap();
    /// let task = runtime.handle().spawn(async { "done" });
    /// assert_eq!(runtime.block_on(task).unwrap(), "done");
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn::spawn(spawn::home(&self.shared), future, Origin::here())
    }

    /// Runs a closure that blocks on a thread made for that.
    ///
    /// See [`task::spawn_blocking`](crate::task::spawn_blocking).
    ///
    /// # Panics
    /// If the operating system gives no thread and the pool has none.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Runtime::new().unwrap();
    /// let task = runtime.handle().spawn_blocking(|| 2 + 2);
    /// assert_eq!(runtime.block_on(task).unwrap(), 4);
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.shared.pool.spawn(self, func, Origin::here())
    }

    /// Runs a future to its end on the calling thread, inside this runtime.
    ///
    /// On a single-threaded runtime this does **not** drive the runtime: timers and sockets the future waits
    /// for make progress only while some other thread is inside
    /// [`Runtime::block_on`](crate::runtime::Runtime::block_on).
    ///
    /// # Panics
    /// Inside an asynchronous context, and if the future panics. Timers and sockets used after the runtime
    /// was shut down panic or fail as they do elsewhere.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Runtime::new().unwrap();
    /// let handle = runtime.handle().clone();
    /// assert_eq!(handle.block_on(async { 3 }), 3);
    /// ```
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        // A large future is better on the heap than copied from frame to frame.
        if const { size_of::<F>() > crate::engine::limits::BOX_FUTURE_ABOVE } {
            let future = instrument::block_on::<F, _>(Box::pin(future));
            context::enter_runtime(self, true, || block_on::park_until(future))
        } else {
            let future = instrument::block_on::<F, _>(future);
            context::enter_runtime(self, true, || block_on::park_until(future))
        }
    }

    /// What kind of scheduler the runtime has.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::runtime::{Handle, RuntimeFlavor};
    ///
    /// assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::CurrentThread);
    /// # }
    /// ```
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        match self.shared.config.flavor {
            RuntimeFlavor::CurrentThread => RuntimeFlavor::CurrentThread,
            RuntimeFlavor::MultiThread => RuntimeFlavor::MultiThread,
        }
    }

    /// The runtime's number.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::{Handle, Runtime};
    ///
    /// let (one, other) = (Runtime::new().unwrap(), Runtime::new().unwrap());
    /// assert_ne!(one.handle().id(), other.handle().id());
    /// assert_eq!(one.block_on(async { Handle::current().id() }), one.handle().id());
    /// ```
    pub fn id(&self) -> Id {
        self.shared.id
    }

    /// The name that the builder gave the runtime.
    ///
    /// # Examples
    /// ```
    /// let runtime =
    ///     yamanote::runtime::Builder::new_current_thread().name("front end").build().unwrap();
    /// assert_eq!(runtime.handle().name(), Some("front end"));
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.shared.config.name.as_deref()
    }

    /// Lists all tasks that live: those that run, are queued, or wait; and the jobs of
    /// [`spawn_blocking`](Handle::spawn_blocking). By id; tasks that come or go meanwhile may be in it or not.
    ///
    /// Empty unless the runtime was built with [`track_tasks`](crate::runtime::Builder::track_tasks). The future
    /// that `block_on` waits for is no task. Tasks of a [`LocalSet`](crate::task::LocalSet) are in the list of that runtime in
    /// which the set was used first, from when they were spawned in it or first polled. Where in its code a task waits is
    /// told by `Handle::dump_task` and `Handle::dump` (feature `taskdump`), under the same id.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().track_tasks(true).build().unwrap();
    /// let (tell, told) = std::sync::mpsc::channel();
    /// runtime.spawn(async move {
    ///     tell.send(()).unwrap();
    ///     std::future::pending::<()>().await
    /// });
    /// told.recv().unwrap();
    /// for task in runtime.handle().tasks() {
    ///     println!("{task}"); // task 1 async idle, spawned at src/main.rs:6:9 …
    /// }
    /// ```
    #[inline]
    pub fn tasks(&self) -> Vec<TaskInfo> {
        let tasks = &self.shared.observer.tasks;
        if tasks.keeps_all() { tasks.all() } else { Vec::new() }
    }

    /// Starts to record what the workers do: spawns, polls, wakes and from where, parks, steals, stalls. While nobody
    /// records, that costs nothing.
    ///
    /// Several recordings may be under way at a time. See [`Recording`](crate::runtime::Recording) for how to look
    /// at one.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main]
    /// # async fn main() {
    /// let recorder = yamanote::runtime::Handle::current().start_recording();
    /// yamanote::spawn(async {}).await.unwrap();
    /// let recording = recorder.finish();
    /// assert!(recording.event_count() > 0);
    /// # }
    /// ```
    pub fn start_recording(&self) -> FlightRecorder {
        FlightRecorder::start(self.clone())
    }

    /// Records what the workers of this runtime do for a while.
    ///
    /// # Cancel safety
    /// When the future is dropped the recording ends, and is lost.
    ///
    /// # Panics
    /// If the runtime in which it is awaited has no timers, as [`sleep`](crate::time::sleep) does.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[yamanote::main]
    /// # async fn main() {
    /// let handle = yamanote::runtime::Handle::current();
    /// yamanote::spawn(async { yamanote::time::sleep(Duration::from_millis(1)).await });
    /// let recording = handle.record(Duration::from_millis(10)).await;
    /// println!("{}", recording.summary());
    /// # }
    /// ```
    #[cfg(feature = "time")]
    #[inline]
    pub async fn record(&self, duration: std::time::Duration) -> crate::runtime::Recording {
        let recorder = self.start_recording();
        crate::time::sleep(duration).await;
        recorder.finish()
    }

    /// A view on what the runtime counts.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(yamanote::runtime::Handle::current().metrics().num_workers(), 1);
    /// # }
    /// ```
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics::new(self.clone())
    }

    /// Takes a dump of the runtime's tasks: where each of them waits.
    ///
    /// Each task is traced by the worker that polls it, between two of its polls; no worker stops. Not in the
    /// dump are: the task that asks for it, tasks that are in the middle of a poll for as long as it takes
    /// (`block_in_place`, say), those of a [`LocalSet`](crate::task::LocalSet), and all tasks of a single-threaded
    /// runtime that nobody drives. After 250 ms it is given as far as it got.
    ///
    /// Upstream stops all workers, and traces every task on one of them.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main]
    /// # async fn main() {
    /// yamanote::spawn(std::future::pending::<()>());
    /// yamanote::spawn(yamanote::time::sleep(std::time::Duration::from_secs(1)));
    /// yamanote::task::yield_now().await;
    /// let dump = yamanote::runtime::Handle::current().dump().await;
    /// for task in dump.tasks().iter() {
    ///     println!("task {}:\n{}", task.id(), task.trace());
    /// }
    /// # }
    /// ```
    #[cfg(feature = "taskdump")]
    pub async fn dump(&self) -> crate::runtime::Dump {
        let (shared, except) = (Arc::clone(&self.shared), crate::task::try_id());
        let dump = self.spawn_blocking(move || shared.dumper.dump(&shared, except));
        // Shut down: there are no tasks.
        crate::runtime::Dump::new(dump.await.unwrap_or_default())
    }

    /// Traces one task of the runtime: where it waits. `None` if there is no such task, or for what would keep it out of a
    /// [dump](Handle::dump) of them all.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main]
    /// # async fn main() {
    /// let task = yamanote::spawn(std::future::pending::<()>());
    /// let sleeper = yamanote::spawn(yamanote::time::sleep(std::time::Duration::from_secs(1)));
    /// yamanote::task::yield_now().await;
    /// if let Some(task) = yamanote::runtime::Handle::current().dump_task(sleeper.id()).await {
    ///     println!("task {}:\n{}", task.id(), task.trace());
    /// }
    /// # task.abort();
    /// # }
    /// ```
    #[cfg(feature = "taskdump")]
    pub async fn dump_task(&self, id: crate::task::Id) -> Option<crate::runtime::dump::Task> {
        if crate::task::try_id() == Some(id) {
            return None;
        }
        let shared = Arc::clone(&self.shared);
        self.spawn_blocking(move || shared.dumper.dump_one(&shared, id)).await.ok().flatten()
    }

    #[doc(hidden)]
    pub fn is_tracing() -> bool {
        crate::engine::trace::is_tracing()
    }
}

impl std::panic::UnwindSafe for Handle {}
impl std::panic::RefUnwindSafe for Handle {}

/// Why there is no current runtime: from [`Handle::try_current`].
///
/// # Examples
/// ```
/// use yamanote::runtime::Handle;
///
/// let error = Handle::try_current().unwrap_err(); // no runtime here
/// assert!(error.is_missing_context());
/// ```
#[derive(Debug)]
pub struct TryCurrentError {
    kind: NoHandle,
}

impl TryCurrentError {
    /// Whether the call was made outside a runtime.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Handle;
    ///
    /// assert!(Handle::try_current().unwrap_err().is_missing_context());
    /// ```
    pub fn is_missing_context(&self) -> bool {
        matches!(self.kind, NoHandle::NoContext)
    }

    /// Whether the thread is ending and its data is gone.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Handle;
    ///
    /// // True only in destructors of thread-locals, when the thread ends.
    /// assert!(!Handle::try_current().unwrap_err().is_thread_local_destroyed());
    /// ```
    pub fn is_thread_local_destroyed(&self) -> bool {
        matches!(self.kind, NoHandle::Destroyed)
    }
}

impl From<NoHandle> for TryCurrentError {
    fn from(kind: NoHandle) -> Self {
        TryCurrentError { kind }
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            NoHandle::NoContext => CONTEXT_MISSING_ERROR,
            NoHandle::Destroyed => THREAD_LOCAL_DESTROYED_ERROR,
        })
    }
}

impl std::error::Error for TryCurrentError {}
