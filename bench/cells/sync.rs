//! Channels and locks, alone and contended.

use std::future::Future;
use std::sync::Arc;

use rt::sync::{Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};

use crate::harness::{CT, Cell, Context, Metric, W2, times};

pub const CELLS: &[Cell] = &[
    Cell { name: "sync/mpsc_1_1", flavours: &[CT, W2], run: |c| mpsc_bounded(c, 1) },
    Cell { name: "sync/mpsc_8_1", flavours: &[CT, W2], run: |c| mpsc_bounded(c, 8) },
    Cell { name: "sync/mpsc_unbounded_1_1", flavours: &[CT, W2], run: |c| mpsc_unbounded(c, 1) },
    Cell { name: "sync/mpsc_unbounded_8_1", flavours: &[CT, W2], run: |c| mpsc_unbounded(c, 8) },
    Cell { name: "sync/mpsc_same_task", flavours: &[CT], run: mpsc_same_task },
    Cell { name: "sync/oneshot_same_task", flavours: &[CT], run: oneshot_same_task },
    Cell { name: "sync/mutex_alone", flavours: &[CT], run: mutex_alone },
    Cell { name: "sync/mutex_contended", flavours: &[CT, W2], run: mutex_contended },
    Cell { name: "sync/rwlock_alone", flavours: &[CT], run: rwlock_alone },
    Cell { name: "sync/rwlock_contended", flavours: &[CT, W2], run: rwlock_contended },
    Cell { name: "sync/semaphore_alone", flavours: &[CT], run: semaphore_alone },
    Cell { name: "sync/semaphore_contended", flavours: &[CT, W2], run: semaphore_contended },
    Cell { name: "sync/notify_alone", flavours: &[CT], run: notify_alone },
    Cell { name: "sync/notify_ping_pong", flavours: &[CT, W2], run: notify_ping_pong },
    Cell { name: "sync/watch_1_8", flavours: &[CT, W2], run: watch_1_8 },
    Cell { name: "sync/select_2_channels", flavours: &[CT, W2], run: select_2_channels },
    Cell { name: "sync/broadcast_1_8", flavours: &[CT, W2], run: broadcast_1_8 },
];

const TASKS: u64 = 8;

/// Runs `task` in eight tasks and waits for all.
async fn in_eight_tasks<F>(mut task: impl FnMut() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let handles: Vec<_> = (0..TASKS).map(|_| rt::spawn(task())).collect();
    for handle in handles {
        handle.await.unwrap();
    }
}

pub fn mpsc_bounded(context: &Context, senders: u64) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let (send, mut receive) = mpsc::channel(256);
            let each = times(n, senders);
            for _ in 0..senders {
                let send = send.clone();
                rt::spawn(async move {
                    for i in 0..each {
                        send.send(i).await.unwrap();
                    }
                });
            }
            drop(send);
            let mut received = 0;
            while receive.recv().await.is_some() {
                received += 1;
            }
            assert_eq!(received, each * senders);
            received
        })
        .both()
}

fn mpsc_unbounded(context: &Context, senders: u64) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let (send, mut receive) = mpsc::unbounded_channel();
            let each = times(n, senders);
            for _ in 0..senders {
                let send = send.clone();
                rt::spawn(async move {
                    for i in 0..each {
                        send.send(i).unwrap();
                        // Bursts of 64, so that the queue does not grow with the batch.
                        if i % 64 == 63 {
                            rt::task::yield_now().await;
                        }
                    }
                });
            }
            drop(send);
            let mut received = 0;
            while receive.recv().await.is_some() {
                received += 1;
            }
            assert_eq!(received, each * senders);
            received
        })
        .both()
}

fn mpsc_same_task(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let (send, mut receive) = mpsc::channel(16);
            for i in 0..n {
                send.send(i).await.unwrap();
                receive.recv().await.unwrap();
            }
            n
        })
        .wall()
}

fn oneshot_same_task(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for i in 0..n {
                let (send, receive) = oneshot::channel();
                send.send(i).unwrap();
                receive.await.unwrap();
            }
            n
        })
        .wall()
}

fn mutex_alone(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let mutex = Mutex::new(0);
            for _ in 0..n {
                *mutex.lock().await += 1;
            }
            n
        })
        .wall()
}

/// Eight tasks, each yielding while it holds the lock: nearly every `lock` has to wait.
fn mutex_contended(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let mutex = Arc::new(Mutex::new(0));
            let each = times(n, TASKS);
            in_eight_tasks(|| {
                let mutex = mutex.clone();
                async move {
                    for _ in 0..each {
                        let mut guard = mutex.lock().await;
                        *guard += 1;
                        rt::task::yield_now().await;
                    }
                }
            })
            .await;
            each * TASKS
        })
        .both()
}

fn rwlock_alone(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let lock = RwLock::new(1);
            let mut sum = 0;
            for _ in 0..n {
                sum += *lock.read().await;
            }
            assert_eq!(sum, n);
            n
        })
        .wall()
}

/// Eight tasks, one access in ten writes.
fn rwlock_contended(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let lock = Arc::new(RwLock::new(0));
            let each = times(n, TASKS);
            in_eight_tasks(|| {
                let lock = lock.clone();
                async move {
                    for i in 0..each {
                        if i % 10 == 0 {
                            *lock.write().await += 1;
                            rt::task::yield_now().await;
                        } else {
                            let guard = lock.read().await;
                            rt::task::yield_now().await;
                            drop(guard);
                        }
                    }
                }
            })
            .await;
            each * TASKS
        })
        .both()
}

fn semaphore_alone(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let semaphore = Semaphore::new(4);
            for _ in 0..n {
                drop(semaphore.acquire().await.unwrap());
            }
            n
        })
        .wall()
}

/// Eight tasks share two permits.
fn semaphore_contended(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let semaphore = Arc::new(Semaphore::new(2));
            let each = times(n, TASKS);
            in_eight_tasks(|| {
                let semaphore = semaphore.clone();
                async move {
                    for _ in 0..each {
                        let permit = semaphore.acquire().await.unwrap();
                        rt::task::yield_now().await;
                        drop(permit);
                    }
                }
            })
            .await;
            each * TASKS
        })
        .both()
}

fn notify_alone(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let notify = Notify::new();
            for _ in 0..n {
                notify.notify_one();
                notify.notified().await;
            }
            n
        })
        .wall()
}

/// Two tasks wake each other; one operation is there and back.
fn notify_ping_pong(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let there = Arc::new(Notify::new());
            let back = Arc::new(Notify::new());
            let (on_there, send_back) = (there.clone(), back.clone());
            let echo = rt::spawn(async move {
                for _ in 0..n {
                    on_there.notified().await;
                    send_back.notify_one();
                }
            });
            for _ in 0..n {
                there.notify_one();
                back.notified().await;
            }
            echo.await.unwrap();
            n
        })
        .both()
}

/// One operation is one value sent; every receiver sees the last one.
fn watch_1_8(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let (send, receive) = watch::channel(0);
            let receivers: Vec<_> = (0..TASKS)
                .map(|_| {
                    let mut receive = receive.clone();
                    rt::spawn(async move {
                        while *receive.borrow_and_update() != n {
                            receive.changed().await.unwrap();
                        }
                    })
                })
                .collect();
            for i in 1..=n {
                send.send(i).unwrap();
                rt::task::yield_now().await;
            }
            for receiver in receivers {
                receiver.await.unwrap();
            }
            n
        })
        .both()
}

/// One operation is one value sent; every receiver sees every value (bursts fit the ring).
fn broadcast_1_8(context: &Context) -> Vec<Metric> {
    const BURST: u64 = 64;
    context
        .tasks(|n| async move {
            let rounds = times(n, BURST);
            let (send, _) = broadcast::channel(BURST as usize);
            let (ready, mut on_ready) = mpsc::channel(TASKS as usize);
            let receivers: Vec<_> = (0..TASKS)
                .map(|_| {
                    let mut receive = send.subscribe();
                    let ready = ready.clone();
                    rt::spawn(async move {
                        for _ in 0..rounds {
                            for _ in 0..BURST {
                                receive.recv().await.unwrap();
                            }
                            ready.send(()).await.unwrap();
                        }
                    })
                })
                .collect();
            for _ in 0..rounds {
                for i in 0..BURST {
                    send.send(i).unwrap();
                }
                for _ in 0..TASKS {
                    on_ready.recv().await.unwrap();
                }
            }
            for receiver in receivers {
                receiver.await.unwrap();
            }
            rounds * BURST
        })
        .both()
}

/// A loop over `select!` as servers have it: two channels, one value received an operation.
fn select_2_channels(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let (send, mut receive) = mpsc::channel(64);
            let (send_other, mut receive_other) = mpsc::channel(64);
            let each = times(n, 2);
            for send in [send, send_other] {
                rt::spawn(async move {
                    for i in 0..each {
                        send.send(i).await.unwrap();
                    }
                });
            }
            let mut received = 0;
            loop {
                rt::select! {
                    Some(_) = receive.recv() => received += 1,
                    Some(_) = receive_other.recv() => received += 1,
                    else => break,
                }
            }
            assert_eq!(received, each * 2);
            received
        })
        .both()
}
