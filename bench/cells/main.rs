//! The benchmark cells, compiled twice: `rt` is the registry's tokio in one package, yamanote in the other.
//!
//! `SIDE list` prints the cells; `SIDE run CELL MILLISECONDS` measures one in this process and prints
//! `METRIC VALUE UNIT` lines. The runner in `bench/src` alternates the two sides. `SIDE count CELL N` does about N
//! operations once and prints how many it did and with how many allocations, for who counts
//! instructions and system calls from outside.

#[cfg(feature = "fs")]
mod fs;
mod grow;
mod harness;
mod memory;
mod net;
#[cfg(unix)]
mod process;
mod runtime;
mod sync;
mod task;
mod time;

use std::process::ExitCode;
use std::time::Duration;

use harness::{Cell, Context, Flavour};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

fn cells() -> Vec<Cell> {
    [
        task::CELLS,
        sync::CELLS,
        time::CELLS,
        net::CELLS,
        #[cfg(feature = "fs")]
        fs::CELLS,
        #[cfg(unix)]
        process::CELLS,
        runtime::CELLS,
        memory::CELLS,
    ]
    .concat()
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            for cell in cells() {
                for flavour in cell.flavours {
                    println!("{}/{}", cell.name, flavour.name());
                }
            }
            ExitCode::SUCCESS
        }
        ["run", name, ms] => {
            let Some((cell, flavour)) = find(name) else {
                eprintln!("no cell named {name}");
                return ExitCode::FAILURE;
            };
            let Ok(ms) = ms.parse() else {
                eprintln!("not a number of milliseconds: {ms}");
                return ExitCode::FAILURE;
            };
            harness::raise_file_limit();
            let context = Context { flavour, budget: Duration::from_millis(ms), counted: None };
            for metric in (cell.run)(&context) {
                println!("{} {} {}", metric.name, metric.value, metric.unit);
            }
            ExitCode::SUCCESS
        }
        ["count", name, n] => {
            let (Some((cell, flavour)), Ok(n)) = (find(name), n.parse()) else {
                eprintln!("no cell named {name}, or not a number: {n}");
                return ExitCode::FAILURE;
            };
            (cell.run)(&Context { flavour, budget: Duration::ZERO, counted: Some(n) });
            ExitCode::SUCCESS
        }
        ["grow"] => {
            for series in grow::SERIES {
                let sizes: Vec<String> = series.sizes.iter().map(u64::to_string).collect();
                println!("{} {}", series.name, sizes.join(" "));
            }
            ExitCode::SUCCESS
        }
        ["grow", name, size, ms] => {
            let series = grow::SERIES.iter().find(|series| series.name == name);
            let (Some(series), Ok(size), Ok(ms)) = (series, size.parse(), ms.parse()) else {
                eprintln!("no series named {name}, or not a number: {size}, {ms}");
                return ExitCode::FAILURE;
            };
            harness::raise_file_limit();
            for metric in series.measure(size, Duration::from_millis(ms)) {
                println!("{} {} {}", metric.name, metric.value, metric.unit);
            }
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!(
                "usage: SIDE list | SIDE run CELL MILLISECONDS | SIDE count CELL N | SIDE grow [SERIES SIZE MILLISECONDS]"
            );
            ExitCode::FAILURE
        }
    }
}

fn find(name: &str) -> Option<(Cell, Flavour)> {
    let (cell, flavour) = name.rsplit_once('/')?;
    let cell = cells().into_iter().find(|c| c.name == cell)?;
    let flavour = cell.flavours.iter().copied().find(|f| f.name() == flavour)?;
    Some((cell, flavour))
}
