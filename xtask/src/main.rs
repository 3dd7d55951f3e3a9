//! The project's own checks, run as `cargo xtask NAME`.
//!
//! | name | what it answers |
//! |---|---|
//! | `conformance` | do upstream's published tests pass on the facade? |
//! | `api` | is upstream's public API there, item by item? |
//! | `features` | does every feature build alone and beside others, without a warning? |
//! | `loom` | do the concurrency models hold? |
//! | `tidy` | does the tree keep its own rules? |
//! | `san` | do the project's own tests pass under ThreadSanitizer, AddressSanitizer and Valgrind? |
//! | `canary` | do the checks catch planted bugs? |
//! | `sim` | does the scheduler hold in simulation, seed by seed? |
//! | `soak` | is anything lost or leaked under mixed load with faults, in hours? |
//! | `stress` | do the project's own tests pass many times, on an overloaded machine? |
//! | `deps` | licences, versions, origins of the dependencies, and are they more than tokio's? |
//! | `docs` | which public items have no example? |
//! | `ecosystem` | do real programs and crates run on the facade? |
//! | `cross` | does it build for other systems, and do the tests pass where they can be run? |
//! | `perf-gate` | does an operation take more instructions, allocations or system calls than was recorded? |
//! | `size` | is an echo server larger than on tokio, and what does its build cost? |
//! | `wrk` | how do the same axum programs compare under HTTP load? |

mod api;
mod args;
mod canary;
mod conformance;
mod cross;
mod deps;
mod docs;
mod ecosystem;
mod features;
mod loom;
mod own_tests;
mod perf_gate;
mod process;
mod runner;
mod san;
mod shell;
mod sim;
mod size;
mod soak;
mod stress;
mod tidy;
mod wrk;

use std::process::ExitCode;

const HELP: &str = "\
usage: cargo xtask COMMAND [OPTIONS]

commands:
  conformance   run upstream's published tests on the facade and compare with the real tokio
  api           compare the public API with tokio's
  features      check every feature alone, and combinations
  loom          run the concurrency models
  tidy          check the tree's own rules
  san           run the project's tests under a sanitizer
  canary        plant bugs and see whether the checks catch them
  sim           simulate the scheduler, from seeds
  soak          mixed load with faults, for minutes or hours
  stress        run the project's tests again and again on an overloaded machine
  deps          check the dependencies: licences, duplicates, origins, number
  docs          count public items without an example
  ecosystem     run the programs in ecosystem/, with the services that they talk to
  cross         build for other systems, and run the tests where something here can
  perf-gate     count instructions, allocations and system calls, and compare with what was recorded
  size          size and build time of an echo server, on the real tokio and on yamanote
  wrk           HTTP load on the same programs, built on the real tokio and on yamanote

`cargo xtask COMMAND --help` explains one command.";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.collect();
    let outcome = match command.as_deref() {
        Some("conformance") => conformance::run(rest),
        Some("api") => api::run(rest),
        Some("features") => features::run(rest),
        Some("loom") => loom::run(rest),
        Some("tidy") => tidy::run(rest),
        Some("san") => san::run(rest),
        Some("canary") => canary::run(rest),
        Some("sim") => sim::run(rest),
        Some("soak") => soak::run(rest),
        Some("stress") => stress::run(rest),
        Some("deps") => deps::run(rest),
        Some("docs") => docs::run(rest),
        Some("cross") => cross::run(rest),
        Some("ecosystem") => ecosystem::run(rest),
        Some("perf-gate") => perf_gate::run(rest),
        Some("size") => size::run(rest),
        Some("wrk") => wrk::run(rest),
        Some("--help" | "-h" | "help") => {
            println!("{HELP}");
            Ok(true)
        }
        Some(other) => Err(format!("no command named `{other}`\n\n{HELP}")),
        None => Err(HELP.to_owned()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// `Ok(false)` is a check that ran and found something, `Err` one that could not run.
pub(crate) type Outcome = Result<bool, String>;
