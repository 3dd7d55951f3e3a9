//! The concurrency models, compiled with `--cfg loom` into a target folder of their own.

use crate::args::Args;
use crate::{Outcome, shell};

const HELP: &str = "\
usage: cargo xtask loom [OPTIONS] [FILTER…]

Runs the models of the package `yamanote` (all, or those whose path contains a FILTER).

  --bound N     pre-emptions a model explores (default: what the model asks for, two)
  --jobs N      models at a time (default: processors)
  --list        print the models";

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let bound: usize = args.value("--bound", 0)?;
    let jobs: usize = args.value("--jobs", 0)?;
    let list = args.flag("--list");
    let filters = args.positional();
    args.finish()?;

    let mut command = shell::cargo();
    command.current_dir(shell::root());
    // Models explore millions of executions: only optimised code gets through them.
    command.args([
        "test",
        "--package",
        "yamanote",
        "--release",
        "--lib",
        "--features",
        "full,test-util,io-uring",
        "--",
    ]);
    command.args(&filters);
    if jobs > 0 {
        command.arg(format!("--test-threads={jobs}"));
    }
    if list {
        command.arg("--list");
    }
    command.env("CARGO_TARGET_DIR", shell::target_dir().join("loom"));
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    command.env("RUSTFLAGS", format!("{flags} --cfg loom").trim());
    if bound > 0 {
        command.env("LOOM_MAX_PREEMPTIONS", bound.to_string());
    }
    shell::succeeds(&mut command)
}
