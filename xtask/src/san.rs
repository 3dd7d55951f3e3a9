//! The project's own tests under a sanitizer, the standard library instrumented along with them.
//!
//! *ThreadSanitizer* sees data races that really happen in a run, including those in what no loom model
//! covers. It does not know atomic fences: an order that only a `fence` makes is no order to it, and it would
//! report what is correct. The code has sequentially consistent fences alone, each between a write and the read
//! after it (`idle`, `seat`, `doze`, `monitor`, the sources of the driver), where two sides must not both miss each
//! other. None of them publishes data: what one thread reads of another's goes through a release and an acquire,
//! a lock, or a read-modify-write on the same word, and that ThreadSanitizer does know. So every report is taken for
//! real; nothing is suppressed. The standard library's own fence (in `Arc`'s drop) becomes a load under
//! ThreadSanitizer, but only in a library built for it: hence `-Zbuild-std`, and the toolchain's `rust-src`.
//!
//! *AddressSanitizer* sees use after free and overruns, and what is still allocated and unreachable at the end
//! of a test.
//!
//! *Valgrind's Memcheck* needs no instrumented build. It sees uninitialised memory, also where it reaches the system,
//! which is why it looks at what talks to the system in unusual ways: processes and signals.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::args::Args;
use crate::runner::{self, Test, Verdict};
use crate::{Outcome, own_tests, shell};

const HELP: &str = "\
usage: cargo xtask san thread|address|memory-check [OPTIONS] [FILTER…]

Builds the tests of the package `yamanote` and the standard library with ThreadSanitizer or AddressSanitizer (with
its leak detector), and runs them (all, or those whose TARGET::TEST contains a FILTER), each in a process of
its own. Fails if any run of any test fails, hangs or draws a report. Needs a nightly toolchain with `rust-src`.

`memory-check` runs the tests of processes and signals (or those that a FILTER picks of them) in Valgrind, which sees
uninitialised memory too, also in what system calls are given. Needs `valgrind`.

  --toolchain T   which toolchain (default nightly)
  --rounds N      how often (default 1)
  --jobs N        tests at a time (default: twice the processors)
  --limit S       seconds after which a test counts as hanging (default 300)";

/// Tests that are left out, by the beginnings of their names.
const LEFT_OUT: [&str; 1] = [
    // Starts compilers, and compares what they say.
    "compile_fail::",
];

/// Those that Valgrind cannot run, likewise.
const LEFT_OUT_OF_VALGRIND: [&str; 2] = [
    // Valgrind makes a `fork` of a `vfork`, so the C library's `posix_spawn` is not told that there was no program.
    "process::ends::a_program_that_is_not_there",
    // A child that ends without having become another program is searched for leaks: what belongs to its parent's other
    // threads counts as lost there, and the child's own exit code is replaced.
    "process::pipes::a_closure_runs_before_the_program",
];

/// The end of a process with a report (the sanitizers' own default differs between them).
const EXIT_CODE: u8 = 66;

pub(crate) fn run(mut words: Vec<String>) -> Outcome {
    if let Some("--help" | "-h") = words.first().map(String::as_str) {
        println!("{HELP}");
        return Ok(true);
    }
    let sanitizer = words.first().and_then(|name| Sanitizer::named(name));
    let sanitizer = sanitizer.ok_or_else(|| HELP.to_owned())?;
    words.remove(0);
    let mut args = Args::new(words, HELP);
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let toolchain = args.value("--toolchain", "nightly".to_owned())?;
    let rounds: usize = args.value("--rounds", 1)?;
    let jobs = args.value("--jobs", processors * 2)?;
    let limit = Duration::from_secs(args.value("--limit", 300)?);
    let mut filters = args.positional();
    args.finish()?;
    if filters.is_empty() {
        filters = sanitizer.default_filters();
    }

    let directory = shell::target_dir().join("san").join(sanitizer.name());
    let mut targets = own_tests::build(&mut sanitizer.build(&toolchain, &directory)?)?;
    for target in &mut targets {
        target.wrapper = sanitizer.wrapper();
    }
    let tests = own_tests::choose(&targets, &filters, sanitizer.left_out())?;
    let logs = directory.join("logs");
    let options = runner::Options { jobs, limit, retries: 0, logs, environment: environment() };
    let again = |verdicts: &mut _| run_broken_again(&tests, &options, verdicts);
    let title = format!("{}, round", sanitizer.name());
    own_tests::run_rounds(&title, rounds, &tests, &options, again, summary)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sanitizer {
    Thread,
    Address,
    MemoryCheck,
}

impl Sanitizer {
    fn named(name: &str) -> Option<Sanitizer> {
        [Sanitizer::Thread, Sanitizer::Address, Sanitizer::MemoryCheck]
            .into_iter()
            .find(|sanitizer| sanitizer.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Sanitizer::Thread => "thread",
            Sanitizer::Address => "address",
            Sanitizer::MemoryCheck => "memory-check",
        }
    }

    /// Which tests are run unless the user says.
    fn default_filters(self) -> Vec<String> {
        match self {
            Sanitizer::Thread | Sanitizer::Address => Vec::new(),
            Sanitizer::MemoryCheck => vec!["process::".into(), "signal::".into()],
        }
    }

    /// Which are not, even if the user says.
    fn left_out(self) -> &'static [&'static str] {
        match self {
            Sanitizer::Thread | Sanitizer::Address => &LEFT_OUT,
            Sanitizer::MemoryCheck => &LEFT_OUT_OF_VALGRIND,
        }
    }

    /// The cargo command that builds the tests.
    fn build(self, toolchain: &str, directory: &Path) -> Result<Command, String> {
        if self == Sanitizer::MemoryCheck {
            if !shell::is_installed("valgrind") {
                return Err("valgrind is not installed".to_owned());
            }
            let mut command = shell::cargo();
            command.args(["build", "--test", "process", "--test", "signal"]);
            command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only").env("CARGO_INCREMENTAL", "0");
            command.env("CARGO_TARGET_DIR", directory);
            return Ok(command);
        }
        let target = host(toolchain)?;
        let mut command = cargo(toolchain);
        // The target is named, so that flags reach neither build scripts nor procedural macros.
        command.args(["build", "--tests", "-Zbuild-std", "--target", &target]);
        let variable = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"));
        let flags = format!("-Zsanitizer={} -Cdebuginfo=line-tables-only --cfg sanitized", self.name());
        command.env(variable, flags);
        // Optimised a little: instrumented frames are large, and tests of stack use ask for what users get.
        command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_INCREMENTAL", "0");
        command.env("CARGO_TARGET_DIR", directory);
        Ok(command)
    }

    /// What the tests are run by.
    fn wrapper(self) -> Vec<String> {
        if self != Sanitizer::MemoryCheck {
            return Vec::new();
        }
        let exit = format!("--error-exitcode={EXIT_CODE}");
        // Descriptors of ours that are still open at the end are told of, but are no error: the standard library's
        // and the harness's are among them. What is still reachable at the end is a global's.
        ["valgrind", &exit, "--fair-sched=yes", "--leak-check=full", "--errors-for-leak-kinds=definite"]
            .into_iter()
            .map(str::to_owned)
            .collect()
    }
}

/// Runs those tests again in which the sanitizer itself failed. ThreadSanitizer's bookkeeping of signals does not expect
/// one at a thread that is about to start or to end, where a signal to the process may well go; it says `CHECK
/// failed` then, which is no finding about us. Nor is it a pass: the test has to go through in the end.
fn run_broken_again(
    tests: &[Test],
    options: &runner::Options,
    verdicts: &mut BTreeMap<String, Verdict>,
) -> Result<(), String> {
    for _ in 0..3 {
        let broken = |test: &&Test| {
            let log = options.logs.join(runner::log_name(&test.full_name()));
            verdicts.get(&test.full_name()) == Some(&Verdict::Failed)
                && shell::read(&log).is_ok_and(|text| text.contains("Sanitizer: CHECK failed"))
        };
        let again: Vec<Test> = tests.iter().filter(broken).cloned().collect();
        if again.is_empty() {
            break;
        }
        verdicts.extend(runner::run(&again, options)?);
    }
    Ok(())
}

/// The cargo of another toolchain than the one that runs this program.
fn cargo(toolchain: &str) -> Command {
    let mut command = Command::new("cargo");
    command.arg(format!("+{toolchain}")).current_dir(shell::root());
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    command
}

fn host(toolchain: &str) -> Result<String, String> {
    let mut command = Command::new("rustc");
    command.arg(format!("+{toolchain}")).env_remove("RUSTUP_TOOLCHAIN");
    let text = shell::stdout(command.arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| format!("toolchain {toolchain}: no host in rustc -vV"))
}

fn environment() -> Vec<(String, String)> {
    // A report ends the process at once: what follows a race is not worth reading, and a test that catches
    // panics could otherwise pass with one.
    let thread = format!("halt_on_error=1:exitcode={EXIT_CODE}:second_deadlock_stack=1");
    // Leaks are looked for at the end, in tests whose threads have all been joined or are parked.
    let address = format!("detect_leaks=1:exitcode={EXIT_CODE}:detect_stack_use_after_return=1");
    let leak = format!("exitcode={EXIT_CODE}");
    [("TSAN_OPTIONS", thread), ("ASAN_OPTIONS", address), ("LSAN_OPTIONS", leak)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What the sanitizer says in one line.
fn summary(log: &str) -> Option<String> {
    let is_summary = |line: &&str| line.starts_with("SUMMARY: ") || line.contains("ERROR SUMMARY: ");
    log.lines().find(is_summary).map(str::to_owned)
}
