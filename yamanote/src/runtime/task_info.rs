//! What is told of a live task.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::task::Id;

/// What a task is spawned as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskKind {
    /// A future that any worker may poll.
    Async,
    /// A future of a [`LocalRuntime`](crate::runtime::LocalRuntime).
    Local,
    /// A closure for the pool of threads for work that blocks.
    Blocking,
}

/// What a task does.
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
    pub fn id(&self) -> Id {
        self.id
    }

    /// The task's name, if [`task::Builder`](crate::task::Builder) gave it one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it was spawned as.
    pub fn kind(&self) -> TaskKind {
        self.kind
    }

    /// Where in the source it was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.spawned_at
    }

    /// What it does.
    pub fn state(&self) -> TaskState {
        self.state
    }

    /// How many times it was polled, with the poll under way if there is one.
    pub fn polls(&self) -> u64 {
        self.polls
    }

    /// How long all its polls took, with what is over of one under way.
    pub fn busy(&self) -> Duration {
        self.busy
    }

    /// How long ago the last poll ended. `None`: it is being polled, or never was.
    pub fn since_poll(&self) -> Option<Duration> {
        self.since_poll
    }

    /// How long ago it was spawned.
    pub fn age(&self) -> Duration {
        self.age
    }

    /// Who woke it last. `None`: nobody yet.
    pub fn woken_by(&self) -> Option<WokenBy> {
        self.woken_by
    }
}

impl fmt::Display for TaskInfo {
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
