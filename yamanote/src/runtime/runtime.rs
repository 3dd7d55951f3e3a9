//! The runtime as its owner has it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{fmt, io};

use crate::engine::context::{self, Entered};
use crate::engine::shared::Shared;
use crate::engine::task::Origin;
use crate::engine::worker::{self, Core, Worker};
use crate::engine::{block_in_place, block_on, instrument, shutdown, spawn};
use crate::runtime::{Builder, EnterGuard, Handle, RuntimeFlavor, RuntimeMetrics};
use crate::task::JoinHandle;
use crate::util::ThreadMain;

/// Owns a scheduler, its drivers and its threads.
///
/// Dropping it shuts everything down: tasks are dropped at the point where they are suspended, and the drop
/// waits for polls and blocking jobs that are under way. To wait less, use
/// [`shutdown_timeout`](Runtime::shutdown_timeout) or [`shutdown_background`](Runtime::shutdown_background).
pub struct Runtime {
    handle: Handle,
    threads: Threads,
    is_shut_down: bool,
}

/// The worker threads, and how many are still running.
pub(crate) struct Threads {
    handles: Vec<thread::JoinHandle<()>>,
    running: Running,
}

/// How many threads drive workers, spares included.
pub(crate) type Running = Arc<Count>;

#[derive(Default)]
pub(crate) struct Count {
    state: Mutex<CountState>,
    zero: Condvar,
}

#[derive(Default)]
struct CountState {
    threads: usize,
    /// Somebody waits for `zero`: a condition variable that nobody waits for would cost a system call too.
    awaited: bool,
}

impl Count {
    fn lock(&self) -> MutexGuard<'_, CountState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Threads {
    pub(crate) fn none() -> Self {
        Threads { handles: Vec::new(), running: Arc::default() }
    }

    /// Starts a thread for each worker.
    fn start(shared: &Arc<Shared>) -> io::Result<Threads> {
        let mut threads = Threads { handles: Vec::new(), running: Arc::clone(&shared.running) };
        for index in 0..shared.workers() {
            let core = Core::new(index, shared, shared.next_seed());
            // The user names the thread, and may panic over it.
            let started = catch_unwind(AssertUnwindSafe(|| Threads::start_one(shared, core)));
            if let Ok(Ok(thread)) = started {
                threads.handles.push(thread);
                continue;
            }
            // What was started ends again. The workers without a thread retire here.
            shared.start_shutdown();
            for index in index..shared.workers() {
                shutdown::retire(shared, Core::new(index, shared, 1));
            }
            threads.wait(None);
            return Err(started.unwrap_or_else(|payload| resume_unwind(payload)).unwrap_err());
        }
        Ok(threads)
    }

    /// Starts a thread that drives `core`.
    pub(crate) fn start_one(
        shared: &Arc<Shared>,
        core: Box<Core>,
    ) -> io::Result<thread::JoinHandle<()>> {
        let (shared, running) = (Arc::clone(shared), Arc::clone(&shared.running));
        running.lock().threads += 1;
        let leave = LeaveOnDrop(running);
        let builder = shared.pool.thread_builder();
        let main: ThreadMain = Box::new(move || {
            let _leave = leave;
            let pool = shared.pool.clone();
            pool.note_thread_start();
            worker::drive(shared, core);
            pool.note_thread_stop();
        });
        builder.spawn(main)
    }

    /// Waits for the workers, for `timeout` at the most; whether all have ended.
    fn wait(&mut self, timeout: Option<Duration>) -> bool {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        // Not by joining at once: the last steps of a thread's end, which that waits for, then are not taken while
        // the next one ends (measured: a sixth more for two workers).
        let mut running = self.running.lock();
        while running.threads > 0 {
            running.awaited = true;
            running = match until {
                None => self.running.zero.wait(running).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    let waited = self.running.zero.wait_timeout(running, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        drop(running);
        self.join();
        true
    }

    fn join(&mut self) {
        for thread in self.handles.drain(..) {
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

/// Counts a worker thread out, however it ends.
struct LeaveOnDrop(Running);

impl Drop for LeaveOnDrop {
    fn drop(&mut self) {
        let mut running = self.0.lock();
        running.threads -= 1;
        if running.threads == 0 && running.awaited {
            self.0.zero.notify_all();
        }
    }
}

impl Runtime {
    /// Makes a runtime with default settings and all drivers: multi-threaded, with a worker for each core.
    ///
    /// # Errors
    /// If the operating system refuses a thread or an event queue.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Runtime::new().unwrap();
    /// assert_eq!(runtime.block_on(async { 1 + 1 }), 2);
    /// ```
    #[cfg(feature = "rt-multi-thread")]
    pub fn new() -> io::Result<Runtime> {
        Builder::new_multi_thread().enable_all().build()
    }

    pub(crate) fn start(shared: Arc<Shared>) -> io::Result<Runtime> {
        let threads = match shared.config.flavor {
            RuntimeFlavor::CurrentThread => {
                let core = Core::new(0, &shared, shared.next_seed());
                shared.core_slot.put(core);
                Threads::none()
            }
            RuntimeFlavor::MultiThread => Threads::start(&shared)?,
        };
        Ok(Runtime { handle: Handle { shared }, threads, is_shut_down: false })
    }

    /// A handle, by which tasks can be spawned from anywhere.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Runtime;
    ///
    /// let runtime = Runtime::new().unwrap();
    /// let handle = runtime.handle().clone();
    /// // It can be used from any thread, as long as the runtime is there.
    /// let task = std::thread::spawn(move || handle.spawn(async { 1 })).join().unwrap();
    /// assert_eq!(runtime.block_on(task).unwrap(), 1);
    /// ```
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Spawns a task. It starts at once on a multi-threaded runtime; on a single-threaded one it runs while
    /// [`block_on`](Runtime::block_on) does.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Runtime::new().unwrap();
    /// let task = runtime.spawn(async { 5 });
    /// assert_eq!(runtime.block_on(task).unwrap(), 5);
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn::spawn(spawn::home(&self.handle.shared), future, Origin::here())
    }

    /// Runs a closure that blocks on a thread made for that.
    ///
    /// # Panics
    /// If the operating system gives no thread and the pool has none.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Runtime::new().unwrap();
    /// let task = runtime.spawn_blocking(|| std::fs::read_dir(".").is_ok());
    /// assert!(runtime.block_on(task).unwrap());
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(func)
    }

    /// Runs a future to its end on the calling thread.
    ///
    /// It may use everything the runtime has, and spawn. On a single-threaded runtime all tasks run here
    /// meanwhile; on a multi-threaded one they run on the workers, and only this future runs here. Tasks that
    /// are not done when it returns stay, and go on with the next `block_on` or on their workers.
    ///
    /// # Panics
    /// Inside an asynchronous context, and if the future panics.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Runtime::new().unwrap();
    /// runtime.block_on(async { println!("inside") });
    /// ```
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        // A large future is better on the heap than copied from frame to frame.
        if const { size_of::<F>() > crate::engine::limits::BOX_FUTURE_ABOVE } {
            self.block_on_inner(instrument::block_on::<F, _>(Box::pin(future)))
        } else {
            self.block_on_inner(instrument::block_on::<F, _>(future))
        }
    }

    #[track_caller]
    fn block_on_inner<F: Future>(&self, future: F) -> F::Output {
        match self.handle.shared.config.flavor {
            RuntimeFlavor::CurrentThread => block_on::drive_current_thread(&self.handle, future),
            RuntimeFlavor::MultiThread => {
                context::enter_runtime(&self.handle, true, || block_on::park_until(future))
            }
        }
    }

    /// Makes this runtime the current one of the thread until the guard is dropped.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Runtime::new().unwrap();
    /// let _guard = runtime.enter();
    /// yamanote::spawn(async {});
    /// ```
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// Shuts the runtime down, waiting `duration` at the most for polls and blocking jobs that are under way.
    ///
    /// Tasks are dropped where they are suspended. What does not end in time goes on in the background,
    /// without a runtime.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = yamanote::runtime::Runtime::new().unwrap();
    /// runtime.spawn_blocking(|| std::thread::sleep(Duration::from_secs(1)));
    /// runtime.shutdown_timeout(Duration::from_millis(10));
    /// ```
    pub fn shutdown_timeout(mut self, duration: Duration) {
        self.shut_down(Some(duration));
    }

    /// Shuts the runtime down without waiting for anything: fit for asynchronous code.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main]
    /// # async fn main() {
    /// let inner = yamanote::runtime::Runtime::new().unwrap();
    /// inner.shutdown_background();
    /// # }
    /// ```
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }

    /// A view on what the runtime counts.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(3).build().unwrap();
    /// assert_eq!(runtime.metrics().num_workers(), 3);
    /// ```
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
    }

    fn shut_down(&mut self, timeout: Option<Duration>) {
        if std::mem::replace(&mut self.is_shut_down, true) {
            return;
        }
        let shared = &self.handle.shared;
        shared.start_shutdown();
        block_in_place::hand_over_all(shared);
        let start = Instant::now();
        if shared.is_single() {
            // The tasks are dropped here, as inside the runtime.
            if let Some(core) = shared.core_slot.take() {
                let worker = Worker::new(Arc::clone(shared), core);
                let entered = context::with(|c| c.entered.get());
                context::enter_worker(&worker, false, || {
                    if let Some(core) = worker.take_core() {
                        shutdown::retire(shared, core);
                    }
                });
                debug_assert_eq!(entered, context::with(|c| c.entered.get()));
            }
        } else {
            if self.threads.wait(timeout) {
                self.threads.handles = shared.crew.take_threads();
                self.threads.wait(timeout);
            }
        }
        let left = timeout.map(|timeout| timeout.saturating_sub(start.elapsed()));
        shared.pool.shutdown(left);
        if timeout.is_none() {
            shared.monitor.join();
        }
    }
}

impl Drop for Runtime {
    #[track_caller]
    fn drop(&mut self) {
        if self.is_shut_down {
            return;
        }
        let blocking_forbidden = context::with(|c| c.entered.get()) != Entered::No;
        if blocking_forbidden {
            // Refused below, but nothing is left behind: the tasks are still cancelled.
            self.shut_down(Some(Duration::ZERO));
            if !thread::panicking() {
                panic!(
                    "Cannot drop a runtime in a context where blocking is not allowed. This happens when \
                     a runtime is dropped from within an asynchronous context."
                );
            }
            return;
        }
        self.shut_down(None);
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl std::panic::UnwindSafe for Runtime {}
impl std::panic::RefUnwindSafe for Runtime {}
