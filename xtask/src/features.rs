//! Every feature alone, and combinations of them, without an error and without a warning.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::args::Args;
use crate::{Outcome, shell};

const HELP: &str = "\
usage: cargo xtask features [OPTIONS]

Checks the libraries of yamanote and of the facade with no feature, with each one alone, with those that people
combine, and with all; prints the combinations that have an error or a warning.

  --depth N         also every combination of up to N features (default 1; 2 takes some minutes)
  --clippy          with clippy's lints too
  --package NAME    only this one";

/// What upstream's documentation proposes, what its tests and well-known dependents ask for.
const COMBINATIONS: [&[&str]; 12] = [
    &["full"],
    &["full", "test-util"],
    &["full", "tracing"],
    &["macros", "rt"],
    &["macros", "rt-multi-thread"],
    &["rt", "net", "time"],
    &["rt", "sync", "time"],
    &["sync", "time"],
    &["io-util", "net"],
    &["io-util", "sync"],
    &["fs", "io-util", "rt"],
    &["process", "signal", "rt"],
];

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let depth: usize = args.value("--depth", 1)?;
    let tool = if args.flag("--clippy") { "clippy" } else { "check" };
    let only = args.values("--package")?;
    args.finish()?;

    let mut clean = true;
    for package in ["yamanote", "tokio"] {
        if !only.is_empty() && !only.iter().any(|name| name == package) {
            continue;
        }
        let features = features(package)?;
        let sets = sets(&features, depth);
        let started = Instant::now();
        let mut bad = 0;
        for set in &sets {
            let findings = check(tool, package, set)?;
            if !findings.is_empty() {
                bad += 1;
                println!("{package} with {:?}:", named(set));
                for finding in findings {
                    println!("{}", finding.trim_end());
                }
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        println!("{package}: {} combinations, {bad} with findings, {seconds:.0} s", sets.len());
        clean &= bad == 0;
    }
    Ok(clean)
}

/// As cargo reads it.
fn named(set: &BTreeSet<String>) -> String {
    set.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// The public features of a package, as cargo knows them.
fn features(package: &str) -> Result<BTreeSet<String>, String> {
    let mut command = shell::cargo();
    command.current_dir(shell::root()).args(["metadata", "--format-version", "1", "--no-deps"]);
    let metadata = shell::json(&mut command)?;
    let found = metadata["packages"].as_array().into_iter().flatten().find(|p| p["name"] == package);
    let features = found.and_then(|package| package["features"].as_object());
    let features = features.ok_or_else(|| format!("cargo metadata: no package {package}"))?;
    Ok(features.keys().filter(|name| *name != "default" && !name.starts_with("__")).cloned().collect())
}

/// None, all, the usual combinations, and each one of up to `depth` features.
fn sets(features: &BTreeSet<String>, depth: usize) -> BTreeSet<BTreeSet<String>> {
    let mut sets = BTreeSet::from([BTreeSet::new(), features.clone()]);
    for combination in COMBINATIONS {
        sets.insert(combination.iter().map(|name| (*name).to_owned()).collect());
    }
    let mut largest = vec![BTreeSet::new()];
    for _ in 0..depth {
        let mut larger = Vec::new();
        for set in &largest {
            for feature in features.iter().filter(|name| !set.contains(*name)) {
                let mut with = set.clone();
                with.insert(feature.clone());
                larger.push(with);
            }
        }
        sets.extend(larger.iter().cloned());
        largest = larger;
    }
    sets
}

/// Errors and warnings in our own packages, as the compiler prints them.
fn check(tool: &str, package: &str, set: &BTreeSet<String>) -> Result<Vec<String>, String> {
    let mut command = shell::cargo();
    command.current_dir(shell::root()).args([tool, "--quiet", "--lib", "--no-default-features"]);
    command.args(["--package", package, "--message-format", "json", "--features", &named(set)]);
    // A folder of its own: some hundred variants would crowd the usual one.
    command.env("CARGO_TARGET_DIR", shell::target_dir().join("features"));
    messages(&mut command)
}

fn messages(command: &mut Command) -> Result<Vec<String>, String> {
    let output = command.stderr(Stdio::piped()).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    let mut findings = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let level = message["message"]["level"].as_str();
        if message["reason"] == "compiler-message" && matches!(level, Some("error" | "warning")) {
            findings.push(message["message"]["rendered"].as_str().unwrap_or_default().to_owned());
        }
    }
    // What is no fault of the code: a feature that is not there, a lock file that does not fit.
    if !output.status.success() && findings.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combines() {
        let features: BTreeSet<String> = ["a", "b", "c"].map(str::to_owned).into();
        let alone = sets(&features, 1).len() - COMBINATIONS.len();
        // None, all, and three alone.
        assert_eq!(alone, 5);
        assert_eq!(sets(&features, 2).len() - COMBINATIONS.len(), 8);
    }
}
