//! HTTP load on `ecosystem/hello-axum`, built on the real tokio and on yamanote, in alternating runs.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::args::Args;
use crate::{Outcome, shell};

const HELP: &str = "\
usage: cargo xtask wrk [OPTIONS]

Builds ecosystem/hello-axum twice, with and without the patch, loads both in turn with `wrk`, and prints
the medians: requests a second, latency, and the server's CPU time per request. Needs `wrk` in the PATH.

  --workers LIST      worker threads of the server, comma-separated; 0 is current_thread (default 0,1,2)
  --connections N     (default 64)
  --seconds N         per run, after one second of warming up (default 5)
  --rounds N          runs of each side (default 5)
  --path PATH         what is asked for (default /)";

const SIDES: [&str; 2] = ["tokio", "yamanote"];

struct Load {
    connections: usize,
    seconds: usize,
    path: String,
}

#[derive(Debug, Default, Clone)]
struct Run {
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us_per_request: f64,
    errors: u64,
}

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let workers = args.value("--workers", "0,1,2".to_owned())?;
    let rounds: usize = args.value("--rounds", 5)?;
    let load = Load {
        connections: args.value("--connections", 64)?,
        seconds: args.value("--seconds", 5)?,
        path: args.value("--path", "/".to_owned())?,
    };
    args.finish()?;
    let workers = workers.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>();
    let workers = workers.map_err(|_| "--workers: a list of numbers, as 0,1,2".to_owned())?;
    if rounds == 0 || load.seconds == 0 {
        return Err("--rounds and --seconds must be at least 1".to_owned());
    }
    if !shell::is_installed("wrk") {
        return Err("`wrk` is not installed (most systems have a package of that name)".to_owned());
    }

    let servers = [build("tokio")?, build("yamanote")?];
    let mut errors = 0;
    println!(
        "{:<8} {:<10} {:>12} {:>10} {:>10} {:>14}",
        "workers", "side", "requests/s", "p50", "p99", "CPU a request"
    );
    for count in workers {
        let mut runs = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            for turn in 0..2 {
                let side = (round + turn) % 2;
                runs[side].push(one(&servers[side], count, &load)?);
            }
        }
        let of = |side: usize, value: fn(&Run) -> f64| median(runs[side].iter().map(value));
        for (side, name) in SIDES.iter().enumerate() {
            println!(
                "{count:<8} {name:<10} {:>12.0} {:>7.0} µs {:>7.0} µs {:>11.2} µs",
                of(side, |r| r.requests_per_second),
                of(side, |r| r.p50_us),
                of(side, |r| r.p99_us),
                of(side, |r| r.cpu_us_per_request),
            );
            errors += runs[side].iter().map(|run| run.errors).sum::<u64>();
        }
        let ratio = |value: fn(&Run) -> f64| of(1, value) / of(0, value);
        println!(
            "{count:<8} {:<10} {:>12.2} {:>10.2} {:>10.2} {:>14.2}",
            "ratio",
            ratio(|r| r.requests_per_second),
            ratio(|r| r.p50_us),
            ratio(|r| r.p99_us),
            ratio(|r| r.cpu_us_per_request),
        );
    }
    if errors > 0 {
        println!("{errors} requests failed");
    }
    Ok(errors == 0)
}

/// Compiles the server; the tokio side is the same workspace, copied into the target folder without its patch.
fn build(side: &str) -> Result<PathBuf, String> {
    let ours = shell::root().join("ecosystem");
    let base = shell::target_dir().join("wrk");
    let workspace = if side == "yamanote" {
        ours
    } else {
        let copy = base.join("tokio-workspace");
        copy_unpatched(&ours, &copy)?;
        copy
    };
    let target = base.join(side);
    let mut command = shell::cargo();
    command.current_dir(&workspace).args(["build", "--release", "--package", "hello-axum"]);
    if !shell::succeeds(command.env("CARGO_TARGET_DIR", &target))? {
        return Err(format!("hello-axum does not compile on {side}"));
    }
    Ok(target.join("release").join(format!("hello-axum{}", std::env::consts::EXE_SUFFIX)))
}

fn copy_unpatched(from: &Path, to: &Path) -> Result<(), String> {
    let manifest = shell::read(&from.join("Cargo.toml"))?;
    let (before, _) =
        manifest.split_once("[patch.crates-io]").ok_or("ecosystem/Cargo.toml has no patch")?;
    // One member is enough, and the others' dependencies need not be resolved.
    let mut text = String::new();
    for line in before.lines().filter(|line| !line.starts_with("default-members")) {
        match line.starts_with("members") {
            true => text.push_str("members = [\"hello-axum\"]\n"),
            false => text.extend([line, "\n"]),
        }
    }
    if !text.contains("members = ") {
        return Err("ecosystem/Cargo.toml names no members".to_owned());
    }
    shell::write_if_changed(&to.join("Cargo.toml"), &text)?;
    let lock = to.join("Cargo.lock");
    if let (false, Ok(text)) = (lock.exists(), shell::read(&from.join("Cargo.lock"))) {
        shell::write_if_changed(&lock, &text)?;
    }
    copy(&from.join("hello-axum"), &to.join("hello-axum"))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    for entry in std::fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            shell::write_if_changed(&to.join(name), &shell::read(&path)?)?;
        }
    }
    Ok(())
}

fn one(server: &Path, workers: usize, load: &Load) -> Result<Run, String> {
    let mut child = Command::new(server)
        .args(["--listen", "127.0.0.1:0", "--workers", &workers.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", server.display()))?;
    let outcome = measure(&mut child, load);
    let _ = child.kill();
    let _ = child.wait();
    outcome
}

fn measure(child: &mut Child, load: &Load) -> Result<Run, String> {
    let mut line = String::new();
    let output = child.stdout.take().ok_or("no output")?;
    BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
    let url = line.trim().strip_prefix("listening on ").ok_or("the server did not start")?;
    let url = format!("{url}{}", load.path);
    wrk(&url, load.connections, 1)?;
    let before = cpu_seconds(child.id());
    let (mut run, requests) = wrk(&url, load.connections, load.seconds)?;
    run.cpu_us_per_request = (cpu_seconds(child.id()) - before) * 1e6 / requests as f64;
    Ok(run)
}

fn wrk(url: &str, connections: usize, seconds: usize) -> Result<(Run, u64), String> {
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--latency", "--connections", &connections.to_string()]);
    command.args(["--duration", &format!("{seconds}s"), url]);
    read(&shell::stdout(&mut command)?)
}

/// Reads wrk's report.
fn read(text: &str) -> Result<(Run, u64), String> {
    let mut run = Run::default();
    let mut requests = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["50%", value] => run.p50_us = microseconds(value)?,
            ["99%", value] => run.p99_us = microseconds(value)?,
            ["Requests/sec:", value] => {
                run.requests_per_second = value.parse().map_err(|_| format!("unreadable: {line}"))?;
            }
            [count, "requests", "in", ..] => {
                requests = count.parse().map_err(|_| format!("unreadable: {line}"))?;
            }
            ["Socket", "errors:", ..] | ["Non-2xx", ..] => {
                let digits =
                    words.iter().filter_map(|word| word.trim_end_matches(',').parse::<u64>().ok());
                run.errors += digits.sum::<u64>();
            }
            _ => {}
        }
    }
    if requests == 0 { Err(format!("wrk got no answers:\n{text}")) } else { Ok((run, requests)) }
}

fn microseconds(text: &str) -> Result<f64, String> {
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6)];
    let parsed = units
        .iter()
        .find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor));
    parsed.ok_or_else(|| format!("not a time: {text}"))
}

/// User and system time of a process so far; 0 where there is no `/proc`.
fn cpu_seconds(id: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The program's name stands in parentheses and may contain spaces: count from behind it.
    let after = text.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks =
        |index: usize| after.split_whitespace().nth(index).and_then(|word| word.parse::<f64>().ok());
    // Fields 14 and 15 of the line, in hundredths of a second on every Linux there is.
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    #[test]
    fn reads_a_report() {
        let text = "  Latency Distribution\n     50%  512.00us\n     99%    1.50ms\n  \
                    1000 requests in 5.00s, 1MB read\n  Socket errors: connect 0, read 2, write 0, timeout 1\n\
                    Requests/sec:  200.50\n";
        let (run, requests) = super::read(text).unwrap();
        assert_eq!((requests, run.errors), (1000, 3));
        assert_eq!((run.p50_us, run.p99_us, run.requests_per_second), (512.0, 1500.0, 200.5));
    }
}
