//! What is told of a task that holds its worker up.

use std::fmt;
use std::panic::Location;
use std::thread::ThreadId;
use std::time::Duration;

use crate::engine::observe::stack::Stack;
use crate::task::Id;

/// A task that has been in one poll for too long, as [`Builder::on_stall`](crate::runtime::Builder::on_stall) tells it.
///
/// Its `Display` says all of it in a line.
///
/// # Examples
/// ```
/// use std::sync::mpsc;
/// use yamanote::runtime::{Builder, StallReport};
///
/// let (tell, told) = mpsc::channel();
/// let hook = move |stall: &StallReport| tell.send((stall.task(), stall.duration())).unwrap();
/// let runtime = Builder::new_current_thread().on_stall(hook).build().unwrap();
/// let task = runtime.spawn(async move { told.recv().unwrap() });
/// let id = task.id();
/// let (stuck, duration) = runtime.block_on(task).unwrap();
/// assert_eq!(stuck, Some(id));
/// assert!(duration.as_millis() >= 10);
/// ```
#[derive(Clone, Debug)]
pub struct StallReport {
    pub(crate) task: Option<Id>,
    pub(crate) name: Option<String>,
    pub(crate) spawned_at: Option<&'static Location<'static>>,
    pub(crate) worker: usize,
    pub(crate) thread: Option<ThreadId>,
    pub(crate) duration: Duration,
    pub(crate) suppressed: u64,
    #[cfg_attr(not(feature = "taskdump"), allow(dead_code))]
    pub(crate) stack: Stack,
}

impl StallReport {
    /// The task. `None`: the worker is held up by something else, such as a hook or a waker that is not the runtime's.
    ///
    /// # Examples
    /// ```
    /// # let (tell, stalls) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     // Not one of a worker that gets no processor for that long.
    /// #     .on_stall(move |stall| if stall.task().is_some() { tell.send(stall.clone()).unwrap() })
    /// #     .build()
    /// #     .unwrap();
    /// # let (end, ended) = std::sync::mpsc::channel::<()>();
    /// # let task = yamanote::task::Builder::new()
    /// #     .name("greedy")
    /// #     .spawn_on(async move { ended.recv().unwrap() }, runtime.handle())
    /// #     .unwrap();
    /// let id = task.id();
    /// let stall = stalls.recv().unwrap();
    /// assert_eq!(stall.task(), Some(id));
    /// # end.send(()).unwrap();
    /// # runtime.block_on(task).unwrap();
    /// ```
    pub fn task(&self) -> Option<Id> {
        self.task
    }

    /// The task's name, if [`task::Builder`](crate::task::Builder) gave it one.
    ///
    /// # Examples
    /// ```
    /// # let (tell, stalls) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     // Not one of a worker that gets no processor for that long.
    /// #     .on_stall(move |stall| if stall.task().is_some() { tell.send(stall.clone()).unwrap() })
    /// #     .build()
    /// #     .unwrap();
    /// # let (end, ended) = std::sync::mpsc::channel::<()>();
    /// # let task = yamanote::task::Builder::new()
    /// #     .name("greedy")
    /// #     .spawn_on(async move { ended.recv().unwrap() }, runtime.handle())
    /// #     .unwrap();
    /// let stall = stalls.recv().unwrap();
    /// assert_eq!(stall.name(), Some("greedy"));
    /// # end.send(()).unwrap();
    /// # runtime.block_on(task).unwrap();
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where in the source the task was spawned.
    ///
    /// # Examples
    /// ```
    /// # let (tell, stalls) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     // Not one of a worker that gets no processor for that long.
    /// #     .on_stall(move |stall| if stall.task().is_some() { tell.send(stall.clone()).unwrap() })
    /// #     .build()
    /// #     .unwrap();
    /// # let (end, ended) = std::sync::mpsc::channel::<()>();
    /// # let task = yamanote::task::Builder::new()
    /// #     .name("greedy")
    /// #     .spawn_on(async move { ended.recv().unwrap() }, runtime.handle())
    /// #     .unwrap();
    /// let stall = stalls.recv().unwrap();
    /// println!("spawned at {}", stall.spawned_at().unwrap());
    /// # end.send(()).unwrap();
    /// # runtime.block_on(task).unwrap();
    /// ```
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.spawned_at
    }

    /// The worker, as [`worker_index`](crate::runtime::worker_index) counts them.
    ///
    /// # Examples
    /// ```
    /// # let (tell, stalls) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     // Not one of a worker that gets no processor for that long.
    /// #     .on_stall(move |stall| if stall.task().is_some() { tell.send(stall.clone()).unwrap() })
    /// #     .build()
    /// #     .unwrap();
    /// # let (end, ended) = std::sync::mpsc::channel::<()>();
    /// # let task = yamanote::task::Builder::new()
    /// #     .name("greedy")
    /// #     .spawn_on(async move { ended.recv().unwrap() }, runtime.handle())
    /// #     .unwrap();
    /// assert_eq!(stalls.recv().unwrap().worker(), 0); // there is only one
    /// # end.send(()).unwrap();
    /// # runtime.block_on(task).unwrap();
    /// ```
    pub fn worker(&self) -> usize {
        self.worker
    }

    /// The worker's thread, if it has run long enough to have told.
    ///
    /// # Examples
    /// ```
    /// # let (tell, stalls) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     // Not one of a worker that gets no processor for that long.
    /// #     .on_stall(move |stall| if stall.task().is_some() { tell.send(stall.clone()).unwrap() })
    /// #     .build()
    /// #     .unwrap();
    /// # let (end, ended) = std::sync::mpsc::channel::<()>();
    /// # let task = yamanote::task::Builder::new()
    /// #     .name("greedy")
    /// #     .spawn_on(async move { ended.recv().unwrap() }, runtime.handle())
    /// #     .unwrap();
    /// let thread = stalls.recv().unwrap().thread_id();
    /// // A worker's, and this one is none.
    /// assert_ne!(thread, Some(std::thread::current().id()));
    /// # end.send(()).unwrap();
    /// # runtime.block_on(task).unwrap();
    /// ```
    pub fn thread_id(&self) -> Option<ThreadId> {
        self.thread
    }

    /// For how long it has been seen in that poll, which goes on; it may have begun a little earlier.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// # let (tell, stalls) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     // Not one of a worker that gets no processor for that long.
    /// #     .on_stall(move |stall| if stall.task().is_some() { tell.send(stall.clone()).unwrap() })
    /// #     .build()
    /// #     .unwrap();
    /// # let (end, ended) = std::sync::mpsc::channel::<()>();
    /// # let task = yamanote::task::Builder::new()
    /// #     .name("greedy")
    /// #     .spawn_on(async move { ended.recv().unwrap() }, runtime.handle())
    /// #     .unwrap();
    /// assert!(stalls.recv().unwrap().duration() >= Duration::from_millis(10));
    /// # end.send(()).unwrap();
    /// # runtime.block_on(task).unwrap();
    /// ```
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// The calls that the thread was in when it was found stuck, from where it is to where the task is polled.
    ///
    /// `None` unless [`Builder::stall_backtrace`](crate::runtime::Builder::stall_backtrace) asks for it, and where it
    /// cannot be had: the thread blocks signals, or did not get to answer in time, or the poll was over when it did. It ends
    /// early, and [says so](crate::runtime::dump::Backtrace::is_whole), where a function has no unwinding information
    /// (such as one made at run time), and on a very deep stack. The names are looked up now, each time, and for the first time in a process that may take long (it
    /// reads the debug information of the program): in a large one, on another thread than the hook's.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use yamanote::runtime::Builder;
    ///
    /// let (tell, told) = mpsc::channel();
    /// let runtime = Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .on_stall(move |stall| tell.send(stall.clone()).unwrap())
    ///     .build()
    ///     .unwrap();
    /// let stuck = runtime.spawn(async move { told.recv().unwrap() });
    /// let stall = runtime.block_on(stuck).unwrap();
    /// // Not asked for.
    /// assert!(stall.backtrace().is_none());
    /// ```
    #[cfg(feature = "taskdump")]
    #[inline]
    pub fn backtrace(&self) -> Option<crate::runtime::dump::Backtrace> {
        Some(crate::runtime::dump::Backtrace::of_task(&self.stack.calls()?))
    }

    /// How many stalls were not reported before this one because there were too many.
    ///
    /// # Examples
    /// ```
    /// # let (tell, stalls) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     // Not one of a worker that gets no processor for that long.
    /// #     .on_stall(move |stall| if stall.task().is_some() { tell.send(stall.clone()).unwrap() })
    /// #     .build()
    /// #     .unwrap();
    /// # let (end, ended) = std::sync::mpsc::channel::<()>();
    /// # let task = yamanote::task::Builder::new()
    /// #     .name("greedy")
    /// #     .spawn_on(async move { ended.recv().unwrap() }, runtime.handle())
    /// #     .unwrap();
    /// assert_eq!(stalls.recv().unwrap().suppressed(), 0); // the first
    /// # end.send(()).unwrap();
    /// # runtime.block_on(task).unwrap();
    /// ```
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }
}

impl fmt::Display for StallReport {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task {
            Some(id) => write!(f, "task {id}")?,
            None => f.write_str("something that is no task")?,
        }
        if let Some(name) = &self.name {
            write!(f, " '{name}'")?;
        }
        if let Some(location) = self.spawned_at {
            write!(f, ", spawned at {location},")?;
        }
        write!(f, " has been in a poll for {:?} on worker {}", self.duration, self.worker)?;
        match self.suppressed {
            0 => Ok(()),
            n => write!(f, " ({n} more not reported)"),
        }
    }
}
