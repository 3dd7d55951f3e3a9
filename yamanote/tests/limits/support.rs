//! Smaller numbers where each step costs a hundred times as much, and tests that run in a process of their own.

use std::process::{Command, Output};

/// As many as asked for; under a sanitizer a fraction.
pub fn many(n: usize) -> usize {
    if cfg!(sanitized) { n / 50 } else { n }
}

const ROLE: &str = "YAMANOTE_LIMITS_ROLE";

/// What a child process has been told to be; `None` in the test's own.
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// A process that runs the test of that name in another role.
pub fn child(test: &str, role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, role);
    command
}

pub fn run_child(test: &str, role: &str) -> Output {
    child(test, role).output().unwrap()
}
