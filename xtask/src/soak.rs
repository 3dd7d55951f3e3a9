//! The soak test of the package `yamanote`, optimised with debug assertions, for as long as asked for.

use crate::args::Args;
use crate::{Outcome, own_tests, shell};

const HELP: &str = "\
usage: cargo xtask soak [OPTIONS]

Runs tests/soak: round after round a runtime with settings drawn by lot, under mixed load (sockets, files,
processes, timers, channels, blocking jobs …), with slow polls, panics in tasks, wakers, drops and callbacks, with
descriptors running short, threads that cannot be started, interrupted system calls, a clock on the wall that
jumps and a process that stands still, ended gently or dropped in the middle. After each
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

    let targets = own_tests::build(own_tests::optimised().args(["--test", "soak"]))?;
    let target = own_tests::find(&targets, "soak")?;
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
