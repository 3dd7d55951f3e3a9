//! Models of the task cell: every interleaving of two or three sides that poll, wake, cancel, join and let go.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::{Id, JoinHandle, Runnable, Schedule, TaskRef, new_task};
use crate::engine::instrument::SpanId;
use crate::loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::loom::sync::{Arc, Mutex};
use crate::loom::thread;

/// A scheduler that keeps what was scheduled.
#[derive(Clone)]
struct Toy {
    queue: Arc<Mutex<Vec<Runnable<Toy>>>>,
    live: Arc<super::live::LiveSet<Toy>>,
}

impl Toy {
    fn new() -> Toy {
        Toy { queue: Arc::new(Mutex::new(Vec::new())), live: Arc::new(super::live::LiveSet::new(1)) }
    }

    /// Runs what is scheduled, until nothing is.
    fn run_all(&self) -> usize {
        let mut runs = 0;
        loop {
            let task = self.queue.lock().pop();
            let Some(task) = task else { return runs };
            task.run();
            runs += 1;
        }
    }
}

impl Schedule for Toy {
    unsafe fn schedule(this: *const Self, task: Runnable<Self>) {
        // SAFETY: good until the runnable is in the queue; the clone outlives that.
        let queue = unsafe { Arc::clone(&(*this).queue) };
        queue.lock().push(task);
    }

    fn bind(&self, task: TaskRef<Self>) -> Result<(), TaskRef<Self>> {
        self.live.bind(task, 0)
    }

    fn release(&self, task: &TaskRef<Self>) -> bool {
        self.live.remove(task)
    }
}

/// Counts what is alive, so that a leak or a double drop shows.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Alive {
        count.fetch_add(1, Ordering::SeqCst);
        Alive(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ready when the flag is set; leaves its waker for whoever sets it.
struct Flag {
    set: Arc<AtomicBool>,
    waker: Arc<Mutex<Option<Waker>>>,
    alive: Option<Alive>,
}

impl Future for Flag {
    type Output = Alive;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Alive> {
        *self.waker.lock() = Some(cx.waker().clone());
        // Relaxed on purpose: only the task's state orders the flag before the poll that must see it.
        if self.set.load(Ordering::Relaxed) {
            Poll::Ready(self.alive.take().unwrap())
        } else {
            Poll::Pending
        }
    }
}

struct World {
    toy: Toy,
    set: Arc<AtomicBool>,
    waker: Arc<Mutex<Option<Waker>>>,
    alive: Arc<AtomicUsize>,
}

impl World {
    fn new() -> World {
        World {
            toy: Toy::new(),
            set: Arc::new(AtomicBool::new(false)),
            waker: Arc::new(Mutex::new(None)),
            alive: Arc::new(AtomicUsize::new(0)),
        }
    }

    fn spawn(&self) -> (Runnable<Toy>, JoinHandle<Alive>) {
        let future = Flag {
            set: Arc::clone(&self.set),
            waker: Arc::clone(&self.waker),
            alive: Some(Alive::new(&self.alive)),
        };
        new_task(future, self.toy.clone(), Id::next(), Location::caller(), SpanId::default())
    }

    /// At the end, with all handles gone and all that was scheduled run.
    fn nothing_is_left(self) {
        self.toy.run_all();
        self.toy.live.close_and_shutdown_all(0);
        let waker = self.waker.lock().take();
        drop(waker);
        self.toy.run_all();
        assert_eq!(self.alive.load(Ordering::SeqCst), 0, "leaked");
    }
}

fn noop(handle: &mut JoinHandle<Alive>) -> Poll<Result<Alive, super::error::JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()))
}

/// A wake during, before or after the poll leads to a poll that sees what came before the wake.
#[test]
fn a_wake_is_never_lost() {
    crate::loom::model(|| {
        let world = World::new();
        let (task, mut join) = world.spawn();
        task.run();
        let waker = world.waker.lock().take().unwrap();
        // Scheduled again, so that the poll and the wake below race.
        waker.wake_by_ref();
        let set = Arc::clone(&world.set);
        let wakes = thread::spawn(move || {
            set.store(true, Ordering::Relaxed);
            waker.wake();
        });
        world.toy.run_all();
        wakes.join().unwrap();
        world.toy.run_all();
        assert!(noop(&mut join).is_ready(), "the last poll did not see the flag");
        drop(join);
        world.nothing_is_left();
    });
}

/// An abort against a poll against a wake.
#[test]
fn abort_poll_and_wake() {
    crate::loom::model(|| {
        let world = World::new();
        let (task, mut join) = world.spawn();
        task.run();
        let waker = world.waker.lock().take().unwrap();
        let abort = join.abort_handle();
        let aborts = thread::spawn(move || abort.abort());
        world.set.store(true, Ordering::Relaxed);
        waker.wake();
        world.toy.run_all();
        aborts.join().unwrap();
        world.toy.run_all();
        assert!(noop(&mut join).is_ready());
        drop(join);
        world.nothing_is_left();
    });
}

/// The shutdown closes the set while another thread polls: the task is suspended and found, or refused and
/// cancelled by the poll.
#[test]
fn shutdown_against_the_first_poll() {
    crate::loom::model(|| {
        let world = World::new();
        let (task, mut join) = world.spawn();
        let live = Arc::clone(&world.toy.live);
        let shuts_down = thread::spawn(move || live.close_and_shutdown_all(0));
        task.run();
        shuts_down.join().unwrap();
        assert!(noop(&mut join).is_ready());
        drop(join);
        world.nothing_is_left();
    });
}

/// The same with a task that nobody else refers to: neither a join handle nor a waker is left.
#[test]
fn shutdown_against_the_first_poll_of_a_forgotten_task() {
    crate::loom::model(|| {
        let world = World::new();
        let alive = Alive::new(&world.alive);
        let future = async move {
            let _alive = alive;
            std::future::pending::<()>().await;
        };
        let (task, join) =
            new_task(future, world.toy.clone(), Id::next(), Location::caller(), SpanId::default());
        drop(join);
        let live = Arc::clone(&world.toy.live);
        let shuts_down = thread::spawn(move || live.close_and_shutdown_all(0));
        task.run();
        shuts_down.join().unwrap();
        world.nothing_is_left();
    });
}

/// The same with a task that was suspended before, and is woken by a third side.
#[test]
fn shutdown_against_a_later_poll() {
    crate::loom::model(|| {
        let world = World::new();
        let (task, mut join) = world.spawn();
        task.run();
        let waker = world.waker.lock().take().unwrap();
        let live = Arc::clone(&world.toy.live);
        let shuts_down = thread::spawn(move || live.close_and_shutdown_all(0));
        waker.wake();
        world.toy.run_all();
        shuts_down.join().unwrap();
        world.toy.run_all();
        assert!(noop(&mut join).is_ready());
        drop(join);
        world.nothing_is_left();
    });
}

/// The join handle is dropped while the task completes: exactly one side drops the output.
#[test]
fn drop_of_the_join_handle_against_completion() {
    crate::loom::model(|| {
        let world = World::new();
        let (task, join) = world.spawn();
        world.set.store(true, Ordering::Relaxed);
        let drops = thread::spawn(move || drop(join));
        task.run();
        drops.join().unwrap();
        world.nothing_is_left();
    });
}

/// The same with a waker in the join handle's slot.
#[test]
fn join_waker_against_completion() {
    crate::loom::model(|| {
        let world = World::new();
        let (task, mut join) = world.spawn();
        world.set.store(true, Ordering::Relaxed);
        let joins = thread::spawn(move || {
            let first = noop(&mut join).is_ready();
            // Another waker takes the first one's place, or the task is done.
            let flag = std::sync::Arc::new(Woken::default());
            let waker = Waker::from(std::sync::Arc::clone(&flag));
            if !first {
                if let Poll::Ready(output) = Pin::new(&mut join).poll(&mut Context::from_waker(&waker)) {
                    drop(output);
                    return;
                }
            }
            drop(join);
        });
        task.run();
        joins.join().unwrap();
        world.nothing_is_left();
    });
}

#[derive(Default)]
struct Woken(std::sync::atomic::AtomicBool);

impl std::task::Wake for Woken {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

/// If the join handle was told to wait, it is woken.
#[test]
fn the_join_handle_is_woken() {
    crate::loom::model(|| {
        let world = World::new();
        let (task, mut join) = world.spawn();
        world.set.store(true, Ordering::Relaxed);
        let runs = thread::spawn(move || task.run());
        let flag = std::sync::Arc::new(Woken::default());
        let waker = Waker::from(std::sync::Arc::clone(&flag));
        let waits = Pin::new(&mut join).poll(&mut Context::from_waker(&waker)).is_pending();
        runs.join().unwrap();
        if waits {
            assert!(flag.0.load(std::sync::atomic::Ordering::SeqCst), "not woken");
            assert!(noop(&mut join).is_ready());
        }
        drop(join);
        world.nothing_is_left();
    });
}

/// Two wakers and the runnable let go at the same time: the memory is freed once.
#[test]
fn references_are_counted() {
    crate::loom::model(|| {
        let world = World::new();
        let (task, join) = world.spawn();
        task.run();
        let waker = world.waker.lock().take().unwrap();
        let clone = waker.clone();
        let clones = thread::spawn(move || drop(clone.clone()));
        drop(join);
        drop(waker);
        clones.join().unwrap();
        world.nothing_is_left();
    });
}
