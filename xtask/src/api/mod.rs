//! Is upstream's public API here, item by item?
//!
//! Both crates are documented as JSON by the same rustdoc, both listings are made by the same code
//! ([`names`] finds what is public and where, [`rows`] spells it), and the rows are compared. Names of
//! parameters, lifetimes other than `'static`, and the place where a bound is written do not count.

mod names;
mod render;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::args::Args;
use crate::conformance::VERSION;
use crate::{Outcome, shell};
pub(crate) use names::{Crate, inner, is_hidden};

const HELP: &str = "\
usage: cargo xtask api [OPTIONS]

Compares yamanote's public API with tokio's, both read from rustdoc's JSON. Fails if something is missing or
different that xtask/data/api-known.txt does not list with a reason.

  --unstable      with what tokio has under --cfg tokio_unstable
  --module M      only what lies in this module, as tokio::sync
  --extra         also print what tokio does not have
  --list          print yamanote's rows instead";

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let unstable = args.flag("--unstable");
    let extra = args.flag("--extra");
    let list = args.flag("--list");
    let module = args.value("--module", String::new())?;
    args.finish()?;

    let theirs = Crate::new(tokio_json(unstable)?, &BTreeSet::new(), false)?;
    let ours = Crate::new(yamanote_json()?, &theirs.canonical_names(), true)?;
    let inside = |path: &str| {
        module.is_empty()
            || path
                .strip_prefix(module.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let theirs = rows::list(&theirs);
    let ours = rows::list(&ours);
    if list {
        for (row, signature) in ours.iter().filter(|(row, _)| inside(&row.place)) {
            println!("{}\t{}\t{signature}", row.kind, row.path);
        }
        return Ok(true);
    }

    let is_module = |path: &str| theirs.keys().any(|row| row.kind == "mod" && row.path == path);
    let known = known()?;
    let mut modules: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut findings = Vec::new();
    for (row, signature) in theirs.iter().filter(|(row, _)| inside(&row.place)) {
        let counts = modules.entry(module_of(&row.place, &is_module)).or_default();
        let finding = match ours.get(row) {
            Some(other) if rows::same(signature, other) || rows::is_lenient(row, signature, other) => {
                counts[0] += 1;
                continue;
            }
            Some(other) => {
                format!(
                    "different {} {}\n    tokio:    {signature}\n    yamanote: {other}",
                    row.kind, row.path
                )
            }
            None => format!("missing {} {}: {signature}", row.kind, row.path),
        };
        if known.contains_key(&row.path) {
            counts[3] += 1;
        } else {
            counts[if ours.contains_key(row) { 1 } else { 2 }] += 1;
            findings.push(finding);
        }
    }
    if module.is_empty() {
        findings.extend(missing_features()?);
    }
    println!("{:<32} {:>9} {:>9} {:>9} {:>9}", "module", "same", "different", "missing", "known");
    let mut total = [0; 4];
    for (name, counts) in &modules {
        println!("{name:<32} {:>9} {:>9} {:>9} {:>9}", counts[0], counts[1], counts[2], counts[3]);
        total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    println!("{:<32} {:>9} {:>9} {:>9} {:>9}\n", "total", total[0], total[1], total[2], total[3]);
    for finding in &findings {
        println!("{finding}");
    }
    if extra {
        for (row, signature) in
            ours.iter().filter(|(row, _)| inside(&row.place) && !theirs.contains_key(*row))
        {
            println!("extra {} {}: {signature}", row.kind, row.path);
        }
    }
    Ok(findings.is_empty())
}

/// Cargo features of tokio that the facade lacks, or that turn on less there.
fn missing_features() -> Result<Vec<String>, String> {
    let mut command = shell::cargo();
    command.current_dir(shell::root()).args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata = shell::json(&mut command)?;
    let packages = metadata["packages"].as_array();
    let facade = packages.into_iter().flatten().find(|package| package["name"] == "tokio");
    let ours = &facade.ok_or("the workspace has no package `tokio`")?["features"];
    let turns_on = |name: &str, other: &str| {
        let (mut open, mut seen) = (vec![name.to_owned()], BTreeSet::new());
        while let Some(next) = open.pop() {
            if next == other {
                return true;
            }
            if seen.insert(next.clone()) {
                let on = ours[&next].as_array().into_iter().flatten();
                open.extend(on.filter_map(Value::as_str).map(str::to_owned));
            }
        }
        false
    };
    let mut findings = Vec::new();
    for (name, on) in crate::conformance::tokio_features()? {
        if ours[&name].is_null() {
            findings.push(format!("missing feature {name}"));
            continue;
        }
        for other in on.iter().filter(|other| !turns_on(&name, other)) {
            findings.push(format!("different feature {name}: does not turn {other} on"));
        }
    }
    Ok(findings)
}

/// The public module, no deeper than one below the root, that a reader looks in.
fn module_of<'a>(path: &'a str, is_module: &impl Fn(&str) -> bool) -> &'a str {
    let end = |n: usize| path.match_indices("::").nth(n).map_or(path.len(), |(at, _)| at);
    let below = &path[..end(1)];
    if is_module(below) { below } else { &path[..end(0)] }
}

/// `PATH -- REASON` lines.
fn known() -> Result<BTreeMap<String, String>, String> {
    let text = shell::read(&shell::root().join("xtask").join("data").join("api-known.txt"))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split_once(" -- ") {
            Some((path, reason)) => Ok((path.trim().to_owned(), reason.to_owned())),
            None => Err(format!("api-known.txt: no reason given: {line}")),
        })
        .collect()
}

fn tokio_json(unstable: bool) -> Result<Value, String> {
    let base = shell::target_dir().join("api");
    let name = if unstable { "tokio-unstable" } else { "tokio-stable" };
    let package = base.join(name);
    let features = match unstable {
        true => "\"full\", \"test-util\", \"tracing\", \"taskdump\", \"io-uring\"",
        false => "\"full\", \"test-util\"",
    };
    shell::write_if_changed(
        &package.join("Cargo.toml"),
        &format!(
            "[package]\nname = \"{name}-api\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
             [lib]\npath = \"lib.rs\"\n\n[dependencies]\ntokio = {{ version = \"={VERSION}\", features = [{features}] }}\n"
        ),
    )?;
    shell::write_if_changed(&package.join("lib.rs"), "")?;
    let flags = if unstable { "--cfg tokio_unstable" } else { "" };
    document(&package, &["--package", "tokio"], flags, &base.join(format!("build-{name}")), "tokio")
}

fn yamanote_json() -> Result<Value, String> {
    let arguments = ["--package", "yamanote", "--lib", "--all-features"];
    document(&shell::root(), &arguments, "", &shell::target_dir().join("api").join("build"), "yamanote")
}

/// What yamanote makes public, `doc(hidden)` left out.
pub(crate) fn yamanote_crate() -> Result<Crate, String> {
    Crate::new(yamanote_json()?, &BTreeSet::new(), false)
}

fn document(
    directory: &Path,
    arguments: &[&str],
    flags: &str,
    target: &PathBuf,
    name: &str,
) -> Result<Value, String> {
    let mut command = shell::cargo();
    command.current_dir(directory).args(["rustdoc", "--quiet"]).args(arguments);
    command.args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"]);
    // The JSON output is unstable; the flag opens it on a stable toolchain too.
    command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", target);
    command.env("RUSTFLAGS", flags).env("RUSTDOCFLAGS", flags);
    if !shell::succeeds(&mut command)? {
        return Err(format!("cannot document {name}"));
    }
    let text = shell::read(&target.join("doc").join(format!("{name}.json")))?;
    serde_json::from_str(&text).map_err(|error| format!("{name}.json: {error}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn modules_of_paths() {
        let module_of = |path| super::module_of(path, &|path: &str| path == "tokio::sync");
        assert_eq!(module_of("tokio::sync::mpsc::Sender::send"), "tokio::sync");
        assert_eq!(module_of("tokio::sync"), "tokio::sync");
        assert_eq!(module_of("tokio::select"), "tokio");
        assert_eq!(module_of("tokio"), "tokio");
    }
}
