//! What only yamanote has, measured: `cargo run --release -p views -- COMMAND`.
//!
//! Nothing here compares with another runtime, so that both arms of a comparison run in one process, in turns.

mod idle;
mod recorder;
mod stalled;

use std::process::ExitCode;

const HELP: &str = "\
usage: cargo run --release -p views -- COMMAND

  recorder [ROUNDS]   what the flight recorder costs: the same work with and without it, in turns
  count               the same in instructions, which repeat (needs valgrind)
  stalled [SECONDS]   all workers blocked: how late are the echoes and timers of the rest? Fails above 30 ms (p99)
  idle [SECONDS]      does any thread of an idle runtime wake up? Fails if one does (Linux)
  wakes [SECONDS]     do workers wake up more often for being watched? (Linux)";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |default: u64| match words.get(1) {
        None => Some(default),
        Some(word) => word.parse().ok(),
    };
    let fine = match (words.first().map(String::as_str), words.len()) {
        (Some("recorder"), ..=2) => number(15).map(recorder::run),
        (Some("count"), 1) => Some(recorder::count()),
        // What `count` runs.
        (Some("once"), 4) => {
            words[3].parse().ok().map(|n| recorder::once(&words[1], words[2] == "on", n))
        }
        (Some("stalled"), ..=2) => number(5).map(stalled::run),
        (Some("idle"), ..=2) => number(10).map(idle::run),
        (Some("wakes"), ..=2) => number(5).map(idle::compare),
        _ => None,
    };
    match fine {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => {
            eprintln!("{HELP}");
            ExitCode::from(2)
        }
    }
}
