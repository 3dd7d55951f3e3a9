//! Do the checks catch bugs? Plants one at a time and sees.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::process::{self, End};
use crate::{Outcome, own_tests, runner, shell};

const HELP: &str = "\
usage: cargo xtask canary [NAME…]

Builds the package `yamanote` with its planted bugs, plants each (or those named) in turn, and runs the models or tests
that have to catch it. Those must pass when nothing is planted, and fail or hang with the bug.

  --limit S       seconds after which a test counts as hanging (default 60; a model gets ten times as many)";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// Models beside the code, under loom.
    Models,
    /// Tests beside the code.
    Unit,
    /// The tests of this target.
    Integration(&'static str),
    /// A scenario of the simulations.
    Simulation,
}

struct Canary {
    name: &'static str,
    layer: Layer,
    /// The tests, by a part of their names.
    filter: &'static str,
}

const fn canary(name: &'static str, layer: Layer, filter: &'static str) -> Canary {
    Canary { name, layer, filter }
}

const CANARIES: [Canary; 34] = [
    canary("post-without-fence", Layer::Models, "engine::idle::models"),
    canary("asleep-without-a-last-look", Layer::Models, "engine::idle::models"),
    canary("unpark-forgotten", Layer::Models, "engine::parker::models"),
    canary("source-noted-without-fence", Layer::Models, "engine::io::place::models"),
    canary("task-published-too-early", Layer::Models, "engine::queue::ring::models"),
    canary("completion-overlooked", Layer::Models, "engine::task::models::the_join_handle_is_woken"),
    canary("timer-linked-without-fence", Layer::Models, "engine::seat::models::a_timer"),
    canary("seat-left-without-fence", Layer::Models, "engine::seat::models::the_owner_hears"),
    canary("doze-without-order", Layer::Models, "engine::monitor::models::a_worker"),
    canary("lent-without-fence", Layer::Models, "engine::lent::models::no_lending"),
    canary("spare-slot-unseen", Layer::Models, "engine::spares::models::what_a_spare"),
    canary("idle-thread-promised-twice", Layer::Models, "blocking::line::models::an_idle_thread"),
    canary("promised-thread-ends", Layer::Models, "blocking::line::models::a_spawn_is_not_lost"),
    canary("job-without-notice", Layer::Models, "blocking::line::models::an_idle_thread"),
    canary("socket-emptied-too-late", Layer::Models, "signal::dispatch::models::two_pumps"),
    canary("listener-without-second-look", Layer::Models, "signal::dispatch::models::a_signal"),
    canary("pending-forgotten", Layer::Models, "io::ring::models::what_is_written_down"),
    canary("request-dropped-when-abandoned", Layer::Models, "io::ring::models::what_the_kernel_uses"),
    canary("permits-lost-on-cancel", Layer::Models, "sync::batch_semaphore::models::cancelled"),
    canary("watch-without-second-look", Layer::Models, "sync::watch::models::the_last_value"),
    canary("no-wake-on-last-drop", Layer::Models, "sync::mpsc::models::two_senders_in_order"),
    canary("source-without-second-look", Layer::Models, "engine::io::source::models"),
    canary("newer-event-cleared", Layer::Models, "engine::io::source::models"),
    canary("unpark-swallowed", Layer::Unit, "poller::tests::a_turn_leaves_the_leader"),
    canary("job-without-notice", Layer::Integration("runtime"), "blocking::"),
    canary("asleep-without-a-last-look", Layer::Simulation, "outside"),
    canary("unpark-forgotten", Layer::Simulation, "outside"),
    canary("lifo-slot-not-rescued", Layer::Simulation, "stalls"),
    canary("core-taken-out-of-line", Layer::Simulation, "single"),
    canary("permits-lost-on-cancel", Layer::Simulation, "permits"),
    canary("job-without-notice", Layer::Simulation, "notices"),
    canary("unpark-swallowed", Layer::Simulation, "stalled_io"),
    canary("source-without-second-look", Layer::Simulation, "echo"),
    canary("newer-event-cleared", Layer::Simulation, "echo"),
];

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let limit = Duration::from_secs(args.value("--limit", 60)?);
    let names = args.positional();
    args.finish()?;
    if let Some(name) = names.iter().find(|name| CANARIES.iter().all(|canary| canary.name != **name)) {
        return Err(format!("no canary named `{name}`"));
    }
    let wanted: Vec<_> = CANARIES
        .iter()
        .filter(|canary| names.is_empty() || names.iter().any(|n| n == canary.name))
        .collect();

    let (models, tests) = (build(Build::Models)?, build(Build::Tests)?);
    let simulations = build(Build::Simulations)?;
    let log = shell::target_dir().join("canary").join("last.log");
    let (mut caught, mut sound) = (0, true);
    for canary in &wanted {
        let (targets, name) = match canary.layer {
            Layer::Models => (&models, "yamanote"),
            Layer::Unit => (&tests, "yamanote"),
            Layer::Integration(name) => (&tests, name),
            Layer::Simulation => (&simulations, "yamanote"),
        };
        let limit = if canary.layer == Layer::Models { limit * 10 } else { limit };
        let target = own_tests::find(targets, name)?;
        let ran = |planted: Option<&str>| -> Result<End, String> {
            let mut command = Command::new(&target.executable);
            command.current_dir(&target.directory);
            if canary.layer == Layer::Simulation {
                command.arg("sim::simulate").env("SIM_SCENARIO", canary.filter).env("SIM_SEEDS", "2000");
            } else {
                command.arg(canary.filter);
            }
            command.env_remove("YAMANOTE_CANARY").env("LOOM_MAX_PREEMPTIONS", "2");
            command.envs(planted.map(|name| ("YAMANOTE_CANARY", name)));
            process::run(&mut command, &log, limit)
        };
        let without = ran(None)?;
        if without != End::Success || !ran_something(&log) {
            println!("{:<28} without it: {without:?}, or no test of that name", canary.name);
            sound = false;
            continue;
        }
        let started = Instant::now();
        let with = ran(Some(canary.name))?;
        let verdict = match with {
            End::Success => "NOT CAUGHT",
            End::Failure => "caught",
            End::TimedOut => "caught (hangs)",
        };
        caught += usize::from(with != End::Success);
        println!("{:<28} {verdict} by {name} {}, {:.1?}", canary.name, canary.filter, started.elapsed());
    }
    println!("caught {caught}/{}", wanted.len());
    Ok(sound && caught == wanted.len())
}

fn ran_something(log: &Path) -> bool {
    shell::read(log).is_ok_and(|text| !text.contains("running 0 tests"))
}

#[derive(Clone, Copy)]
enum Build {
    Models,
    Tests,
    Simulations,
}

fn build(what: Build) -> Result<Vec<runner::Target>, String> {
    let mut command = shell::cargo();
    command.args(["test", "--no-run"]);
    let directory: PathBuf = shell::target_dir().join("canary");
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let (cfg, folder) = match what {
        Build::Models => ("--cfg canary --cfg loom", "loom"),
        Build::Tests => ("--cfg canary", ""),
        Build::Simulations => ("--cfg canary --cfg yamanote_sim", "sim"),
    };
    match what {
        Build::Models => command.args(["--release", "--lib", "--features", "full,test-util,io-uring"]),
        Build::Tests => command.args(["--lib", "--test", "runtime"]),
        Build::Simulations => command.arg("--lib").env("CARGO_PROFILE_TEST_OPT_LEVEL", "1"),
    };
    command.env("RUSTFLAGS", format!("{flags} {cfg}").trim());
    command.env("CARGO_TARGET_DIR", directory.join(folder));
    own_tests::build(&mut command)
}
