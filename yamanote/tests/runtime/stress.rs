//! Runtimes made, loaded and dropped at arbitrary points, in loops: nothing is lost, leaked or stuck.

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use yamanote::runtime::{Builder, Runtime};

/// Counts the futures that are alive.
struct Alive(Arc<AtomicIsize>);

impl Alive {
    fn new(count: &Arc<AtomicIsize>) -> Alive {
        count.fetch_add(1, Ordering::SeqCst);
        Alive(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn build(dice: &mut Dice) -> Runtime {
    let mut builder = match dice.roll(2) {
        0 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(1 + dice.roll(4) as usize).enable_all().build().unwrap()
}

/// One runtime's life.
fn live_and_die(seed: u64, alive: &Arc<AtomicIsize>) {
    let mut dice = Dice(seed);
    let rt = build(&mut dice);
    let tasks = dice.roll(40);
    let (tx, mut rx) = yamanote::sync::mpsc::channel::<u64>(4);
    let mut handles = Vec::new();
    for i in 0..tasks {
        let guard = Alive::new(alive);
        let tx = tx.clone();
        let kind = dice.roll(6);
        let alive = Arc::clone(alive);
        let handle = rt.spawn(async move {
            let _guard = guard;
            match kind {
                0 => std::future::pending::<()>().await,
                1 => yamanote::task::yield_now().await,
                2 => yamanote::time::sleep(Duration::from_micros(i * 100)).await,
                3 => {
                    let _ = tx.send(i).await;
                }
                4 => {
                    let inner = Alive::new(&alive);
                    let _ = yamanote::spawn(async move {
                        let _inner = inner;
                        yamanote::task::yield_now().await;
                    })
                    .await;
                }
                _ => {
                    let inner = Alive::new(&alive);
                    let _ = yamanote::task::spawn_blocking(move || drop(inner)).await;
                }
            }
        });
        match dice.roll(3) {
            0 => handle.abort(),
            1 => handles.push(handle),
            _ => {}
        }
    }
    drop(tx);
    match dice.roll(4) {
        0 => {}
        1 => rt.block_on(yamanote::task::yield_now()),
        2 => {
            rt.block_on(async {
                let _ = yamanote::time::timeout(Duration::from_micros(300), rx.recv()).await;
            });
        }
        _ => {
            let n = dice.roll(3);
            rt.block_on(async {
                // Not `recv`: a sender may be in a task that never ends.
                for _ in 0..n {
                    let _ = rx.try_recv();
                    yamanote::task::yield_now().await;
                }
            });
        }
    }
    if dice.roll(2) == 0 {
        drop(rx);
    }
    if dice.roll(5) == 0 {
        // Handles outlive the runtime, or do not.
        drop(handles);
        drop(rt);
    } else {
        drop(rt);
        for handle in handles {
            let _ = futures::executor::block_on(handle);
        }
    }
}

fn rounds(default: u64) -> u64 {
    std::env::var("YAMANOTE_STRESS_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

#[test]
fn runtimes_come_and_go() {
    let alive = Arc::new(AtomicIsize::new(0));
    for seed in 1..=rounds(1_000) {
        live_and_die(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, &alive);
        assert_eq!(alive.load(Ordering::SeqCst), 0, "futures were leaked with seed {seed}");
    }
}

/// A task and its join handle are polled, woken, aborted and dropped from several threads at once.
#[test]
fn wakes_from_everywhere() {
    let rt = Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    for _ in 0..rounds(200) {
        rt.block_on(async {
            let (tx, rx) = yamanote::sync::oneshot::channel();
            let waits = yamanote::spawn(rx);
            let sends = std::thread::spawn(move || tx.send(1).unwrap());
            assert_eq!(waits.await.unwrap().unwrap(), 1);
            sends.join().unwrap();
        });
    }
}

/// 1,000 tasks, each woken by its neighbour, around and around.
#[test]
fn a_ring_of_tasks() {
    for workers in [1, 2, 4] {
        let rt = Builder::new_multi_thread().worker_threads(workers).build().unwrap();
        rt.block_on(async {
            let mut senders = Vec::new();
            let mut receivers = Vec::new();
            for _ in 0..1000 {
                let (tx, rx) = yamanote::sync::mpsc::unbounded_channel::<u32>();
                senders.push(tx);
                receivers.push(rx);
            }
            senders.rotate_left(1);
            let first = senders[999].clone();
            let tasks: Vec<_> = senders
                .into_iter()
                .zip(receivers)
                .map(|(tx, mut rx)| {
                    yamanote::spawn(async move {
                        while let Some(hops) = rx.recv().await {
                            if hops == 0 || tx.send(hops - 1).is_err() {
                                break;
                            }
                        }
                    })
                })
                .collect();
            for _ in 0..10 {
                first.send(20_000).unwrap();
            }
            drop(first);
            for task in tasks {
                task.await.unwrap();
            }
        });
    }
}
