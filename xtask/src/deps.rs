//! What a program takes in with the runtime: licences, versions, origins, and whether it is more than with tokio.
//!
//! Works on what cargo has at hand, without a network (the registry's tokio has to have been fetched once: `bench/`
//! needs it). Known vulnerabilities are not looked for: that takes the database of advisories (`cargo audit`, `cargo
//! deny check advisories`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::{Outcome, shell};

const HELP: &str = "\
usage: cargo xtask deps [--list]

Looks at what the package `yamanote` depends on, on every system:
  - each licence lets a program under any licence use it (MIT, Apache-2.0 and the like);
  - no package is there in two versions;
  - all come from the registry or from this repository;
  - with the same features there are no packages that tokio has not, but those that the source names with a reason.

  --list    print the packages with their versions and licences";

/// Licences that ask for no more than to be named.
const LICENCES: [&str; 9] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages that tokio has not with a feature, and why.
const MORE: [(&str, &str, &str); 1] =
    [("fs", "libc", "the calls by which Linux reads files from memory or not at all")];

/// Features that both have, one at a time, and all of them.
const FEATURES: [&str; 13] = [
    "full",
    "fs",
    "io-std",
    "io-util",
    "macros",
    "net",
    "process",
    "rt",
    "rt-multi-thread",
    "signal",
    "sync",
    "test-util",
    "time",
];

const TARGETS: [&str; 3] = ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "x86_64-apple-darwin"];

/// The release whose dependencies are compared with.
const UPSTREAM: &str = "1.54.1";

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
    /// Where it is from, if not from the registry.
    origin: Option<String>,
}

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let list = args.flag("--list");
    args.finish()?;

    let ours = shell::root().join("Cargo.toml");
    let all = tree(&ours, "yamanote", "full,test-util", "all")?;
    if list {
        for package in &all {
            println!("{:<24} {:<34} {}", package.name, package.version, package.licence);
        }
    }
    let mut findings = Vec::new();
    check(&all, &mut findings);

    let upstream = write_probe()?;
    for feature in FEATURES {
        let mut counts = Vec::new();
        for target in TARGETS {
            let ours = names(&tree(&ours, "yamanote", feature, target)?);
            let theirs = names(&tree(&upstream, "probe", feature, target)?);
            counts.push(format!("{}/{}", ours.len(), theirs.len()));
            compare(feature, target, &ours, &theirs, &mut findings);
        }
        if list || feature == "full" {
            println!(
                "{feature}: {} packages here/with tokio on Linux, Windows, macOS",
                counts.join(", ")
            );
        }
    }
    for finding in &findings {
        println!("{finding}");
    }
    println!("{} packages, {} findings", all.len(), findings.len());
    Ok(findings.is_empty())
}

/// Licences, versions, origins.
fn check(packages: &BTreeSet<Package>, findings: &mut Vec<String>) {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(&package.version);
        if !is_permissive(&package.licence) {
            findings.push(format!("{} {}: licence {}", package.name, package.version, package.licence));
        }
        if let Some(origin) = package.origin.as_ref().filter(|origin| !is_below(origin, &shell::root()))
        {
            findings.push(format!("{} {}: from {origin}", package.name, package.version));
        }
    }
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        findings.push(format!("{name}: in versions {}", versions.join(" and ")));
    }
}

fn is_below(path: &str, root: &Path) -> bool {
    Path::new(path).starts_with(root)
}

fn compare(
    feature: &str,
    target: &str,
    ours: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
    findings: &mut Vec<String>,
) {
    for name in ours.difference(theirs) {
        if !MORE.iter().any(|(with, allowed, _)| *with == feature && allowed == name) {
            findings.push(format!("{feature} on {target}: {name}, which tokio has not"));
        }
    }
}

/// The packages' names without the roots, ours under the name of its counterpart.
fn names(packages: &BTreeSet<Package>) -> BTreeSet<String> {
    let names = packages.iter().map(|package| match package.name.as_str() {
        "yamanote-macros" => "tokio-macros".to_owned(),
        "yamanote" => "tokio".to_owned(),
        name => name.to_owned(),
    });
    names.filter(|name| name != "probe").collect()
}

/// What a package is built from, with these features, for this target.
fn tree(
    manifest: &Path,
    package: &str,
    features: &str,
    target: &str,
) -> Result<BTreeSet<Package>, String> {
    let run = |offline: bool| {
        let mut command = shell::cargo();
        command.current_dir(manifest.parent().unwrap_or(manifest));
        command.args(["tree", "--package", package, "--edges", "normal,build", "--prefix", "none"]);
        command.args(["--no-default-features", "--features", features, "--target", target]);
        command.args(["--format", "{p}|{l}"]);
        if offline {
            command.arg("--offline");
        }
        shell::stdout(&mut command)
    };
    let text = run(true).or_else(|_| run(false))?;
    text.lines().map(|line| read_line(line).ok_or_else(|| format!("cargo tree: {line}"))).collect()
}

/// `name v1.2.3 (proc-macro) (/path)|LICENCE (*)`
fn read_line(line: &str) -> Option<Package> {
    let (package, licence) = line.split_once('|')?;
    let mut words = package.split_whitespace();
    let name = words.next()?.to_owned();
    let version = words.next()?.trim_start_matches('v').to_owned();
    let origin = package.split('(').skip(1).map(|rest| rest.trim_end().trim_end_matches(')'));
    let origin = origin.filter(|origin| *origin != "proc-macro" && *origin != "*").last();
    let licence = licence.trim_end_matches("(*)").trim().to_owned();
    Some(Package { name, version, licence, origin: origin.map(str::to_owned) })
}

/// A package with tokio's features and nothing but tokio in it.
fn write_probe() -> Result<PathBuf, String> {
    let directory = shell::target_dir().join("deps");
    let features: String =
        FEATURES.iter().map(|feature| format!("{feature} = [\"tokio/{feature}\"]\n")).collect();
    let manifest = format!(
        "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\ntokio = {{ version = \"={UPSTREAM}\", default-features = false }}\n\n\
         [features]\n{features}"
    );
    shell::write_if_changed(&directory.join("src").join("lib.rs"), "")?;
    shell::write_if_changed(&directory.join("Cargo.toml"), &manifest)?;
    Ok(directory.join("Cargo.toml"))
}

/// Whether an SPDX expression can be met by licences of [`LICENCES`] alone.
fn is_permissive(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut words = words.as_slice();
    any(&mut words) == Some(true) && words.is_empty()
}

fn any(words: &mut &[&str]) -> Option<bool> {
    let mut met = all(words)?;
    while let Some(rest) = words.strip_prefix(&["OR"]) {
        *words = rest;
        met |= all(words)?;
    }
    Some(met)
}

fn all(words: &mut &[&str]) -> Option<bool> {
    let mut met = one(words)?;
    while let Some(rest) = words.strip_prefix(&["AND"]) {
        *words = rest;
        met &= one(words)?;
    }
    Some(met)
}

fn one(words: &mut &[&str]) -> Option<bool> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    if *first == "(" {
        let met = any(words)?;
        *words = words.strip_prefix(&[")"])?;
        return Some(met);
    }
    let mut name = (*first).to_owned();
    if let ["WITH", exception, rest @ ..] = words {
        name = format!("{name} WITH {exception}");
        *words = rest;
    }
    Some(LICENCES.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, licence: &str) -> Package {
        Package { name: name.into(), version: version.into(), licence: licence.into(), origin: None }
    }

    #[test]
    fn reads_licences() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "GPL-3.0 OR MIT",
            "MIT/GPL-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        ] {
            assert!(is_permissive(good), "{good}");
        }
        for bad in
            ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND MPL-2.0", "MIT OR", "(MIT"]
        {
            assert!(!is_permissive(bad), "{bad}");
        }
    }

    #[test]
    fn reads_lines() {
        assert_eq!(read_line("mio v1.2.5|MIT"), Some(package("mio", "1.2.5", "MIT")));
        assert_eq!(read_line("syn v2.0.1|MIT OR Apache-2.0 (*)").unwrap().licence, "MIT OR Apache-2.0");
        let ours = read_line("m v0.1.0 (proc-macro) (/a/b)|MIT").unwrap();
        assert_eq!(ours.origin.as_deref(), Some("/a/b"));
    }

    #[test]
    fn finds_what_it_should() {
        let found = |packages: [Package; 2]| {
            let mut findings = Vec::new();
            check(&packages.into_iter().collect(), &mut findings);
            findings.len()
        };
        assert_eq!(found([package("a", "1.0.0", "MIT"), package("b", "1.0.0", "MIT")]), 0);
        assert_eq!(found([package("a", "1.0.0", "MIT"), package("a", "2.0.0", "MIT")]), 1);
        assert_eq!(found([package("a", "1.0.0", "GPL-3.0"), package("b", "1.0.0", "MIT")]), 1);
        let foreign =
            Package { origin: Some("https://example.org/x".into()), ..package("a", "1.0.0", "MIT") };
        assert_eq!(found([foreign, package("b", "1.0.0", "MIT")]), 1);
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let mut findings = Vec::new();
        compare("fs", "t", &set(&["tokio", "libc"]), &set(&["tokio"]), &mut findings);
        assert!(findings.is_empty(), "named with a reason");
        compare("rt", "t", &set(&["tokio", "libc"]), &set(&["tokio"]), &mut findings);
        assert_eq!(findings.len(), 1);
    }
}
