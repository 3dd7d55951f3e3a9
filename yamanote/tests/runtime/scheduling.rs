use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use yamanote::runtime::Builder;

use crate::each_flavor;

#[test]
fn spawn_and_join() {
    each_flavor(|rt| {
        assert_eq!(rt.block_on(async { yamanote::spawn(async { 1 }).await.unwrap() }), 1);
    });
}

#[test]
fn ten_thousand_tasks() {
    each_flavor(|rt| {
        let sum = rt.block_on(async {
            let tasks: Vec<_> = (0..10_000u64)
                .map(|i| {
                    yamanote::spawn(async move {
                        yamanote::task::yield_now().await;
                        i
                    })
                })
                .collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, 10_000 * 9_999 / 2);
    });
}

/// Each task spawns the next.
#[test]
fn a_chain_of_spawns() {
    fn next(left: usize, done: mpsc::Sender<()>) {
        if left == 0 {
            done.send(()).unwrap();
        } else {
            yamanote::spawn(async move { next(left - 1, done) });
        }
    }
    each_flavor(|rt| {
        let (tx, rx) = mpsc::channel();
        rt.block_on(async {
            next(5_000, tx);
            loop {
                match rx.try_recv() {
                    Ok(()) => break,
                    Err(_) => yamanote::task::yield_now().await,
                }
            }
        });
    });
}

/// A single-threaded runtime runs tasks in the order in which they were spawned, however many.
#[test]
fn first_in_first_out() {
    let rt = Builder::new_current_thread().build().unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    rt.block_on(async {
        let tasks: Vec<_> = (0..2_000)
            .map(|i| {
                let order = Arc::clone(&order);
                yamanote::spawn(async move { order.lock().unwrap().push(i) })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert!(order.lock().unwrap().iter().copied().eq(0..2_000));
}

/// Tasks that yield alternate.
#[test]
fn yielding_tasks_take_turns() {
    let rt = Builder::new_current_thread().build().unwrap();
    let turns = Arc::new(Mutex::new(Vec::new()));
    rt.block_on(async {
        let tasks: Vec<_> = (0..3)
            .map(|i| {
                let turns = Arc::clone(&turns);
                yamanote::spawn(async move {
                    for _ in 0..4 {
                        turns.lock().unwrap().push(i);
                        yamanote::task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(*turns.lock().unwrap(), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
}

/// Two tasks that wake each other through the LIFO slot do not starve a third.
#[cfg(feature = "rt-multi-thread")]
#[test]
fn the_lifo_slot_starves_nobody() {
    let rt = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    rt.block_on(async {
        yamanote::spawn(async {
            let (to_a, mut from_b) = yamanote::sync::mpsc::unbounded_channel::<()>();
            let (to_b, mut from_a) = yamanote::sync::mpsc::unbounded_channel::<()>();
            to_a.send(()).unwrap();
            let ping = yamanote::spawn(async move {
                while from_b.recv().await.is_some() {
                    if to_b.send(()).is_err() {
                        break;
                    }
                }
            });
            let pong = yamanote::spawn(async move {
                while from_a.recv().await.is_some() {
                    if to_a.send(()).is_err() {
                        break;
                    }
                }
            });
            let third = yamanote::spawn(async {});
            third.await.unwrap();
            ping.abort();
            pong.abort();
        })
        .await
        .unwrap();
    });
}

/// Wakes from threads that are no workers arrive, at any number of them.
#[test]
fn remote_spawns_and_wakes() {
    each_flavor(|rt| {
        let count = Arc::new(AtomicUsize::new(0));
        let handle = rt.handle().clone();
        rt.block_on(async {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let (handle, count) = (handle.clone(), Arc::clone(&count));
                    std::thread::spawn(move || {
                        (0..500)
                            .map(|_| {
                                let count = Arc::clone(&count);
                                handle.spawn(async move {
                                    yamanote::task::yield_now().await;
                                    count.fetch_add(1, Ordering::Relaxed);
                                })
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            for thread in threads {
                for task in thread.join().unwrap() {
                    task.await.unwrap();
                }
            }
        });
        assert_eq!(count.load(Ordering::Relaxed), 2_000);
    });
}

/// A task that waits for another in a blocking way is served by the other worker.
#[cfg(feature = "rt-multi-thread")]
#[test]
fn a_blocked_worker_does_not_hold_what_it_spawned() {
    let rt = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async {
        yamanote::spawn(async {
            let (tx, rx) = mpsc::channel();
            // One for the LIFO slot, and one that it pushes out of it.
            yamanote::spawn(async move { tx.send(()).unwrap() });
            yamanote::spawn(async {});
            rx.recv().unwrap();
        })
        .await
        .unwrap();
    });
}
