//! The pool of blocking threads: each job runs once, threads come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{Stage, one_in, pick};
use crate::time::sleep;

/// Jobs come in bursts, with threads that idle out in between.
pub(super) fn jobs(stage: &Stage) {
    let mut builder = stage.multi();
    builder.max_blocking_threads(1 + pick(3)).thread_keep_alive(Duration::from_millis(pick(20) as u64));
    let runtime = stage.build(&mut builder);
    let ran = Arc::new(AtomicUsize::new(0));
    let bursts = 1 + pick(4);
    let mut jobs = 0;
    for _ in 0..bursts {
        let burst = 1 + pick(5);
        jobs += burst;
        let handles: Vec<_> = (0..burst)
            .map(|i| {
                let (ran, long) = (Arc::clone(&ran), pick(5) as u64);
                runtime.spawn_blocking(move || {
                    thread::sleep(Duration::from_millis(long));
                    ran.fetch_add(1, Ordering::SeqCst);
                    i
                })
            })
            .collect();
        if one_in(2) {
            runtime.block_on(async { sleep(Duration::from_millis(pick(30) as u64)).await });
        }
        runtime.block_on(async {
            for (i, handle) in handles.into_iter().enumerate() {
                assert_eq!(handle.await.unwrap(), i);
            }
        });
    }
    assert_eq!(ran.load(Ordering::SeqCst), jobs);
}

/// The system refuses threads: what cannot start says so, and the rest goes on.
pub(super) fn refused(stage: &Stage) {
    let Ok(runtime) = stage.multi().build() else { return };
    let runtime = stage.watch(runtime);
    let ran = Arc::new(AtomicUsize::new(0));
    let mut accepted = 0;
    for _ in 0..1 + pick(6) {
        let its = Arc::clone(&ran);
        let job = move || {
            thread::sleep(Duration::from_millis(pick(30) as u64));
            its.fetch_add(1, Ordering::SeqCst);
        };
        let spawned =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.spawn_blocking(job)));
        if let Ok(handle) = spawned {
            accepted += usize::from(runtime.block_on(handle).is_ok());
        }
        let stall = runtime.spawn(async {
            thread::sleep(Duration::from_millis(pick(30) as u64));
        });
        runtime.block_on(stall).unwrap();
    }
    assert_eq!(ran.load(Ordering::SeqCst), accepted);
}

/// Threads that idle for as long as they like are told of each job, at once.
pub(super) fn notices(stage: &Stage) {
    let mut builder = stage.multi();
    builder.max_blocking_threads(1 + pick(3)).thread_keep_alive(Duration::from_secs(1_000_000));
    let runtime = stage.build(&mut builder);
    let start = crate::time::Instant::now();
    for _ in 0..1 + pick(6) {
        let burst: Vec<_> = (0..1 + pick(4))
            .map(|i| {
                let long = pick(3) as u64;
                runtime.spawn_blocking(move || {
                    thread::sleep(Duration::from_millis(long));
                    i
                })
            })
            .collect();
        runtime.block_on(async {
            for (i, job) in burst.into_iter().enumerate() {
                assert_eq!(job.await.unwrap(), i);
            }
            if one_in(2) {
                sleep(Duration::from_millis(pick(30) as u64)).await;
            }
        });
    }
    // Far more than it takes, whatever delays there are.
    assert!(start.elapsed() < Duration::from_secs(100_000), "a job waited for a thread to grow tired");
}
