//! Spawning, yielding, waking, aborting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use rt::sync::{Notify, mpsc, oneshot};
use rt::task::JoinSet;

use crate::harness::{CT, Cell, Context, Metric, W2, on, times};

pub const CELLS: &[Cell] = &[
    Cell { name: "task/spawn_join", flavours: &[CT, W2], run: spawn_join },
    Cell { name: "task/spawn_10k", flavours: &[CT, W2], run: spawn_10k },
    Cell { name: "task/yield_now", flavours: &[CT, W2], run: yield_now },
    Cell { name: "task/yield_1k_tasks", flavours: &[CT, W2], run: yield_many },
    Cell { name: "task/ping_pong", flavours: &[CT, W2], run: ping_pong },
    Cell { name: "task/chained_spawn", flavours: &[CT, W2], run: chained_spawn },
    Cell { name: "task/remote_spawn", flavours: &[CT, W2], run: remote_spawn },
    Cell { name: "task/remote_wake", flavours: &[CT, W2], run: remote_wake },
    Cell { name: "task/join_set_1000", flavours: &[CT, W2], run: join_set },
    Cell { name: "task/abort_10k", flavours: &[CT, W2], run: abort },
];

fn spawn_join(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                rt::spawn(async {}).await.unwrap();
            }
            n
        })
        .both()
}

fn spawn_10k(context: &Context) -> Vec<Metric> {
    const TASKS: u64 = 10_000;
    context
        .tasks(|n| async move {
            let mut handles = Vec::with_capacity(TASKS as usize);
            for _ in 0..times(n, TASKS) {
                handles.extend((0..TASKS).map(|_| rt::spawn(async {})));
                for handle in handles.drain(..) {
                    handle.await.unwrap();
                }
            }
            times(n, TASKS) * TASKS
        })
        .both()
}

fn yield_now(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                rt::task::yield_now().await;
            }
            n
        })
        .wall()
}

fn yield_many(context: &Context) -> Vec<Metric> {
    const TASKS: u64 = 1_000;
    context
        .tasks(|n| async move {
            let each = times(n, TASKS);
            let task = move || async move {
                for _ in 0..each {
                    rt::task::yield_now().await;
                }
            };
            let handles: Vec<_> = (0..TASKS).map(|_| rt::spawn(task())).collect();
            for handle in handles {
                handle.await.unwrap();
            }
            each * TASKS
        })
        .both()
}

pub fn ping_pong(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                let (ping, on_ping) = oneshot::channel();
                let (pong, on_pong) = oneshot::channel();
                rt::spawn(async move {
                    on_ping.await.unwrap();
                    pong.send(()).unwrap();
                });
                ping.send(()).unwrap();
                on_pong.await.unwrap();
            }
            n
        })
        .both()
}

fn chained_spawn(context: &Context) -> Vec<Metric> {
    const DEPTH: u64 = 1_000;
    fn next(depth: u64, done: oneshot::Sender<()>) {
        rt::spawn(async move {
            if depth == 0 {
                done.send(()).unwrap();
            } else {
                next(depth - 1, done);
            }
        });
    }
    context
        .tasks(|n| async move {
            for _ in 0..times(n, DEPTH) {
                let (done, on_done) = oneshot::channel();
                next(DEPTH, done);
                on_done.await.unwrap();
            }
            times(n, DEPTH) * DEPTH
        })
        .both()
}

/// Spawns from a thread that is not the runtime's.
fn remote_spawn(context: &Context) -> Vec<Metric> {
    let runtime = context.runtime();
    let handle = runtime.handle().clone();
    context
        .batches(|n| {
            let handle = handle.clone();
            let left = Arc::new(AtomicU64::new(n));
            let (done, on_done) = oneshot::channel();
            let done = Arc::new(std::sync::Mutex::new(Some(done)));
            let thread = thread::spawn(move || {
                for _ in 0..n {
                    let (left, done) = (left.clone(), done.clone());
                    handle.spawn(async move {
                        if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                            done.lock().unwrap().take().unwrap().send(()).unwrap();
                        }
                    });
                }
            });
            runtime.block_on(on_done).unwrap();
            thread.join().unwrap();
            n
        })
        .both()
}

/// A thread outside wakes a task, the task unparks the thread: one operation is there and back.
pub fn remote_wake(context: &Context) -> Vec<Metric> {
    let runtime = context.runtime();
    context
        .batches(|n| {
            let notify = Arc::new(Notify::new());
            let there = notify.clone();
            let (back, on_back) = std::sync::mpsc::channel();
            let thread = thread::spawn(move || {
                for _ in 0..n {
                    there.notify_one();
                    on_back.recv().unwrap();
                }
            });
            on(&runtime, async move {
                for _ in 0..n {
                    notify.notified().await;
                    back.send(()).unwrap();
                }
            });
            thread.join().unwrap();
            n
        })
        .both()
}

fn join_set(context: &Context) -> Vec<Metric> {
    const TASKS: u64 = 1_000;
    context
        .tasks(|n| async move {
            for _ in 0..times(n, TASKS) {
                let mut set = JoinSet::new();
                for i in 0..TASKS {
                    set.spawn(async move { i });
                }
                let mut sum = 0;
                while let Some(i) = set.join_next().await {
                    sum += i.unwrap();
                }
                assert_eq!(sum, TASKS * (TASKS - 1) / 2);
            }
            times(n, TASKS) * TASKS
        })
        .both()
}

/// Starts tasks that never finish by themselves, waits until all run, aborts all and joins them.
fn abort(context: &Context) -> Vec<Metric> {
    const TASKS: u64 = 10_000;
    context
        .tasks(|n| async move {
            for _ in 0..times(n, TASKS) {
                let (running, mut on_running) = mpsc::unbounded_channel();
                let handles: Vec<_> = (0..TASKS)
                    .map(|_| {
                        let running = running.clone();
                        rt::spawn(async move {
                            running.send(()).unwrap();
                            std::future::pending::<()>().await;
                        })
                    })
                    .collect();
                for _ in 0..TASKS {
                    on_running.recv().await.unwrap();
                }
                for handle in &handles {
                    handle.abort();
                }
                for handle in handles {
                    assert!(handle.await.unwrap_err().is_cancelled());
                }
            }
            times(n, TASKS) * TASKS
        })
        .both()
}
