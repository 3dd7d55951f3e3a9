//! Where tasks wait: dumps of a runtime's tasks and traces of single futures.
//!
//! A *trace* is the chain of calls, from a root down to the operation that a suspended future waits for. It is
//! taken by polling the future once more, in a mode in which no operation makes progress, and looking at the stack.
//! [`Handle::dump`](crate::runtime::Handle::dump) takes one of every task of a runtime; [`Trace::capture`] and
//! [`trace_with`] of whatever is polled meanwhile.
//!
//! Only operations of this crate are seen. A future that waits for something else is polled as usual while it is
//! traced, and may make progress or even complete.

mod backtrace;
mod trace;

use std::fmt;

pub use backtrace::{Backtrace, BacktraceFrame, BacktraceSymbol};
pub use trace::{Root, Trace, TraceMeta, trace_with};

use crate::task::Id;

/// The tasks of a runtime and where each of them waits.
///
/// Made by [`Handle::dump`](crate::runtime::Handle::dump).
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// yamanote::spawn(std::future::pending::<()>());
/// let task = yamanote::spawn(async { yamanote::time::sleep(std::time::Duration::from_secs(60)).await });
/// yamanote::task::yield_now().await;
/// let dump = yamanote::runtime::Handle::current().dump().await;
/// for task in dump.tasks().iter() {
///     println!("{}\n{}", task.id(), task.trace());
/// }
/// # task.abort();
/// # }
/// ```
#[derive(Debug)]
pub struct Dump {
    tasks: Tasks,
}

impl Dump {
    pub(crate) fn new(tasks: Vec<Task>) -> Dump {
        Dump { tasks: Tasks { tasks } }
    }

    /// The tasks.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(async { yamanote::time::sleep(std::time::Duration::from_secs(60)).await });
    /// yamanote::task::yield_now().await;
    /// let dump = yamanote::runtime::Handle::current().dump().await;
    /// assert_eq!(dump.tasks().iter().count(), 1);
    /// # task.abort();
    /// # }
    /// ```
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }
}

/// The tasks in a [`Dump`].
///
/// # Examples
/// ```
/// use yamanote::runtime::dump::Tasks;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// /// How many of them wait in a function of this name.
/// fn waiting_in(tasks: &Tasks, name: &str) -> usize {
///     tasks.iter().filter(|task| task.trace().to_string().contains(name)).count()
/// }
///
/// async fn tide() {
///     yamanote::time::sleep(std::time::Duration::from_secs(6 * 3_600)).await;
/// }
/// let task = yamanote::spawn(tide());
/// yamanote::task::yield_now().await;
/// let dump = yamanote::runtime::Handle::current().dump().await;
/// assert_eq!(waiting_in(dump.tasks(), "tide"), 1);
/// # task.abort();
/// # }
/// ```
#[derive(Debug)]
pub struct Tasks {
    tasks: Vec<Task>,
}

impl Tasks {
    /// Goes through the tasks, in no particular order.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(async { yamanote::time::sleep(std::time::Duration::from_secs(60)).await });
    /// yamanote::task::yield_now().await;
    /// let dump = yamanote::runtime::Handle::current().dump().await;
    /// assert!(dump.tasks().iter().any(|found| found.id() == task.id()));
    /// # task.abort();
    /// # }
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter()
    }
}

/// A task in a [`Dump`].
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let spawned = yamanote::spawn(async { yamanote::time::sleep(std::time::Duration::from_secs(60)).await });
/// yamanote::task::yield_now().await;
/// let dump = yamanote::runtime::Handle::current().dump().await;
/// let task = dump.tasks().iter().next().unwrap();
/// println!("{} waits here:\n{}", task.id(), task.trace());
/// # spawned.abort();
/// # }
/// ```
pub struct Task {
    id: Id,
    trace: Trace,
}

impl Task {
    pub(crate) fn new(id: Id, trace: Trace) -> Task {
        Task { id, trace }
    }

    /// The task's id, as its [`JoinHandle`](crate::task::JoinHandle) tells it.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let spawned = yamanote::spawn(async { yamanote::time::sleep(std::time::Duration::from_secs(60)).await });
    /// yamanote::task::yield_now().await;
    /// let dump = yamanote::runtime::Handle::current().dump().await;
    /// assert_eq!(dump.tasks().iter().next().unwrap().id(), spawned.id());
    /// # spawned.abort();
    /// # }
    /// ```
    pub fn id(&self) -> Id {
        self.id
    }

    /// Where it waits.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let spawned = yamanote::spawn(async {
    ///     let minute = std::time::Duration::from_secs(60);
    ///     yamanote::join!(yamanote::time::sleep(minute), yamanote::time::sleep(minute))
    /// });
    /// yamanote::task::yield_now().await;
    /// let dump = yamanote::runtime::Handle::current().dump().await;
    /// let task = dump.tasks().iter().next().unwrap();
    /// // It waits for two things.
    /// assert_eq!(task.trace().resolve_backtraces().len(), 2);
    /// # spawned.abort();
    /// # }
    /// ```
    pub fn trace(&self) -> &Trace {
        &self.trace
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("id", &self.id).field("trace", &self.trace).finish()
    }
}
