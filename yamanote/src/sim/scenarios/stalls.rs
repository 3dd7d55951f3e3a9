//! Tasks that block their thread: what waits behind them goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{Stage, one_in, pick};
use crate::sync::{Notify, oneshot};
use crate::task::{block_in_place, yield_now};
use crate::time::{Instant, sleep};

/// Some tasks block for long in a poll; others have timers, wake each other and yield meanwhile.
pub(super) fn stalls(stage: &Stage) {
    let mut builder = stage.multi();
    if one_in(4) {
        builder.max_spare_workers(pick(2));
    }
    let runtime = stage.build(&mut builder);
    let stuck = Arc::new(AtomicUsize::new(0));
    let stallers: Vec<_> = (0..1 + pick(3))
        .map(|_| {
            let stuck = Arc::clone(&stuck);
            let (rounds, long) = (1 + pick(2), 1 + pick(80) as u64);
            runtime.spawn(async move {
                for _ in 0..rounds {
                    let (ours, theirs) = oneshot::channel();
                    // Into the LIFO slot, right before the stall.
                    let behind = crate::spawn(async move { ours.send(()).unwrap() });
                    stuck.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(long));
                    stuck.fetch_sub(1, Ordering::SeqCst);
                    theirs.await.unwrap();
                    behind.await.unwrap();
                    sleep(Duration::from_millis(1)).await;
                }
            })
        })
        .collect();
    // From the moment when a stall is noticed, what comes after it is late by no more than chance has it.
    let delays = std::simulation::longest_delay();
    let others: Vec<_> = (0..1 + pick(4))
        .map(|_| {
            let steps = 1 + pick(30);
            runtime.spawn(async move {
                let notify = Notify::new();
                for step in 0..steps {
                    match step % 3 {
                        0 => sleep(Duration::from_millis(1)).await,
                        1 => yield_now().await,
                        _ => {
                            notify.notify_one();
                            notify.notified().await;
                        }
                    }
                }
            })
        })
        .collect();
    // A long stall, and a timer that is due in the middle of it.
    if delays.is_zero() && runtime.metrics().num_workers() > 1 {
        let (start, handle) = (Instant::now(), runtime.handle().clone());
        let timer = handle.spawn(async move {
            sleep(Duration::from_millis(5)).await;
            start.elapsed()
        });
        let late = runtime.block_on(timer).unwrap();
        assert!(late <= Duration::from_millis(5 + 4 * 80 + 40), "late: {late:?}");
    }
    runtime.block_on(async {
        for task in stallers.into_iter().chain(others) {
            task.await.unwrap();
        }
    });
    assert_eq!(stuck.load(Ordering::SeqCst), 0);
}

/// Workers turn into blocking threads, and their cores go on elsewhere.
pub(super) fn in_place(stage: &Stage) {
    let mut builder = stage.multi();
    if one_in(3) {
        builder.max_blocking_threads(1 + pick(2));
    }
    let runtime = stage.build(&mut builder);
    let tasks: Vec<_> = (0..1 + pick(5))
        .map(|i| {
            let (rounds, long) = (1 + pick(3), pick(30) as u64);
            let handle = runtime.handle().clone();
            runtime.spawn(async move {
                for _ in 0..rounds {
                    let (ours, theirs) = oneshot::channel();
                    let other = crate::spawn(async move { ours.send(i).unwrap() });
                    let received = block_in_place(|| {
                        thread::sleep(Duration::from_millis(long));
                        handle.block_on(theirs).unwrap()
                    });
                    assert_eq!(received, i);
                    other.await.unwrap();
                    sleep(Duration::from_micros(300)).await;
                }
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
}
