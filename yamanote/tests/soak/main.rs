//! Everything at once, with faults, for as long as one likes (`cargo xtask soak`).
//!
//! A round builds a runtime with settings drawn by lot, lets all kinds of load loose in it (`load`), breaks things
//! meanwhile (`faults`), and ends it gently or abruptly. After that nothing may be left: every task's future
//! dropped, every thread, descriptor and child gone, memory as before. What the load itself sees wrong (a byte that is
//! not the one that was sent, a message too few) panics, and an unplanned panic anywhere fails the round.

#![cfg(target_os = "linux")]

mod dice;
mod faults;
mod ledger;
mod load;

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use yamanote::runtime::{Builder, Runtime};

use dice::Dice;
use ledger::{Census, Stage};

#[global_allocator]
static ALLOCATOR: ledger::Counting = ledger::Counting;

/// A round that takes longer hangs. Far above what one takes on a busy machine.
const LIMIT_SECONDS: u64 = 180;

/// Rounds before anything is compared: what a process makes once (signal handlers, thread-locals) is there then.
const WARM_UP: usize = 2;

/// What may be on the heap after a round that was not there before: caches of the process that grow to their sizes.
const SLACK_BYTES: usize = 512 * 1024;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: not a number")))
}

#[test]
fn nothing_is_lost_and_nothing_leaks() {
    let seconds = setting("SOAK_SECONDS");
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    // The few rounds of an ordinary test run are the same each time; a soak has new ones.
    let drawn = if seconds.is_some() { clock.as_nanos() as u64 } else { 1 };
    let seed = setting("SOAK_SEED").unwrap_or(drawn);
    println!("SOAK_SEED={seed}");
    let faults = setting("SOAK_FAULTS") != Some(0);
    ledger::watch_panics();
    let limit = setting("SOAK_LIMIT").unwrap_or(LIMIT_SECONDS);
    ledger::watch_for_hangs(seed, Duration::from_secs(limit));
    let start = Instant::now();
    let until = seconds.map(|seconds| start + Duration::from_secs(seconds));
    let mut dice = Dice::new(seed);
    let mut baseline: Option<Census> = None;
    let mut round = 0;
    let mut operations = 0;
    while until.map_or(round < WARM_UP + 2, |until| Instant::now() < until) {
        ledger::begin_round(round);
        let stage = Stage::new();
        let summary = one_round(&mut dice.fork(), &stage, faults);
        ledger::describe(format!("{summary}; has ended, and futures are left"));
        stage.wait_until_empty();
        tidy_up();
        operations += stage.operations.load(SeqCst);
        drop(stage);
        ledger::expect_no_panics(&summary);
        match &baseline {
            None if round + 1 >= WARM_UP => baseline = Some(Census::settled(None)),
            None => drop(Census::settled(None)),
            Some(before) => {
                let after = Census::settled(Some(before));
                before.compare(&after, SLACK_BYTES, &summary);
            }
        }
        round += 1;
        if seconds.is_some() && round % 20 == 0 {
            let heap = ledger::live_bytes();
            println!("{:>6.0?} round {round}: {operations} operations, {heap} bytes", start.elapsed());
        }
    }
    println!(
        "{round} rounds, {operations} operations, {} faults, {:.0?}",
        faults::count(),
        start.elapsed()
    );
    println!("by kind: {}", load::tally());
}

/// Makes what a process makes once, and reaps what was killed when its runtime went: that is done when the next
/// child ends that a runtime hears of.
fn tidy_up() {
    let rt = Builder::new_current_thread().enable_all().build().unwrap();
    let status = rt.block_on(async { yamanote::process::Command::new("true").status().await });
    assert!(status.unwrap().success());
}

/// How a round ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// All actors finish what they are at.
    Gentle,
    /// Dropped under way.
    Drop,
    Timeout(Duration),
    Background,
}

fn one_round(dice: &mut Dice, stage: &Arc<Stage>, faults: bool) -> String {
    let (builder, mut summary) = settings(dice);
    let ending = match dice.below(6) {
        0 | 1 => Ending::Gentle,
        2 | 3 => Ending::Drop,
        4 => Ending::Timeout(Duration::from_micros(dice.below(20_000))),
        _ => Ending::Background,
    };
    let length = Duration::from_millis(20 + dice.below(600));
    let actors = 4 + dice.below(24) as usize;
    summary += &format!(", {actors} actors, {length:?}, {ending:?}");
    ledger::describe(summary.clone());
    let rt = build(builder);
    let saboteur = faults.then(|| faults::Saboteur::start(dice.fork()));
    let handles: Vec<_> = {
        let _entered = rt.enter();
        (0..actors).map(|_| load::start(stage, dice.fork())).collect()
    };
    rt.block_on(async {
        yamanote::time::sleep(length).await;
        if matches!(ending, Ending::Gentle) {
            stage.stop.store(true, SeqCst);
            for handle in handles {
                // Its panics are told by the panic hook.
                drop(handle.await);
            }
        } else {
            ledger::begin_ending();
        }
    });
    ledger::describe(format!("{summary}; ends"));
    match ending {
        Ending::Gentle | Ending::Drop => drop(rt),
        Ending::Timeout(timeout) => rt.shutdown_timeout(timeout),
        Ending::Background => rt.shutdown_background(),
    }
    // Not before the runtime's end, which has to bear it too.
    drop(saboteur);
    summary
}

fn settings(dice: &mut Dice) -> (Builder, String) {
    let workers = dice.below(6) as usize;
    let mut builder = match workers {
        0 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let blocking = if dice.one_in(3) { 2 + dice.below(4) as usize } else { 64 };
    let keep_alive = Duration::from_millis(dice.below(50));
    builder.enable_all().worker_threads(workers.max(1)).max_blocking_threads(blocking);
    builder.thread_keep_alive(keep_alive);
    let mut summary = format!("{workers} workers, {blocking} blocking threads, kept for {keep_alive:?}");
    if dice.one_in(2) {
        let limit = [None, Some(Duration::from_millis(1)), Some(Duration::from_millis(5))]
            [dice.below(3) as usize];
        builder.stall_limit(limit);
        summary += &format!(", stall limit {limit:?}");
    }
    if dice.one_in(4) {
        builder.max_spare_workers(dice.below(2) as usize);
        summary += ", few spares";
    }
    if dice.one_in(3) {
        let interval = 1 + dice.below(40) as u32;
        builder.event_interval(interval).global_queue_interval(interval);
        summary += &format!(", interval {interval}");
    }
    if dice.one_in(4) {
        builder.disable_lifo_slot();
        summary += ", no LIFO slot";
    }
    if dice.one_in(5) {
        // One call in a hundred.
        let calls = std::sync::atomic::AtomicUsize::new(0);
        let hook = move || assert!(calls.fetch_add(1, SeqCst) % 100 != 99, "{}", ledger::PLANNED);
        let hook = Arc::new(hook);
        let (a, b, c, d) = (hook.clone(), hook.clone(), hook.clone(), hook);
        builder.on_thread_park(move || a()).on_thread_unpark(move || b());
        builder.on_before_task_poll(move |_| c()).on_thread_start(move || d());
        summary += ", hooks that panic";
    }
    (builder, summary)
}

/// Not every attempt gets its threads and descriptors while things are being broken.
fn build(mut builder: Builder) -> Runtime {
    loop {
        match builder.build() {
            Ok(rt) => return rt,
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}
