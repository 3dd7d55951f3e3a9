//! `JoinSet`.

use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use yamanote::sync::oneshot;
use yamanote::task::{self, JoinSet, LocalSet};

use crate::support::{Census, Wakes, both, current_thread};

#[test]
fn tasks_come_in_the_order_in_which_they_are_done() {
    let runtime = current_thread();
    runtime.block_on(async {
        let mut set = JoinSet::new();
        let mut senders = Vec::new();
        for i in 0..10 {
            let (tx, rx) = oneshot::channel::<()>();
            set.spawn(async move {
                rx.await.unwrap();
                i
            });
            senders.push(tx);
        }
        for _ in 0..20 {
            task::yield_now().await;
        }
        assert!(set.try_join_next().is_none());
        for tx in senders.into_iter().rev() {
            tx.send(()).unwrap();
            task::yield_now().await;
        }
        assert_eq!(set.join_all().await, (0..10).rev().collect::<Vec<_>>());
    });
}

#[test]
fn slots_are_used_again() {
    both(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            let mut sum = 0;
            for i in 0..5_000u64 {
                set.spawn(async move { i });
                if i % 3 == 0 {
                    sum += set.join_next().await.unwrap().unwrap();
                }
            }
            while let Some(n) = set.join_next().await {
                sum += n.unwrap();
            }
            assert_eq!(sum, 4_999 * 5_000 / 2);
            assert!(set.is_empty() && set.join_next().await.is_none());
        });
    });
}

#[test]
fn dropping_aborts_and_detaching_does_not() {
    both(|runtime| {
        let census = Census::default();
        runtime.block_on(async {
            let mut set = JoinSet::new();
            for _ in 0..20 {
                let citizen = census.citizen();
                set.spawn(async move {
                    let _citizen = citizen;
                    pending::<()>().await;
                });
            }
            task::yield_now().await;
            drop(set);
            while census.alive() > 0 {
                task::yield_now().await;
            }

            let (tx, rx) = oneshot::channel();
            let mut set = JoinSet::new();
            set.spawn(async move {
                task::yield_now().await;
                tx.send(5).unwrap();
            });
            set.detach_all();
            assert_eq!(set.len(), 0);
            assert!(set.join_next().await.is_none());
            assert_eq!(rx.await.unwrap(), 5);
            // It goes on as a new set.
            set.spawn(async {});
            assert!(set.join_next().await.unwrap().is_ok());
        });
    });
}

#[test]
fn outputs_that_nobody_takes_are_dropped() {
    both(|runtime| {
        let census = Census::default();
        runtime.block_on(async {
            let mut set = JoinSet::new();
            for _ in 0..20 {
                let citizen = census.citizen();
                set.spawn(async move { citizen });
            }
            drop(set.join_next().await.unwrap().unwrap());
            drop(set);
            while census.alive() > 0 {
                task::yield_now().await;
            }
        });
    });
}

#[test]
fn errors_name_their_tasks() {
    both(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            let panics = set.spawn(async { panic!("planned") }).id();
            let error = set.join_next_with_id().await.unwrap().unwrap_err();
            assert!(error.is_panic() && error.id() == panics);
            let aborted = set.spawn(pending::<()>());
            aborted.abort();
            let error = set.join_next_with_id().await.unwrap().unwrap_err();
            assert!(error.is_cancelled() && error.id() == aborted.id());
            let id = set.spawn(async {}).id();
            assert_eq!(set.join_next_with_id().await.unwrap().unwrap().0, id);
        });
    });
}

#[test]
fn join_all_panics_with_the_tasks_panic() {
    both(|runtime| {
        let census = Census::default();
        let citizen = census.citizen();
        let error = runtime.block_on(async {
            let mut set = JoinSet::new();
            set.spawn(async { panic!("planned") });
            set.spawn(async move {
                let _citizen = citizen;
                pending::<()>().await;
            });
            yamanote::spawn(set.join_all()).await.unwrap_err()
        });
        assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "planned");
        runtime.block_on(async {
            while census.alive() > 0 {
                task::yield_now().await;
            }
        });
    });
}

#[test]
fn the_waker_of_the_last_poll_is_woken_once() {
    let runtime = current_thread();
    let mut set = JoinSet::new();
    for _ in 0..3 {
        set.spawn_on(async {}, runtime.handle());
    }
    let ((first, first_waker), (last, last_waker)) = (Wakes::new(), Wakes::new());
    assert!(set.poll_join_next(&mut Context::from_waker(&first_waker)).is_pending());
    assert!(set.poll_join_next(&mut Context::from_waker(&last_waker)).is_pending());
    runtime.block_on(async {
        for _ in 0..10 {
            task::yield_now().await;
        }
    });
    assert_eq!((first.count(), last.count()), (0, 1));
    for _ in 0..3 {
        let output = set.poll_join_next(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(output, Poll::Ready(Some(Ok(())))));
    }
    let output = set.poll_join_next(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(output, Poll::Ready(None)));
}

#[test]
fn joining_takes_part_in_cooperation() {
    let runtime = current_thread();
    runtime.block_on(async {
        let mut set: JoinSet<_> = (0..1000).map(|i| async move { i }).collect();
        task::yield_now().await;
        let mut taken = 0;
        let pauses = {
            let mut pauses = 0;
            loop {
                let next = {
                    let mut next = pin!(set.join_next());
                    next.as_mut().poll(&mut Context::from_waker(Waker::noop()))
                };
                match next {
                    Poll::Ready(Some(output)) => taken += usize::from(output.is_ok()),
                    Poll::Ready(None) => break pauses,
                    Poll::Pending => {
                        pauses += 1;
                        task::yield_now().await;
                    }
                }
            }
        };
        assert_eq!(taken, 1000);
        assert!(pauses > 0);
    });
}

#[test]
fn local_tasks_and_blocking_jobs() {
    both(|runtime| {
        let local = LocalSet::new();
        let mut outputs = local.block_on(runtime, async {
            let mut set = JoinSet::new();
            let n = std::rc::Rc::new(1);
            set.spawn_local(async move { *n });
            set.spawn_blocking(|| 2);
            set.build_task().name("three").spawn(async { 3 }).unwrap();
            set.build_task().spawn_local(async { 4 }).unwrap();
            set.build_task().spawn_blocking(|| 5).unwrap();
            set.extend([async { 6 }]);
            assert_eq!(format!("{set:?}"), "JoinSet { len: 6 }");
            set.join_all().await
        });
        outputs.sort_unstable();
        assert_eq!(outputs, [1, 2, 3, 4, 5, 6]);
    });
}

#[test]
fn a_set_goes_to_another_thread() {
    both(|runtime| {
        let mut set = JoinSet::new();
        for i in 0..100 {
            set.spawn_on(async move { i }, runtime.handle());
        }
        let handle = runtime.handle().clone();
        if matches!(handle.runtime_flavor(), yamanote::runtime::RuntimeFlavor::CurrentThread) {
            // Nobody else drives it.
            runtime.block_on(async {
                for _ in 0..200 {
                    task::yield_now().await;
                }
            });
        }
        let thread = std::thread::spawn(move || handle.block_on(set.join_all()));
        assert_eq!(thread.join().unwrap().into_iter().sum::<i32>(), 4950);
    });
}

#[test]
fn shutdown_waits_for_the_futures_to_go() {
    both(|runtime| {
        let census = Census::default();
        runtime.block_on(async {
            let mut set = JoinSet::new();
            for _ in 0..50 {
                let citizen = census.citizen();
                set.spawn(async move {
                    let _citizen = citizen;
                    pending::<()>().await;
                });
            }
            set.shutdown().await;
            assert_eq!(census.alive(), 0);
            assert!(set.is_empty());
        });
    });
}
