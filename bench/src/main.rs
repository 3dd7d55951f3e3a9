//! Measures yamanote beside what its users could pick instead: `cargo run --release -p bench -- COMMAND`.
//!
//! `compare` runs the cells of both sides alternately. Every cell of every round is a process of its own, so neither
//! side inherits the other's heap, threads or sockets; within a round the two sides follow each other directly, and who
//! goes first changes with the round, so that a machine that slows down slows both. What is compared is
//! the median of the rounds; the ratio's range says how far single rounds disagree.

mod build;
mod chart;
mod grow;
#[cfg(target_os = "linux")]
mod peers;
mod report;
mod run;
mod stats;
mod syscalls;
mod targets;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use words::Words;

const HELP: &str = "\
usage: cargo run --release -p bench -- COMMAND [OPTIONS] [FILTER…]

  compare           measure both sides and compare them
  list              print the cells
  grow              what an operation costs among few and among many (grow --help)
  syscalls          the system calls of an operation, by name, on both sides (syscalls --help)
  peers             servers on other runtimes and on plain loops, under one load (peers --help)

A cell is named group/cell/flavour (ct: current_thread; mt1, mt2: multi_thread with 1, 2 workers).
FILTERs are parts of such names; a cell runs if it contains any of them.

  --rounds N        rounds per cell, both sides in each (default 5)
  --ms N            milliseconds a cell measures per side and round (default 300)
  --targets         say which targets are met by what was measured
  --markdown FILE   also write the table as Markdown
  --out DIR         also write compare.md, with the targets, and compare.svg there";

fn main() -> ExitCode {
    match start(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn start(mut words: Vec<String>) -> Result<(), String> {
    // The command may stand after its options, as it always could.
    match words.first().map(String::as_str) {
        Some("peers") => return start_peers(words.split_off(1)),
        Some("grow") => {
            let words = Words::new(words.split_off(1), grow::HELP);
            return if words.wants_help() { Ok(()) } else { grow::run(words) };
        }
        Some("syscalls") => {
            let words = Words::new(words.split_off(1), syscalls::HELP);
            return if words.wants_help() { Ok(()) } else { syscalls::run(words) };
        }
        _ => {}
    }
    let mut words = Words::new(words, HELP);
    if words.wants_help() {
        return Ok(());
    }
    let rounds: usize = words.value("--rounds")?.unwrap_or(5);
    let ms: u64 = words.value("--ms")?.unwrap_or(300);
    let markdown: Option<String> = words.value("--markdown")?;
    let out: Option<PathBuf> = words.value("--out")?;
    let wants_targets = words.flag("--targets");
    let mut filters = words.rest()?;
    if filters.is_empty() {
        return Err(HELP.to_owned());
    }
    let command = filters.remove(0);
    if rounds == 0 {
        return Err("--rounds must be at least 1".to_owned());
    }

    let sides = run::build_sides()?;
    let cells: Vec<String> = sides
        .cells()?
        .into_iter()
        .filter(|cell| filters.is_empty() || filters.iter().any(|f| cell.contains(f.as_str())))
        .collect();
    match command.as_str() {
        "list" => {
            for cell in &cells {
                println!("{cell}");
            }
            Ok(())
        }
        "compare" => {
            if cells.is_empty() {
                return Err("no cell matches".to_owned());
            }
            let rows = sides.measure(&cells, rounds, ms)?;
            report::print(&rows);
            let verdicts = targets::verdicts(&rows);
            if wants_targets {
                targets::print(&verdicts);
            }
            if let Some(folder) = out {
                let text = report::markdown(&rows, rounds, ms) + &targets::markdown(&verdicts);
                save(&folder, "compare.md", &text)?;
                save(&folder, "compare.svg", &report::chart(&rows))?;
            }
            if let Some(path) = markdown {
                std::fs::write(&path, report::markdown(&rows, rounds, ms))
                    .map_err(|e| format!("{path}: {e}"))?;
                println!("\nwritten: {path}");
            }
            Ok(())
        }
        other => Err(format!("unknown command {other}\n\n{HELP}")),
    }
}

#[cfg(target_os = "linux")]
fn start_peers(words: Vec<String>) -> Result<(), String> {
    let words = Words::new(words, peers::HELP);
    if words.wants_help() { Ok(()) } else { peers::run(words) }
}

#[cfg(not(target_os = "linux"))]
fn start_peers(_: Vec<String>) -> Result<(), String> {
    Err("the peers run on Linux".to_owned())
}

/// Writes a result, and says where.
fn save(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = folder.join(name);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    println!("written: {}", path.display());
    Ok(())
}
