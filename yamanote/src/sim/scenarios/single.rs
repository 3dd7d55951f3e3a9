//! The single-threaded flavour: driven by whichever thread blocks on it.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Stage, one_in, pick};
use crate::runtime::Builder;
use crate::sync::{Notify, mpsc};
use crate::task::{LocalSet, spawn_blocking, spawn_local, yield_now};
use crate::time::{Instant, sleep, timeout};

/// Several threads block on one runtime: one drives it, and hands it on when it is done.
pub(super) fn shared_by_threads(stage: &Stage) {
    let runtime = Arc::new(stage.build(Builder::new_current_thread().enable_time()));
    let (send, mut receive) = mpsc::channel(2);
    let threads: Vec<_> = (0..1 + pick(3))
        .map(|i| {
            let (runtime, send, rounds) = (Arc::clone(&runtime), send.clone(), 1 + pick(4));
            thread::spawn(move || {
                for round in 0..rounds {
                    let send = send.clone();
                    runtime.block_on(async move {
                        let task = crate::spawn(async move {
                            yield_now().await;
                            send.send(i).await.unwrap();
                        });
                        if round % 2 == 0 {
                            sleep(Duration::from_micros(500)).await;
                        }
                        task.await.unwrap();
                    });
                }
                rounds
            })
        })
        .collect();
    drop(send);
    let received = runtime.block_on(async {
        let mut received = 0;
        while receive.recv().await.is_some() {
            received += 1;
            if one_in(4) {
                spawn_blocking(|| thread::sleep(Duration::from_micros(100))).await.unwrap();
            }
        }
        received
    });
    let sent: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(received, sent);
}

/// Under a paused clock time jumps, but never over a job or a wake-up from outside.
pub(super) fn paused(stage: &Stage) {
    let runtime = stage.build(Builder::new_current_thread().enable_time().start_paused(true));
    let local = LocalSet::new();
    let notify = Arc::new(Notify::new());
    let outside = {
        let (notify, pause) = (Arc::clone(&notify), pick(2_000) as u64);
        thread::spawn(move || {
            thread::sleep(Duration::from_micros(pause));
            notify.notify_one();
        })
    };
    local.block_on(&runtime, async move {
        let start = Instant::now();
        let sleeper = spawn_local(async {
            for i in 1..=5 {
                sleep(Duration::from_secs(i)).await;
            }
        });
        let job = spawn_blocking(|| thread::sleep(Duration::from_millis(pick(5) as u64)));
        timeout(Duration::from_nanos(1), job).await.expect("time jumped over a job").unwrap();
        sleeper.await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(15));
        notify.notified().await;
    });
    outside.join().unwrap();
}
