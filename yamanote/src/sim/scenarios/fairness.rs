//! Nobody waits for ever although others always have something to do.

use std::simulation::is_even;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{Stage, one_in, pick};
use crate::sync::Notify;
use crate::task::yield_now;

/// Polls of others between a wake-up and the poll that it asks for, at the most: the longest interval between two
/// looks at the inbox, for each worker, and what the others' rings may hold at that time.
const MOST: usize = 4 * (127 + 64);

/// Two tasks that wake each other keep the LIFO slot busy; others are woken from outside and from inside.
pub(super) fn hogs(stage: &Stage) {
    let mut builder = stage.multi();
    if one_in(2) {
        builder.worker_threads(1);
    }
    let runtime = stage.build(&mut builder);
    let polls = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let (ping, pong) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    for (mine, its) in [(&ping, &pong), (&pong, &ping)] {
        let (mine, its, polls, stop) =
            (Arc::clone(mine), Arc::clone(its), Arc::clone(&polls), Arc::clone(&stop));
        runtime.spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                polls.fetch_add(1, Ordering::SeqCst);
                its.notify_one();
                mine.notified().await;
            }
            its.notify_one();
        });
    }
    ping.notify_one();
    let handle = runtime.handle().clone();
    let (waited, rounds) = (Arc::clone(&polls), 1 + pick(8));
    let from_outside = thread::spawn(move || {
        for _ in 0..rounds {
            let polls = Arc::clone(&waited);
            // After it was queued: the thread may be held up for long before.
            let task = handle.spawn(async move { polls.load(Ordering::SeqCst) });
            let before = waited.load(Ordering::SeqCst);
            let after = handle.block_on(task).unwrap();
            let waited = after.saturating_sub(before);
            // A worker that has no processor polls nothing.
            assert!(waited <= MOST || !is_even(), "waited for {waited} polls");
        }
    });
    from_outside.join().unwrap();
    stop.store(true, Ordering::SeqCst);
    ping.notify_one();
    pong.notify_one();
}

/// Tasks that always yield let timers and each other through.
pub(super) fn yields(stage: &Stage) {
    let runtime = stage.build(&mut stage.multi());
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..1 + pick(5))
        .map(|_| {
            let stop = Arc::clone(&stop);
            runtime.spawn(async move {
                let mut polls = 0;
                while !stop.load(Ordering::SeqCst) {
                    polls += 1;
                    yield_now().await;
                }
                polls
            })
        })
        .collect();
    let handle = runtime.handle().clone();
    let sleeper = handle.spawn(async {
        for _ in 0..2 {
            crate::time::sleep(Duration::from_micros(200)).await;
        }
    });
    runtime.block_on(sleeper).unwrap();
    stop.store(true, Ordering::SeqCst);
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
}
