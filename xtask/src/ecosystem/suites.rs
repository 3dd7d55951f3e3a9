//! Tests that other projects publish with their crates, compiled against the facade: a copy of each package, out of
//! cargo's own cache, gets the patch and nothing else. Nothing of them enters the tree.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::process::{self, End};
use crate::{Outcome, shell};

struct Suite {
    name: &'static str,
    version: &'static str,
    /// Tests that need what a checking machine may not have, and why.
    skipped: &'static [(&'static str, &'static str)],
}

const fn whole(name: &'static str, version: &'static str) -> Suite {
    Suite { name, version, skipped: &[] }
}

const SUITES: [Suite; 7] = [
    whole("tokio-util", "0.7.20"),
    whole("tokio-stream", "0.1.19"),
    whole("tower", "0.5.3"),
    whole("tokio-metrics", "0.5.2"),
    whole("actix-rt", "2.15.0"),
    whole("actix-server", "2.10.0"),
    Suite {
        name: "hyper-util",
        version: "0.1.21",
        skipped: &[(
            "test_socks_v5_with_locally_resolved_domain_works",
            "asks a name server for a name of the Internet",
        )],
    },
];

pub(super) fn run(wanted: &[String], limit: Duration) -> Outcome {
    for name in wanted {
        if !SUITES.iter().any(|suite| suite.name == name) {
            return Err(format!("no suite named `{name}` is known"));
        }
    }
    let base = shell::target_dir().join("ecosystem-suites");
    println!("{:<24} {:>6} {:>6} {:>8}", "suite", "passed", "failed", "time");
    let mut clean = true;
    for suite in
        SUITES.iter().filter(|suite| wanted.is_empty() || wanted.iter().any(|n| n == suite.name))
    {
        let started = Instant::now();
        let folder = prepare(suite, &base)?;
        let log = base.join(format!("{}.log", suite.name));
        let mut command =
            super::cargo(&folder, &["test", "--tests", "--all-features", "--no-fail-fast"]);
        command.env("CARGO_TARGET_DIR", base.join("build")).arg("--");
        for (test, _) in suite.skipped {
            command.args(["--skip", test]);
        }
        let end = process::run(&mut command, &log, limit)?;
        let count = super::count(&shell::read(&log)?);
        println!(
            "{:<24} {:>6} {:>6} {:>6.0} s",
            format!("{} {}", suite.name, suite.version),
            count.passed,
            count.failed,
            started.elapsed().as_secs_f64()
        );
        for (test, reason) in suite.skipped {
            println!("    without {test}, which {reason}");
        }
        if end != End::Success || count.passed == 0 {
            println!("    {end:?}, output: {}", shell::shown(&log));
            clean = false;
        }
    }
    Ok(clean)
}

/// A copy of the published package, as a workspace of its own with the patch.
fn prepare(suite: &Suite, base: &Path) -> Result<PathBuf, String> {
    let source = published(suite, base)?;
    let folder = base.join(format!("{}-{}", suite.name, suite.version));
    copy(&source, &folder)?;
    let facade = shell::root().join("tokio");
    let manifest = shell::read(&source.join("Cargo.toml"))?;
    let manifest = format!(
        "{manifest}\n[workspace]\n\n[patch.crates-io]\ntokio = {{ path = {:?} }}\n",
        facade.display().to_string()
    );
    shell::write_if_changed(&folder.join("Cargo.toml"), &manifest)?;
    Ok(folder)
}

/// Where cargo keeps the package, after it has fetched it.
fn published(suite: &Suite, base: &Path) -> Result<PathBuf, String> {
    let scratch = base.join("fetch").join(suite.name);
    let manifest = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[lib]\n\
         path = \"lib.rs\"\n\n[dependencies]\n{} = \"={}\"\n",
        suite.name, suite.version
    );
    shell::write_if_changed(&scratch.join("Cargo.toml"), &manifest)?;
    shell::write_if_changed(&scratch.join("lib.rs"), "")?;
    let metadata =
        shell::json(&mut super::cargo(&scratch, &["metadata", "--quiet", "--format-version", "1"]))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let manifest = packages
        .filter(|package| package["name"] == suite.name)
        .find_map(|package| package["manifest_path"].as_str());
    let manifest = manifest.ok_or_else(|| format!("cargo metadata: no package {}", suite.name))?;
    Path::new(manifest).parent().map(Path::to_path_buf).ok_or_else(|| format!("{manifest}: no folder"))
}

/// What is there already stays as it is, so that cargo sees no change.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    std::fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for entry in std::fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        // Its lock file names another tokio.
        if path.is_dir() {
            copy(&path, &target)?;
        } else if name != "Cargo.lock" && name != "Cargo.toml" && !target.exists() {
            std::fs::copy(&path, &target).map_err(|error| format!("{}: {error}", target.display()))?;
        }
    }
    Ok(())
}
