//! Timers: never early, never slept over, whoever links, moves or drops them.

use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Stage, one_in, pick};
use crate::sync::{Mutex, Notify, mpsc};
use crate::time::{Instant, Sleep, sleep, sleep_until, timeout};

fn some_time() -> Duration {
    match pick(4) {
        0 => Duration::from_micros(pick(3_000) as u64),
        1 => Duration::from_millis(pick(20) as u64),
        2 => Duration::from_millis(pick(200) as u64),
        _ => Duration::from_millis(pick(5_000) as u64),
    }
}

/// Sleeps, and timeouts that mostly do not fire, on all workers.
pub(super) fn timers(stage: &Stage) {
    let runtime = stage.build(&mut stage.multi());
    let tasks: Vec<_> = (0..1 + pick(8))
        .map(|_| {
            let (rounds, timed) = (1 + pick(4), one_in(2));
            runtime.spawn(async move {
                for _ in 0..rounds {
                    let (start, time) = (Instant::now(), some_time());
                    if timed {
                        let longer = time + Duration::from_millis(1 + pick(50) as u64);
                        _ = timeout(longer, sleep(time)).await;
                    } else {
                        sleep(time).await;
                    }
                    assert!(start.elapsed() >= time, "early");
                }
            })
        })
        .collect();
    // A thread that is no worker has timers too.
    let handle = runtime.handle().clone();
    let outside = thread::spawn(move || {
        handle.block_on(async {
            let (start, time) = (Instant::now(), some_time());
            sleep(time).await;
            assert!(start.elapsed() >= time, "early");
        });
    });
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    outside.join().unwrap();
}

/// Timers that are linked by one worker and reset, moved and dropped by others.
pub(super) fn moved(stage: &Stage) {
    let runtime = stage.build(&mut stage.multi());
    let (hand, mut handed) = mpsc::channel::<(std::pin::Pin<Box<Sleep>>, Instant)>(2);
    let count = 1 + pick(6);
    for _ in 0..count {
        let hand = hand.clone();
        let (time, reset) = (some_time(), one_in(2));
        runtime.spawn(async move {
            let mut deadline = Instant::now() + time;
            let mut timer = Box::pin(sleep_until(deadline));
            // Polled here once, so it is in this worker's wheel.
            _ = futures::poll!(timer.as_mut());
            if reset {
                deadline = Instant::now() + some_time();
                timer.as_mut().reset(deadline);
            }
            hand.send((timer, deadline)).await.unwrap();
        });
    }
    drop(hand);
    let tasks = Arc::new(Mutex::new(Vec::new()));
    let collected = Arc::clone(&tasks);
    let collect = runtime.spawn(async move {
        while let Some((mut timer, mut deadline)) = handed.recv().await {
            let (fate, cancel) = (pick(4), Arc::new(Notify::new()));
            let cancelled = Arc::clone(&cancel);
            let task = crate::spawn(async move {
                match fate {
                    0 => drop(timer),
                    1 => {
                        let mut cancelled = pin!(cancelled.notified());
                        crate::select! {
                            () = &mut cancelled => {}
                            () = &mut timer => assert!(Instant::now() >= deadline, "early"),
                        }
                    }
                    2 => {
                        deadline = Instant::now() + some_time();
                        timer.as_mut().reset(deadline);
                        timer.await;
                        assert!(Instant::now() >= deadline, "early");
                    }
                    _ => {
                        timer.await;
                        assert!(Instant::now() >= deadline, "early");
                    }
                }
            });
            cancel.notify_one();
            collected.lock().await.push(task);
        }
    });
    runtime.block_on(async {
        collect.await.unwrap();
        for task in tasks.lock().await.drain(..) {
            task.await.unwrap();
        }
    });
}
