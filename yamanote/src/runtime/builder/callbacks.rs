//! What a runtime calls of its user's.

use std::sync::Arc;

use super::Builder;
use crate::runtime::{FuturelockReport, StallReport, TaskMeta};

impl Builder {
    /// Called on each thread of the runtime when it starts.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use yamanote::runtime::Builder;
    ///
    /// let threads = Arc::new(AtomicUsize::new(0));
    /// let counted = threads.clone();
    /// let runtime = Builder::new_multi_thread()
    ///     .worker_threads(2)
    ///     .on_thread_start(move || {
    ///         counted.fetch_add(1, Ordering::SeqCst);
    ///     })
    ///     .build()
    ///     .unwrap();
    /// drop(runtime);
    /// assert!(threads.load(Ordering::SeqCst) >= 2);
    /// ```
    pub fn on_thread_start<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn() + Sync + Send + 'static,
    {
        self.hooks.thread_start = Some(Arc::new(f));
        self
    }

    /// Called on each thread of the runtime before it ends.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread()
    ///     .on_thread_stop(|| println!("{:?} ends", std::thread::current().id()))
    ///     .build()
    ///     .unwrap();
    /// # drop(runtime);
    /// ```
    pub fn on_thread_stop<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn() + Sync + Send + 'static,
    {
        self.hooks.thread_stop = Some(Arc::new(f));
        self
    }

    /// Called on a worker that is about to park. It may spawn or wake tasks: the worker then does not park.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread()
    ///     .on_thread_park(|| println!("nothing to do"))
    ///     .on_thread_unpark(|| println!("something to do"))
    ///     .build()
    ///     .unwrap();
    /// # drop(runtime);
    /// ```
    pub fn on_thread_park<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn() + Sync + Send + 'static,
    {
        self.hooks.before_park = Some(Arc::new(f));
        self
    }

    /// Called on a worker that has been unparked.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread()
    ///     .on_thread_unpark(|| println!("something to do"))
    ///     .build()
    ///     .unwrap();
    /// # drop(runtime);
    /// ```
    pub fn on_thread_unpark<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn() + Sync + Send + 'static,
    {
        self.hooks.after_unpark = Some(Arc::new(f));
        self
    }

    /// Called when a task is spawned, by whoever spawns it, before it is scheduled.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use yamanote::runtime::Builder;
    ///
    /// let spawned = Arc::new(AtomicUsize::new(0));
    /// let counted = spawned.clone();
    /// let runtime = Builder::new_current_thread()
    ///     .on_task_spawn(move |_| {
    ///         counted.fetch_add(1, Ordering::SeqCst);
    ///     })
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// assert_eq!(spawned.load(Ordering::SeqCst), 1);
    /// ```
    pub fn on_task_spawn<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&TaskMeta<'_>) + Sync + Send + 'static,
    {
        self.hooks.task_spawn = Some(Arc::new(f));
        self
    }

    /// Called when a task has ended, however it did.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .on_task_terminate(|task| println!("task {} is over", task.id()))
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// ```
    pub fn on_task_terminate<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&TaskMeta<'_>) + Sync + Send + 'static,
    {
        self.hooks.task_terminate = Some(Arc::new(f));
        self
    }

    /// Called before each poll of a task.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .on_before_task_poll(|task| println!("task {} is polled", task.id()))
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// ```
    pub fn on_before_task_poll<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&TaskMeta<'_>) + Sync + Send + 'static,
    {
        self.hooks.before_poll = Some(Arc::new(f));
        self
    }

    /// Called after each poll of a task.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use yamanote::runtime::Builder;
    /// use yamanote::task::yield_now;
    ///
    /// let polls = Arc::new(AtomicUsize::new(0));
    /// let counted = polls.clone();
    /// let runtime = Builder::new_current_thread()
    ///     .on_after_task_poll(move |_| {
    ///         counted.fetch_add(1, Ordering::SeqCst);
    ///     })
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(yield_now())).unwrap();
    /// assert_eq!(polls.load(Ordering::SeqCst), 2);
    /// ```
    pub fn on_after_task_poll<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&TaskMeta<'_>) + Sync + Send + 'static,
    {
        self.hooks.after_poll = Some(Arc::new(f));
        self
    }

    /// Calls `f` when a task has held its worker up for longer than the [`stall_limit`](Builder::stall_limit): with the
    /// task's id, its name, where it was spawned, and for how long it has been in its poll.
    ///
    /// It is called once for each such poll, while the poll goes on, by the thread that watches the workers; that
    /// should not be kept for long, since it also relieves them. There are ten reports a second at the most; the next one
    /// tells how many were left out. A panic of `f` is reported by the panic hook and goes no further.
    ///
    /// With it a single-threaded runtime is watched too, as long as its tasks run; the future that
    /// [`block_on`](crate::runtime::Runtime::block_on) waits for is not a task. Each poll costs some stores more.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let (tell, told) = mpsc::channel();
    /// let runtime = Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .on_stall(move |stall| tell.send(stall.to_string()).unwrap())
    ///     .build()
    ///     .unwrap();
    /// let task = runtime.spawn(async move {
    ///     // A mistake: it blocks the thread, until the runtime complains.
    ///     told.recv().unwrap()
    /// });
    /// let report = runtime.block_on(task).unwrap();
    /// assert!(report.contains("has been in a poll for"), "{report}");
    /// ```
    pub fn on_stall<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&StallReport) + Send + Sync + 'static,
    {
        self.hooks.stall = Some(Arc::new(f));
        self
    }

    /// Calls `f` when a future that waited for a permit was handed one, and its task goes on without polling it: with
    /// the task, where it was spawned, and where the future waits.
    ///
    /// [`Mutex`](crate::sync::Mutex), [`RwLock`](crate::sync::RwLock), [`Semaphore`](crate::sync::Semaphore) and the
    /// bounded [channel](crate::sync::mpsc) are fair: what is given back goes to whoever waited longest, and to nobody
    /// else. If that is a future that is kept but not polled any more, the permit is lost for as long; and if its task now
    /// waits for the same lock elsewhere, for ever. A `select!` over `&mut future` whose other branch then
    /// locks, too, is the usual way to get there. Nothing else shows it: no thread is blocked, and nobody holds
    /// the lock.
    ///
    /// A report is made once for each such wait, when the task was polled anew without polling the future, and
    /// [a second](Builder::futurelock_limit) has gone by or that has happened 64 times. It is made on a thread for
    /// this purpose. Watched are spawned tasks and the future of `block_on`; not the tasks of a
    /// [`LocalSet`](crate::task::LocalSet). A panic of `f` is reported by the panic hook and goes no further.
    ///
    /// With it, each wait that has to queue costs a backtrace, some microseconds. Without it, a load.
    ///
    /// # Examples
    /// ```
    /// use std::sync::{Arc, mpsc};
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    /// use yamanote::sync::Mutex;
    ///
    /// let (tell, told) = mpsc::channel();
    /// let runtime = Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .enable_time()
    ///     .futurelock_limit(Duration::from_millis(10))
    ///     .on_futurelock(move |report| tell.send(report.clone()).unwrap())
    ///     .build()
    ///     .unwrap();
    /// let lock = Arc::new(Mutex::new(()));
    /// let held = runtime.block_on(lock.clone().lock_owned());
    /// let task = runtime.spawn(async move {
    ///     let mut first = Box::pin(lock.lock());
    ///     yamanote::select! {
    ///         _ = &mut first => {}
    ///         _ = yamanote::time::sleep(Duration::from_millis(1)) => {
    ///             drop(held);
    ///             // A mistake: `first`, which is still there, is next in line.
    ///             let _second = lock.lock().await;
    ///         }
    ///     }
    /// });
    /// let report = told.recv().unwrap();
    /// assert_eq!(report.task(), Some(task.id()));
    /// println!("{report}");
    /// ```
    pub fn on_futurelock<F>(&mut self, f: F) -> &mut Builder
    where
        F: Fn(&FuturelockReport) + Send + Sync + 'static,
    {
        self.hooks.futurelock = Some(Arc::new(f));
        self
    }
}
