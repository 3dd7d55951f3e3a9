//! The project's own tests, many times, with more tests at once than the machine has processors.
//!
//! A lost wake-up needs an unlucky moment. Overload makes such moments common: threads are taken off the
//! processor between any two instructions.

use std::time::Duration;

use crate::args::Args;
use crate::{Outcome, own_tests, runner, shell};

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

    let targets = own_tests::build(own_tests::optimised().arg("--tests"))?;
    let tests = own_tests::choose(&targets, &filters, &[])?;
    let options = runner::Options {
        jobs,
        limit,
        retries: 0,
        logs: shell::target_dir().join("stress").join("logs"),
        environment: Vec::new(),
    };
    own_tests::run_rounds("round", rounds, &tests, &options, |_| Ok(()), |_| None)
}
