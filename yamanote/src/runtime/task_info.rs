//! What is told of a live task.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::task::Id;

/// What a task is spawned as.
///
/// # Examples
/// ```
/// use yamanote::runtime::{Builder, TaskKind};
///
/// let runtime = Builder::new_current_thread().track_tasks(true).build().unwrap();
/// let (end, ended) = std::sync::mpsc::channel::<()>();
/// runtime.spawn(std::future::pending::<()>());
/// let job = runtime.spawn_blocking(move || ended.recv().unwrap());
/// let kinds: Vec<_> = runtime.handle().tasks().iter().map(|task| task.kind()).collect();
/// assert_eq!(kinds, [TaskKind::Async, TaskKind::Blocking]);
/// # end.send(()).unwrap();
/// # runtime.block_on(job).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskKind {
    /// A future that any worker may poll.
    Async,
    /// A future of a [`LocalRuntime`](crate::runtime::LocalRuntime) or of a [`LocalSet`](crate::task::LocalSet).
    Local,
    /// A closure for the pool of threads for work that blocks.
    Blocking,
}

/// What a task does.
///
/// # Examples
/// ```
/// use yamanote::runtime::{Builder, TaskState};
///
/// let runtime = Builder::new_current_thread().track_tasks(true).build().unwrap();
/// runtime.spawn(std::future::pending::<()>());
/// let state = || runtime.handle().tasks()[0].state();
/// assert_eq!(state(), TaskState::Queued); // nobody drives the runtime yet
/// runtime.block_on(yamanote::task::yield_now());
/// assert_eq!(state(), TaskState::Idle);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskState {
    /// It is being polled.
    Running,
    /// It was woken or has just been spawned, and waits for being polled.
    Queued,
    /// It waits to be woken.
    Idle,
}

/// Who woke a task last.
///
/// # Examples
/// ```
/// use yamanote::runtime::{Builder, WokenBy};
/// use yamanote::sync::oneshot;
///
/// let runtime = Builder::new_current_thread().track_tasks(true).build().unwrap();
/// let (send, receive) = oneshot::channel::<()>();
/// let waits = runtime.spawn(receive);
/// let sends = runtime.spawn(async { send.send(()).unwrap() });
/// let who = runtime.block_on(async {
///     sends.await.unwrap();
///     yamanote::runtime::Handle::current().tasks().first().and_then(|task| task.woken_by())
/// });
/// // `None` if it has gone by already.
/// assert!(matches!(who, None | Some(WokenBy::Task(..))));
/// # drop(waits);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WokenBy {
    /// Another task, spawned there if it lives still; or itself, while it was polled.
    Task(Id, Option<&'static Location<'static>>),
    /// An event of a socket, a pipe, a child process or a signal.
    Io,
    /// A timer.
    Timer,
    /// Something else: a thread, or a future that is no task.
    Outside,
}

/// A live task, as [`Handle::tasks`](crate::runtime::Handle::tasks) lists it.
///
/// Its `Display` says all of it in a line.
///
/// # Examples
/// ```
/// use yamanote::runtime::{Builder, TaskState};
///
/// let runtime = Builder::new_current_thread().track_tasks(true).build().unwrap();
/// let task = runtime.spawn(std::future::pending::<()>());
/// runtime.block_on(yamanote::task::yield_now());
///
/// let tasks = runtime.handle().tasks();
/// assert_eq!(tasks.len(), 1);
/// assert_eq!(tasks[0].id(), task.id());
/// assert_eq!(tasks[0].polls(), 1);
/// assert_eq!(tasks[0].state(), TaskState::Idle);
/// println!("{}", tasks[0]);
/// ```
#[derive(Clone, Debug)]
pub struct TaskInfo {
    pub(crate) id: Id,
    pub(crate) name: Option<String>,
    pub(crate) kind: TaskKind,
    pub(crate) spawned_at: &'static Location<'static>,
    pub(crate) state: TaskState,
    pub(crate) polls: u64,
    pub(crate) busy: Duration,
    pub(crate) since_poll: Option<Duration>,
    pub(crate) age: Duration,
    pub(crate) woken_by: Option<WokenBy>,
}

impl TaskInfo {
    /// The task's id, as its [`JoinHandle`](crate::task::JoinHandle) tells it.
    ///
    /// # Examples
    /// ```
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// let task = runtime.spawn(std::future::pending::<()>());
    /// assert_eq!(runtime.handle().tasks()[0].id(), task.id());
    /// ```
    pub fn id(&self) -> Id {
        self.id
    }

    /// The task's name, if [`task::Builder`](crate::task::Builder) gave it one.
    ///
    /// # Examples
    /// ```
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// let builder = yamanote::task::Builder::new().name("accept");
    /// builder.spawn_on(std::future::pending::<()>(), runtime.handle()).unwrap();
    /// assert_eq!(runtime.handle().tasks()[0].name(), Some("accept"));
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it was spawned as.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::TaskKind;
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// runtime.spawn(std::future::pending::<()>());
    /// assert_eq!(runtime.handle().tasks()[0].kind(), TaskKind::Async);
    /// ```
    pub fn kind(&self) -> TaskKind {
        self.kind
    }

    /// Where in the source it was spawned.
    ///
    /// # Examples
    /// ```
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// let line = line!() + 1;
    /// runtime.spawn(std::future::pending::<()>());
    /// assert_eq!(runtime.handle().tasks()[0].spawned_at().line(), line);
    /// ```
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.spawned_at
    }

    /// What it does.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::{Handle, TaskState};
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// let looks_at_itself = runtime.spawn(async { Handle::current().tasks()[0].state() });
    /// assert_eq!(runtime.block_on(looks_at_itself).unwrap(), TaskState::Running);
    /// ```
    pub fn state(&self) -> TaskState {
        self.state
    }

    /// How many times it was polled, with the poll under way if there is one.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// runtime.spawn(async {
    ///     yamanote::task::yield_now().await;
    ///     std::future::pending::<()>().await
    /// });
    /// assert_eq!(runtime.handle().tasks()[0].polls(), 0);
    /// runtime.block_on(async {
    ///     for _ in 0..3 {
    ///         yamanote::task::yield_now().await;
    ///     }
    /// });
    /// assert_eq!(runtime.handle().tasks()[0].polls(), 2);
    /// ```
    pub fn polls(&self) -> u64 {
        self.polls
    }

    /// How long all its polls took, with what is over of one under way.
    ///
    /// # Examples
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// runtime.spawn(async {
    ///     let until = Instant::now() + Duration::from_millis(2);
    ///     while Instant::now() < until {}
    ///     std::future::pending::<()>().await
    /// });
    /// runtime.block_on(yamanote::task::yield_now());
    /// assert!(runtime.handle().tasks()[0].busy() >= Duration::from_millis(2));
    /// ```
    pub fn busy(&self) -> Duration {
        self.busy
    }

    /// How long ago the last poll ended. `None`: it is being polled, or never was.
    ///
    /// # Examples
    /// ```
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// runtime.spawn(std::future::pending::<()>());
    /// let since = || runtime.handle().tasks()[0].since_poll();
    /// assert_eq!(since(), None);
    /// runtime.block_on(yamanote::task::yield_now());
    /// assert!(since().is_some());
    /// ```
    pub fn since_poll(&self) -> Option<Duration> {
        self.since_poll
    }

    /// How long ago it was spawned.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// runtime.spawn(std::future::pending::<()>());
    /// std::thread::sleep(Duration::from_millis(2));
    /// assert!(runtime.handle().tasks()[0].age() >= Duration::from_millis(2));
    /// ```
    pub fn age(&self) -> Duration {
        self.age
    }

    /// Who woke it last. `None`: nobody yet.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::WokenBy;
    ///
    /// let runtime = yamanote::runtime::Builder::new_current_thread().track_tasks(true).build().unwrap();
    /// let (wake, woken) = yamanote::sync::oneshot::channel::<()>();
    /// runtime.spawn(async {
    ///     let _ = woken.await;
    ///     std::future::pending::<()>().await
    /// });
    /// runtime.block_on(yamanote::task::yield_now());
    /// assert_eq!(runtime.handle().tasks()[0].woken_by(), None);
    /// wake.send(()).unwrap(); // from this thread, which is no worker
    /// assert_eq!(runtime.handle().tasks()[0].woken_by(), Some(WokenBy::Outside));
    /// ```
    pub fn woken_by(&self) -> Option<WokenBy> {
        self.woken_by
    }
}

impl fmt::Display for TaskInfo {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            TaskKind::Async => "async",
            TaskKind::Local => "local",
            TaskKind::Blocking => "blocking",
        };
        let state = match self.state {
            TaskState::Running => "running",
            TaskState::Queued => "queued",
            TaskState::Idle => "idle",
        };
        write!(f, "task {} {kind} {state}, ", self.id)?;
        if let Some(name) = &self.name {
            write!(f, "'{name}', ")?;
        }
        write!(f, "spawned at {} {:?} ago, ", self.spawned_at, self.age)?;
        write!(f, "{} polls, busy {:?}", self.polls, self.busy)?;
        if let Some(since) = self.since_poll {
            write!(f, ", last polled {since:?} ago")?;
        }
        match self.woken_by {
            None => Ok(()),
            Some(WokenBy::Task(id, None)) => write!(f, ", woken by task {id}"),
            Some(WokenBy::Task(id, Some(location))) => write!(f, ", woken by task {id} of {location}"),
            Some(WokenBy::Io) => f.write_str(", woken by an I/O event"),
            Some(WokenBy::Timer) => f.write_str(", woken by a timer"),
            Some(WokenBy::Outside) => f.write_str(", woken from outside"),
        }
    }
}
