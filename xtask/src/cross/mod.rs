//! The same on other systems: built and run where something here can run it, checked by the compiler where not.
//!
//! Debian's `rustc-web` comes with the sources of its standard library, which cargo builds for each target. All of it
//! is a nightly's business (`-Zbuild-std`), which `RUSTC_BOOTSTRAP` allows a stable compiler.

mod msrv;
pub(crate) mod targets;
mod wine;
mod without;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::runner::{self, Test, Verdict};
use crate::{Outcome, own_tests, shell};
use targets::{How, TARGETS, Target};

const HELP: &str = "\
usage: cargo xtask cross [TARGET…] [OPTIONS]

Builds the package `yamanote` and the facade for other systems (all by default): windows, msvc, mac, mac-arm, ios,
bsd (which is FreeBSD), netbsd, openbsd, illumos, android, arm, i686, wasi, poll (which is Linux without epoll), and
msrv (which is Linux with the oldest compiler). Where something here can run the tests (wine, qemu-user, the processor
itself) they are run, each in a process of its own; elsewhere the compiler and Clippy check them. A warning
counts as a failure. Installs what it needs from Debian.

  --check         do not run anything, only check
  --filter F      only tests whose TARGET::TEST contains F (repeatable)
  --jobs N        tests at a time (default: processors)
  --limit S       seconds after which a test counts as hanging (default 120)
  --no-install    do not install packages";

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let only_check = args.flag("--check");
    let no_install = args.flag("--no-install");
    let filters = args.values("--filter")?;
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let jobs = args.value("--jobs", processors)?;
    let limit = Duration::from_secs(args.value("--limit", 120)?);
    let names = args.positional();
    args.finish()?;

    let is_known = |name: &str| name == "msrv" || TARGETS.iter().any(|target| target.name == name);
    let unknown = names.iter().find(|name| !is_known(name));
    if let Some(name) = unknown {
        return Err(format!("no target named `{name}`\n\n{HELP}"));
    }
    let mut lines = Vec::new();
    let mut good = true;
    for target in &TARGETS {
        if !names.is_empty() && !names.iter().any(|name| name == target.name) {
            continue;
        }
        if !no_install {
            install(target)?;
        }
        let started = Instant::now();
        let checked = check(target)?;
        good &= checked == Checked::Clean;
        let mut line = match checked {
            Checked::Clean => "checked".to_owned(),
            Checked::Warned => "compiles with warnings".to_owned(),
            Checked::Failed => "does not compile".to_owned(),
        };
        if checked != Checked::Failed && !only_check && target.how == How::Run {
            let (passed, failed) = run_tests(target, &filters, jobs, limit)?;
            line = format!("{line}; {passed} passed, {failed} failed");
            good &= failed == 0;
        }
        lines.push(format!(
            "{:<9} {:<28} {line} ({:.0?})",
            target.name,
            target.triple,
            started.elapsed()
        ));
    }
    if names.is_empty() || names.iter().any(|name| name == "msrv") {
        let checked = msrv::check(&directory().join("run"))?;
        let line = if checked { "checked" } else { "does not compile" };
        lines.push(format!("{:<9} {:<28} {line}", "msrv", "with the oldest compiler"));
        good &= checked;
    }
    println!();
    for line in &lines {
        println!("{line}");
    }
    Ok(good)
}

/// The target of that name.
pub(crate) fn find(name: &str) -> Result<&'static Target, String> {
    let found = TARGETS.iter().find(|target| target.name == name);
    found.ok_or_else(|| format!("no target named `{name}`"))
}

/// Where all of it is built and kept.
fn directory() -> PathBuf {
    shell::target_dir().join("cross")
}

/// Installs what is missing.
pub(crate) fn install(target: &Target) -> Result<(), String> {
    let is_there = |package: &&str| {
        let mut command = Command::new("dpkg-query");
        command.args(["-W", "-f", "${Status}", package]).stderr(Stdio::null());
        command.output().is_ok_and(|output| output.stdout == b"install ok installed")
    };
    let compiler: &[&str] =
        if target.std.is_some() { &["rustc-web", "rust-web-src", "rust-web-clippy"] } else { &[] };
    let all = compiler.iter().chain(target.packages).copied();
    let missing: Vec<&str> = all.filter(|package| !is_there(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command.args(["install", "-y", "-qq", "--no-install-recommends"]).args(&missing);
    if shell::succeeds(command.stdout(Stdio::null()))? {
        Ok(())
    } else {
        Err(format!("cannot install {} (apt-get update first?)", missing.join(" ")))
    }
}

/// A cargo that builds for the target, with what its programs are run by.
pub(crate) fn cargo(target: &Target, verb: &str) -> Command {
    let mut command = shell::cargo();
    command.arg(verb).args(["--target", target.triple]).env_remove("RUSTFLAGS");
    if let Some(parts) = target.std {
        command.arg(format!("-Zbuild-std{parts}"));
        command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    }
    command.env("CARGO_TARGET_DIR", directory()).env("CARGO_PROFILE_DEV_DEBUG", "0");
    command.env("CARGO_INCREMENTAL", "0");
    if let Some(linker) = target.linker {
        command.env(target.variable("LINKER"), linker);
    }
    if !target.flags.is_empty() {
        command.env(target.variable("RUSTFLAGS"), target.flags);
    }
    command
}

/// What the target's programs are run by.
pub(crate) fn runner(target: &Target) -> Result<Vec<String>, String> {
    let directory = directory().join("run").join(target.name);
    std::fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    target.runner(&directory)
}

/// What Debian's Clippy finds and the toolchain's does not, all of it style: that one decides. The second and third see
/// how a twin file or a system's thread-local storage comes out on one system, which the code is the same for.
const NEWER_LINTS: &[&str] = &[
    "manual_noop_waker",
    "default_constructed_unit_structs",
    "missing_const_for_thread_local",
    "large_enum_variant",
    "unnecessary_cast",
];

/// What the compiler says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checked {
    Clean,
    Warned,
    Failed,
}

/// Both packages, and the tests of the runtime.
fn check(target: &Target) -> Result<Checked, String> {
    println!("{}: checking", target.name);
    let mut checked = Checked::Clean;
    for (package, tests) in [("yamanote", true), ("tokio", false)] {
        let mut command = cargo(target, "check");
        command.args(["--package", package, "--quiet", "--features", &target.features.join(",")]);
        if tests {
            command.args(target.test_targets());
        }
        if target.std.is_some() {
            // As `cargo clippy` does it, with the linter that belongs to the compiler.
            command.env("RUSTC_WORKSPACE_WRAPPER", "/usr/bin/clippy-driver");
            let allowed = NEWER_LINTS.iter().map(|lint| format!("-Aclippy::{lint}__CLIPPY_HACKERY__"));
            command.env("CLIPPY_ARGS", allowed.collect::<String>());
        }
        command.current_dir(shell::root()).stderr(Stdio::piped());
        let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        eprint!("{text}");
        if !output.status.success() {
            return Ok(Checked::Failed);
        }
        // Flags that make errors of them would have the standard library built anew.
        if text.contains("warning: ") {
            checked = Checked::Warned;
        }
    }
    Ok(checked)
}

fn run_tests(
    target: &Target,
    filters: &[String],
    jobs: usize,
    limit: Duration,
) -> Result<(usize, usize), String> {
    println!("{}: building the tests", target.name);
    let mut command = cargo(target, "test");
    command.args(["--no-run", "--quiet", "--features"]).arg(target.features.join(","));
    command.args(target.test_targets());
    let mut targets = own_tests::build(&mut command)?;
    let wrapper = runner(target)?;
    let mut tests: Vec<Test> = Vec::new();
    for one in &mut targets {
        one.wrapper.clone_from(&wrapper);
        let is_left_out = |name: &str| target.left_out.iter().any(|(start, _)| name.starts_with(start));
        let is_wanted =
            |name: &str| filters.is_empty() || filters.iter().any(|f| name.contains(f.as_str()));
        let listed = runner::list(one)?.into_iter();
        tests.extend(
            listed.filter(|test| is_wanted(&test.full_name()) && !is_left_out(&test.full_name())),
        );
    }
    println!("{}: running {} tests", target.name, tests.len());
    let logs = logs(target, &directory());
    let options = runner::Options { jobs, limit, retries: 1, logs, environment: Vec::new() };
    let verdicts = runner::run(&tests, &options)?;
    let is_good = |verdict: &Verdict| matches!(verdict, Verdict::Passed | Verdict::Unsteady);
    for (name, verdict) in verdicts.iter().filter(|(_, verdict)| **verdict != Verdict::Passed) {
        let log = options.logs.join(runner::log_name(name));
        println!("  {name} ({verdict:?}), output: {}", shell::shown(&log));
    }
    let mut passed = verdicts.values().filter(|verdict| is_good(verdict)).count();
    let mut all = verdicts.len();
    if target.name == "windows" {
        if let Some(is_good) = wine::press_keys(&tests)? {
            println!("  Ctrl-C in a terminal: {}", if is_good { "heard" } else { "not heard" });
            all += 1;
            passed += usize::from(is_good);
        }
    }
    Ok((passed, all - passed))
}

fn logs(target: &Target, directory: &Path) -> PathBuf {
    directory.join("logs").join(target.name)
}
