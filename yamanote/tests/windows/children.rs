//! Child processes.

use std::os::windows::io::{AsHandle, AsRawHandle};
use std::process::Stdio;
use std::time::Duration;

use futures::FutureExt;
use yamanote::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use yamanote::process::{ChildStdout, Command};
use yamanote::runtime::{Builder, Runtime};

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn cmd(line: &str) -> Command {
    let mut command = Command::new("cmd");
    command.arg("/c").raw_arg(line);
    command
}

/// Lives until it is told a line.
fn waiting() -> Command {
    let mut command = cmd("set /p x=");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command
}

/// Copies its input to its output: this program again, told by its environment to do that.
fn copying() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "children::copies_its_input", "--nocapture"]).env(VARIABLE, "1");
    command.stdin(Stdio::piped());
    command
}

const VARIABLE: &str = "YAMANOTE_TEST_COPY";

/// Does nothing unless it is asked to by [`copying`].
#[test]
fn copies_its_input() {
    if std::env::var(VARIABLE).is_ok() {
        let mut input = std::io::stdin().lock();
        std::io::copy(&mut input, &mut std::io::stdout().lock()).unwrap();
    }
}

#[test]
fn the_end_is_told_as_often_as_asked() {
    single().block_on(async {
        let mut child = cmd("exit 3").spawn().unwrap();
        assert!(child.id().is_some_and(|id| id > 0));
        assert!(child.raw_handle().is_some());
        for _ in 0..3 {
            assert_eq!(child.wait().await.unwrap().code(), Some(3));
        }
        assert_eq!((child.id(), child.raw_handle()), (None, None));
        child.start_kill().unwrap();
    });
}

#[test]
fn a_dropped_wait_loses_no_end() {
    single().block_on(async {
        let mut child = waiting().spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        for _ in 0..5 {
            assert!(Box::pin(child.wait()).now_or_never().is_none());
        }
        assert!(child.try_wait().unwrap().is_none());
        input.write_all(b"x\r\n").await.unwrap();
        input.flush().await.unwrap();
        child.wait().await.unwrap();
    });
}

#[test]
fn killed_when_asked_and_when_dropped() {
    single().block_on(async {
        let mut child = waiting().spawn().unwrap();
        let input = child.stdin.take();
        child.kill().await.unwrap();
        drop(input);

        let mut child = waiting().kill_on_drop(true).spawn().unwrap();
        let input = child.stdin.take();
        // SAFETY: open as long as the child.
        let process =
            unsafe { std::os::windows::io::BorrowedHandle::borrow_raw(child.raw_handle().unwrap()) };
        let process = process.try_clone_to_owned().unwrap();
        assert!(Box::pin(child.wait()).now_or_never().is_none());
        drop(child);
        // The status of one that lives is 259.
        let status = || {
            let mut code = 0;
            // SAFETY: the handle is open.
            let ok = unsafe {
                windows_sys::Win32::System::Threading::GetExitCodeProcess(
                    process.as_raw_handle(),
                    &mut code,
                )
            };
            assert_ne!(ok, 0);
            code
        };
        while status() == 259 {
            yamanote::time::sleep(Duration::from_millis(1)).await;
        }
        drop(input);
    });
}

#[test]
fn what_it_writes() {
    single().block_on(async {
        let output = cmd("echo out& echo err>&2").output().await.unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "out");
        assert_eq!(String::from_utf8_lossy(&output.stderr).trim(), "err");
    });
}

#[test]
fn to_and_fro() {
    single().block_on(async {
        let mut child = copying().stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let output = child.stdout.take().unwrap();
        assert_ne!(input.as_raw_handle(), output.as_raw_handle());
        assert_eq!(input.as_handle().as_raw_handle(), input.as_raw_handle());
        let writer = yamanote::spawn(async move {
            for i in 0..500 {
                input.write_all(format!("x{i}\r\n").as_bytes()).await.unwrap();
            }
            input.shutdown().await.unwrap();
        });
        let mut lines = BufReader::new(output).lines();
        let mut n = 0;
        while let Some(line) = lines.next_line().await.unwrap() {
            // The harness has lines of its own.
            if !line.starts_with('x') {
                continue;
            }
            assert_eq!(line.trim_end(), format!("x{n}"));
            n += 1;
        }
        assert_eq!(n, 500);
        writer.await.unwrap();
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn a_pipe_becomes_a_handle_again() {
    single().block_on(async {
        let mut child = cmd("echo hello").stdout(Stdio::piped()).spawn().unwrap();
        let handle = child.stdout.take().unwrap().into_owned_handle().unwrap();
        let mut output = ChildStdout::from_std(handle.into()).unwrap();
        let mut text = String::new();
        output.read_to_string(&mut text).await.unwrap();
        assert_eq!(text.trim(), "hello");
        child.wait().await.unwrap();

        let mut child = cmd("echo once more").stdout(Stdio::piped()).spawn().unwrap();
        let output: Stdio = child.stdout.take().unwrap().try_into().unwrap();
        let found = copying().stdin(output).output().await.unwrap();
        assert!(String::from_utf8_lossy(&found.stdout).contains("once more"));
        child.wait().await.unwrap();
    });
}
