//! Building the two sides and running their cells in turn.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::build;

/// One metric of one cell, one value per round on each side (tokio first).
pub struct Row {
    pub cell: String,
    pub metric: String,
    pub unit: String,
    pub values: [Vec<f64>; 2],
}

/// The executables: the registry's tokio and yamanote.
pub struct Sides([PathBuf; 2]);

pub const NAMES: [&str; 2] = ["tokio", "yamanote"];

/// A cell that takes this many times its budget (plus its set-up) hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Compiles both sides, optimised.
pub fn build_sides() -> Result<Sides, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = build::executables(folder, &["side-tokio", "side-yamanote"])?;
    built.try_into().map(Sides).map_err(|_| "cargo built something else".to_owned())
}

/// Replaces what stands in the terminal's line.
pub fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
        let _ = std::io::stderr().flush();
    }
}

impl Sides {
    /// The names of the cells that both sides have.
    pub fn cells(&self) -> Result<Vec<String>, String> {
        let list = |side: &PathBuf| {
            let output = Command::new(side).arg("list").output().map_err(|error| error.to_string())?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok::<_, String>(text.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        let others = list(&self.0[1])?;
        Ok(list(&self.0[0])?.into_iter().filter(|cell| others.contains(cell)).collect())
    }

    pub fn executable(&self, side: usize) -> &Path {
        &self.0[side]
    }

    /// Runs `rounds` rounds of each cell, the sides alternating.
    pub fn measure(&self, cells: &[String], rounds: usize, ms: u64) -> Result<Vec<Row>, String> {
        let mut rows = Vec::new();
        for (index, cell) in cells.iter().enumerate() {
            progress(&format!("[{}/{}] {cell}", index + 1, cells.len()));
            let mut values: BTreeMap<(String, String), [Vec<f64>; 2]> = BTreeMap::new();
            for round in 0..rounds {
                for turn in 0..2 {
                    let side = (round + turn) % 2;
                    match self.run(side, &["run", cell, &ms.to_string()], ms) {
                        Ok(metrics) => {
                            for (metric, value, unit) in metrics {
                                values.entry((metric, unit)).or_default()[side].push(value);
                            }
                        }
                        Err(error) => eprintln!("\r\x1b[K{cell} on {}: {error}", NAMES[side]),
                    }
                }
            }
            for ((metric, unit), values) in values.into_iter().rev() {
                rows.push(Row { cell: cell.clone(), metric, unit, values });
            }
        }
        progress("");
        Ok(rows)
    }

    /// The series of `grow` that both sides have, with their sizes.
    pub fn series(&self) -> Result<Vec<(String, Vec<u64>)>, String> {
        let list = |side: &PathBuf| {
            let output = Command::new(side).arg("grow").output().map_err(|error| error.to_string())?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let read = |line: &str| {
                let mut words = line.split(' ');
                let name = words.next()?.to_owned();
                Some((name, words.filter_map(|word| word.parse().ok()).collect::<Vec<u64>>()))
            };
            Ok::<_, String>(text.lines().filter_map(read).collect::<Vec<_>>())
        };
        let others = list(&self.0[1])?;
        Ok(list(&self.0[0])?.into_iter().filter(|series| others.contains(series)).collect())
    }

    /// Runs one side with these words and reads what it measured: metric, value, unit.
    pub fn run(
        &self,
        side: usize,
        words: &[&str],
        ms: u64,
    ) -> Result<Vec<(String, f64, String)>, String> {
        let mut child = Command::new(&self.0[side])
            .args(words)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let started = Instant::now();
        let limit = PATIENCE + Duration::from_millis(ms * 10);
        while child.try_wait().map_err(|error| error.to_string())?.is_none() {
            if started.elapsed() > limit {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no end after {limit:.0?}"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(output.status.to_string());
        }
        let mut metrics = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            if let [metric, value, unit] = line.split(' ').collect::<Vec<_>>()[..] {
                let value = value.parse().map_err(|_| format!("unreadable: {line}"))?;
                metrics.push((metric.to_owned(), value, unit.to_owned()));
            }
        }
        Ok(metrics)
    }
}
