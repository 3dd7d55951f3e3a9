//! Dumps of a running runtime's tasks.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use yamanote::runtime::{Builder, Handle, Runtime};
use yamanote::sync::Notify;
use yamanote::task::JoinSet;
use yamanote::time::timeout;

use crate::each_flavor;

/// The stacks of all tasks in a dump.
async fn dump() -> Vec<String> {
    let dump = Handle::current().dump().await;
    dump.tasks().iter().map(|task| task.trace().to_string()).collect()
}

#[inline(never)]
async fn inner_waits_here(notify: &Notify) {
    notify.notified().await;
}

#[inline(never)]
async fn outer_waits_for_inner(notify: Arc<Notify>) {
    inner_waits_here(&notify).await;
}

fn on_a_worker(runtime: &Runtime, test: impl Future<Output = ()> + Send + 'static) {
    runtime.block_on(async { yamanote::spawn(test).await.unwrap() });
}

#[test]
fn a_trace_shows_who_waits_for_whom() {
    each_flavor(|runtime| {
        on_a_worker(&runtime, async {
            let notify = Arc::new(Notify::new());
            let task = yamanote::spawn(outer_waits_for_inner(Arc::clone(&notify)));
            while !dump().await.iter().any(|trace| {
                trace.contains("outer_waits_for_inner") && trace.contains("inner_waits_here")
            }) {
                // It has not got there yet.
                yamanote::task::yield_now().await;
            }
            assert!(!task.is_finished());
            notify.notify_one();
            task.await.unwrap();
        });
    });
}

#[test]
fn no_wake_up_is_lost_to_a_dump() {
    each_flavor(|runtime| {
        on_a_worker(&runtime, async {
            let mut tasks = JoinSet::new();
            for _ in 0..20 {
                let (a, b) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
                let (c, d) = (Arc::clone(&a), Arc::clone(&b));
                tasks.spawn(async move {
                    for _ in 0..200 {
                        a.notify_one();
                        b.notified().await;
                    }
                });
                tasks.spawn(async move {
                    for _ in 0..200 {
                        c.notified().await;
                        let _ = timeout(Duration::from_micros(1), std::future::pending::<()>()).await;
                        d.notify_one();
                    }
                });
            }
            while !tasks.is_empty() {
                dump().await;
                while let Some(task) = tasks.try_join_next() {
                    task.unwrap();
                }
            }
        });
    });
}

#[test]
fn a_worker_in_a_long_poll_does_not_hold_a_dump_up() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    runtime.spawn(async move {
        let _ = released.recv();
    });
    let notify = Arc::new(Notify::new());
    runtime.spawn(outer_waits_for_inner(Arc::clone(&notify)));
    on_a_worker(&runtime, async move {
        while !dump().await.iter().any(|trace| trace.contains("inner_waits_here")) {
            yamanote::task::yield_now().await;
        }
        drop(release);
    });
}

/// One task alone: the others are not traced, and go on.
#[test]
fn a_dump_of_one_task() {
    each_flavor(|runtime| {
        on_a_worker(&runtime, async {
            let notify = Arc::new(Notify::new());
            let task = yamanote::spawn(outer_waits_for_inner(Arc::clone(&notify)));
            let other = yamanote::spawn(std::future::pending::<()>());
            let handle = Handle::current();
            let trace = loop {
                // It may not have been polled yet.
                match handle.dump_task(task.id()).await {
                    Some(found) if found.trace().to_string().contains("inner_waits_here") => {
                        break found;
                    }
                    _ => yamanote::task::yield_now().await,
                }
            };
            assert_eq!(trace.id(), task.id());
            assert!(trace.trace().to_string().contains("outer_waits_for_inner"));
            assert!(handle.dump_task(yamanote::task::id()).await.is_none(), "itself");
            let id = task.id();
            notify.notify_one();
            task.await.unwrap();
            assert!(handle.dump_task(id).await.is_none(), "gone");
            other.abort();
        });
    });
}
