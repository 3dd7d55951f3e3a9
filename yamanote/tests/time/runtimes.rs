//! Timers between runtimes, workers and threads that are neither.

use std::sync::mpsc;
use std::task::Poll;
use std::thread;

use yamanote::runtime::Builder;
use yamanote::time::{Duration, Instant, sleep, timeout};

use crate::support::{ByHand, all_flavours, ms, multi, single};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn works_without_io() {
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let runtime = builder.enable_time().worker_threads(2).build().unwrap();
        let start = Instant::now();
        runtime.block_on(async {
            sleep(ms(5)).await;
            yamanote::spawn(sleep(ms(5))).await.unwrap();
        });
        assert!(start.elapsed() >= ms(10));
    }
}

#[test]
fn every_worker_has_timers() {
    for runtime in all_flavours() {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..512)
                .map(|i| {
                    yamanote::spawn(async move {
                        let start = Instant::now();
                        sleep(ms(5 + i % 10)).await;
                        assert!(start.elapsed() >= ms(5 + i % 10));
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    }
}

/// A timer that a thread outside sets on a parked worker, whose next timer is an hour away.
#[test]
fn a_parked_worker_hears_of_an_earlier_deadline() {
    for runtime in [multi(1), multi(2)] {
        for _ in 0..2 {
            runtime.spawn(async { sleep(HOUR).await });
        }
        thread::sleep(ms(20));
        runtime.block_on(async {
            for _ in 0..20 {
                timeout(HOUR, sleep(ms(1))).await.unwrap();
            }
        });
    }
}

/// The single-threaded runtime's own thread sleeps in its driver; another thread adds a timer.
#[test]
fn another_thread_sets_a_timer_on_a_single_threaded_runtime() {
    let runtime = single();
    let handle = runtime.handle().clone();
    let (sender, receiver) = futures::channel::oneshot::channel();
    let other = thread::spawn(move || {
        thread::sleep(ms(20));
        handle.block_on(async {
            for _ in 0..20 {
                sleep(ms(1)).await;
            }
        });
        sender.send(()).unwrap();
    });
    runtime.block_on(async { timeout(HOUR, receiver).await.unwrap().unwrap() });
    other.join().unwrap();
}

#[test]
fn a_timer_moves_with_its_task_between_threads() {
    let runtime = multi(2);
    let (sender, receiver) = mpsc::channel();
    runtime.spawn(async move {
        let mut sleep = Box::pin(sleep(HOUR));
        assert!(futures::poll!(sleep.as_mut()).is_pending());
        sender.send(sleep).unwrap();
    });
    let mut moved = receiver.recv().unwrap();
    moved.as_mut().reset(Instant::now() + ms(5));
    runtime.block_on(moved);
}

#[test]
fn a_busy_worker_fires_its_timers() {
    for runtime in all_flavours() {
        let start = Instant::now();
        runtime.block_on(async {
            let mut sleep = Box::pin(sleep(ms(10)));
            let mut polls = 0u64;
            std::future::poll_fn(|cx| {
                polls += 1;
                if Future::poll(sleep.as_mut(), cx).is_ready() {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            assert!(polls > 0);
        });
        assert!(start.elapsed() >= ms(10));
    }
}

/// A worker that is stuck in a poll does not hold up the timers that were set on it.
#[test]
fn a_stuck_worker_does_not_delay_others() {
    let runtime = multi(2);
    let (sender, receiver) = mpsc::channel();
    runtime.spawn(async move {
        let waiter = yamanote::spawn(async move {
            sleep(ms(30)).await;
            sender.send(()).unwrap();
        });
        yamanote::task::yield_now().await;
        thread::sleep(Duration::from_millis(10));
        drop(waiter);
    });
    receiver.recv_timeout(HOUR).unwrap();
}

/// A timer belongs to the runtime in which it was made, wherever it is polled and reset.
#[test]
fn stays_with_its_runtime() {
    let (first, second) = (multi(1), single());
    #[allow(clippy::async_yields_async)]
    let made = first.block_on(async { yamanote::spawn(async { sleep(HOUR) }).await.unwrap() });
    let mut made = ByHand::pin(made);
    assert!(made.poll().is_pending());
    second.block_on(async { made.inner.as_mut().reset(Instant::now() + 2 * HOUR) });
    assert!(made.poll().is_pending());
    drop(second);
    assert_eq!(made.wakes(), 0);
    // What is linked when its runtime goes away is let go.
    drop(first);
    assert_eq!(made.wakes(), 1);
    assert!(made.poll().is_ready());
}

#[test]
fn tasks_that_sleep_are_dropped_with_their_runtime() {
    for runtime in all_flavours() {
        let (sender, receiver) = mpsc::channel::<()>();
        for _ in 0..100 {
            let sender = sender.clone();
            runtime.spawn(async move {
                sleep(HOUR).await;
                drop(sender);
            });
        }
        drop(sender);
        runtime.block_on(async { sleep(ms(2)).await });
        drop(runtime);
        assert!(receiver.recv().is_err());
    }
}
