//! Runs the cells of both sides alternately and compares: `cargo run --release -- compare`.
//!
//! Every cell of every round is a process of its own, so neither side inherits the other's heap, threads or
//! sockets; within a round the two sides follow each other directly, and who goes first changes with the
//! round, so that a machine that slows down slows both. What is compared is the median of the rounds; the
//! ratio's range says how far single rounds disagree.

mod report;
mod run;

use std::process::ExitCode;

const HELP: &str = "\
usage: cargo run --release -- COMMAND [OPTIONS] [FILTER…]

  compare           measure both sides and compare them
  list              print the cells

A cell is named group/cell/flavour (ct: current_thread; mt1, mt2: multi_thread with 1, 2 workers).
FILTERs are parts of such names; a cell runs if it contains any of them.

  --rounds N        rounds per cell, both sides in each (default 5)
  --ms N            milliseconds a cell measures per side and round (default 300)
  --markdown FILE   also write the table as Markdown";

fn main() -> ExitCode {
    match start(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn start(words: Vec<String>) -> Result<(), String> {
    let (mut command, mut filters) = (None, Vec::new());
    let (mut rounds, mut ms, mut markdown) = (5usize, 300u64, None);
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(());
            }
            "--rounds" => rounds = number(&value()?)?,
            "--ms" => ms = number(&value()?)?,
            "--markdown" => markdown = Some(value()?),
            option if option.starts_with('-') => {
                return Err(format!("unknown option {option}\n\n{HELP}"));
            }
            _ if command.is_none() => command = Some(word),
            _ => filters.push(word),
        }
    }
    let command = command.ok_or(HELP)?;
    if rounds == 0 {
        return Err("--rounds must be at least 1".to_owned());
    }

    let sides = run::build()?;
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

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}
