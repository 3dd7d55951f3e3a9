//! What yamanote means to reach, as data, and whether it does.
//!
//! Most are ratios to the registry's tokio in the same cell. A rule names cells by a part of their names; the first rule
//! that fits a row is the row's, so exceptions stand above what they are exceptions of.

use std::fmt::Write as _;

use crate::report::groups;
use crate::run::Row;
use crate::stats::median;

struct Rule {
    /// A part of the cell's name, flavour included.
    cell: &'static str,
    /// `""`: all.
    metric: &'static str,
    at_most: f64,
    of: Of,
}

enum Of {
    /// Ratio to the registry's tokio.
    Ratio,
    /// The value itself.
    Value,
}

const fn ratio(cell: &'static str, at_most: f64) -> Rule {
    Rule { cell, metric: "", at_most, of: Of::Ratio }
}

const RULES: &[Rule] = &[
    ratio("task/spawn_join", 0.5),
    ratio("task/spawn_10k", 0.6),
    ratio("task/yield_now", 0.3),
    ratio("task/remote_spawn", 0.7),
    ratio("task/remote_wake", 0.7),
    ratio("task/join_set_1000", 0.6),
    ratio("task/abort_10k", 0.7),
    ratio("runtime/block_in_place", 0.1),
    ratio("runtime/build_drop/mt", 0.8),
    ratio("runtime/spawn_blocking/", 0.75),
    Rule { cell: "memory/idle_task", metric: "heap", at_most: 96.0, of: Of::Value },
    ratio("memory/idle_task", 0.5),
    ratio("sync/mutex_alone", 0.6),
    ratio("sync/rwlock_alone", 0.6),
    ratio("sync/semaphore_alone", 0.6),
    ratio("sync/mutex_contended", 0.7),
    ratio("sync/semaphore_contended", 0.7),
    ratio("sync/watch_1_8", 0.5),
    ratio("sync/mpsc", 0.8),
    ratio("time/sleep_poll_drop/ct", 0.3),
    ratio("time/sleep_poll_drop", 0.5),
    ratio("time/timeout_among", 0.5),
    ratio("time/timeout_ready", 0.75),
    ratio("time/sleep_create_drop", 0.75),
    ratio("time/sleeps_firing", 0.5),
    Rule { cell: "time/lateness", metric: "late_p99", at_most: 1.0, of: Of::Ratio },
    ratio("fs/read_4k", 0.4),
    ratio("fs/metadata", 0.3),
    ratio("fs/read_dir", 0.6),
    ratio("fs/read_1m_by_64k", 0.6),
    ratio("fs/small_files", 0.5),
    ratio("net/bulk", 0.9),
    ratio("net/proxy", 0.9),
    ratio("net/udp", 0.9),
    ratio("net/unix", 0.9),
    ratio("net/connect_accept", 0.9),
];

/// Of all that no rule names.
const ANY_CELL: f64 = 1.05;
/// Of each group's geometric mean.
const ANY_GROUP: f64 = 0.75;
/// yamanote on two workers against tokio's current-thread flavour, in these cells, by the clock.
const TWO_WORKERS: f64 = 0.65;
const TWO_WORKERS_CELLS: [&str; 2] = ["net/echo_64", "net/echo_1000"];
/// yamanote on two workers against its own current-thread flavour: never slower, but for noise.
const AGAINST_OWN: f64 = 1.0;

pub struct Verdict {
    pub what: String,
    pub at_most: f64,
    pub is: f64,
}

impl Verdict {
    pub fn is_met(&self) -> bool {
        // What is printed is what is judged: two digits.
        (self.is * 100.0).round() <= (self.at_most * 100.0).round()
    }
}

pub fn verdicts(rows: &[Row]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for row in rows {
        let [Some(tokio), Some(yamanote)] = row.values.each_ref().map(|values| median(values)) else {
            continue;
        };
        let fits = |rule: &&Rule| {
            row.cell.contains(rule.cell) && (rule.metric.is_empty() || rule.metric == row.metric)
        };
        let rule = RULES.iter().find(fits);
        let (at_most, is) = match rule {
            Some(Rule { at_most, of: Of::Value, .. }) => (*at_most, yamanote),
            Some(Rule { at_most, .. }) => (*at_most, yamanote / tokio),
            None => (ANY_CELL, yamanote / tokio),
        };
        if is.is_finite() {
            verdicts.push(Verdict { what: format!("{} {}", row.cell, row.metric), at_most, is });
        }
    }
    verdicts.extend(two_workers(rows));
    verdicts.extend(groups(rows).into_iter().map(|(name, mean, _)| Verdict {
        what: format!("group {name}"),
        at_most: ANY_GROUP,
        is: mean,
    }));
    verdicts
}

/// What crosses flavours: are two workers worth two, and never worse than one thread?
fn two_workers(rows: &[Row]) -> Vec<Verdict> {
    let wall = |cell: &str, side: usize| {
        let row = rows.iter().find(|row| row.cell == cell && row.metric == "wall")?;
        median(&row.values[side])
    };
    let mut verdicts = Vec::new();
    let cells = rows.iter().filter(|row| row.metric == "wall").filter_map(|row| {
        let cell = row.cell.strip_suffix("/mt2")?;
        Some((cell, median(&row.values[1])?))
    });
    for (cell, ours) in cells {
        let single = format!("{cell}/ct");
        if let (true, Some(theirs)) = (TWO_WORKERS_CELLS.contains(&cell), wall(&single, 0)) {
            let what = format!("{cell}: mt2 to tokio's ct");
            verdicts.push(Verdict { what, at_most: TWO_WORKERS, is: ours / theirs });
        }
        if let (true, Some(own)) = (cell.starts_with("net/"), wall(&single, 1)) {
            let what = format!("{cell}: mt2 to own ct");
            verdicts.push(Verdict { what, at_most: AGAINST_OWN, is: ours / own });
        }
    }
    verdicts
}

pub fn print(verdicts: &[Verdict]) {
    let missed: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.is_met()).collect();
    println!("\ntargets: {} met, {} missed", verdicts.len() - missed.len(), missed.len());
    for verdict in missed {
        println!("  {:<40} at most {:>6.2}, is {:>6.2}", verdict.what, verdict.at_most, verdict.is);
    }
}

pub fn markdown(verdicts: &[Verdict]) -> String {
    let met = verdicts.iter().filter(|verdict| verdict.is_met()).count();
    let mut text = format!(
        "\n{met} of {} targets met.\n\n| target | at most | is | |\n|---|---:|---:|---|\n",
        verdicts.len()
    );
    for verdict in verdicts {
        let word = if verdict.is_met() { "met" } else { "**missed**" };
        let _ =
            writeln!(text, "| {} | {:.2} | {:.2} | {word} |", verdict.what, verdict.at_most, verdict.is);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cell: &str, metric: &str, tokio: f64, yamanote: f64) -> Row {
        Row {
            cell: cell.to_owned(),
            metric: metric.to_owned(),
            unit: "ns".to_owned(),
            values: [vec![tokio], vec![yamanote]],
        }
    }

    #[test]
    fn the_first_rule_that_fits_is_the_cells() {
        let rows = [
            row("time/sleep_poll_drop/ct", "wall", 100.0, 40.0),
            row("time/sleep_poll_drop/mt2", "wall", 100.0, 40.0),
            row("memory/idle_task/ct", "heap", 128.0, 96.0),
            row("task/something/ct", "wall", 100.0, 105.4),
            row("task/otherwise/ct", "wall", 100.0, 105.6),
        ];
        let met: Vec<bool> = verdicts(&rows)[..5].iter().map(Verdict::is_met).collect();
        assert_eq!(met, [false, true, true, true, false]);
    }

    #[test]
    fn flavours_are_compared_where_both_are_there() {
        let mut rows = vec![row("net/echo_64/mt2", "wall", 100.0, 60.0)];
        assert!(!verdicts(&rows).iter().any(|verdict| verdict.what.contains("mt2 to")));
        rows.push(row("net/echo_64/ct", "wall", 100.0, 50.0));
        let crossing: Vec<_> =
            verdicts(&rows).into_iter().filter(|verdict| verdict.what.contains("mt2 to")).collect();
        assert_eq!(crossing.len(), 2);
        assert!(crossing[0].is_met() && !crossing[1].is_met());
    }
}
