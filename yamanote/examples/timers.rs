//! Sleeps, deadlines and intervals: `cargo run --example timers [--paused]`.
//!
//! With `--paused` the clock stands still and jumps from one timer to the next whenever nothing else is to do: the
//! same program, with the same times, ends at once. Tests of programs with long timers do that.

mod support;

use std::io;
use std::time::Duration;

use yamanote::runtime::Builder;
use yamanote::time::{self, Instant, MissedTickBehavior, sleep, sleep_until, timeout};

const HELP: &str = "\
usage: timers [--paused]

Shows sleeps, timeouts and intervals, in about two seconds.

  --paused   on a clock that jumps from timer to timer: in no time at all";

fn main() -> io::Result<()> {
    let is_paused = !support::words(HELP, 0, 1).is_empty();
    let runtime = Builder::new_current_thread().enable_time().start_paused(is_paused).build()?;
    let begun = std::time::Instant::now();
    runtime.block_on(show());
    println!("really passed: {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

async fn show() {
    let started = Instant::now();
    // Hundredths of a second; a timer fires up to a millisecond late, as that is how finely they are told apart.
    let now = || format!("{:.2} s", (started.elapsed().as_millis() / 10) as f64 / 100.0);

    sleep(Duration::from_millis(200)).await;
    println!("{}: slept", now());

    // A point in time rather than a duration: what came between does not add up.
    sleep_until(started + Duration::from_millis(400)).await;
    println!("{}: slept until then", now());

    // Whichever comes first.
    let slow = sleep(Duration::from_secs(3_600));
    match timeout(Duration::from_millis(200), slow).await {
        Ok(()) => println!("{}: an hour has passed", now()),
        Err(_) => println!("{}: gave up", now()),
    }
    let quick = async { 6 * 7 };
    println!("{}: in time, {:?}", now(), timeout(Duration::from_millis(200), quick).await);

    // An interval keeps its step however long its user takes …
    let mut ticks = time::interval_at(Instant::now(), Duration::from_millis(100));
    for i in 0..3 {
        ticks.tick().await;
        println!("{}: tick {i}", now());
        sleep(Duration::from_millis(50)).await;
    }

    // … and what to do about ticks that were missed altogether can be chosen.
    let mut ticks = time::interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.tick().await;
    sleep(Duration::from_millis(350)).await;
    for _ in 0..2 {
        ticks.tick().await;
        println!("{}: after a pause", now());
    }

    // A sleep that has begun can be told another end.
    let sleep = sleep(Duration::from_secs(3_600));
    let mut sleep = std::pin::pin!(sleep);
    sleep.as_mut().reset(Instant::now() + Duration::from_millis(100));
    sleep.await;
    println!("{}: that was a short hour", now());
}
