//! Timers set, moved, polled and dropped from several threads while they fire.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use yamanote::time::{Duration, Instant, Sleep, sleep, timeout};

use crate::support::{ms, multi};

/// A cheap sequence of numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[test]
fn every_sleep_ends() {
    let runtime = multi(4);
    let fired = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let tasks: Vec<_> = (0..64)
            .map(|seed| {
                let fired = fired.clone();
                yamanote::spawn(async move {
                    let mut random = Random(seed);
                    for _ in 0..50 {
                        let start = Instant::now();
                        let long = ms(random.below(3));
                        match random.below(4) {
                            0 => sleep(long).await,
                            1 => {
                                let mut sleep = Box::pin(sleep(ms(100_000)));
                                let _ = futures::poll!(sleep.as_mut());
                                sleep.as_mut().reset(start + long);
                                sleep.await;
                            }
                            2 => {
                                let mut sleep = Box::pin(sleep(ms(1)));
                                let _ = futures::poll!(sleep.as_mut());
                                yamanote::task::yield_now().await;
                                sleep.as_mut().reset(start + ms(1) + long);
                                sleep.await;
                                assert!(start.elapsed() >= ms(1));
                            }
                            _ => timeout(Duration::from_secs(3600), sleep(long)).await.unwrap(),
                        }
                        assert!(start.elapsed() >= long);
                        fired.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(fired.load(Ordering::Relaxed), 64 * 50);
}

/// Timers that are linked on workers and dropped by a thread outside, while they fire.
#[test]
fn dropped_from_another_thread_while_they_fire() {
    let runtime = multi(2);
    let (sender, receiver) = mpsc::channel::<Pin<Box<Sleep>>>();
    let dropper = thread::spawn(move || receiver.into_iter().map(drop).count());
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|seed| {
                let sender = sender.clone();
                yamanote::spawn(async move {
                    let mut random = Random(seed);
                    for i in 0..500 {
                        let mut sleep = Box::pin(sleep(ms(1 + random.below(2))));
                        let _ = futures::poll!(sleep.as_mut());
                        sender.send(sleep).unwrap();
                        if i % 50 == 0 {
                            yamanote::time::sleep(ms(1)).await;
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    drop(sender);
    assert_eq!(dropper.join().unwrap(), 8 * 500);
}
