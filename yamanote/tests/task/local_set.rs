//! `LocalSet`.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use yamanote::runtime::{LocalRuntime, UnhandledPanic};
use yamanote::sync::oneshot;
use yamanote::task::{self, LocalSet};
use yamanote::time;

use crate::support::{Signals, Wakes, both, current_thread, poll};

#[test]
fn tasks_stay_on_the_thread() {
    both(|runtime| {
        let here = std::thread::current().id();
        let set = LocalSet::new();
        set.block_on(runtime, async move {
            let tasks: Vec<_> = (0..200)
                .map(|i| {
                    task::spawn_local(async move {
                        task::yield_now().await;
                        if i % 7 == 0 {
                            time::sleep(Duration::from_millis(1)).await;
                        }
                        task::spawn_local(async move { std::thread::current().id() }).await.unwrap()
                    })
                })
                .collect();
            for task in tasks {
                assert_eq!(task.await.unwrap(), here);
            }
        });
    });
}

#[test]
fn awaiting_the_set_waits_for_all_tasks() {
    both(|runtime| {
        let done = Rc::new(Cell::new(0));
        let set = LocalSet::new();
        for i in 0..100 {
            let done = Rc::clone(&done);
            set.spawn_local(async move {
                for _ in 0..i {
                    task::yield_now().await;
                }
                let more = Rc::clone(&done);
                task::spawn_local(async move { more.set(more.get() + 1) });
                done.set(done.get() + 1);
            });
        }
        runtime.block_on(set);
        assert_eq!(done.get(), 200);
    });
}

#[test]
fn wakes_come_from_other_threads() {
    both(|runtime| {
        let set = LocalSet::new();
        let signals = Arc::new(Signals::default());
        let waits = Arc::clone(&signals);
        let task = set.spawn_local(async move { waits.reach(2000).await });
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let signals = Arc::clone(&signals);
                std::thread::spawn(move || (0..500).for_each(|_| signals.raise()))
            })
            .collect();
        runtime.block_on(set);
        assert!(task.is_finished());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn the_set_is_woken_for_what_is_woken_between_its_polls() {
    let runtime = current_thread();
    let _guard = runtime.enter();
    let (wakes, waker) = Wakes::new();
    let mut set = LocalSet::new();
    let (tx, rx) = oneshot::channel();
    let task = set.spawn_local(async { rx.await.unwrap() });
    assert!(poll(&mut set, &waker).is_pending());
    assert_eq!(wakes.count(), 0, "nothing to do");
    tx.send(3).unwrap();
    assert_eq!(wakes.count(), 1);
    set.spawn_local(async {});
    assert_eq!(wakes.count(), 1, "woken once, polled not yet");
    assert!(poll(&mut set, &waker).is_ready());
    assert_eq!(runtime.block_on(task).unwrap(), 3);
}

#[test]
fn a_busy_set_lets_the_rest_of_its_task_run() {
    let runtime = current_thread();
    let set = LocalSet::new();
    set.block_on(&runtime, async {
        let stop = Rc::new(Cell::new(false));
        for _ in 0..200 {
            let stop = Rc::clone(&stop);
            task::spawn_local(async move {
                while !stop.get() {
                    task::yield_now().await;
                }
            });
        }
        // The tasks never wait, and still this sees time pass.
        time::sleep(Duration::from_millis(5)).await;
        stop.set(true);
    });
    runtime.block_on(set);
}

#[test]
fn dropping_the_set_drops_the_tasks_here() {
    both(|runtime| {
        let shared = Rc::new(());
        let set = LocalSet::new();
        let suspended = {
            let shared = Rc::clone(&shared);
            set.spawn_local(async move {
                let _shared = shared;
                pending::<()>().await;
            })
        };
        set.block_on(runtime, task::yield_now());
        let unpolled = {
            let shared = Rc::clone(&shared);
            set.spawn_local(async move { drop(shared) })
        };
        assert_eq!(Rc::strong_count(&shared), 3);
        drop(set);
        assert_eq!(Rc::strong_count(&shared), 1);
        assert!(runtime.block_on(suspended).unwrap_err().is_cancelled());
        assert!(runtime.block_on(unpolled).unwrap_err().is_cancelled());
    });
}

#[test]
fn what_is_spawned_while_the_set_goes_is_cancelled() {
    /// Spawns when dropped.
    struct Spawns(Rc<Cell<u32>>);

    impl Drop for Spawns {
        fn drop(&mut self) {
            let ran = Rc::clone(&self.0);
            let task = task::spawn_local(async move { ran.set(1) });
            assert!(!task.is_finished() || self.0.get() == 0);
        }
    }

    let runtime = current_thread();
    let ran = Rc::new(Cell::new(0));
    let set = LocalSet::new();
    let spawns = Spawns(Rc::clone(&ran));
    set.spawn_local(async move {
        let _spawns = spawns;
        pending::<()>().await;
    });
    set.block_on(&runtime, task::yield_now());
    drop(set);
    assert_eq!(ran.get(), 0);
    assert_eq!(Rc::strong_count(&ran), 1);
}

#[test]
fn late_wakes_and_aborts_find_nothing() {
    let runtime = current_thread();
    let set = LocalSet::new();
    let kept = Rc::new(RefCell::new(None::<Waker>));
    let keeps = Rc::clone(&kept);
    let task = set.spawn_local(poll_fn(move |cx| {
        *keeps.borrow_mut() = Some(cx.waker().clone());
        Poll::<()>::Pending
    }));
    set.block_on(&runtime, task::yield_now());
    drop(set);
    let waker = kept.borrow_mut().take().unwrap();
    let clone = waker.clone();
    std::thread::spawn(move || clone.wake()).join().unwrap();
    waker.wake();
    task.abort();
    assert!(runtime.block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn enter_decides_where_spawn_local_spawns() {
    let runtime = current_thread();
    let (outer, inner) = (LocalSet::new(), LocalSet::new());
    assert_ne!(outer.id(), inner.id());
    let order = Rc::new(RefCell::new(Vec::new()));
    let push = |text: &'static str| {
        let order = Rc::clone(&order);
        task::spawn_local(async move { order.borrow_mut().push(text) })
    };
    let guard = outer.enter();
    push("outer");
    let nested = inner.enter();
    push("inner");
    drop(nested);
    push("outer again");
    drop(guard);
    assert!(catch_unwind(AssertUnwindSafe(|| push("nowhere"))).is_err());
    runtime.block_on(inner);
    assert_eq!(*order.borrow(), ["inner"]);
    runtime.block_on(outer);
    assert_eq!(*order.borrow(), ["inner", "outer", "outer again"]);
}

#[test]
fn one_panic_can_stop_the_set() {
    let runtime = current_thread();
    let mut set = LocalSet::new();
    set.unhandled_panic(UnhandledPanic::ShutdownRuntime);
    let shared = Rc::new(());
    let suspended = {
        let shared = Rc::clone(&shared);
        set.spawn_local(async move {
            let _shared = shared;
            pending::<()>().await;
        })
    };
    set.block_on(&runtime, task::yield_now());
    set.spawn_local(async { panic!("planned") });
    let behind = {
        let shared = Rc::clone(&shared);
        set.spawn_local(async move { drop(shared) })
    };
    let stopped = catch_unwind(AssertUnwindSafe(|| set.block_on(&runtime, pending::<()>())));
    let message = *stopped.unwrap_err().downcast::<&str>().unwrap();
    assert!(message.contains("LocalSet is configured to shutdown on unhandled panic"), "{message}");
    assert_eq!(Rc::strong_count(&shared), 1);
    assert!(runtime.block_on(suspended).unwrap_err().is_cancelled());
    assert!(runtime.block_on(behind).unwrap_err().is_cancelled());
}

#[test]
fn a_panic_is_the_tasks_own_unless_told_otherwise() {
    both(|runtime| {
        let set = LocalSet::new();
        let n = set.block_on(runtime, async {
            assert!(task::spawn_local(async { panic!("planned") }).await.unwrap_err().is_panic());
            task::spawn_local(async { 1 }).await.unwrap()
        });
        assert_eq!(n, 1);
    });
}

#[test]
fn sets_nest() {
    both(|runtime| {
        let outer = LocalSet::new();
        let n = outer.block_on(runtime, async {
            task::spawn_local(async {
                let inner = LocalSet::new();
                let n = inner.run_until(async { task::spawn_local(async { 1 }).await.unwrap() }).await;
                n + task::spawn_local(async { 2 }).await.unwrap()
            })
            .await
            .unwrap()
        });
        assert_eq!(n, 3);
    });
}

#[test]
fn local_runtimes_need_no_set() {
    let runtime = LocalRuntime::new().unwrap();
    let n = runtime.block_on(async {
        let n = Rc::new(1);
        let task = task::spawn_local(async move {
            task::yield_now().await;
            *n
        });
        // A set inside takes what is spawned inside it.
        let set = LocalSet::new();
        let inner = set.run_until(async { task::spawn_local(async { 2 }).await.unwrap() }).await;
        task.await.unwrap() + inner
    });
    assert_eq!(n, 3);
    // Elsewhere its handle spawns what may be sent, nothing else.
    let handle = runtime.handle().clone();
    let refused = std::thread::spawn(move || {
        let _guard = handle.enter();
        task::spawn_local(async {});
    });
    let message = *refused.join().unwrap_err().downcast::<&str>().unwrap();
    assert!(message.contains("from the thread the runtime was created on"), "{message}");
}

#[test]
fn blocking_in_place_is_refused() {
    both(|runtime| {
        let set = LocalSet::new();
        let error = set.block_on(runtime, async {
            task::spawn_local(async { task::block_in_place(|| ()) }).await.unwrap_err()
        });
        assert!(error.to_string().contains("can call blocking only when running on the multi-threaded"));
    });
}
