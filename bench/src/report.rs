//! Medians, their ratio with its range, geometric means per group, as text and as Markdown.

use std::fmt::Write as _;

use crate::chart::{Bar, bars};
use crate::run::Row;
use crate::stats::median;

/// yamanote over tokio: less than 1 is less time or memory.
struct Ratio {
    of_medians: f64,
    lowest: f64,
    highest: f64,
}

fn ratio(row: &Row) -> Option<Ratio> {
    let [tokio, yamanote] = &row.values;
    let of_medians = median(yamanote)? / median(tokio)?;
    let single = || yamanote.iter().zip(tokio).map(|(y, t)| y / t);
    let lowest = single().fold(f64::INFINITY, f64::min);
    let highest = single().fold(f64::NEG_INFINITY, f64::max);
    of_medians.is_finite().then_some(Ratio { of_medians, lowest, highest })
}

fn shown(value: Option<f64>, unit: &str) -> String {
    match (value, unit) {
        (None, _) => "—".to_owned(),
        (Some(v), "ns") if v >= 1e6 => format!("{:.2} ms", v / 1e6),
        (Some(v), "ns") if v >= 1e4 => format!("{:.1} µs", v / 1e3),
        (Some(v), _) if v >= 100.0 => format!("{v:.0} {unit}"),
        (Some(v), _) => format!("{v:.1} {unit}"),
    }
}

/// Geometric mean of the ratios of each group, wall time and CPU time apart, in order of appearance.
pub fn groups(rows: &[Row]) -> Vec<(String, f64, usize)> {
    let mut sums: Vec<(String, f64, usize)> = Vec::new();
    for row in rows {
        let Some(ratio) = ratio(row) else { continue };
        let group = row.cell.split('/').next().unwrap_or_default();
        let name = format!("{group}, {}", row.metric);
        match sums.iter_mut().find(|(n, ..)| *n == name) {
            Some((_, sum, count)) => {
                *sum += ratio.of_medians.ln();
                *count += 1;
            }
            None => sums.push((name, ratio.of_medians.ln(), 1)),
        }
    }
    sums.into_iter().map(|(name, sum, count)| (name, (sum / count as f64).exp(), count)).collect()
}

fn columns(row: &Row) -> [String; 6] {
    let [tokio, yamanote] = &row.values;
    let (of_medians, range) = match ratio(row) {
        Some(r) => (format!("{:.2}", r.of_medians), format!("{:.2}–{:.2}", r.lowest, r.highest)),
        None => ("—".to_owned(), "—".to_owned()),
    };
    let value = |values| shown(median(values), &row.unit);
    [row.cell.clone(), row.metric.clone(), value(tokio), value(yamanote), of_medians, range]
}

pub fn print(rows: &[Row]) {
    let line = |c: [&str; 6]| {
        println!("{:<32} {:<9} {:>11} {:>11} {:>7} {:>11}", c[0], c[1], c[2], c[3], c[4], c[5]);
    };
    line(["cell", "metric", "tokio", "yamanote", "ratio", "range"]);
    for row in rows {
        let cells = columns(row);
        line(cells.each_ref().map(String::as_str));
    }
    println!("\ngeometric means of yamanote / tokio (below 1: less):");
    for (name, mean, count) in groups(rows) {
        println!("  {name:<20} {mean:.2}  ({count} cells)");
    }
}

pub fn markdown(rows: &[Row], rounds: usize, ms: u64) -> String {
    let mut text = format!(
        "Medians of {rounds} alternating rounds of {ms} ms; ratio is yamanote / tokio (below 1: less time or \
         memory), its range that of the single rounds.\n\n\
         | cell | metric | tokio | yamanote | ratio | range |\n|---|---|---:|---:|---:|---:|\n"
    );
    for row in rows {
        let _ = writeln!(text, "| {} |", columns(row).join(" | "));
    }
    text.push_str("\n| group | geometric mean | cells |\n|---|---:|---:|\n");
    for (name, mean, count) in groups(rows) {
        let _ = writeln!(text, "| {name} | {mean:.2} | {count} |");
    }
    text
}

/// The ratios as bars, in groups.
pub fn chart(rows: &[Row]) -> String {
    let mut groups: Vec<(String, Vec<Bar>)> = Vec::new();
    for row in rows {
        let Some(ratio) = ratio(row) else { continue };
        let (group, cell) = row.cell.split_once('/').unwrap_or(("", &row.cell));
        let label = format!("{cell} {}", row.metric);
        let bar = Bar { label, value: ratio.of_medians, range: (ratio.lowest, ratio.highest) };
        match groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, bars)) => bars.push(bar),
            None => groups.push((group.to_owned(), vec![bar])),
        }
    }
    bars(
        "yamanote / tokio, medians; to the left of 1: less time or memory; lines: single rounds",
        &groups,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means() {
        let row = |cell: &str, t: f64, y: f64| Row {
            cell: cell.to_owned(),
            metric: "wall".to_owned(),
            unit: "ns".to_owned(),
            values: [vec![t], vec![y]],
        };
        let groups =
            groups(&[row("a/x/ct", 1.0, 2.0), row("a/y/ct", 2.0, 1.0), row("b/x/ct", 1.0, 3.0)]);
        assert_eq!(groups.len(), 2);
        assert!((groups[0].1 - 1.0).abs() < 1e-9);
        assert!((groups[1].1 - 3.0).abs() < 1e-9);
    }
}
