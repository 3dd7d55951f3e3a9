//! Waiting for several things at once: `cargo run --example select`.
//!
//! A counter task listens to two channels, a clock and a stop signal, and a download is tried from two mirrors, of
//! which the faster one wins.

mod support;

use std::time::Duration;

use yamanote::sync::{mpsc, oneshot};
use yamanote::time::{self, sleep};

const HELP: &str = "\
usage: select

Shows select! over channels, timers and futures that live across a loop.";

#[derive(Debug, Default)]
struct Counts {
    small: u64,
    large: u64,
    ticks: u64,
}

/// Counts what comes until it is told to stop or nobody is left who could send.
async fn count(
    mut small: mpsc::Receiver<u64>,
    mut large: mpsc::Receiver<u64>,
    mut stop: oneshot::Receiver<()>,
) -> Counts {
    let mut counts = Counts::default();
    let mut ticks = time::interval(Duration::from_millis(5));
    loop {
        yamanote::select! {
            // In this order: a stop is seen before anything else that is ready.
            biased;
            _ = &mut stop => {
                // What was sent before the stop still counts.
                while let Ok(n) = small.try_recv() {
                    counts.small += n;
                }
                while let Ok(n) = large.try_recv() {
                    counts.large += n;
                }
                return counts;
            }
            Some(n) = small.recv() => counts.small += n,
            // A guard: numbers this large wait until there were some small ones.
            Some(n) = large.recv(), if counts.small > 0 => counts.large += n,
            _ = ticks.tick() => counts.ticks += 1,
        }
    }
}

/// As if it downloaded something.
async fn download(mirror: &'static str, takes: Duration) -> Result<&'static str, String> {
    sleep(takes).await;
    match mirror {
        "broken" => Err(format!("{mirror} is out of order")),
        _ => Ok(mirror),
    }
}

/// The first that succeeds; one that fails is no reason to give up on the other.
async fn first_of(
    one: impl Future<Output = Result<&'static str, String>>,
    other: impl Future<Output = Result<&'static str, String>>,
) -> Result<&'static str, String> {
    // Pinned once and polled by reference, each goes on where it was when the loop comes round again.
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    let (mut one_failed, mut other_failed) = (false, false);
    loop {
        let result = yamanote::select! {
            result = &mut one, if !one_failed => {
                one_failed = true;
                result
            }
            result = &mut other, if !other_failed => {
                other_failed = true;
                result
            }
        };
        if result.is_ok() || (one_failed && other_failed) {
            return result;
        }
    }
}

#[yamanote::main]
async fn main() {
    support::words(HELP, 0, 0);
    let (send_small, small) = mpsc::channel(8);
    let (send_large, large) = mpsc::channel(8);
    let (stop, stopped) = oneshot::channel();
    let counting = yamanote::spawn(count(small, large, stopped));
    let (small, large) = yamanote::join!(
        yamanote::spawn(async move {
            for n in 1..=100 {
                send_small.send(n).await.expect("somebody counts");
            }
        }),
        yamanote::spawn(async move {
            for n in 1..=100 {
                send_large.send(n * 1_000).await.expect("somebody counts");
            }
        })
    );
    small.and(large).expect("both have sent all");
    stop.send(()).expect("somebody counts");
    let counts = counting.await.expect("it was told to stop");
    println!("counted {} small and {} large", counts.small, counts.large);

    let long = Duration::from_secs(3_600);
    let fast = download("fast", Duration::from_millis(5));
    println!("{:?} came first", first_of(download("slow", long), fast).await.unwrap());
    let broken = download("broken", Duration::from_millis(1));
    let sound = download("sound", Duration::from_millis(20));
    println!("{:?} came although another broke", first_of(broken, sound).await.unwrap());
}
