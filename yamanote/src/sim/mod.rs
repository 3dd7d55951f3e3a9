//! Simulations of the whole runtime: whole programs, on threads, locks and clocks that a seed decides about.
//!
//! Built with `--cfg yamanote_sim`, this crate's `std` is the package `yamanote-sim` (see there, and `lib.rs`): workers,
//! monitor, spares and blocking threads are coroutines on one real thread, and at every atomic, lock and reading of
//! the clock a seeded chooser may run another of them, or hold one up. Nothing of the engine is replaced or left
//! out: its pollers watch real pipes and sockets, for which they wait in simulated time (`engine/io/wait_simulated`).
//! So what a [scenario](scenarios) finds is a bug of the production code, and its seed shows it again.
//!
//! * Each seed runs twice and must leave the same trace.
//! * Whenever all threads wait, the [rules](rules) look at the runtimes: nothing may be queued while a worker sleeps, no
//!   timer may be slept over, no event be left in a poller.
//! * A run ends when all its threads have; one in which they wait for each other, or that never ends, has failed.
//! * Seeds that once found something are kept in `corpus.txt` and run with every test.
//!
//! `cargo xtask sim` runs it. Not simulated: memory orderings weaker than sequential consistency (loom's), reference
//! counts as points of interleaving, files, processes, connections over a network.

mod rules;
mod scenarios;

use std::cell::RefCell;
use std::rc::Rc;
use std::simulation::{self, Report, Settings};
use std::sync::Weak;

use crate::engine::shared::Shared;
use crate::runtime::{Builder, Runtime};

/// What a scenario is given.
#[derive(Clone, Default)]
struct Stage {
    /// The runtimes that the rules watch.
    runtimes: Rc<RefCell<Vec<Weak<Shared>>>>,
}

impl Stage {
    /// Builds a runtime, watched.
    fn build(&self, builder: &mut Builder) -> Runtime {
        self.watch(builder.build().expect("a runtime"))
    }

    fn watch(&self, runtime: Runtime) -> Runtime {
        let shared = std::sync::Arc::downgrade(&runtime.handle().shared);
        self.runtimes.borrow_mut().push(shared);
        runtime
    }

    /// A multi-threaded builder with settings by chance.
    fn multi(&self) -> Builder {
        let mut builder = Builder::new_multi_thread();
        let workers = 1 + pick(4);
        builder.worker_threads(workers).enable_time();
        let (io, lifo, intervals) = (one_in(2), !one_in(4), one_in(4));
        if io {
            builder.enable_io();
        }
        if !lifo {
            builder.disable_lifo_slot();
        }
        if intervals {
            builder.event_interval(1 + pick(61) as u32).global_queue_interval(1 + pick(31) as u32);
        }
        simulation::note(&format!(
            "{workers} workers, I/O {io}, LIFO {lifo}, intervals set {intervals}"
        ));
        builder
    }
}

/// A number below `n`, by chance.
fn pick(n: usize) -> usize {
    simulation::below(n as u64) as usize
}

fn one_in(n: usize) -> bool {
    pick(n) == 0
}

struct Scenario {
    name: &'static str,
    /// One thread in so many cannot be started.
    refuse_thread_one_in: u32,
    main: fn(&Stage),
}

/// Far more than any scenario takes.
const MAX_STEPS: u64 = 3_000_000;

fn run_once(scenario: &Scenario, seed: u64, verbose: bool) -> Report {
    let stage = Stage::default();
    let (watched, rules) = (stage.clone(), rules::Rules::default());
    let (main, refuse_thread_one_in) = (scenario.main, scenario.refuse_thread_one_in);
    simulation::run(
        Settings { seed, max_steps: MAX_STEPS, refuse_thread_one_in, verbose },
        Box::new(move |left| rules.check(&watched.runtimes.borrow(), left)),
        move || main(&stage),
    )
}

/// Runs a seed twice. What it did, or why it failed.
fn run(scenario: &Scenario, seed: u64) -> Result<Report, String> {
    let verbose = std::env::var_os("SIM_VERBOSE").is_some();
    let reproduce = format!("cargo xtask sim --scenario {} --seed {seed}", scenario.name);
    let first = run_once(scenario, seed, verbose);
    if let Some(failure) = &first.failure {
        return Err(format!("{}: {failure}reproduce: {reproduce}", scenario.name));
    }
    let second = run_once(scenario, seed, verbose);
    let same = first.trace == second.trace && first.steps == second.steps && second.failure.is_none();
    if !same {
        return Err(format!(
            "{}: the same seed did something else the second time: {first:?} {second:?}\nreproduce: {reproduce}",
            scenario.name
        ));
    }
    Ok(first)
}

/// What panics goes into the notes of its run, which are shown if that fails: many are meant to be.
fn note_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if simulation::is_running() {
            simulation::note(&info.to_string());
        } else {
            before(info);
        }
    }));
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// As many seeds as the environment says, over all scenarios or the one that it names.
#[test]
fn simulate() {
    let (seeds, first) = (number("SIM_SEEDS", 100), number("SIM_SEED", 1));
    let wanted = std::env::var("SIM_SCENARIO").ok();
    let is_wanted = |scenario: &&Scenario| wanted.as_deref().is_none_or(|name| scenario.name == name);
    let scenarios: Vec<_> = scenarios::ALL.iter().filter(is_wanted).collect();
    assert!(!scenarios.is_empty(), "no scenario named {wanted:?}");
    let mut failed = Vec::new();
    note_panics();
    println!("{:<16} {:>6} {:>12} {:>10} {:>12}", "scenario", "seeds", "steps", "switches", "time, ms");
    for (index, scenario) in scenarios.iter().enumerate() {
        // Shared out among them, so that a thousand is a thousand.
        let share = (seeds + index as u64) / scenarios.len() as u64;
        let (mut steps, mut switches, mut elapsed) = (0, 0, 0);
        for seed in first..first + share.max(1) {
            match run(scenario, seed) {
                Ok(report) => {
                    steps += report.steps;
                    switches += report.switches;
                    elapsed += report.elapsed.as_millis();
                }
                Err(why) => {
                    println!("{why}\n");
                    failed.push((scenario.name, seed));
                    // What it left behind is in nobody's way, but one failure of a kind is enough.
                    break;
                }
            }
        }
        println!("{:<16} {share:>6} {steps:>12} {switches:>10} {elapsed:>12}", scenario.name);
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}

/// What there is.
#[test]
fn list() {
    scenarios::ALL.iter().for_each(|scenario| println!("{}", scenario.name));
}

/// The seeds that found something once.
#[test]
fn corpus() {
    note_panics();
    for line in include_str!("corpus.txt").lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let (Some(name), Some(seed)) = (words.next(), words.next()) else { continue };
        let scenario = scenarios::ALL.iter().find(|scenario| scenario.name == name);
        let scenario = scenario.unwrap_or_else(|| panic!("no scenario named {name}"));
        if let Err(why) = run(scenario, seed.parse().expect("a seed")) {
            panic!("{why}");
        }
    }
}
