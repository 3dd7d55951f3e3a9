//! The generated package whose test targets are upstream's files.
//!
//! Upstream's tests ask `cfg(feature = "full")` of the package they are compiled in, so the generated one
//! has upstream's feature names, and it has upstream's dependencies because its tests use some of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::suite::Suite;
use super::upstream::Upstream;
use crate::{cross, shell};

/// What [`write()`] made.
pub(crate) struct Scratch {
    unstable: bool,
    pub(crate) directory: PathBuf,
    pub(crate) manifest: PathBuf,
    /// The targets that were asked for.
    pub(crate) targets: Vec<String>,
}

/// Generates the package; `real` leaves the patch out, so that the registry's tokio is tested.
pub(crate) fn write(
    upstream: &Upstream,
    suite: &Suite,
    real: bool,
    wanted: impl Fn(&str) -> bool,
) -> Result<Scratch, String> {
    let side = if real { "tokio" } else { "facade" };
    let directory = shell::target_dir().join("conformance").join(format!("{side}-{}", suite.name));
    let manifest = directory.join("Cargo.toml");
    let features: Vec<&str> = match suite.features {
        [] => upstream.features.iter().map(|(name, _)| name.as_str()).collect(),
        some => some.to_vec(),
    };

    let mut text = format!(
        "[package]\nname = \"conformance-{side}\"\nversion = \"0.0.0\"\nedition = {:?}\nhomepage = {:?}\n\
         publish = false\nautotests = false\n\n[workspace]\n\n[lib]\npath = \"lib.rs\"\ntest = false\ndoctest = false\n\n\
         [lints.rust]\nunexpected_cfgs = \"allow\"\n\n[profile.dev]\ndebug = 0\nincremental = false\n\n\
         [profile.test]\ndebug = 0\nincremental = false\n\n",
        upstream.edition, upstream.homepage
    );
    let _ = writeln!(text, "[features]\ndefault = {features:?}");
    for (name, on) in &upstream.features {
        let _ = writeln!(text, "{name} = {on:?}");
    }

    let mut tables: BTreeMap<String, BTreeMap<&str, &str>> = BTreeMap::new();
    for dependency in &upstream.dependencies {
        let kind = if dependency.for_tests { "dev-dependencies" } else { "dependencies" };
        let table = match &dependency.target {
            // A literal TOML string: the expressions contain double quotes.
            Some(target) => format!("target.'{target}'.{kind}"),
            None => kind.to_owned(),
        };
        tables.entry(table).or_default().insert(&dependency.key, &dependency.line);
    }
    let Suite { package, version, .. } = suite;
    let tested = format!("{package} = {{ version = \"={version}\", features = {features:?} }}");
    tables.entry("dependencies".to_owned()).or_default().insert(package, &tested);
    for (table, lines) in &tables {
        let _ = writeln!(text, "\n[{table}]");
        for line in lines.values() {
            let _ = writeln!(text, "{line}");
        }
    }

    if !real {
        let facade = shell::root().join("tokio");
        let _ = writeln!(text, "\n[patch.crates-io]\ntokio = {{ path = {facade:?} }}");
    }
    for (name, path) in &upstream.tests {
        let _ = writeln!(text, "\n[[test]]\nname = {name:?}\npath = {path:?}");
    }
    shell::write_if_changed(&manifest, &text)?;
    shell::write_if_changed(&directory.join("lib.rs"), "")?;
    let targets =
        upstream.tests.iter().map(|(name, _)| name.clone()).filter(|name| wanted(name)).collect();
    Ok(Scratch { unstable: suite.unstable, directory, manifest, targets })
}

impl Scratch {
    /// Whether a test is in one of the targets that were asked for.
    pub(crate) fn has(&self, full_name: &str) -> bool {
        let target = full_name.split("::").next();
        self.targets.iter().any(|name| Some(name.as_str()) == target)
    }

    /// Builds every target it can: one that does not compile hides no other.
    pub(crate) fn build_command(
        &self,
        target: Option<&cross::targets::Target>,
    ) -> Result<Command, String> {
        let mut command = match target {
            Some(target) => {
                cross::install(target)?;
                cross::cargo(target, "build")
            }
            None => {
                let mut command = shell::cargo();
                command.arg("build");
                command.env("CARGO_TARGET_DIR", shell::target_dir().join("conformance").join("build"));
                command
            }
        };
        command.args(["--keep-going", "--message-format", "json", "--manifest-path"]);
        command.arg(&self.manifest);
        for name in &self.targets {
            command.args(["--test", name]);
        }
        // Warnings about upstream's files are upstream's business.
        let mut flags = "--cap-lints=allow".to_owned();
        if self.unstable {
            flags.push_str(" --cfg tokio_unstable");
        }
        command.env_remove("CARGO_ENCODED_RUSTFLAGS");
        match target {
            // Its own flags, or else the standard library would be built anew.
            Some(target) if !self.unstable => {
                command.env_remove("RUSTFLAGS").env(target.variable("RUSTFLAGS"), target.flags)
            }
            Some(target) => command
                .env_remove("RUSTFLAGS")
                .env(target.variable("RUSTFLAGS"), format!("{} {flags}", target.flags)),
            None => command.env("RUSTFLAGS", flags),
        };
        Ok(command)
    }
}
