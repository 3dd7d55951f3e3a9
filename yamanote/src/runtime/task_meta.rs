//! What hooks are told about a task.

use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use crate::task::Id;

/// A task, as the builder's task hooks see it.
///
/// # Examples
/// ```
/// use yamanote::runtime::Builder;
///
/// let runtime = Builder::new_current_thread()
///     .on_task_spawn(|meta| println!("task {} from {}", meta.id(), meta.spawned_at()))
///     .build()
///     .unwrap();
/// runtime.block_on(async { yamanote::spawn(async {}).await.unwrap() });
/// ```
#[derive(Debug)]
pub struct TaskMeta<'a> {
    id: Id,
    spawned_at: &'static Location<'static>,
    schedule_latency: Option<Duration>,
    _task: PhantomData<&'a ()>,
}

impl TaskMeta<'_> {
    pub(crate) fn new(id: Id, spawned_at: &'static Location<'static>) -> Self {
        TaskMeta { id, spawned_at, schedule_latency: None, _task: PhantomData }
    }

    pub(crate) fn with_schedule_latency(mut self, latency: Option<Duration>) -> Self {
        self.schedule_latency = latency;
        self
    }

    /// The task's id.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .on_task_spawn(|task| println!("{} is born", task.id()))
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// ```
    pub fn id(&self) -> Id {
        self.id
    }

    /// Where in the source the task was spawned.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .on_task_spawn(|task| println!("{} comes from {}", task.id(), task.spawned_at()))
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// ```
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.spawned_at
    }

    /// How long the task waited between being woken and being polled. Only known to the hooks around a poll, and
    /// only where it is [tracked](crate::runtime::Builder::track_task_schedule_latency).
    ///
    /// # Examples
    /// ```
    /// use std::sync::Mutex;
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// static LONGEST: Mutex<Duration> = Mutex::new(Duration::ZERO);
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .track_task_schedule_latency()
    ///     .on_before_task_poll(|task| {
    ///         if let Some(waited) = task.schedule_latency() {
    ///             let mut longest = LONGEST.lock().unwrap();
    ///             *longest = waited.max(*longest);
    ///         }
    ///     })
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(yamanote::task::yield_now())).unwrap();
    /// println!("the longest that a task waited: {:?}", LONGEST.lock().unwrap());
    /// ```
    pub fn schedule_latency(&self) -> Option<Duration> {
        self.schedule_latency
    }
}
