//! The pool of threads for work that blocks.
//!
//! A queue under a lock, threads that are started when work comes and none idles, up to a limit, and that
//! end after having idled for a while. A job is a task cell like any other, so it has a join handle, can be
//! aborted before it starts, and its panic is contained.
//!
//! Nothing spawned is lost: an idle thread is only counted as available to one job (`promised`), so two
//! jobs never rely on the same thread.
//!
//! A thread that runs out of work may look for more for a moment before it waits ([`Spinner`]). While it looks, a
//! job is promised to it first, and nobody need be notified: `signals` moves, which is what it looks at. It is a
//! hint. Whether a job was promised to it, the thread learns under the lock.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};
use std::{fmt, io};

use crate::engine::hooks::{self, Callback};
use crate::engine::shared::Shared;
use crate::engine::spin::Spinner;
use crate::engine::task::{self, Id, JoinHandle, Origin, Schedule, TaskRef};
use crate::engine::{context, instrument, observe, spawn};
use crate::runtime::{Handle, TaskKind};
use crate::util::CachePadded;
use crate::util::canary::canary;

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

/// Whether a job that has not started is still run when the runtime shuts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mandatory {
    Yes,
    No,
    /// It is, and comes before all others: a worker's core waits for a thread to drive it.
    Core,
}

struct Queued {
    job: Job,
    mandatory: Mandatory,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Queued>,
    threads: usize,
    idle: usize,
    /// Idle threads that were notified and have not woken yet: each is promised to one job.
    promised: usize,
    /// A thread looks for work without waiting; one at most, and not counted in `idle`.
    looking: bool,
    /// Cores that were handed to the pool. A thread that drives a worker, perhaps for good, is none of those that
    /// the user allowed for blocking work: it does not count for the limit.
    cores: usize,
    shutdown: bool,
    next_thread: usize,
    /// Threads to be joined at shutdown.
    handles: HashMap<usize, thread::JoinHandle<()>>,
    /// The thread that ended last, joined by the next one to end.
    ended: Option<thread::JoinHandle<()>>,
}

impl State {
    /// Takes back what was queued last, which was a core or not.
    fn take_newest(&mut self, core: bool) -> Option<Queued> {
        if core { self.queue.pop_front() } else { self.queue.pop_back() }
    }
}

/// A core is in the pool's hands, until dropped.
pub(crate) struct CoreLent(Pool);

impl Drop for CoreLent {
    fn drop(&mut self) {
        self.0.lock().cores -= 1;
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
    state: Mutex<State>,
    /// Moves when the thread that looks for work is to take some.
    signals: CachePadded<AtomicUsize>,
    spinner: Spinner,
    /// Work came, or shutdown.
    work: Condvar,
    /// A thread ended.
    ended: Condvar,
    config: PoolConfig,
}

#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

impl Pool {
    pub(crate) fn new(config: PoolConfig) -> Self {
        Pool(Arc::new(Inner {
            state: Mutex::new(State::default()),
            signals: CachePadded::default(),
            spinner: Spinner::new(),
            work: Condvar::new(),
            ended: Condvar::new(),
            config,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn submit(&self, handle: &Handle, queued: Queued) -> Result<(), SpawnError> {
        let core = queued.mandatory == Mandatory::Core;
        let mut state = self.lock();
        if state.shutdown {
            drop(state);
            queued.job.shutdown();
            return Err(SpawnError::ShutDown);
        }
        match queued.mandatory {
            Mandatory::Core => state.queue.push_front(queued),
            _ => state.queue.push_back(queued),
        }
        if std::mem::take(&mut state.looking) {
            // Relaxed: a hint, see above.
            self.0.signals.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        if state.idle > 0 {
            // This one is ours: nobody else may count on it.
            state.idle -= 1;
            state.promised += 1;
            // After the lock: the woken thread needs it at once, and would only meet us in it.
            drop(state);
            if !canary!("job-without-notice") {
                self.0.work.notify_one();
            }
            return Ok(());
        }
        if state.threads >= self.0.config.thread_cap + state.cores {
            return Ok(());
        }
        let number = state.next_thread;
        // The user names the thread, and may panic over it.
        let started = catch_unwind(AssertUnwindSafe(|| self.start_thread(handle, number)));
        let started = match started {
            Ok(started) => started,
            Err(payload) => {
                let queued = state.take_newest(core);
                drop(state);
                if let Some(queued) = queued {
                    queued.job.shutdown();
                }
                resume_unwind(payload);
            }
        };
        match started {
            Ok(thread) => {
                state.next_thread += 1;
                state.threads += 1;
                state.handles.insert(number, thread);
                Ok(())
            }
            // Another thread will come to it; not one that drives a worker, perhaps for good.
            Err(_) if state.threads > state.cores - usize::from(core) => Ok(()),
            Err(error) => {
                let queued = state.take_newest(core);
                drop(state);
                if let Some(queued) = queued {
                    queued.job.shutdown();
                }
                Err(SpawnError::NoThreads(error))
            }
        }
    }

    /// To be kept by the job that drives a core, from before it is spawned.
    pub(crate) fn lend_core(&self) -> CoreLent {
        self.lock().cores += 1;
        CoreLent(self.clone())
    }

    fn start_thread(&self, handle: &Handle, number: usize) -> io::Result<thread::JoinHandle<()>> {
        let (pool, handle) = (self.clone(), handle.clone());
        self.thread_builder().spawn(move || {
            let _handle = context::set_handle(&handle);
            drop(handle);
            pool.run(number);
        })
    }

    /// A thread with the user's name and stack size.
    pub(crate) fn thread_builder(&self) -> thread::Builder {
        let builder = thread::Builder::new().name((self.0.config.thread_name)());
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
        let mut state = self.lock();
        // A thread that is at work goes on with what is queued; one that idled when the shutdown came cancels it.
        let mut cancels = false;
        'work: loop {
            while let Some(queued) = state.queue.pop_front() {
                drop(state);
                if cancels && queued.mandatory == Mandatory::No {
                    queued.job.shutdown();
                } else {
                    run_job(queued.job);
                }
                state = self.lock();
                if state.threads > self.0.config.thread_cap + state.cores {
                    // Back from driving a worker, while another thread was started in our place.
                    break 'work;
                }
            }
            if state.shutdown {
                break;
            }
            if !state.looking && self.0.spinner.should() {
                state = self.look(state);
                if !state.queue.is_empty() || state.shutdown {
                    continue 'work;
                }
            }
            state.idle += 1;
            let until = Instant::now().checked_add(self.0.config.keep_alive);
            loop {
                let left = match until {
                    Some(until) => until.saturating_duration_since(Instant::now()),
                    None => Duration::MAX,
                };
                state = match self.0.work.wait_timeout(state, left) {
                    Ok((state, _)) => state,
                    Err(poisoned) => poisoned.into_inner().0,
                };
                if state.promised > 0 {
                    // Somebody counted on one idle thread, and took it off the count: that is us.
                    state.promised -= 1;
                    continue 'work;
                }
                let timed_out = until.is_some_and(|until| Instant::now() >= until);
                if state.shutdown || timed_out {
                    state.idle -= 1;
                    if state.shutdown {
                        cancels = true;
                        continue 'work;
                    }
                    break 'work;
                }
            }
        }
        state.threads -= 1;
        // Only one ended thread is kept unjoined, and only while the pool lives.
        let previous = if state.shutdown {
            None
        } else {
            let me = state.handles.remove(&number);
            std::mem::replace(&mut state.ended, me)
        };
        drop(state);
        self.note_thread_stop();
        if let Some(previous) = previous {
            let _ = previous.join();
        }
        self.0.ended.notify_all();
    }

    /// Looks for a job for a moment, without the lock.
    fn look<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.looking = true;
        // Under the lock: a promise after it moves the number. Relaxed, both: a hint.
        let before = self.0.signals.load(Ordering::Relaxed);
        drop(state);
        self.0.spinner.spin(None, || self.0.signals.load(Ordering::Relaxed) != before);
        let mut state = self.lock();
        // If a job was promised, this was done; should another thread look by now, it merely goes unnoticed.
        state.looking = false;
        state
    }

    /// Lets no further job start (but mandatory ones) and waits for the threads, for `timeout` at the
    /// most; without a limit if `None`.
    pub(crate) fn shutdown(&self, timeout: Option<Duration>) {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        state.shutdown = true;
        self.0.work.notify_all();
        while state.threads > 0 {
            match (timeout, until) {
                (Some(_), Some(until)) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    state = match self.0.ended.wait_timeout(state, left) {
                        Ok((state, _)) => state,
                        Err(poisoned) => poisoned.into_inner().0,
                    };
                }
                _ => state = self.0.ended.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
        let handles: Vec<_> = state.handles.drain().map(|(_, handle)| handle).collect();
        let ended = state.ended.take();
        drop(state);
        for handle in handles.into_iter().chain(ended) {
            if handle.thread().id() != thread::current().id() {
                let _ = handle.join();
            }
        }
    }

    pub(crate) fn threads(&self) -> usize {
        self.lock().threads
    }

    pub(crate) fn idle_threads(&self) -> usize {
        let state = self.lock();
        state.idle + usize::from(state.looking)
    }

    pub(crate) fn queue_depth(&self) -> usize {
        self.lock().queue.len()
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
