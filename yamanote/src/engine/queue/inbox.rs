//! Where tasks wait that come from elsewhere: from threads that are no worker, and from a full ring.
//!
//! Each worker has one; together they are the runtime's injection queue, sharded. An inbox is a first-in,
//! first-out list through the tasks' own link fields, under a lock that is held for a few instructions;
//! its length is kept beside it, so that looking at an empty one costs a load.

use crate::engine::queue::ring::Raw;
use crate::engine::task::Header;
use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::{AtomicUsize, Ordering};

/// A chain of tasks through their link fields.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    head: Option<Raw>,
    tail: Option<Raw>,
    len: usize,
}

// SAFETY: a chain owns a reference unit of each of its tasks, and those may be sent (`Runnable: Send`).
unsafe impl Send for Chain {}

impl Chain {
    pub(crate) fn push(&mut self, task: Raw) {
        // SAFETY: the caller's unit keeps `task` alive, and a task is in one queue at a time, so nobody
        // else uses its link; the same goes for our tail.
        unsafe {
            Header::set_queue_next(task, None);
            match self.tail {
                Some(tail) => Header::set_queue_next(tail, Some(task)),
                None => self.head = Some(task),
            }
        }
        self.tail = Some(task);
        self.len += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<Raw> {
        let task = self.head?;
        // SAFETY: the chain keeps its tasks alive and is the only user of their links.
        self.head = unsafe { Header::queue_next(task) };
        if self.head.is_none() {
            self.tail = None;
        }
        self.len -= 1;
        Some(task)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// Adds a whole chain at the end.
    pub(crate) fn append(&mut self, other: Chain) {
        let Some(first) = other.head else { return };
        match self.tail {
            // SAFETY: as in `push`.
            Some(tail) => unsafe { Header::set_queue_next(tail, Some(first)) },
            None => self.head = Some(first),
        }
        self.tail = other.tail;
        self.len += other.len;
    }
}

#[derive(Debug)]
struct State {
    chain: Chain,
    /// The runtime is gone: what arrives now would never leave.
    closed: bool,
    /// How many were ever pushed one by one.
    pushed: u64,
}

#[derive(Debug)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// The chain's length, written under the lock.
    len: AtomicUsize,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Inbox {
            state: Mutex::new(State { chain: Chain::default(), closed: false, pushed: 0 }),
            len: AtomicUsize::new(0),
        }
    }

    /// How many tasks wait; a snapshot.
    pub(crate) fn len(&self) -> usize {
        // Relaxed: whoever must not miss a push (the parking protocol in `idle`) puts a fence between.
        self.len.load(Ordering::Relaxed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a task from elsewhere, or gives it back when the inbox is closed.
    pub(crate) fn push(&self, task: Raw) -> Result<(), Raw> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(task);
        }
        state.pushed += 1;
        state.chain.push(task);
        self.publish(&state);
        Ok(())
    }

    /// Adds what did not fit into the owner's ring, or was taken from where only the owner looks. Gives it back when the
    /// inbox is closed.
    pub(crate) fn push_chain(&self, tasks: Chain) -> Result<(), Chain> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(tasks);
        }
        state.chain.append(tasks);
        self.publish(&state);
        Ok(())
    }

    /// Takes the oldest task.
    pub(crate) fn pop(&self) -> Option<Raw> {
        if self.is_empty() {
            return None;
        }
        let mut state = self.state.lock();
        let task = state.chain.pop();
        self.publish(&state);
        task
    }

    /// Takes up to `max` of the oldest tasks, but at most half of what is there (rounded up) if `half`:
    /// the first to be run, and the rest, oldest first, to `out`.
    pub(crate) fn take(&self, max: usize, half: bool, mut out: impl FnMut(Raw)) -> Option<Raw> {
        if self.is_empty() {
            return None;
        }
        let mut state = self.state.lock();
        let len = state.chain.len();
        let share = if half { len.div_ceil(2) } else { len };
        let first = state.chain.pop()?;
        for _ in 1..share.min(max) {
            match state.chain.pop() {
                Some(task) => out(task),
                None => break,
            }
        }
        self.publish(&state);
        Some(first)
    }

    /// Refuses further tasks and gives out those that wait.
    pub(crate) fn close(&self) -> Chain {
        let mut state = self.state.lock();
        state.closed = true;
        let chain = std::mem::take(&mut state.chain);
        self.publish(&state);
        chain
    }

    /// How many tasks were ever pushed from elsewhere.
    pub(crate) fn pushed(&self) -> u64 {
        self.state.lock().pushed
    }

    fn publish(&self, state: &State) {
        // Relaxed: see `len`.
        self.len.store(state.chain.len(), Ordering::Relaxed);
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::engine::instrument::SpanId;
    use crate::engine::task::{self, Id, Schedule, TaskRef};
    use crate::loom::sync::Arc;
    use crate::loom::thread;
    use std::panic::Location;

    /// The tasks here are run or cancelled once, and never woken.
    #[derive(Clone)]
    struct Nowhere;

    type Runnable = task::Runnable<Nowhere>;

    impl Schedule for Nowhere {
        unsafe fn schedule(_: *const Self, _: Runnable) {
            unreachable!("nobody wakes it");
        }

        fn bind(&self, _: TaskRef<Self>) -> Result<(), TaskRef<Self>> {
            unreachable!("it does not wait");
        }

        fn release(&self, _: &TaskRef<Self>) -> bool {
            false
        }
    }

    /// A task that counts when it runs.
    fn counting(ran: &Arc<AtomicUsize>) -> Raw {
        let ran = Arc::clone(ran);
        let count = async move {
            ran.fetch_add(1, Ordering::Relaxed);
        };
        let (task, join) =
            task::new_task(count, Nowhere, Id::next(), Location::caller(), SpanId::default());
        drop(join);
        task.into_raw()
    }

    fn run(task: Raw) {
        // SAFETY: a unit that `counting` gave, which the inbox handed on once.
        unsafe { Runnable::from_raw(task) }.run();
    }

    /// The monitor takes tasks out of a stuck worker's hands while the runtime ends: they are in line before it
    /// closes, or come back.
    #[test]
    fn rescued_tasks_meet_the_close() {
        crate::loom::model(|| {
            let inbox = Arc::new(Inbox::new());
            let ran = Arc::new(AtomicUsize::new(0));
            let mut chain = Chain::default();
            chain.push(counting(&ran));
            chain.push(counting(&ran));
            let other = Arc::clone(&inbox);
            let rescue = thread::spawn(move || {
                if let Err(mut refused) = other.push_chain(chain) {
                    while let Some(task) = refused.pop() {
                        run(task);
                    }
                }
            });
            let mut rest = inbox.close();
            while let Some(task) = rest.pop() {
                run(task);
            }
            rescue.join().unwrap();
            assert_eq!(ran.load(Ordering::Relaxed), 2);
        });
    }

    /// Pushed to while its owner takes and another steals, and then closed: every task comes out once, or comes back.
    #[test]
    fn no_task_is_lost_between_pushing_taking_and_closing() {
        crate::loom::model(|| {
            let inbox = Arc::new(Inbox::new());
            let ran = Arc::new(AtomicUsize::new(0));
            inbox.push(counting(&ran)).unwrap();
            let (other, its) = (Arc::clone(&inbox), Arc::clone(&ran));
            let pushing = thread::spawn(move || {
                let mut refused = 0;
                for _ in 0..2 {
                    if let Err(task) = other.push(counting(&its)) {
                        // SAFETY: the unit that the inbox gave back.
                        unsafe { Runnable::from_raw(task) }.shutdown();
                        refused += 1;
                    }
                }
                refused
            });
            let other = Arc::clone(&inbox);
            let stealing = thread::spawn(move || {
                if let Some(first) = other.take(2, true, run) {
                    run(first);
                }
            });
            if let Some(task) = inbox.pop() {
                run(task);
            }
            let mut rest = inbox.close();
            while let Some(task) = rest.pop() {
                run(task);
            }
            let refused = pushing.join().unwrap();
            stealing.join().unwrap();
            assert!(inbox.is_empty() && inbox.pop().is_none());
            assert_eq!(ran.load(Ordering::Relaxed) + refused, 3);
        });
    }
}
