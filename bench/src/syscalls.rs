//! `bench -- syscalls`: the system calls of an operation, by name, on both sides.
//!
//! Each cell runs twice, once with twice as many operations; what the second run has more, divided by how many operations
//! it has more, is free of what it costs to start. On one worker the counts repeat. On two they depend on who comes when,
//! and on who watches: `strace` stops the process at every call, so each takes some twenty times as long, and other
//! workers have the time to fall asleep. `--perf` counts in the kernel, where nobody waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::run::{NAMES, Sides, build_sides, progress};
use crate::words::Words;

pub const HELP: &str = "\
usage: cargo run --release -p bench -- syscalls [OPTIONS] [FILTER…]

Counts the system calls per operation of both sides, by name. FILTERs are parts of cells' names (default net/).

  --operations N    of the first run; the second has twice as many (default 2000)
  --rounds N        counts so many times, and shows the medians (default 1)
  --perf            count with `perf stat` and the kernel's tracepoints, which disturb less, and not with `strace`";

/// What the cells can be seen to call, for `perf`, which wants the names. More are counted as `raw_syscalls`.
const CALLS: [&str; 23] = [
    "accept4",
    "bind",
    "clock_nanosleep",
    "close",
    "connect",
    "epoll_ctl",
    "epoll_wait",
    "fcntl",
    "futex",
    "getsockopt",
    "madvise",
    "read",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "sched_yield",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "socket",
    "splice",
    "write",
];

/// Below this per operation a call is not worth a line: what happens once a run.
const NEGLIGIBLE: f64 = 0.005;

#[derive(Clone, Copy)]
enum Counter {
    Strace,
    Perf,
}

/// The calls of one run by name, and the operations it did.
struct Run {
    operations: f64,
    calls: BTreeMap<String, f64>,
}

pub fn run(mut words: Words) -> Result<(), String> {
    let operations: u64 = words.value("--operations")?.unwrap_or(2000);
    let rounds: usize = words.value("--rounds")?.unwrap_or(1);
    let counter = if words.flag("--perf") { Counter::Perf } else { Counter::Strace };
    let filters = words.rest()?;
    if rounds == 0 || operations == 0 {
        return Err("--rounds and --operations must be at least 1".to_owned());
    }
    let sides = build_sides()?;
    let chosen = |cell: &String| match &filters[..] {
        [] => cell.starts_with("net/"),
        filters => filters.iter().any(|filter| cell.contains(filter.as_str())),
    };
    let cells: Vec<String> = sides.cells()?.into_iter().filter(chosen).collect();
    if cells.is_empty() {
        return Err("no cell matches".to_owned());
    }
    for cell in cells {
        progress(&cell);
        let mut counted: [Vec<BTreeMap<String, f64>>; 2] = Default::default();
        for round in 0..rounds {
            for turn in 0..2 {
                let side = (round + turn) % 2;
                counted[side].push(per_operation(&sides, side, counter, &cell, operations)?);
            }
        }
        progress("");
        print(&cell, &counted.map(|rounds| medians(&rounds)));
    }
    Ok(())
}

fn print(cell: &str, sides: &[BTreeMap<String, f64>; 2]) {
    let totals = sides.each_ref().map(|calls| calls.values().sum::<f64>());
    println!("{cell:<26} {:<14} {:>9} {:>9}", "", NAMES[0], NAMES[1]);
    let names: BTreeSet<&String> = sides.iter().flat_map(BTreeMap::keys).collect();
    for name in names {
        let [tokio, yamanote] = sides.each_ref().map(|calls| calls.get(name).copied().unwrap_or(0.0));
        if tokio >= NEGLIGIBLE || yamanote >= NEGLIGIBLE {
            println!("{:<26} {name:<14} {tokio:>9.3} {yamanote:>9.3}", "");
        }
    }
    println!("{:<26} {:<14} {:>9.3} {:>9.3}", "", "all", totals[0], totals[1]);
}

fn medians(rounds: &[BTreeMap<String, f64>]) -> BTreeMap<String, f64> {
    let names: BTreeSet<&String> = rounds.iter().flat_map(BTreeMap::keys).collect();
    let of = |name: &String| {
        let values: Vec<f64> =
            rounds.iter().map(|calls| calls.get(name).copied().unwrap_or(0.0)).collect();
        crate::stats::median(&values).unwrap_or(0.0)
    };
    names.into_iter().map(|name| (name.clone(), of(name))).collect()
}

fn per_operation(
    sides: &Sides,
    side: usize,
    counter: Counter,
    cell: &str,
    n: u64,
) -> Result<BTreeMap<String, f64>, String> {
    let short = count(sides, side, counter, cell, n)?;
    let long = count(sides, side, counter, cell, 2 * n)?;
    let more = long.operations - short.operations;
    if more <= 0.0 {
        return Err(format!("{cell}: too few operations to compare"));
    }
    let calls = long.calls.into_iter().map(|(name, calls)| {
        let before = short.calls.get(&name).copied().unwrap_or(0.0);
        (name, ((calls - before) / more).max(0.0))
    });
    Ok(calls.collect())
}

fn count(sides: &Sides, side: usize, counter: Counter, cell: &str, n: u64) -> Result<Run, String> {
    let mut command = match counter {
        Counter::Strace => {
            let mut command = Command::new("strace");
            command.args(["-f", "-c", "-U", "calls,name"]);
            command
        }
        Counter::Perf => {
            let mut command = Command::new("perf");
            let events: Vec<String> =
                CALLS.iter().map(|name| format!("syscalls:sys_enter_{name}")).collect();
            command.args(["stat", "-x", ",", "-e", &events.join(","), "-e", "raw_syscalls:sys_enter"]);
            command
        }
    };
    command.arg(sides.executable(side)).args(["count", cell, &n.to_string()]);
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("cannot run {program}: {error}"))?;
    let (text, messages) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!("{cell} on {}: {}\n{messages}", NAMES[side], output.status));
    }
    let operations = text.lines().find_map(|line| line.strip_prefix("operations ")?.parse().ok());
    let operations =
        operations.ok_or_else(|| format!("{cell}: the cell does not tell its operations"))?;
    let calls = match counter {
        Counter::Strace => of_strace(&messages),
        Counter::Perf => of_perf(&messages),
    };
    if calls.is_empty() {
        return Err(format!("{program} tells nothing:\n{messages}"));
    }
    Ok(Run { operations, calls })
}

/// Lines of `  123 read`, between rules; the last is the sum.
fn of_strace(text: &str) -> BTreeMap<String, f64> {
    let read = |line: &str| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [calls, name] if name != "total" => Some((name.to_owned(), calls.parse().ok()?)),
        _ => None,
    };
    text.lines().filter_map(read).collect()
}

/// Lines of `123,,syscalls:sys_enter_read,…`. What has no line of its own is what the sum has more.
fn of_perf(text: &str) -> BTreeMap<String, f64> {
    let mut calls = BTreeMap::new();
    let mut all = 0.0;
    for line in text.lines() {
        let mut words = line.split(',');
        let (Some(count), Some(_), Some(event)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let Ok(count) = count.parse::<f64>() else { continue };
        if let Some(name) = event.strip_prefix("syscalls:sys_enter_") {
            calls.insert(name.to_owned(), count);
        } else {
            all = count;
        }
    }
    let others = all - calls.values().sum::<f64>();
    if others > 0.0 {
        calls.insert("others".to_owned(), others);
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strace_tells_is_read() {
        let text = "strace: Process 12 attached\n    calls syscall\n--------- ---------\n      120 recvfrom\n        \
                    2 futex\n--------- ---------\n      122 total\n";
        let calls = of_strace(text);
        assert_eq!(calls.len(), 2);
        assert_eq!((calls["recvfrom"], calls["futex"]), (120.0, 2.0));
    }

    #[test]
    fn what_perf_tells_is_read() {
        let text = "7,,syscalls:sys_enter_read,5000,100.00,,\n<not supported>,,syscalls:sys_enter_x,0,100.00,,\n\
                    9,,raw_syscalls:sys_enter,5000,100.00,,\n";
        let calls = of_perf(text);
        assert_eq!((calls["read"], calls["others"]), (7.0, 2.0));
    }
}
