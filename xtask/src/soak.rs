//! The soak test of the package `yamanote`, optimised with debug assertions, for as long as asked for.

use std::process::Stdio;

use crate::args::Args;
use crate::{Outcome, runner, shell};

const HELP: &str = "\
usage: cargo xtask soak [OPTIONS]

Runs tests/soak: round after round a runtime with settings drawn by lot, under mixed load (sockets, files,
processes, timers, channels, blocking jobs …), with slow polls, panics in tasks, wakers, drops and callbacks, with
descriptors running short and threads that cannot be started, ended gently or dropped in the middle. After each
round all futures, threads, descriptors, children and bytes must be gone.

  --minutes M     how long (default 10)
  --seed S        what is drawn (default: by the clock; printed)
  --no-faults     nothing runs short
  --limit S       seconds after which a round counts as hanging (default 180)
  --stay          on a hang, leave the process for a debugger";

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let minutes: f64 = args.value("--minutes", 10.0)?;
    let seed: u64 = args.value("--seed", 0)?;
    let limit: u64 = args.value("--limit", 180)?;
    let (faults, stay) = (!args.flag("--no-faults"), args.flag("--stay"));
    args.finish()?;

    let mut command = shell::cargo();
    command.current_dir(shell::root());
    command.args(["build", "--release", "--package", "yamanote", "--test", "soak"]);
    command.args(["--message-format", "json"]);
    command.env("CARGO_TARGET_DIR", shell::target_dir().join("stress"));
    command.env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true");
    let output = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    let manifest = shell::root().join("yamanote").join("Cargo.toml");
    let built = runner::read_messages(&String::from_utf8_lossy(&output.stdout), &manifest);
    if !output.status.success() {
        return Err(built.errors.into_values().collect());
    }
    let target = built.targets.iter().find(|target| target.name == "soak");
    let target = target.ok_or("no test target `soak`")?;
    let mut command = std::process::Command::new(&target.executable);
    command.current_dir(&target.directory).arg("--nocapture");
    command.env("SOAK_SECONDS", ((minutes * 60.0) as u64).to_string());
    command.env("SOAK_LIMIT", limit.to_string()).env("SOAK_FAULTS", u8::from(faults).to_string());
    if seed != 0 {
        command.env("SOAK_SEED", seed.to_string());
    }
    if stay {
        command.env("SOAK_STAY", "1");
    }
    shell::succeeds(&mut command)
}
