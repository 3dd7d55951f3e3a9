//! The set of a scheduler's suspended tasks, by which they are found at shutdown.
//!
//! A task enters when it is suspended for the first time: before that it is in a queue or being polled, and found
//! there, so tasks that never wait pass the set by.
//!
//! Sharded: a worker binds tasks to a shard of its own, so that it takes a lock nobody else wants, most of the
//! time; a task that ended elsewhere is unlinked from there. Closing is done under each shard's lock, so a
//! task is either bound before (and found) or refused after.

use std::ptr::NonNull;

use super::header::{Header, LiveLink, UNBOUND};
use super::refs::TaskRef;
use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::Ordering;
use crate::util::{CachePadded, LinkedList};

pub(crate) struct LiveSet<S> {
    shards: Box<[CachePadded<Shard>]>,
    _scheduler: std::marker::PhantomData<S>,
}

struct Shard {
    list: Mutex<List>,
}

struct List {
    tasks: LinkedList<LiveLink>,
    closed: bool,
}

// SAFETY: the list holds references to tasks, which may be sent.
unsafe impl<S: Send> Send for LiveSet<S> {}
// SAFETY: the list is behind a lock.
unsafe impl<S: Send> Sync for LiveSet<S> {}

impl<S> LiveSet<S> {
    pub(crate) fn new(shards: usize) -> Self {
        LiveSet {
            shards: (0..shards)
                .map(|_| {
                    CachePadded::new(Shard {
                        list: Mutex::new(List { tasks: LinkedList::new(), closed: false }),
                    })
                })
                .collect(),
            _scheduler: std::marker::PhantomData,
        }
    }

    /// Adds a task, or gives it back when the set is closed.
    pub(crate) fn bind(&self, task: TaskRef<S>, shard: usize) -> Result<(), TaskRef<S>> {
        debug_assert!(shard < self.shards.len());
        let mut list = self.shards[shard].list.lock();
        if list.closed {
            return Err(task);
        }
        // Relaxed: read by whoever polls the task, as we do.
        task.header().shard.store(shard as u16, Ordering::Relaxed);
        // SAFETY: the reference keeps the task in place while it is linked, and a task is bound once.
        unsafe { list.tasks.push_back(task.into_raw()) };
        Ok(())
    }

    /// Takes a task out. `true`: it was in; its reference is the caller's to drop.
    pub(crate) fn remove(&self, task: &TaskRef<S>) -> bool {
        match task.header().shard.load(Ordering::Relaxed) {
            UNBOUND => false,
            shard => {
                let mut list = self.shards[shard as usize].list.lock();
                // SAFETY: a task is linked in the shard that its header names, or not at all.
                unsafe { list.tasks.remove(task.as_raw()) }
            }
        }
    }

    /// The ids of all tasks in the set, and what wakes them.
    #[cfg(feature = "taskdump")]
    pub(crate) fn wakers(&self) -> Vec<(super::Id, std::task::Waker)> {
        let mut wakers = Vec::new();
        for shard in &self.shards {
            shard.list.lock().tasks.for_each(|task| {
                // SAFETY: the list's reference keeps it alive while we hold the lock.
                wakers.push(unsafe { (task.as_ref().id, super::waker::owned(task)) });
            });
        }
        wakers
    }

    /// Refuses new tasks and cancels those that are there, beginning with the caller's shard.
    pub(crate) fn close_and_shutdown_all(&self, first: usize) {
        for shard in &self.shards {
            shard.list.lock().closed = true;
        }
        let n = self.shards.len();
        for i in 0..n {
            let shard = &self.shards[(first + i) % n];
            loop {
                let task: Option<NonNull<Header>> = shard.list.lock().tasks.pop_front();
                let Some(task) = task else { break };
                // SAFETY: the list's reference is ours now. Outside the lock: futures' drops run here.
                unsafe { TaskRef::<S>::from_raw(task) }.shutdown();
            }
        }
    }
}

impl<S> Drop for LiveSet<S> {
    fn drop(&mut self) {
        // A set that was never closed: nobody can reach the tasks any more.
        self.close_and_shutdown_all(0);
    }
}
