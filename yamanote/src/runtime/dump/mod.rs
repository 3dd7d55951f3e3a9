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
#[derive(Debug)]
pub struct Dump {
    tasks: Tasks,
}

impl Dump {
    pub(crate) fn new(tasks: Vec<Task>) -> Dump {
        Dump { tasks: Tasks { tasks } }
    }

    /// The tasks.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }
}

/// The tasks in a [`Dump`].
#[derive(Debug)]
pub struct Tasks {
    tasks: Vec<Task>,
}

impl Tasks {
    /// Goes through the tasks, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter()
    }
}

/// A task in a [`Dump`].
pub struct Task {
    id: Id,
    trace: Trace,
}

impl Task {
    pub(crate) fn new(id: Id, trace: Trace) -> Task {
        Task { id, trace }
    }

    /// The task's id, as its [`JoinHandle`](crate::task::JoinHandle) tells it.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Where it waits.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("id", &self.id).field("trace", &self.trace).finish()
    }
}
