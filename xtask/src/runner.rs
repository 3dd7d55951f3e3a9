//! Runs test executables: one process per test, several at a time, each with a time limit.
//!
//! A process per test costs milliseconds and buys what a shared process cannot give: a test that hangs,
//! aborts or leaks threads takes no other test with it, and a panic hook or a signal handler stays private.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::process::{self, End};

/// An executable made by `rustc --test`.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) executable: PathBuf,
    /// The working directory of its tests: the root of its package.
    pub(crate) directory: PathBuf,
    /// What runs it, if it is not for this system: a program and arguments that come before its path.
    pub(crate) wrapper: Vec<String>,
}

impl Target {
    pub(crate) fn command(&self) -> Command {
        let mut command = match self.wrapper.split_first() {
            None => Command::new(&self.executable),
            Some((program, rest)) => {
                let mut command = Command::new(program);
                command.args(rest).arg(&self.executable);
                command
            }
        };
        command.current_dir(&self.directory);
        command
    }
}

/// One test of a target.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) target: Target,
    pub(crate) name: String,
}

impl Test {
    /// `target::path::of::test`, the form that lists use.
    pub(crate) fn full_name(&self) -> String {
        format!("{}::{}", self.target.name, self.name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// Failed at first and passed when run again alone.
    Unsteady,
    Failed,
    TimedOut,
}

pub(crate) struct Options {
    pub(crate) jobs: usize,
    pub(crate) limit: Duration,
    /// How often a test that failed is run again. One that timed out is never: a hang is a finding.
    pub(crate) retries: usize,
    /// Where each failing test's output stays.
    pub(crate) logs: PathBuf,
    /// What the tests find in their environment besides what is there.
    pub(crate) environment: Vec<(String, String)>,
}

/// Asks an executable for its tests, ignored ones left out.
pub(crate) fn list(target: &Target) -> Result<Vec<Test>, String> {
    let names = |extra: &[&str]| -> Result<Vec<String>, String> {
        let mut command = target.command();
        command.args(["--list", "--format", "terse"]).args(extra);
        let output = command.output().map_err(|error| format!("{}: {error}", target.name))?;
        if !output.status.success() {
            return Err(format!("{}: --list failed: {}", target.name, output.status));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    };
    let ignored = names(&["--ignored"])?;
    let tests = names(&[])?.into_iter().filter(|name| !ignored.contains(name));
    Ok(tests.map(|name| Test { target: target.clone(), name }).collect())
}

/// Runs all of them and returns each one's verdict under its full name.
pub(crate) fn run(tests: &[Test], options: &Options) -> Result<BTreeMap<String, Verdict>, String> {
    std::fs::create_dir_all(&options.logs).map_err(|error| error.to_string())?;
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(BTreeMap::new());
    let trouble = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                // Only a ticket counter: nothing else is published through it.
                while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match run_one(test, options) {
                        Ok(verdict) => {
                            verdicts.lock().unwrap().insert(test.full_name(), verdict);
                        }
                        Err(error) => *trouble.lock().unwrap() = Some(error),
                    }
                }
            });
        }
    });
    if let Some(error) = trouble.into_inner().unwrap() {
        return Err(error);
    }
    let mut verdicts = verdicts.into_inner().unwrap();
    // Again, alone: tells a test that the machine's load broke from one that the runtime broke.
    for test in tests {
        for _ in 0..options.retries {
            if verdicts.get(&test.full_name()) == Some(&Verdict::Failed)
                && run_one(test, options)? == Verdict::Passed
            {
                verdicts.insert(test.full_name(), Verdict::Unsteady);
            }
        }
    }
    Ok(verdicts)
}

fn run_one(test: &Test, options: &Options) -> Result<Verdict, String> {
    let log = options.logs.join(log_name(&test.full_name()));
    let mut command = test.target.command();
    command
        .args([test.name.as_str(), "--exact", "--nocapture"])
        .env("CARGO_MANIFEST_DIR", &test.target.directory)
        .env("RUST_BACKTRACE", "1")
        .envs(options.environment.iter().map(|(name, value)| (name, value)));
    let end = process::run(&mut command, &log, options.limit)?;
    Ok(match end {
        End::Success => {
            let _ = std::fs::remove_file(&log);
            Verdict::Passed
        }
        End::Failure => Verdict::Failed,
        End::TimedOut => Verdict::TimedOut,
    })
}

/// The file, in [`Options::logs`], with a test's output.
pub(crate) fn log_name(full_name: &str) -> String {
    format!("{}.log", full_name.replace("::", "."))
}

/// The test executables that a `cargo build --message-format json` made, and the rendered errors of the
/// targets that it could not make.
pub(crate) struct Built {
    pub(crate) targets: Vec<Target>,
    pub(crate) errors: BTreeMap<String, String>,
}

/// Reads cargo's messages: executables of the package whose manifest is `manifest`, and what failed.
pub(crate) fn read_messages(output: &str, manifest: &Path) -> Built {
    let mut built = Built { targets: Vec::new(), errors: BTreeMap::new() };
    for line in output.lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let name = message["target"]["name"].as_str().unwrap_or_default().to_owned();
        match message["reason"].as_str() {
            Some("compiler-artifact") => {
                let ours =
                    message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
                let directory = manifest.parent().map(Path::to_path_buf).unwrap_or_default();
                if let (true, Some(executable)) = (ours, message["executable"].as_str()) {
                    let executable = executable.into();
                    let wrapper = Vec::new();
                    built.targets.push(Target { name, executable, directory, wrapper });
                }
            }
            Some("compiler-message") if message["message"]["level"] == "error" => {
                let rendered = message["message"]["rendered"].as_str().unwrap_or_default();
                built.errors.entry(name).or_default().push_str(rendered);
            }
            _ => {}
        }
    }
    built.targets.sort_by(|a, b| a.name.cmp(&b.name));
    built
}
