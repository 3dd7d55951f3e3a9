//! The programs in `ecosystem/`, all of them, with the services that they talk to.
//!
//! What a package shows and needs stands in its own manifest, under `[package.metadata.ecosystem]`: `crates` are
//! the names printed beside it, `services` those of [`services`].

mod services;
mod suites;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::args::Args;
use crate::process::{self, End};
use crate::{Outcome, shell};
use services::Services;

const HELP: &str = "\
usage: cargo xtask ecosystem [PROGRAM…] [OPTIONS]
       cargo xtask ecosystem --suites [CRATE…] [OPTIONS]

Runs the tests of all programs in ecosystem/ (or of those named) on the facade. Services that they need are
installed with apt-get if they are missing, and started on free ports of the loopback interface with their data
in a folder that is removed at the end.

With --suites, runs instead the tests that crates on top of tokio publish about themselves.

  --limit SECONDS   for one file of tests, once it is built (default 300); for a suite, with its build (1800)
  --no-install      fail instead of installing what is missing";

struct Program {
    name: String,
    manifest: PathBuf,
    /// With versions.
    crates: Vec<String>,
    services: Vec<String>,
}

#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
}

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let suites = args.flag("--suites");
    let limit = Duration::from_secs(args.value("--limit", if suites { 1_800 } else { 300 })?);
    let may_install = !args.flag("--no-install");
    let wanted = args.positional();
    args.finish()?;
    if suites {
        return suites::run(&wanted, limit);
    }

    let directory = shell::root().join("ecosystem");
    let mut programs = programs(&directory)?;
    for name in &wanted {
        if !programs.iter().any(|program| program.name == *name) {
            return Err(format!("no program named `{name}` in ecosystem/"));
        }
    }
    programs.retain(|program| wanted.is_empty() || wanted.contains(&program.name));

    // All in one build: each alone would have other features, and be compiled again.
    let started = Instant::now();
    let mut build =
        cargo(&directory, &["test", "--no-run", "--message-format", "json-render-diagnostics"]);
    for program in &programs {
        build.args(["--package", &program.name]);
    }
    let mut executables = executables(&shell::stdout(&mut build)?);
    println!("built in {:.0} s", started.elapsed().as_secs_f64());

    let needed: BTreeSet<&str> =
        programs.iter().flat_map(|program| &program.services).map(String::as_str).collect();
    let services = Services::start(&needed, may_install)?;
    let logs = shell::target_dir().join("ecosystem-logs");
    std::fs::create_dir_all(&logs).map_err(|error| format!("{}: {error}", logs.display()))?;

    let width = programs.iter().map(|program| program.crates.join(", ").len()).max().unwrap_or(0);
    println!("{:<12} {:<width$} {:>6} {:>6} {:>7}", "program", "crates", "passed", "failed", "time");
    let mut total = Count::default();
    let mut clean = true;
    for program in &programs {
        let started = Instant::now();
        let mut sum = Count::default();
        let mut troubles = Vec::new();
        for executable in executables.remove(&program.manifest).unwrap_or_default() {
            let name = executable.file_name().unwrap_or_default().to_string_lossy();
            let log = logs.join(format!("{}-{name}.log", program.name));
            let mut command = Command::new(&executable);
            if let Some(folder) = program.manifest.parent() {
                command.current_dir(folder).env("CARGO_MANIFEST_DIR", folder);
            }
            command.env("RUST_BACKTRACE", "1").envs(services.variables());
            let end = process::run(&mut command, &log, limit)?;
            let count = count(&shell::read(&log)?);
            if end != End::Success || count.failed > 0 {
                troubles.push(format!("{end:?}, output: {}", shell::shown(&log)));
            }
            sum.passed += count.passed;
            sum.failed += count.failed;
        }
        println!(
            "{:<12} {:<width$} {:>6} {:>6} {:>5.1} s",
            program.name,
            program.crates.join(", "),
            sum.passed,
            sum.failed,
            started.elapsed().as_secs_f64()
        );
        if sum.passed == 0 && troubles.is_empty() {
            troubles.push("no test ran".to_owned());
        }
        for trouble in &troubles {
            println!("{:12} {trouble}", "");
        }
        clean &= troubles.is_empty();
        total.passed += sum.passed;
        total.failed += sum.failed;
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(clean)
}

/// The test programs that cargo made, by the manifest of their package.
fn executables(messages: &str) -> BTreeMap<PathBuf, Vec<PathBuf>> {
    let mut executables: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let is_test = message["profile"]["test"] == true;
        let (manifest, executable) = (message["manifest_path"].as_str(), message["executable"].as_str());
        if let (true, Some(manifest), Some(executable)) = (is_test, manifest, executable) {
            executables.entry(manifest.into()).or_default().push(executable.into());
        }
    }
    executables
}

fn cargo(directory: &Path, words: &[&str]) -> Command {
    let mut command = shell::cargo();
    command.current_dir(directory).args(words);
    command
}

/// The members of the workspace, in its order, from cargo's own description.
fn programs(directory: &Path) -> Result<Vec<Program>, String> {
    let metadata = shell::json(&mut cargo(directory, &["metadata", "--format-version", "1"]))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata: no packages")?;
    let by_id: BTreeMap<&str, &Value> =
        packages.iter().filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        if let (Some(name), Some(version)) = (package["name"].as_str(), package["version"].as_str()) {
            versions.entry(name).or_default().push(version);
        }
    }
    let mut programs = Vec::new();
    for id in metadata["workspace_members"].as_array().into_iter().flatten() {
        let package =
            id.as_str().and_then(|id| by_id.get(id)).ok_or("cargo metadata: no such member")?;
        let named = |key: &str| {
            let words = package["metadata"]["ecosystem"][key].as_array().into_iter().flatten();
            words.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let with_version = |name: String| match versions.get(name.as_str()) {
            Some(versions) => Ok(format!("{name} {}", versions.join("/"))),
            None => Err(format!("{}: nothing in its graph is named {name}", package["name"])),
        };
        programs.push(Program {
            name: package["name"].as_str().unwrap_or_default().to_owned(),
            manifest: package["manifest_path"].as_str().unwrap_or_default().into(),
            crates: named("crates").into_iter().map(with_version).collect::<Result<_, _>>()?,
            services: named("services"),
        });
    }
    Ok(programs)
}

/// Adds up the closing lines of the test programs.
fn count(output: &str) -> Count {
    let mut count = Count::default();
    for line in output.lines().filter_map(|line| line.strip_prefix("test result: ")) {
        for part in line.split(['.', ';']) {
            if let [number, what] = part.split_whitespace().collect::<Vec<_>>()[..] {
                let number = number.parse().unwrap_or(0);
                match what {
                    "passed" => count.passed += number,
                    "failed" => count.failed += number,
                    _ => {}
                }
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn adds_up_what_test_programs_say() {
        let output = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 1 ignored; finished in 0.1s\n\
                      test result: FAILED. 10 passed; 3 failed; 0 ignored\n";
        let count = count(output);
        assert_eq!((count.passed, count.failed), (12, 3));
    }
}
