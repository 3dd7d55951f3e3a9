//! The lists kept as data: what the real tokio passes, and what is known not to pass here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::suite::{self, Suite};
use crate::shell;

fn data(name: &str) -> PathBuf {
    shell::root().join("xtask").join("data").join(name)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The tests that the real tokio passes.
pub(crate) fn baseline(suite: &Suite) -> Result<Vec<String>, String> {
    let text = shell::read(&data(&format!("conformance-{}.txt", suite.name)))?;
    Ok(lines(&text).map(str::to_owned).collect())
}

/// Replaces the part of the list that `covered` says was run.
pub(crate) fn update_baseline(
    suite: &Suite,
    passed: &[String],
    covered: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let old = baseline(suite).unwrap_or_default();
    let mut names: BTreeSet<String> = old.into_iter().filter(|name| !covered(name)).collect();
    names.extend(passed.iter().cloned());
    let mut text = format!(
        "# Tests published with {} {} that pass with the real tokio ({}).\n\
         # Made by `cargo xtask conformance --baseline`; one `target::test` a line.\n",
        suite.package, suite.version, suite.name
    );
    for name in names {
        text.push_str(&name);
        text.push('\n');
    }
    shell::write_if_changed(&data(&format!("conformance-{}.txt", suite.name)), &text)
}

/// Tests that are known not to pass, each with its reason.
pub(crate) struct Known(BTreeMap<String, String>);

impl Known {
    pub(crate) fn reason(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
}

/// Reads `SUITE TEST REASON…` lines; `both` is tokio's two.
pub(crate) fn known(suite: &Suite) -> Result<Known, String> {
    let mut table = BTreeMap::new();
    let text = shell::read(&data("conformance-known.txt"))?;
    for line in lines(&text) {
        let mut words = line.splitn(3, char::is_whitespace);
        let (Some(which), Some(test), Some(reason)) = (words.next(), words.next(), words.next()) else {
            return Err(format!("conformance-known.txt: no reason given: {line}"));
        };
        let is_both = which == "both" && suite.package == "tokio";
        if which != "both" {
            suite::find(which).map_err(|error| format!("conformance-known.txt: {error}: {line}"))?;
        }
        if is_both || which == suite.name {
            table.insert(test.to_owned(), reason.trim().to_owned());
        }
    }
    Ok(Known(table))
}
