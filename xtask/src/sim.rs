//! Simulations of the scheduler, compiled with `--cfg yamanote_sim` into a target folder of their own.

use crate::args::Args;
use crate::{Outcome, shell};

const HELP: &str = "\
usage: cargo xtask sim [OPTIONS]

Runs the scenarios in yamanote/src/sim: whole programs on simulated threads, locks and clocks, each seed twice. A seed that
fails is printed with the line that runs it again; once its bug is fixed it belongs into yamanote/src/sim/corpus.txt.

  --seeds N       seeds in all, shared out among the scenarios (default 1000)
  --seed S        the first seed (default 1); alone it is the only one, of each scenario
  --scenario X    only this scenario
  --verbose       print what happens
  --list          print the scenarios";

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let (seeds, seed): (u64, u64) = (args.value("--seeds", 0)?, args.value("--seed", 0)?);
    let scenario = args.value("--scenario", String::new())?;
    let (verbose, list) = (args.flag("--verbose"), args.flag("--list"));
    args.finish()?;
    let seeds = match (seeds, seed) {
        (0, 0) => 1_000,
        (0, _) => 1,
        (seeds, _) => seeds,
    };

    let mut command = shell::cargo();
    command.current_dir(shell::root());
    command.args(["test", "--package", "yamanote", "--lib", "--", "--nocapture", "--test-threads=1"]);
    command.args(["--exact", if list { "sim::list" } else { "sim::simulate" }]);
    if !list && seed == 0 {
        command.arg("sim::corpus");
    }
    command.env("CARGO_TARGET_DIR", shell::target_dir().join("sim"));
    // Assertions stay on; without any optimisation a seed takes several times as long.
    command.env("CARGO_PROFILE_TEST_OPT_LEVEL", "1");
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    command.env("RUSTFLAGS", format!("{flags} --cfg yamanote_sim").trim());
    command.env("SIM_SEEDS", seeds.to_string()).env("SIM_SEED", seed.max(1).to_string());
    if !scenario.is_empty() {
        command.env("SIM_SCENARIO", scenario);
    }
    if verbose {
        command.env("SIM_VERBOSE", "1");
    }
    shell::succeeds(&mut command)
}
