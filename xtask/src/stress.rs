//! The project's own tests, many times, with more tests at once than the machine has processors.
//!
//! A lost wake-up needs an unlucky moment. Overload makes such moments common: threads are taken off the
//! processor between any two instructions.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::runner::{self, Verdict};
use crate::{Outcome, shell};

const HELP: &str = "\
usage: cargo xtask stress [OPTIONS] [FILTER…]

Builds the tests of the package `yamanote` optimised with debug assertions, and runs them (all, or those
whose TARGET::TEST contains a FILTER) again and again. Fails if any run of any test fails or hangs.

  --rounds N    how often (default 20)
  --jobs N      tests at a time (default: eight times the processors)
  --limit S     seconds after which a test counts as hanging (default 120)";

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let rounds: usize = args.value("--rounds", 20)?;
    let jobs = args.value("--jobs", processors * 8)?;
    let limit = Duration::from_secs(args.value("--limit", 120)?);
    let filters = args.positional();
    args.finish()?;

    let directory = shell::target_dir().join("stress");
    let mut command = shell::cargo();
    command.current_dir(shell::root());
    command.args(["build", "--release", "--package", "yamanote", "--tests", "--message-format", "json"]);
    command.env("CARGO_TARGET_DIR", &directory);
    command.env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true");
    let output = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    let manifest = shell::root().join("yamanote").join("Cargo.toml");
    let built = runner::read_messages(&String::from_utf8_lossy(&output.stdout), &manifest);
    if !output.status.success() {
        return Err(built.errors.into_values().collect());
    }

    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|f| name.contains(f.as_str()));
    let mut tests = Vec::new();
    for target in &built.targets {
        tests.extend(runner::list(target)?.into_iter().filter(|test| wanted(&test.full_name())));
    }
    if tests.is_empty() {
        return Err("no test of that name".to_owned());
    }
    let options = runner::Options {
        jobs,
        limit,
        retries: 0,
        logs: directory.join("logs"),
        environment: Vec::new(),
    };
    let mut clean = true;
    for round in 1..=rounds {
        let started = Instant::now();
        let verdicts = runner::run(&tests, &options)?;
        let bad: Vec<_> = verdicts.iter().filter(|(_, v)| **v != Verdict::Passed).collect();
        println!(
            "round {round}/{rounds}: {} tests, {} bad, {:.0?}",
            tests.len(),
            bad.len(),
            started.elapsed()
        );
        for (name, verdict) in &bad {
            println!(
                "  {name} ({verdict:?}), output: {}",
                shell::shown(&options.logs.join(runner::log_name(name)))
            );
        }
        clean &= bad.is_empty();
    }
    Ok(clean)
}
