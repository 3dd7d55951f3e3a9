//! Joining and aborting single tasks.

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};

use yamanote::sync::oneshot;
use yamanote::task::{self, JoinHandle};

use crate::support::{Census, PanicsInDrop, Signals, Wakes, both, current_thread, poll};

#[test]
fn the_output_is_dropped_once_whoever_is_last() {
    both(|runtime| {
        let census = Census::default();
        // Joined.
        let citizen = census.citizen();
        drop(runtime.block_on(runtime.spawn(async move { citizen })).unwrap());
        assert_eq!(census.alive(), 0);
        // Detached before the task is done.
        let citizen = census.citizen();
        let (tx, rx) = oneshot::channel();
        drop(runtime.spawn(async move {
            rx.await.unwrap();
            citizen
        }));
        let alive = census.clone();
        runtime.block_on(async move {
            tx.send(()).unwrap();
            while alive.alive() > 0 {
                task::yield_now().await;
            }
        });
        // Detached after.
        let citizen = census.citizen();
        let handle = runtime.spawn(async move { citizen });
        runtime.block_on(async {
            while !handle.is_finished() {
                task::yield_now().await;
            }
        });
        assert_eq!(census.alive(), 1);
        drop(handle);
        assert_eq!(census.alive(), 0);
    });
}

#[test]
fn the_future_is_gone_before_the_output_is_there() {
    /// Ready at once, and counted.
    struct Ready(#[allow(dead_code)] crate::support::Citizen);

    impl Future for Ready {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }
    }

    both(|runtime| {
        for _ in 0..100 {
            let census = Census::default();
            let future = Ready(census.citizen());
            runtime.block_on(async {
                runtime.spawn(future).await.unwrap();
                assert_eq!(census.alive(), 0);
            });
        }
    });
}

#[test]
fn panics_go_to_the_handle() {
    both(|runtime| {
        let error = runtime
            .block_on(runtime.spawn(async { panic!("number {}", std::hint::black_box(7)) }))
            .unwrap_err();
        assert!(error.is_panic() && !error.is_cancelled());
        assert!(error.to_string().contains("panicked with message \"number 7\""), "{error}");
        assert!(format!("{error:?}").starts_with("JoinError::Panic(Id("), "{error:?}");
        assert_eq!(*error.into_panic().downcast::<String>().unwrap(), "number 7");

        let error = runtime.block_on(runtime.spawn(async { std::panic::panic_any(7u8) })).unwrap_err();
        assert!(error.to_string().ends_with("panicked"), "{error}");
        assert_eq!(*error.try_into_panic().unwrap().downcast::<u8>().unwrap(), 7);
    });
}

#[test]
fn a_panic_in_a_drop_is_contained() {
    both(|runtime| {
        // Of a future that is done.
        let handle = runtime.spawn({
            let bomb = PanicsInDrop;
            poll_fn(move |_| {
                let _ = &bomb;
                Poll::Ready(())
            })
        });
        assert!(runtime.block_on(handle).unwrap_err().is_panic());
        // Of a future that is cancelled.
        let handle = runtime.spawn(async {
            let _bomb = PanicsInDrop;
            pending::<()>().await;
        });
        runtime.block_on(task::yield_now());
        handle.abort();
        let error = runtime.block_on(handle).unwrap_err();
        assert!(error.is_panic() || error.is_cancelled());
        // Of an output that nobody wants: neither the worker nor the handle's owner sees it.
        drop(runtime.spawn(async { PanicsInDrop }));
        let handle = runtime.spawn(async { PanicsInDrop });
        runtime.block_on(async {
            while !handle.is_finished() {
                task::yield_now().await;
            }
        });
        drop(handle);
        assert_eq!(runtime.block_on(runtime.spawn(async { 1 })).unwrap(), 1);
    });
}

#[test]
fn abort_is_seen_wherever_the_task_is() {
    both(|runtime| {
        let census = Census::default();
        // Not polled yet, on the single thread at least.
        let citizen = census.citizen();
        let handle = runtime.spawn(async move {
            let _citizen = citizen;
            pending::<()>().await;
        });
        handle.abort();
        assert!(runtime.block_on(handle).unwrap_err().is_cancelled());
        // Suspended.
        let citizen = census.citizen();
        let (tx, rx) = oneshot::channel();
        let handle = runtime.spawn(async move {
            let _citizen = citizen;
            tx.send(()).unwrap();
            pending::<()>().await;
        });
        runtime.block_on(rx).unwrap();
        let abort = handle.abort_handle();
        let clone = abort.clone();
        drop(abort);
        clone.abort();
        clone.abort();
        let error = runtime.block_on(handle).unwrap_err();
        assert_eq!(error.to_string(), format!("task {} was cancelled", clone.id()));
        assert!(clone.is_finished());
        // By itself, while it runs: it goes on to its next wait.
        let (tx, rx) = oneshot::channel::<task::AbortHandle>();
        let (done, was_done) = mpsc::channel();
        let citizen = census.citizen();
        let handle = runtime.spawn(async move {
            let _citizen = citizen;
            rx.await.unwrap().abort();
            done.send(()).unwrap();
            task::yield_now().await;
            unreachable!("cancelled");
        });
        tx.send(handle.abort_handle()).unwrap();
        assert!(runtime.block_on(handle).unwrap_err().is_cancelled());
        was_done.try_recv().unwrap();
        assert_eq!(census.alive(), 0);
        // Done.
        let handle = runtime.spawn(async { 1 });
        runtime.block_on(async {
            while !handle.is_finished() {
                task::yield_now().await;
            }
        });
        handle.abort();
        assert_eq!(runtime.block_on(handle).unwrap(), 1);
    });
}

#[test]
fn a_handle_wakes_the_waker_of_its_last_poll() {
    let runtime = current_thread();
    let (tx, rx) = oneshot::channel::<()>();
    let mut handle = runtime.spawn(async { rx.await.unwrap() });
    let ((first, first_waker), (second, second_waker)) = (Wakes::new(), Wakes::new());
    assert!(poll(&mut handle, &first_waker).is_pending());
    assert!(poll(&mut handle, &second_waker).is_pending());
    tx.send(()).unwrap();
    while !handle.is_finished() {
        runtime.block_on(task::yield_now());
    }
    assert_eq!((first.count(), second.count()), (0, 1));
    assert!(poll(&mut handle, Waker::noop()).is_ready());
}

#[test]
#[should_panic(expected = "JoinHandle polled after completion")]
fn a_handle_is_ready_once() {
    let runtime = current_thread();
    let mut handle = runtime.spawn(async {});
    runtime.block_on(&mut handle).unwrap();
    let _ = runtime.block_on(&mut handle);
}

#[test]
fn tasks_end_with_their_runtime() {
    let census = Census::default();
    let (suspended, unpolled): (JoinHandle<()>, JoinHandle<()>);
    {
        let runtime = current_thread();
        let citizen = census.citizen();
        suspended = runtime.spawn(async move {
            let _citizen = citizen;
            pending().await
        });
        runtime.block_on(task::yield_now());
        let citizen = census.citizen();
        unpolled = runtime.spawn(async move {
            let _citizen = citizen;
            pending().await
        });
    }
    assert_eq!(census.alive(), 0);
    let other = current_thread();
    assert!(other.block_on(suspended).unwrap_err().is_cancelled());
    assert!(other.block_on(unpolled).unwrap_err().is_cancelled());
}

#[cfg(feature = "rt-multi-thread")]
#[test]
fn detached_tasks_are_not_leaked_at_shutdown() {
    let census = Census::default();
    for _ in 0..50 {
        let runtime = yamanote::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        for _ in 0..20 {
            let citizen = census.citizen();
            drop(runtime.spawn(async move {
                let _citizen = citizen;
                pending::<()>().await;
            }));
        }
        drop(runtime);
        assert_eq!(census.alive(), 0);
    }
}

#[test]
fn wakes_from_many_threads_are_all_answered() {
    both(|runtime| {
        const THREADS: usize = 4;
        const WAKES: usize = 500;
        let signals = Arc::new(Signals::default());
        let waits = Arc::clone(&signals);
        let handle = runtime.spawn(async move { waits.reach(THREADS * WAKES).await });
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let signals = Arc::clone(&signals);
                std::thread::spawn(move || (0..WAKES).for_each(|_| signals.raise()))
            })
            .collect();
        runtime.block_on(handle).unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn large_futures_are_boxed_and_work() {
    both(|runtime| {
        let big = [7u8; 64 * 1024];
        let handle = runtime.spawn(async move {
            task::yield_now().await;
            big.iter().map(|&b| u64::from(b)).sum::<u64>()
        });
        assert_eq!(runtime.block_on(handle).unwrap(), 7 * 64 * 1024);
    });
}

#[test]
fn ids_are_seen_in_polls_and_drops() {
    struct Tells(Option<oneshot::Sender<Option<task::Id>>>);

    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.take().unwrap().send(task::try_id());
        }
    }

    both(|runtime| {
        assert_eq!(task::try_id(), None);
        let (tx, rx) = oneshot::channel();
        let tells = Tells(Some(tx));
        let handle = runtime.spawn(async move {
            let _tells = tells;
            task::id()
        });
        let id = handle.id();
        assert_eq!(runtime.block_on(handle).unwrap(), id);
        assert_eq!(runtime.block_on(rx).unwrap(), Some(id));
        // An output that nobody takes.
        let (tx, rx) = oneshot::channel();
        let handle = runtime.spawn(async move { Tells(Some(tx)) });
        let id = handle.id();
        drop(handle);
        assert_eq!(runtime.block_on(rx).unwrap(), Some(id));
    });
}

#[test]
fn builders_spawn_what_the_functions_spawn() {
    both(|runtime| {
        let _guard = runtime.enter();
        let builder = || task::Builder::new().name("named");
        assert!(format!("{:?}", builder()).contains("named"));
        let local = task::LocalSet::new();
        let tasks = [
            builder().spawn(async { 1 }).unwrap(),
            builder().spawn_on(async { 2 }, runtime.handle()).unwrap(),
            builder().spawn_blocking(|| 3).unwrap(),
            builder().spawn_blocking_on(|| 4, runtime.handle()).unwrap(),
            builder().spawn_local_on(async { 5 }, &local).unwrap(),
        ];
        let sum = local.block_on(runtime, async move {
            let mut sum = builder().spawn_local(async { 6 }).unwrap().await.unwrap();
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, 21);
    });
}
