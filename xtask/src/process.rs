//! One child process with a time limit, in a process group of its own so that nothing it started stays.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    Failure,
    TimedOut,
}

/// Runs `command` with both outputs written to `log`, and kills its whole group after `limit`.
pub(crate) fn run(command: &mut Command, log: &Path, limit: Duration) -> Result<End, String> {
    let file = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
    let also = file.try_clone().map_err(|error| error.to_string())?;
    command.stdin(Stdio::null()).stdout(file).stderr(also);
    own_group(command);
    let mut child = command.spawn().map_err(|error| format!("cannot start a test: {error}"))?;
    let started = Instant::now();
    // Most tests end within a few milliseconds, the slow ones do not deserve fast polling.
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            kill_group(child.id());
            return Ok(if status.success() { End::Success } else { End::Failure });
        }
        if started.elapsed() >= limit {
            kill_group(child.id());
            let _ = child.kill();
            let _ = child.wait();
            return Ok(End::TimedOut);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

/// Ends what a finished test left behind (children that it started and never reaped).
#[cfg(unix)]
fn kill_group(id: u32) {
    let _ = Command::new("kill")
        .args(["-9", "--", &format!("-{id}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

#[cfg(not(unix))]
fn kill_group(_: u32) {}
