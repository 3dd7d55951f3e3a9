//! The pool of threads for work that blocks.
//!
//! Who takes a job, and when threads start and end: [`line`]. A job is a task cell like any other, so it has a join
//! handle, can be aborted before it starts, and its panic is contained.

mod line;

use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io, thread};

pub(crate) use self::line::Mandatory;

use self::line::{Line, Queued, Refusal};
use crate::engine::hooks::{self, Callback};
use crate::engine::shared::Shared;
use crate::engine::task::{self, Id, JoinHandle, Origin, Schedule, TaskRef};
use crate::engine::{context, instrument, observe, spawn};
use crate::loom;
use crate::runtime::{Handle, TaskKind};
use crate::util::ThreadMain;

type Job = task::Runnable<BlockingSchedule>;

/// The scheduler of a blocking job, which is never woken: it runs to its end when a thread takes it.
struct BlockingSchedule {
    shared: Arc<Shared>,
}

impl BlockingSchedule {
    fn new(shared: Arc<Shared>) -> BlockingSchedule {
        // A paused clock must not jump while a job that may be waited for is under way.
        shared.clock.inhibit_auto_advance();
        BlockingSchedule { shared }
    }
}

impl Schedule for BlockingSchedule {
    unsafe fn schedule(_: *const Self, task: Job) {
        // A job is never woken, and an abort leaves it in the pool's queue, where its thread sees the flag.
        drop(task);
    }

    fn bind(&self, task: TaskRef<Self>) -> Result<(), TaskRef<Self>> {
        // A job is never suspended.
        Err(task)
    }

    fn release(&self, task: &TaskRef<Self>) -> bool {
        self.shared.observer.note_ended(task.header().id());
        // Called once, when the job is over or was cancelled.
        self.shared.clock.allow_auto_advance();
        if self.shared.clock.is_paused() {
            self.shared.unpark(0);
        }
        false
    }

    fn has_terminate_hook(&self) -> bool {
        self.shared.config.hooks.task_terminate.is_some()
    }

    fn on_terminate(&self, id: Id, location: &'static Location<'static>) {
        if let Some(hook) = &self.shared.config.hooks.task_terminate {
            hook(&crate::runtime::TaskMeta::new(id, location));
        }
    }
}

pin_project_lite::pin_project! {
    /// A closure as a future that is ready at its first poll.
    struct BlockingTask<F> {
        job: Option<F>,
    }
}

impl<F: FnOnce() -> R, R> Future for BlockingTask<F> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<R> {
        let job = self.project().job.take().expect("a blocking job runs once");
        Poll::Ready(job())
    }
}

/// Runs a job on a thread of the pool, which has the runtime's handle.
fn run_job(job: Job) {
    let wanted = context::with_handle(|handle| {
        (handle.shared.observer.wanted() & observe::TASKS != 0).then(|| Arc::clone(&handle.shared))
    });
    let Ok(Some(shared)) = wanted else { return job.run() };
    let (tasks, id) = (&shared.observer.tasks, job.meta().id());
    let poll = tasks.note_poll(id);
    job.run();
    tasks.note_polled(id, poll);
}

/// A core is in the pool's hands, until dropped.
pub(crate) struct CoreLent(Pool);

impl Drop for CoreLent {
    fn drop(&mut self) {
        self.0.0.line.return_core();
    }
}

pub(crate) struct PoolConfig {
    pub(crate) thread_name: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) stack_size: Option<usize>,
    pub(crate) thread_cap: usize,
    pub(crate) keep_alive: Duration,
    pub(crate) thread_start: Option<Callback>,
    pub(crate) thread_stop: Option<Callback>,
}

struct Inner {
    line: Line<Job>,
    config: PoolConfig,
}

#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

impl Pool {
    pub(crate) fn new(config: PoolConfig) -> Self {
        Pool(Arc::new(Inner { line: Line::new(config.thread_cap, config.keep_alive), config }))
    }

    /// Runs `f` on a thread of the pool.
    ///
    /// # Panics
    /// If no thread can be started and there is none that could run the job later.
    #[track_caller]
    pub(crate) fn spawn<F, R>(&self, handle: &Handle, f: F, origin: Origin<'_>) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (join, result) = self.try_spawn(handle, f, Mandatory::No, origin);
        match result {
            Ok(()) => join,
            Err(SpawnError::ShutDown) => join,
            Err(SpawnError::NoThreads(error)) => panic!("OS can't spawn worker thread: {error}"),
        }
    }

    /// As [`spawn`](Self::spawn), with the failure told. The join handle then reports a cancelled task.
    pub(crate) fn try_spawn<F, R>(
        &self,
        handle: &Handle,
        f: F,
        mandatory: Mandatory,
        origin: Origin<'_>,
    ) -> (JoinHandle<R>, Result<(), SpawnError>)
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        if let Some(hook) = &handle.shared.config.hooks.task_spawn {
            // First of all: it may panic.
            hook(&crate::runtime::TaskMeta::new(origin.id, origin.location));
        }
        if mandatory != Mandatory::Core {
            spawn::note_spawned(&handle.shared, &origin, TaskKind::Blocking);
        }
        let schedule = BlockingSchedule::new(handle.shared.clone());
        let (job, span) = instrument::blocking::<F, _>(&origin, BlockingTask { job: Some(f) });
        let (job, join) = task::new_task(job, schedule, origin.id, origin.location, span);
        let result = self.submit(handle, Queued { job, mandatory });
        (join, result)
    }

    fn submit(&self, handle: &Handle, queued: Queued<Job>) -> Result<(), SpawnError> {
        // The user names the thread, and may panic over it.
        let prepare = || catch_unwind(AssertUnwindSafe(|| self.thread_name()));
        let start = |name, number| self.start_thread(handle, name, number);
        let Err((job, refusal)) = self.0.line.submit(queued, prepare, start) else { return Ok(()) };
        job.shutdown();
        match refusal {
            Refusal::ShutDown => Err(SpawnError::ShutDown),
            Refusal::NoThreads(error) => Err(SpawnError::NoThreads(error)),
            Refusal::Unprepared(payload) => resume_unwind(payload),
        }
    }

    /// To be kept by the job that drives a core, from before it is spawned.
    pub(crate) fn lend_core(&self) -> CoreLent {
        self.0.line.lend_core();
        CoreLent(self.clone())
    }

    fn start_thread(
        &self,
        handle: &Handle,
        name: String,
        number: usize,
    ) -> io::Result<loom::thread::JoinHandle<()>> {
        let (pool, handle) = (self.clone(), handle.clone());
        let builder = loom::thread::Builder::new().name(name);
        let builder = match self.0.config.stack_size {
            Some(size) => builder.stack_size(size),
            None => builder,
        };
        let main: ThreadMain = Box::new(move || {
            let _handle = context::set_handle(&handle);
            drop(handle);
            pool.run(number);
        });
        builder.spawn(main)
    }

    fn thread_name(&self) -> String {
        (self.0.config.thread_name)()
    }

    /// A worker's thread, with the user's name and stack size.
    pub(crate) fn thread_builder(&self) -> thread::Builder {
        let builder = thread::Builder::new().name(self.thread_name());
        match self.0.config.stack_size {
            Some(size) => builder.stack_size(size),
            None => builder,
        }
    }

    pub(crate) fn note_thread_start(&self) {
        hooks::call(self.0.config.thread_start.as_ref());
    }

    pub(crate) fn note_thread_stop(&self) {
        hooks::call(self.0.config.thread_stop.as_ref());
    }

    /// A pool thread's life.
    fn run(&self, number: usize) {
        self.note_thread_start();
        let work = |job: Job, cancel: bool| if cancel { job.shutdown() } else { run_job(job) };
        self.0.line.serve(number, work, || self.note_thread_stop());
    }

    /// Lets no further job start (but mandatory ones) and waits for the threads, for `timeout` at the
    /// most; without a limit if `None`.
    pub(crate) fn shutdown(&self, timeout: Option<Duration>) {
        self.0.line.shutdown(timeout);
    }

    pub(crate) fn threads(&self) -> usize {
        self.0.line.threads()
    }

    pub(crate) fn idle_threads(&self) -> usize {
        self.0.line.idle_threads()
    }

    pub(crate) fn queue_depth(&self) -> usize {
        self.0.line.depth()
    }
}

/// Why a job was not taken.
#[derive(Debug)]
pub(crate) enum SpawnError {
    ShutDown,
    NoThreads(io::Error),
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

/// Runs `f` on the current runtime's pool.
#[track_caller]
pub(crate) fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let handle = Handle::current();
    handle.shared.pool.spawn(&handle, f, Origin::here())
}

/// As [`spawn_blocking`], for a job that runs even if the runtime shuts down before it starts: what a file
/// has accepted is written. `None` if the runtime is gone already.
pub(crate) fn spawn_mandatory_blocking<F, R>(f: F) -> Option<JoinHandle<R>>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let handle = Handle::current();
    let pool = &handle.shared.pool;
    let (join, result) = pool.try_spawn(&handle, f, Mandatory::Yes, Origin::here());
    result.is_ok().then_some(join)
}

/// As [`spawn_blocking`], for a job that changes nothing and may take for ever: no runtime waits for it when it ends.
#[track_caller]
#[allow(dead_code, reason = "for features")]
pub(crate) fn spawn_expendable_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let handle = Handle::current();
    let (join, result) = handle.shared.pool.try_spawn(&handle, f, Mandatory::Expendable, Origin::here());
    if let Err(SpawnError::NoThreads(error)) = result {
        panic!("OS can't spawn worker thread: {error}");
    }
    join
}
