//! `bench -- grow`: the cost of one operation among few and among many, on both sides.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::chart::{Line, plots};
use crate::run::{NAMES, Sides, build_sides, progress};
use crate::stats::{duration, median};
use crate::words::Words;

pub const HELP: &str = "\
usage: cargo run --release -p bench -- grow [OPTIONS] [FILTER…]

Measures what an operation costs among 10 to a million tasks and timers, 1 to 9,000 connections, and on 1 to 16 workers,
on both sides in alternating processes. A size at which it costs more than 1.5 times the least of the smaller sizes is
marked with *. FILTERs are parts of series' names (tasks/taking_turns/ct …).

  --rounds N          (default 3)
  --ms N              milliseconds a point measures (default 100)
  --largest N         leave out larger sizes (but for workers)
  --out DIR           also write grow.md and grow.svg there";

/// Above this an operation's cost is not flat.
const FLAT: f64 = 1.5;

/// One metric of a series: for each side the values by size.
struct Curve {
    series: String,
    metric: String,
    sides: [Vec<(u64, f64)>; 2],
}

pub fn run(mut words: Words) -> Result<(), String> {
    let rounds: usize = words.value("--rounds")?.unwrap_or(3);
    let ms: u64 = words.value("--ms")?.unwrap_or(100);
    let largest: u64 = words.value("--largest")?.unwrap_or(u64::MAX);
    let out: Option<PathBuf> = words.value("--out")?;
    let filters = words.rest()?;
    if rounds == 0 {
        return Err("--rounds must be at least 1".to_owned());
    }
    let sides = build_sides()?;
    let mut curves = Vec::new();
    for (series, sizes) in sides.series()? {
        if !filters.is_empty() && !filters.iter().any(|filter| series.contains(filter.as_str())) {
            continue;
        }
        let measured = measure(&sides, &series, &sizes, rounds, ms, largest);
        for curve in measured {
            print(&curve);
            curves.push(curve);
        }
    }
    if curves.is_empty() {
        return Err("no series matches".to_owned());
    }
    if let Some(folder) = out {
        crate::save(&folder, "grow.md", &markdown(&curves, rounds, ms))?;
        crate::save(&folder, "grow.svg", &chart(&curves))?;
    }
    Ok(())
}

fn measure(
    sides: &Sides,
    series: &str,
    sizes: &[u64],
    rounds: usize,
    ms: u64,
    largest: u64,
) -> Vec<Curve> {
    // By metric; a point is the median of its rounds.
    let mut curves: BTreeMap<String, [Vec<(u64, f64)>; 2]> = BTreeMap::new();
    for &size in sizes {
        if size > largest && !series.starts_with("workers") {
            continue;
        }
        progress(&format!("{series} {size}"));
        let mut values: BTreeMap<String, [Vec<f64>; 2]> = BTreeMap::new();
        for round in 0..rounds {
            for turn in 0..2 {
                let side = (round + turn) % 2;
                match sides.run(side, &["grow", series, &size.to_string(), &ms.to_string()], ms) {
                    Ok(metrics) => {
                        for (metric, value, _) in metrics {
                            values.entry(metric).or_default()[side].push(value);
                        }
                    }
                    Err(error) => eprintln!("\r\x1b[K{series} {size} on {}: {error}", NAMES[side]),
                }
            }
        }
        for (metric, values) in values {
            let curve = curves.entry(metric).or_default();
            for side in 0..2 {
                curve[side].extend(median(&values[side]).map(|value| (size, value)));
            }
        }
    }
    progress("");
    let curve = |(metric, sides)| Curve { series: series.to_owned(), metric, sides };
    curves.into_iter().rev().map(curve).collect()
}

/// The value at each size, and whether it is more than [`FLAT`] times the least before it.
fn judged(points: &[(u64, f64)]) -> Vec<(u64, f64, bool)> {
    let mut least = f64::INFINITY;
    let judge = |&(size, value): &(u64, f64)| {
        let steep = value > FLAT * least;
        least = least.min(value);
        (size, value, steep)
    };
    points.iter().map(judge).collect()
}

fn cells(points: &[(u64, f64)]) -> Vec<String> {
    let mark = |steep| if steep { "*" } else { "" };
    judged(points)
        .into_iter()
        .map(|(_, value, steep)| format!("{}{}", duration(value), mark(steep)))
        .collect()
}

fn print(curve: &Curve) {
    println!("\n{}, {}", curve.series, curve.metric);
    let line = |name: &str, cells: Vec<String>| {
        print!("  {name:<9}");
        for cell in cells {
            print!(" {cell:>11}");
        }
        println!();
    };
    line("", curve.sides[1].iter().map(|(size, _)| size.to_string()).collect());
    for (name, points) in NAMES.iter().zip(&curve.sides) {
        line(name, cells(points));
    }
}

fn markdown(curves: &[Curve], rounds: usize, ms: u64) -> String {
    let mut text = format!(
        "Medians of {rounds} alternating rounds of {ms} ms. *: more than {FLAT} times the least at smaller sizes.\n"
    );
    for curve in curves {
        let sizes: Vec<String> = curve.sides[1].iter().map(|(size, _)| size.to_string()).collect();
        let _ = write!(
            text,
            "\n### {}, {}\n\n| | {} |\n|---",
            curve.series,
            curve.metric,
            sizes.join(" | ")
        );
        text.push_str(&"|---:".repeat(sizes.len()));
        text.push_str("|\n");
        for (name, points) in NAMES.iter().zip(&curve.sides) {
            let _ = writeln!(text, "| {name} | {} |", cells(points).join(" | ").replace('*', "\\*"));
        }
    }
    text
}

fn chart(curves: &[Curve]) -> String {
    let plot = |curve: &Curve| {
        let line = |side: usize| Line {
            label: NAMES[side].to_owned(),
            points: curve.sides[side].iter().map(|&(size, value)| (size as f64, value)).collect(),
        };
        // Ours first, in the same colour as elsewhere.
        (format!("{}, {}", curve.series, curve.metric), vec![line(1), line(0)])
    };
    let all: Vec<_> = curves.iter().map(plot).collect();
    plots("Cost of one operation by size", duration, &all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_marked() {
        let marks = |values: &[f64]| {
            let points: Vec<(u64, f64)> =
                values.iter().enumerate().map(|(i, &value)| (i as u64, value)).collect();
            judged(&points).into_iter().map(|(.., steep)| steep).collect::<Vec<_>>()
        };
        assert_eq!(marks(&[100.0, 149.0, 151.0]), [false, false, true]);
        // It fell first: the least is the measure.
        assert_eq!(marks(&[100.0, 50.0, 80.0]), [false, false, true]);
        assert_eq!(marks(&[100.0, 90.0, 80.0]), [false, false, false]);
    }
}
