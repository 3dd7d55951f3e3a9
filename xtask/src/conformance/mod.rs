//! Published tests, tokio's own and of packages built on it, on the facade, judged against the real tokio.
//!
//! 1. [`upstream`]: cargo says where the published package lies and what its tests depend on;
//! 2. [`scratch`]: a package is generated whose test targets point at those files, so nothing is copied;
//! 3. everything that compiles is compiled, and every test runs in a process of its own ([`runner`]);
//! 4. [`lists`]: what the real tokio passes, and what is known not to pass here, each with a reason.

mod lists;
mod scratch;
mod suite;
mod upstream;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::runner::{self, Test, Verdict};
use crate::{Outcome, cross, shell};
use lists::Known;
pub(crate) use suite::VERSION;

const HELP: &str = "\
usage: cargo xtask conformance [OPTIONS]

Compiles and runs the test files that tokio 1.54.1 publishes, against the facade, and compares with the
list of tests that the real tokio passes. Fails if one of those does not pass here, unless
xtask/data/conformance-known.txt names it with a reason.

  --suite S       stable (default), unstable (all features and --cfg tokio_unstable), or the published tests
                  of a package built on tokio: tokio-util, tokio-stream, tokio-test, hyper-util, tower,
                  console-subscriber
  --filter F      only targets whose name contains F; `TARGET::TEST` narrows to tests (repeatable)
  --unstable      short for --suite unstable
  --target T      on another system, run by what `cargo xtask cross` runs it by: windows, arm, i686, wasi, poll; the
                  list is of the host, so there the real tokio is run too, and what it passes has to pass
  --part K/N      only the Kth of N parts of the targets
  --baseline      run against the real tokio instead and write the list (only what the filter covers)
  --jobs N        tests at a time (default: processors)
  --limit S       seconds a test may take (default 60)
  --repeat N      run every test N times; all must pass (default 1)
  --strict        a test that fails and then passes alone counts as failed
  --errors        print the compiler's errors";

/// Which targets and tests were asked for; everything if nothing was said.
struct Filter(Vec<(String, String)>);

impl Filter {
    fn new(texts: Vec<String>) -> Filter {
        let split = |text: String| match text.split_once("::") {
            Some((target, test)) => (target.to_owned(), test.to_owned()),
            None => (text, String::new()),
        };
        Filter(texts.into_iter().map(split).collect())
    }

    fn target(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|(target, _)| name.contains(target.as_str()))
    }

    fn test(&self, full_name: &str) -> bool {
        let (target, test) = full_name.split_once("::").unwrap_or((full_name, ""));
        self.0.is_empty()
            || self.0.iter().any(|(t, n)| target.contains(t.as_str()) && test.contains(n.as_str()))
    }
}

/// Which of how many parts.
struct Part(usize, usize);

impl Part {
    fn new(text: &str) -> Result<Part, String> {
        let numbers = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((k, n)) if (1..=n).contains(&k) => Ok(Part(k, n)),
            _ => Err(format!("--part: not K/N: {text}")),
        }
    }

    /// Every nth, so that the parts are alike.
    fn thin_out(&self, targets: &mut Vec<String>) {
        let mut index = 0;
        targets.retain(|_| {
            index += 1;
            index % self.1 == self.0 % self.1
        });
    }
}

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let default = if args.flag("--unstable") { "unstable" } else { "stable" };
    let mut suite = suite::find(&args.value("--suite", default.to_owned())?)?;
    let baseline = args.flag("--baseline");
    let target = args.value("--target", String::new())?;
    let target = if target.is_empty() { None } else { Some(cross::find(&target)?) };
    if let Some(target) = target.filter(|target| !target.features.contains(&"full")) {
        suite.features = target.features;
    }
    let strict = args.flag("--strict");
    let show_errors = args.flag("--errors");
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let jobs = args.value("--jobs", processors)?;
    let limit = Duration::from_secs(args.value("--limit", 60)?);
    let repeat: usize = args.value("--repeat", 1)?;
    let part = Part::new(&args.value("--part", "1/1".to_owned())?)?;
    let filter = Filter::new(args.values("--filter")?);
    args.finish()?;

    if baseline && (part.1 > 1 || target.is_some()) {
        return Err("--baseline is for the host and for all parts".to_owned());
    }

    let upstream = upstream::locate(&suite)?;
    let asked =
        Asked { upstream, suite, target, filter, part, jobs, limit, strict, repeat, show_errors };
    if let Some(target) = target {
        return judged(&asked, target);
    }
    let Examined { scratch, verdicts, broken, options } = examine(&asked, baseline)?;
    let (suite, filter) = (&asked.suite, &asked.filter);

    if baseline {
        let passed: Vec<String> =
            verdicts.iter().filter(|(_, v)| steady(**v)).map(|(name, _)| name.clone()).collect();
        for (name, verdict) in verdicts.iter().filter(|(_, v)| !steady(**v)) {
            println!("the real tokio does not pass {name} here ({verdict:?})");
        }
        for name in &broken {
            println!("not compiled with the real tokio: {name}");
        }
        lists::update_baseline(suite, &passed, |name| filter.test(name))?;
        println!("{} tests pass with the real tokio; list written", passed.len());
        return Ok(true);
    }

    let expected: Vec<String> = lists::baseline(suite)?
        .into_iter()
        .filter(|name| filter.test(name) && scratch.has(name))
        .collect();
    let known = lists::known(suite)?;
    Ok(report(&expected, &verdicts, &scratch.targets, &broken, &known, &options))
}

/// What was asked for.
struct Asked {
    upstream: upstream::Upstream,
    suite: suite::Suite,
    target: Option<&'static cross::targets::Target>,
    filter: Filter,
    part: Part,
    jobs: usize,
    limit: Duration,
    strict: bool,
    repeat: usize,
    show_errors: bool,
}

/// What came of it, on one of both sides.
struct Examined {
    scratch: scratch::Scratch,
    verdicts: BTreeMap<String, Verdict>,
    /// Targets that do not compile.
    broken: Vec<String>,
    options: runner::Options,
}

/// Builds the targets on the facade, or on the `real` tokio, and runs their tests.
fn examine(asked: &Asked, real: bool) -> Result<Examined, String> {
    let Asked { upstream, suite, target, filter, .. } = asked;
    let mut scratch = scratch::write(upstream, suite, real, |name| filter.target(name))?;
    asked.part.thin_out(&mut scratch.targets);
    if scratch.targets.is_empty() {
        return Err("no target of that name".to_owned());
    }

    let started = Instant::now();
    println!("compiling {} targets ({})", scratch.targets.len(), suite.name);
    let output =
        scratch.build_command(*target)?.stdout(Stdio::piped()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    let mut built = runner::read_messages(&String::from_utf8_lossy(&output.stdout), &scratch.manifest);
    if let Some(target) = target {
        let wrapper = cross::runner(target)?;
        built.targets.iter_mut().for_each(|one| one.wrapper.clone_from(&wrapper));
    }
    if built.targets.is_empty() {
        for text in built.errors.values() {
            eprintln!("{text}");
        }
        return Err("nothing compiled".to_owned());
    }
    println!("compiled {} in {:.0?}", built.targets.len(), started.elapsed());

    let mut tests: Vec<Test> = Vec::new();
    for target in &built.targets {
        tests.extend(runner::list(target)?.into_iter().filter(|test| filter.test(&test.full_name())));
    }
    let logs = scratch.directory.join("logs");
    let _ = std::fs::remove_dir_all(&logs);
    let (jobs, limit, retries) = (asked.jobs, asked.limit, usize::from(!asked.strict));
    let options = runner::Options { jobs, limit, retries, logs, environment: Vec::new() };
    let started = Instant::now();
    let mut verdicts = runner::run(&tests, &options)?;
    for _ in 1..asked.repeat {
        for (name, verdict) in runner::run(&tests, &options)? {
            // The worst outcome of all rounds stands.
            let entry = verdicts.entry(name).or_insert(verdict);
            *entry = worse(*entry, verdict);
        }
    }
    println!("ran {} tests in {:.0?}\n", tests.len(), started.elapsed());

    let broken: Vec<String> = scratch
        .targets
        .iter()
        .filter(|name| !built.targets.iter().any(|target| target.name == **name))
        .cloned()
        .collect();
    for name in &broken {
        let text = built.errors.get(name).map_or("", String::as_str);
        shell::write_if_changed(&options.logs.join(format!("{name}.compile.log")), text)?;
        if asked.show_errors {
            println!("{text}");
        }
    }
    Ok(Examined { scratch, verdicts, broken, options })
}

/// Runs the tests on both sides; true if all that passes with the real tokio does here.
fn judged(asked: &Asked, target: &cross::targets::Target) -> Outcome {
    println!("the real tokio:");
    let real = examine(asked, true)?;
    println!("yamanote:");
    let ours = examine(asked, false)?;
    let known = lists::known(&asked.suite)?;
    let passes = |side: &Examined, name: &str| side.verdicts.get(name).is_some_and(|v| steady(*v));
    let (mut both, mut excused, mut findings) = (0, Vec::new(), Vec::new());
    for name in real.verdicts.keys().filter(|name| passes(&real, name)) {
        let verdict = match ours.verdicts.get(name) {
            Some(verdict) if steady(*verdict) => {
                both += 1;
                continue;
            }
            Some(verdict) => format!("{verdict:?}"),
            None => "not compiled".to_owned(),
        };
        let reason = known.reason(name).or_else(|| target.known(name));
        match reason {
            Some(reason) => excused.push(format!("{name} ({verdict}): {reason}")),
            None => findings.push(format!("{name} ({verdict})")),
        }
    }
    for (side, one) in [("the real tokio", &real), ("yamanote", &ours)] {
        for (name, verdict) in one.verdicts.iter().filter(|(_, verdict)| **verdict == Verdict::Unsteady)
        {
            println!("with {side}: {name} ({verdict:?}), failed once and passed alone");
        }
        for name in &one.broken {
            println!("with {side}: does not compile: {name}");
        }
    }
    for (name, verdict) in real.verdicts.iter().filter(|(name, _)| !passes(&real, name)) {
        let here = if passes(&ours, name) { "passes" } else { "does not either" };
        println!("does not pass with the real tokio: {name} ({verdict:?}); here it {here}");
    }
    for line in &excused {
        println!("known not to pass: {line}");
    }
    for line in &findings {
        println!("passes with tokio and not here: {line}");
    }
    println!("output of each: {}", shell::shown(&ours.options.logs));
    println!(
        "{}: {} targets; of {} tests that pass with tokio {both} pass here, {} are known not to",
        target.name,
        ours.scratch.targets.len(),
        both + excused.len() + findings.len(),
        excused.len(),
    );
    Ok(findings.is_empty())
}

fn steady(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Passed | Verdict::Unsteady)
}

fn worse(a: Verdict, b: Verdict) -> Verdict {
    let rank = |v| match v {
        Verdict::Passed => 0,
        Verdict::Unsteady => 1,
        Verdict::Failed => 2,
        Verdict::TimedOut => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}

#[derive(Default, Clone, Copy)]
struct Counts {
    passed: usize,
    failed: usize,
    timed_out: usize,
    missing: usize,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.timed_out += other.timed_out;
        self.missing += other.missing;
    }

    fn line(&self, name: &str) {
        let Counts { passed, failed, timed_out, missing } = self;
        println!("{name:<52} {passed:>6} {failed:>7} {timed_out:>10} {missing:>13}");
    }
}

/// Prints the table and the findings; true if everything that has to pass does.
fn report(
    expected: &[String],
    verdicts: &BTreeMap<String, Verdict>,
    targets: &[String],
    broken: &[String],
    known: &Known,
    options: &runner::Options,
) -> bool {
    println!(
        "{:<52} {:>6} {:>7} {:>10} {:>13}",
        "target", "passed", "failed", "timed out", "not compiled"
    );
    let mut total = Counts::default();
    let mut findings = Vec::new();
    let mut excused = Vec::new();
    for target in targets {
        let mut counts = Counts::default();
        let of_target = |name: &String| name.split_once("::").is_some_and(|(t, _)| t == target);
        for name in expected.iter().filter(|name| of_target(name)) {
            let finding = match verdicts.get(name) {
                Some(Verdict::Passed | Verdict::Unsteady) => {
                    counts.passed += 1;
                    continue;
                }
                Some(Verdict::Failed) => {
                    counts.failed += 1;
                    "failed"
                }
                Some(Verdict::TimedOut) => {
                    counts.timed_out += 1;
                    "timed out"
                }
                None => {
                    counts.missing += 1;
                    "not compiled"
                }
            };
            match known.reason(name) {
                Some(reason) => excused.push(format!("{name} ({finding}): {reason}")),
                None => findings.push((name.clone(), finding)),
            }
        }
        let whole = counts.passed + counts.failed + counts.timed_out + counts.missing;
        if whole > 0 {
            counts.line(target);
        }
        total.add(counts);
    }
    println!();
    total.line("total");
    for (name, _) in verdicts.iter().filter(|(_, v)| **v == Verdict::Unsteady) {
        println!("unsteady: {name} failed once and passed alone");
    }
    for name in known.names().filter(|name| verdicts.get(*name).is_some_and(|v| steady(*v))) {
        println!("passes although it is listed as known not to: {name}");
    }
    if !excused.is_empty() {
        println!("\nknown not to pass:");
        for line in &excused {
            println!("  {line}");
        }
    }
    // A target that does not compile is a finding even when the platform leaves it without tests.
    let silent: Vec<_> = broken
        .iter()
        .filter(|name| !findings.iter().any(|(f, _)| f.split("::").next() == Some(name)))
        .collect();
    for name in &silent {
        println!("does not compile (no expected tests in it): {name}");
    }
    if findings.is_empty() {
        return true;
    }
    println!("\npasses with tokio and not here:");
    for (name, finding) in &findings {
        println!("  {name} ({finding})");
    }
    println!("\noutput of each: {}", shell::shown(&options.logs));
    false
}

/// The features of the published tokio, each with those it turns on.
pub(crate) fn tokio_features() -> Result<Vec<(String, Vec<String>)>, String> {
    Ok(upstream::locate(&suite::SUITES[0])?.features)
}
