//! The project's own tests, those of the package `yamanote`: built, chosen, run and reported in one way by all the commands
//! that run them (`stress`, `san`, `soak`, `canary`, `cross`).

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::runner::{self, Options, Target, Test, Verdict};
use crate::{Outcome, shell};

/// Builds test executables as `command` says, a `cargo build` or `cargo test --no-run` without a package.
pub(crate) fn build(command: &mut Command) -> Result<Vec<Target>, String> {
    command.current_dir(shell::root());
    command.args(["--package", "yamanote", "--message-format", "json"]);
    let output = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    let manifest = shell::root().join("yamanote").join("Cargo.toml");
    let built = runner::read_messages(&String::from_utf8_lossy(&output.stdout), &manifest);
    if !output.status.success() {
        return Err(built.errors.into_values().collect());
    }
    Ok(built.targets)
}

/// A `cargo build` with optimisation and with debug assertions, in the folder that `stress` and `soak` share.
pub(crate) fn optimised() -> Command {
    let mut command = shell::cargo();
    command.args(["build", "--release"]);
    command.env("CARGO_TARGET_DIR", shell::target_dir().join("stress"));
    command.env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true");
    command
}

/// The target of that name.
pub(crate) fn find<'a>(targets: &'a [Target], name: &str) -> Result<&'a Target, String> {
    targets.iter().find(|target| target.name == name).ok_or_else(|| format!("no test target `{name}`"))
}

/// The tests whose `TARGET::TEST` contains a filter (all, without one) and begins with none of `left_out`.
pub(crate) fn choose(
    targets: &[Target],
    filters: &[String],
    left_out: &[&str],
) -> Result<Vec<Test>, String> {
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|f| name.contains(f.as_str()));
    let is_left_out = |name: &str| left_out.iter().any(|start| name.starts_with(start));
    let mut tests = Vec::new();
    for target in targets {
        let names = runner::list(target)?.into_iter();
        tests.extend(names.filter(|test| wanted(&test.full_name()) && !is_left_out(&test.full_name())));
    }
    if tests.is_empty() { Err("no test of that name".to_owned()) } else { Ok(tests) }
}

/// Runs tests again and again, and prints a line for each round under `title`, and one for each test that did not
/// pass: with what `again` made of the verdicts, and what `remark` has to say of a log.
pub(crate) fn run_rounds(
    title: &str,
    rounds: usize,
    tests: &[Test],
    options: &Options,
    again: impl Fn(&mut BTreeMap<String, Verdict>) -> Result<(), String>,
    remark: impl Fn(&str) -> Option<String>,
) -> Outcome {
    let mut clean = true;
    for round in 1..=rounds {
        let started = Instant::now();
        let mut verdicts = runner::run(tests, options)?;
        again(&mut verdicts)?;
        let bad: Vec<_> = verdicts.iter().filter(|(_, v)| **v != Verdict::Passed).collect();
        println!(
            "{title} {round}/{rounds}: {} tests, {} bad, {:.0?}",
            tests.len(),
            bad.len(),
            started.elapsed()
        );
        for (name, verdict) in &bad {
            let log = options.logs.join(runner::log_name(name));
            let remark = shell::read(&log).ok().and_then(|text| remark(&text)).unwrap_or_default();
            println!("  {name} ({verdict:?}), output: {}  {remark}", shell::shown(&log));
        }
        clean &= bad.is_empty();
    }
    Ok(clean)
}
