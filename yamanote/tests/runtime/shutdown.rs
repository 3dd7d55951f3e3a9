use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use yamanote::runtime::Builder;

use crate::each_flavor;

struct CountDrop(Arc<AtomicUsize>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn drops_all_tasks() {
    each_flavor(|rt| {
        let dropped = Arc::new(AtomicUsize::new(0));
        for _ in 0..1000 {
            let guard = CountDrop(Arc::clone(&dropped));
            rt.spawn(async move {
                let _guard = guard;
                std::future::pending::<()>().await;
            });
        }
        rt.block_on(yamanote::task::yield_now());
        drop(rt);
        assert_eq!(dropped.load(Ordering::SeqCst), 1000);
    });
}

/// A future's destructor may spawn: the new task is cancelled at once, and dropped.
#[test]
fn a_destructor_may_spawn() {
    struct Spawner(Arc<AtomicUsize>);

    impl Drop for Spawner {
        fn drop(&mut self) {
            let guard = CountDrop(Arc::clone(&self.0));
            yamanote::spawn(async move { drop(guard) });
        }
    }

    each_flavor(|rt| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let spawner = Spawner(Arc::clone(&dropped));
        rt.spawn(async move {
            let _spawner = spawner;
            std::future::pending::<()>().await;
        });
        rt.block_on(yamanote::task::yield_now());
        drop(rt);
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn spawning_afterwards_cancels() {
    each_flavor(|rt| {
        let handle = rt.handle().clone();
        drop(rt);
        let dropped = Arc::new(AtomicUsize::new(0));
        let guard = CountDrop(Arc::clone(&dropped));
        let task = handle.spawn(async move { drop(guard) });
        let error = futures::executor::block_on(task).unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
        let error = futures::executor::block_on(handle.spawn_blocking(|| ())).unwrap_err();
        assert!(error.is_cancelled());
    });
}

#[test]
fn waits_for_a_started_blocking_job_and_drops_those_that_wait() {
    let rt = Builder::new_multi_thread().worker_threads(1).max_blocking_threads(1).build().unwrap();
    let (started, has_started) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let done = Arc::new(AtomicUsize::new(0));
    let ran = Arc::clone(&done);
    rt.spawn_blocking(move || {
        started.send(()).unwrap();
        wait.recv().unwrap();
        ran.fetch_add(1, Ordering::SeqCst);
    });
    has_started.recv().unwrap();
    let queued = rt.spawn_blocking(|| unreachable!("the only thread is busy until the shutdown"));
    let dropper = std::thread::spawn(move || drop(rt));
    // The drop above has either begun or begins later; either way it has to wait for the first job, and if it
    // has begun the second one is cancelled. Order the two by asking for the second one's fate last.
    std::thread::sleep(Duration::from_millis(20));
    go.send(()).unwrap();
    dropper.join().unwrap();
    assert_eq!(done.load(Ordering::SeqCst), 1);
    drop(queued);
}

#[test]
fn shutdown_timeout_does_not_wait_longer() {
    let rt = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (go, wait) = mpsc::channel::<()>();
    let barrier = Arc::new(Barrier::new(2));
    let started = Arc::clone(&barrier);
    rt.spawn_blocking(move || {
        started.wait();
        let _ = wait.recv();
    });
    barrier.wait();
    rt.shutdown_timeout(Duration::from_millis(10));
    drop(go);
}

#[test]
fn shutdown_background_from_inside() {
    let outer = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    outer.block_on(async {
        let inner = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        inner.spawn(std::future::pending::<()>());
        inner.shutdown_background();
    });
}

#[test]
#[should_panic(expected = "Cannot drop a runtime in a context where blocking is not allowed")]
fn dropping_inside_is_refused() {
    let outer = Builder::new_current_thread().build().unwrap();
    outer.block_on(async {
        drop(Builder::new_current_thread().build().unwrap());
    });
}

/// The join handle of a task that the shutdown cancels resolves.
#[test]
fn join_handles_resolve() {
    each_flavor(|rt| {
        let task = rt.spawn(std::future::pending::<()>());
        drop(rt);
        assert!(futures::executor::block_on(task).unwrap_err().is_cancelled());
    });
}
