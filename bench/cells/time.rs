//! Timers: most never fire.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use rt::sync::oneshot;
use rt::task::JoinSet;
use rt::time::{Instant, sleep, sleep_until, timeout};

use crate::harness::{CT, Cell, Context, Metric, W2, on, times};

pub const CELLS: &[Cell] = &[
    Cell { name: "time/sleep_create_drop", flavours: &[CT], run: create_drop },
    Cell { name: "time/sleep_poll_drop", flavours: &[CT, W2], run: poll_drop },
    Cell { name: "time/timeout_ready", flavours: &[CT, W2], run: timeout_ready },
    Cell { name: "time/timeout_among_0", flavours: &[CT, W2], run: |c| timeout_among(c, 0) },
    Cell { name: "time/timeout_among_1k", flavours: &[CT, W2], run: |c| timeout_among(c, 1_000) },
    Cell { name: "time/timeout_among_100k", flavours: &[CT, W2], run: |c| timeout_among(c, 100_000) },
    Cell { name: "time/sleeps_firing_100k", flavours: &[CT, W2], run: firing },
    Cell { name: "time/lateness_100k", flavours: &[CT, W2], run: lateness },
    Cell { name: "time/interval_tick", flavours: &[CT, W2], run: interval_tick },
];

const MINUTE: Duration = Duration::from_secs(60);

fn create_drop(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                drop(sleep(MINUTE));
            }
            n
        })
        .wall()
}

fn poll_drop(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                let mut sleep = pin!(sleep(MINUTE));
                poll_fn(|cx| {
                    assert!(sleep.as_mut().poll(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
            }
            n
        })
        .wall()
}

fn timeout_ready(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                timeout(MINUTE, std::future::ready(())).await.unwrap();
            }
            n
        })
        .wall()
}

/// A timeout around a future that is pending once, while `others` sleeping tasks hold a timer each.
fn timeout_among(context: &Context, others: u64) -> Vec<Metric> {
    let runtime = context.runtime();
    let (keep, sleepers) = on(&runtime, async move {
        let (keep, _) = rt::sync::broadcast::channel::<()>(1);
        let mut sleepers = JoinSet::new();
        for i in 0..others {
            let mut end = keep.subscribe();
            sleepers.spawn(async move {
                // Spread, as the timers of real connections are.
                let _ = timeout(MINUTE + Duration::from_millis(i % 30_000), end.recv()).await;
            });
        }
        for _ in 0..10 {
            rt::task::yield_now().await;
        }
        (keep, sleepers)
    });
    let sample = context.batches(|n| {
        on(&runtime, async move {
            for _ in 0..n {
                timeout(MINUTE, rt::task::yield_now()).await.unwrap();
            }
            n
        })
    });
    drop((keep, sleepers));
    sample.both()
}

/// A hundred thousand tasks sleep between 1 and 100 ms: what does one firing cost in CPU time?
fn firing(context: &Context) -> Vec<Metric> {
    const SLEEPS: u64 = 100_000;
    context
        .tasks(|n| async move {
            for _ in 0..times(n, SLEEPS) {
                let (done, on_done) = oneshot::channel::<()>();
                let done = std::sync::Arc::new(done);
                for i in 0..SLEEPS {
                    let done = done.clone();
                    rt::spawn(async move {
                        sleep(Duration::from_millis(1 + i % 100)).await;
                        drop(done);
                    });
                }
                drop(done);
                // An error: the last of the sleepers dropped the sender.
                on_done.await.unwrap_err();
            }
            times(n, SLEEPS) * SLEEPS
        })
        .cpu()
}

/// A hundred thousand tasks sleep until some moment within a second: how long after it do they run? The median is the
/// clock's granularity; the tail is what many timers at once cost each other.
fn lateness(context: &Context) -> Vec<Metric> {
    const SLEEPS: u64 = 100_000;
    let runtime = context.runtime();
    let mut late: Vec<u64> = on(&runtime, async {
        // Well after the last of them has been started.
        let first = Instant::now() + Duration::from_millis(300);
        let mut sleepers = JoinSet::new();
        for i in 0..SLEEPS {
            // Scattered, and not on whole milliseconds.
            let deadline = first + Duration::from_micros(i * 7_919 % 1_000_000);
            sleepers.spawn(async move {
                sleep_until(deadline).await;
                deadline.elapsed().as_nanos() as u64
            });
        }
        sleepers.join_all().await
    });
    late.sort_unstable();
    let at = |part: f64| late[((late.len() - 1) as f64 * part) as usize] as f64;
    vec![
        Metric { name: "late_p99", value: at(0.99), unit: "ns" },
        Metric { name: "late_p50", value: at(0.5), unit: "ns" },
    ]
}

/// A tick of an interval that is always behind, so that nothing is waited for.
fn interval_tick(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let mut interval = rt::time::interval(Duration::from_nanos(1));
            for _ in 0..n {
                interval.tick().await;
            }
            n
        })
        .wall()
}
