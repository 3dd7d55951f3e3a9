//! A runtime ends at any moment: each future is dropped once, each handle tells what became of its task.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{Stage, one_in, pick};
use crate::runtime::Handle;
use crate::sync::Notify;
use crate::task::{JoinHandle, spawn_blocking, yield_now};
use crate::time::sleep;

/// Counts what is made and what is dropped.
#[derive(Clone, Default)]
struct Ledger {
    made: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

struct Entry(Ledger);

impl Ledger {
    fn entry(&self) -> Entry {
        self.made.fetch_add(1, Ordering::SeqCst);
        Entry(self.clone())
    }

    fn open(&self) -> usize {
        self.made.load(Ordering::SeqCst) - self.dropped.load(Ordering::SeqCst)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let dropped = self.0.dropped.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(dropped <= self.0.made.load(Ordering::SeqCst), "something was dropped twice");
    }
}

/// A task of some kind, which may spawn more.
fn work(handle: &Handle, ledger: &Ledger, notify: &Arc<Notify>, depth: usize) -> JoinHandle<()> {
    let (entry, kind, long) = (ledger.entry(), pick(6), pick(20) as u64);
    let (inner, ledger, notify) = (handle.clone(), ledger.clone(), Arc::clone(notify));
    handle.spawn(async move {
        let _entry = entry;
        match kind {
            0 => notify.notified().await,
            1 => sleep(Duration::from_millis(long)).await,
            2 => {
                for _ in 0..long {
                    yield_now().await;
                }
            }
            3 => thread::sleep(Duration::from_millis(long)),
            4 => {
                let entry = ledger.entry();
                _ = spawn_blocking(move || {
                    let _entry = entry;
                    thread::sleep(Duration::from_millis(long));
                })
                .await;
            }
            _ if depth > 0 => {
                let tasks: Vec<_> = (0..2).map(|_| work(&inner, &ledger, &notify, depth - 1)).collect();
                notify.notify_waiters();
                for task in tasks {
                    _ = task.await;
                }
            }
            _ => std::future::pending().await,
        }
    })
}

fn start(
    stage: &Stage,
    ledger: &Ledger,
) -> (crate::runtime::Runtime, Vec<JoinHandle<()>>, Option<thread::JoinHandle<()>>) {
    let runtime = stage.build(&mut stage.multi());
    let notify = Arc::new(Notify::new());
    let handle = runtime.handle().clone();
    let tasks = (0..1 + pick(6)).map(|_| work(&handle, ledger, &notify, 2)).collect();
    // Somebody who does not know that the end is near.
    let outside = one_in(2).then(|| {
        let (ledger, rounds) = (ledger.clone(), 1 + pick(10));
        thread::spawn(move || {
            for _ in 0..rounds {
                drop(work(&handle, &ledger, &notify, 1));
                notify.notify_one();
                thread::sleep(Duration::from_micros(pick(3_000) as u64));
            }
        })
    });
    thread::sleep(Duration::from_micros(pick(10_000) as u64));
    (runtime, tasks, outside)
}

/// Joined from outside, on a runtime of its own.
fn join(tasks: Vec<JoinHandle<()>>) {
    let other = crate::runtime::Builder::new_current_thread().build().unwrap();
    other.block_on(async {
        for task in tasks {
            if let Err(error) = task.await {
                assert!(error.is_cancelled(), "{error}");
            }
        }
    });
}

/// Dropped: waits for polls and jobs that are under way.
pub(super) fn any_moment(stage: &Stage) {
    let ledger = Ledger::default();
    let (runtime, tasks, outside) = start(stage, &ledger);
    drop(runtime);
    if outside.is_none() {
        assert_eq!(ledger.open(), 0, "futures that outlive their runtime");
    }
    join(tasks);
    if let Some(outside) = outside {
        outside.join().unwrap();
    }
    assert_eq!(ledger.open(), 0, "futures that outlive their runtime and its handles");
}

/// Ended without waiting, or not for long: all the same in the end.
pub(super) fn background(stage: &Stage) {
    let ledger = Ledger::default();
    let (runtime, tasks, outside) = start(stage, &ledger);
    if one_in(2) {
        runtime.shutdown_background();
    } else {
        runtime.shutdown_timeout(Duration::from_millis(pick(20) as u64));
    }
    join(tasks);
    if let Some(outside) = outside {
        outside.join().unwrap();
    }
    // What is still under way ends in its own time.
    for _ in 0..1_000 {
        if ledger.open() == 0 {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{} futures are still there", ledger.open());
}
