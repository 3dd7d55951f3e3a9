//! What operations cost in numbers that repeat: instructions, allocations, system calls.
//!
//! Times are noise on a shared machine; these counts are the same from run to run, so a change of some percent is a
//! change of the code. Each cell of `bench/` that is chosen here runs twice, once with twice as many operations; what
//! the second run has more, divided by how many operations it has more, is free of what it costs to start.
//!
//! Counts depend on the compiler and on the C library, so the record says which they were.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::Args;
use crate::{Outcome, shell};

const HELP: &str = "\
usage: cargo xtask perf-gate [OPTIONS] [FILTER…]

Counts instructions (valgrind --tool=callgrind), allocations and system calls (strace -f) per operation of
the single-threaded cells of bench/, and compares with xtask/data/perf-counts.txt. Fails if one is more
than 5 % above what is recorded there. Linux; needs `valgrind` and `strace`.

  --record      write what was counted instead";

const RECORD: &str = "xtask/data/perf-counts.txt";

/// Above the recorded count by more than this is a failure.
const TOLERANCE: f64 = 1.05;

/// Counts this small differ by what a run happens to do once.
const SLACK: f64 = 0.05;

/// A cell, and operations that are enough to make one-time work small and take a second or two in callgrind.
const CELLS: [(&str, u64); 27] = [
    ("task/spawn_join/ct", 20_000),
    ("task/spawn_10k/ct", 20_000),
    ("task/yield_now/ct", 50_000),
    ("task/yield_1k_tasks/ct", 50_000),
    ("task/ping_pong/ct", 20_000),
    ("task/chained_spawn/ct", 20_000),
    ("task/join_set_1000/ct", 20_000),
    ("sync/mpsc_1_1/ct", 50_000),
    ("sync/mpsc_unbounded_1_1/ct", 50_000),
    ("sync/oneshot_same_task/ct", 50_000),
    ("sync/mutex_alone/ct", 50_000),
    ("sync/rwlock_alone/ct", 50_000),
    ("sync/semaphore_alone/ct", 50_000),
    ("sync/notify_alone/ct", 50_000),
    ("sync/watch_1_8/ct", 5_000),
    ("sync/select_2_channels/ct", 20_000),
    ("time/sleep_create_drop/ct", 50_000),
    ("time/sleep_poll_drop/ct", 50_000),
    ("time/timeout_among_1k/ct", 20_000),
    ("net/echo_1/ct", 5_000),
    ("net/bulk_mebibyte/ct", 100),
    ("net/proxy_echo/ct", 2_000),
    ("net/unix_ping_pong/ct", 5_000),
    ("net/udp_ping_pong/ct", 5_000),
    ("net/udp_burst/ct", 10_000),
    ("net/duplex_ping_pong/ct", 20_000),
    ("net/copy/ct", 20_000),
];

/// Per operation.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Counts {
    instructions: f64,
    allocations: f64,
    calls: f64,
}

impl Counts {
    const NAMES: [&str; 3] = ["instructions", "allocations", "system calls"];

    fn all(self) -> [f64; 3] {
        [self.instructions, self.allocations, self.calls]
    }
}

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let record = args.flag("--record");
    let filters = args.positional();
    args.finish()?;
    for program in ["valgrind", "strace"] {
        if !shell::is_installed(program) {
            return Err(format!(
                "`{program}` is not installed (most systems have a package of that name)"
            ));
        }
    }
    let side = build()?;
    let recorded = if record { Vec::new() } else { parse(&shell::read(&shell::root().join(RECORD))?)? };

    let mut counted = Vec::new();
    let mut fine = true;
    println!(
        "{:30} {:>13} {:>13} {:>13}",
        "per operation", "instructions", "allocations", "system calls"
    );
    for (cell, n) in CELLS {
        if !filters.is_empty() && !filters.iter().any(|filter| cell.contains(filter.as_str())) {
            continue;
        }
        let counts = count(&side, cell, n)?;
        let [instructions, allocations, calls] = counts.all();
        println!("{cell:30} {instructions:13.1} {allocations:13.3} {calls:13.3}");
        if let Some((_, before)) = recorded.iter().find(|(name, _)| name == cell) {
            for line in grown(*before, counts) {
                fine = false;
                println!("    {line}");
            }
        } else if !record {
            println!("    not recorded yet");
        }
        counted.push((cell, counts));
    }
    if record {
        let mut text = format!(
            "# Per operation of the cells in bench/: instructions, allocations, system calls. Written by\n\
             # `cargo xtask perf-gate --record` with {}.\n",
            version()?,
        );
        for (cell, counts) in counted {
            let [instructions, allocations, calls] = counts.all();
            let _ = writeln!(text, "{cell} {instructions:.1} {allocations:.3} {calls:.3}");
        }
        shell::write_if_changed(&shell::root().join(RECORD), &text)?;
    }
    Ok(fine)
}

/// What grew by more than is allowed.
fn grown(before: Counts, now: Counts) -> Vec<String> {
    let pairs = before.all().into_iter().zip(now.all()).zip(Counts::NAMES);
    pairs
        .filter(|((before, now), _)| *now > before * TOLERANCE + SLACK)
        .map(|((before, now), name)| format!("{name}: {now:.2}, recorded {before:.2}"))
        .collect()
}

fn version() -> Result<String, String> {
    Ok(shell::stdout(Command::new("rustc").arg("--version"))?.trim().to_owned())
}

fn build() -> Result<PathBuf, String> {
    let target = shell::target_dir().join("perf-gate");
    let mut cargo = shell::cargo();
    cargo.current_dir(shell::root().join("bench"));
    cargo.args(["build", "--release", "--package", "side-yamanote"]).env("CARGO_TARGET_DIR", &target);
    // Incremental builds are cut into smaller units, and inline less.
    cargo.env("CARGO_INCREMENTAL", "0");
    if !shell::succeeds(&mut cargo)? {
        return Err("the benchmarks do not compile".to_owned());
    }
    Ok(target.join("release").join("side-yamanote"))
}

/// What a run did, and what it took.
#[derive(Clone, Copy)]
struct Run {
    operations: f64,
    allocations: f64,
    cost: f64,
}

fn count(side: &Path, cell: &str, n: u64) -> Result<Counts, String> {
    let per_operation = |runs: [Run; 2], what: fn(&Run) -> f64| {
        (what(&runs[1]) - what(&runs[0])) / (runs[1].operations - runs[0].operations)
    };
    let instructions = [n, 2 * n].map(|n| callgrind(side, cell, n));
    let [first, second] = instructions;
    let instructions = [first?, second?];
    let [first, second] = [n, 2 * n].map(|n| strace(side, cell, n));
    let calls = [first?, second?];
    if instructions[0].operations >= instructions[1].operations {
        return Err(format!("{cell}: too few operations to compare"));
    }
    Ok(Counts {
        instructions: per_operation(instructions, |run| run.cost),
        allocations: per_operation(instructions, |run| run.allocations).max(0.0),
        calls: per_operation(calls, |run| run.cost).max(0.0),
    })
}

fn callgrind(side: &Path, cell: &str, n: u64) -> Result<Run, String> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(side);
    let (operations, allocations, messages) = start(&mut command, cell, n)?;
    // `==123== Collected : 456`
    let collected = messages.lines().find_map(|line| line.split_once("Collected :"));
    let cost = collected.and_then(|(_, count)| count.trim().parse().ok());
    let cost = cost.ok_or_else(|| format!("{cell}: callgrind tells no count:\n{messages}"))?;
    Ok(Run { operations, allocations, cost })
}

fn strace(side: &Path, cell: &str, n: u64) -> Result<Run, String> {
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-U", "calls,name"]).arg(side);
    let (operations, allocations, messages) = start(&mut command, cell, n)?;
    // The last line is the sum.
    let total = messages.lines().find(|line| line.trim_end().ends_with(" total"));
    let cost = total.and_then(|line| line.split_whitespace().next()?.parse().ok());
    let cost = cost.ok_or_else(|| format!("{cell}: strace tells no sum:\n{messages}"))?;
    Ok(Run { operations, allocations, cost })
}

/// Operations and allocations, and what the program around the cell said.
fn start(command: &mut Command, cell: &str, n: u64) -> Result<(f64, f64, String), String> {
    command.args(["count", cell, &n.to_string()]);
    let output = command.output().map_err(|error| format!("{cell}: {error}"))?;
    let (text, messages) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr).into_owned());
    if !output.status.success() {
        return Err(format!("{cell}: {}\n{messages}", output.status));
    }
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.trim().parse::<f64>().ok())
            .ok_or_else(|| format!("{cell}: the cell does not tell its {name}"))
    };
    Ok((value("operations")?, value("allocations")?, messages))
}

/// Lines of `CELL INSTRUCTIONS ALLOCATIONS CALLS`.
fn parse(text: &str) -> Result<Vec<(String, Counts)>, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [cell, numbers @ ..] = &words[..] else { return Err(format!("{RECORD}: {line}")) };
            let numbers: Result<Vec<f64>, _> = numbers.iter().map(|word| word.parse()).collect();
            match numbers.as_deref() {
                Ok(&[instructions, allocations, calls]) => {
                    Ok(((*cell).to_owned(), Counts { instructions, allocations, calls }))
                }
                _ => Err(format!("{RECORD}: {line}")),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_told() {
        let before = Counts { instructions: 100.0, allocations: 1.0, calls: 0.0 };
        assert!(grown(before, Counts { instructions: 104.0, ..before }).is_empty());
        assert_eq!(grown(before, Counts { instructions: 106.0, allocations: 2.0, calls: 1.0 }).len(), 3);
        assert!(grown(before, Counts { instructions: 50.0, allocations: 0.0, calls: 0.01 }).is_empty());
    }

    #[test]
    fn a_record_is_read_back() {
        let text = "# comment\ntask/x/ct 12.5 1.000 0.000\n";
        let counts = Counts { instructions: 12.5, allocations: 1.0, calls: 0.0 };
        assert_eq!(parse(text).unwrap(), [("task/x/ct".to_owned(), counts)]);
        assert!(parse("task/x/ct 12.5").is_err());
    }
}
