//! What `peers` prints and writes.

use std::fmt::Write as _;
use std::path::Path;

use super::load::Measured;
use super::{Line, Scene};
use crate::chart::{Bar, bars};
use crate::stats::{duration, median};

/// Whose processor time is the measure of the others'.
const PLAIN: &str = "epoll";

fn of(line: &Line, value: fn(&Measured) -> f64) -> f64 {
    let values: Vec<f64> = line.rounds.iter().map(value).collect();
    median(&values).expect("a line has rounds")
}

/// Name, requests per second, p50, p99, p99.9, processor time and its ratio to the plain loop's.
fn columns(line: &Line, plain: Option<f64>) -> [String; 7] {
    let cpu = of(line, |m| m.cpu);
    [
        line.name.clone(),
        format!("{:.0}", of(line, |m| m.requests_per_second)),
        duration(of(line, |m| m.p50)),
        duration(of(line, |m| m.p99)),
        duration(of(line, |m| m.p999)),
        duration(cpu),
        plain.map_or_else(|| "—".to_owned(), |plain| format!("{:.2}", cpu / plain)),
    ]
}

const HEADS: [&str; 7] = ["server", "requests/s", "p50", "p99", "p99.9", "CPU/request", "to epoll"];

fn rows(lines: &[Line]) -> Vec<[String; 7]> {
    let plain = lines.iter().find(|line| line.name == PLAIN).map(|line| of(line, |m| m.cpu));
    lines.iter().map(|line| columns(line, plain)).collect()
}

pub fn text(scene: &Scene, lines: &[Line], apart: bool) -> String {
    let mut text = format!("\n{}{}\n", scene.title(), if apart { "" } else { " (load on the same)" });
    let mut line = |c: [&str; 7]| {
        let _ = writeln!(
            text,
            "  {:<14} {:>10} {:>10} {:>10} {:>10} {:>12} {:>9}",
            c[0], c[1], c[2], c[3], c[4], c[5], c[6]
        );
    };
    line(HEADS);
    for row in rows(lines) {
        line(row.each_ref().map(String::as_str));
    }
    text
}

fn markdown(tables: &[(Scene, Vec<Line>)], rounds: usize, seconds: f64) -> String {
    let mut text = format!("Medians of {rounds} alternating rounds of {seconds} s.\n");
    for (scene, lines) in tables {
        let _ = write!(text, "\n### {}\n\n| {} |\n|---", scene.title(), HEADS.join(" | "));
        text.push_str(&"|---:".repeat(HEADS.len() - 1));
        text.push_str("|\n");
        for row in rows(lines) {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
    }
    text
}

/// Processor time per request beside the plain loop's, where that ran.
fn chart(tables: &[(Scene, Vec<Line>)]) -> String {
    let mut groups = Vec::new();
    for (scene, lines) in tables {
        let Some(plain) = lines.iter().find(|line| line.name == PLAIN) else { continue };
        let plain = of(plain, |m| m.cpu);
        let bar = |line: &Line| {
            let ratios = || line.rounds.iter().map(|m| m.cpu / plain);
            let range = (ratios().fold(f64::INFINITY, f64::min), ratios().fold(0.0, f64::max));
            Bar { label: line.name.clone(), value: of(line, |m| m.cpu) / plain, range }
        };
        let others = lines.iter().filter(|line| line.name != PLAIN);
        groups.push((scene.title(), others.map(bar).collect()));
    }
    bars("processor time per request / that of a plain epoll loop; lines: single rounds", &groups)
}

pub fn write(
    folder: &Path,
    tables: &[(Scene, Vec<Line>)],
    rounds: usize,
    seconds: f64,
) -> Result<(), String> {
    crate::save(folder, "peers.md", &markdown(tables, rounds, seconds))?;
    crate::save(folder, "peers.svg", &chart(tables))
}
