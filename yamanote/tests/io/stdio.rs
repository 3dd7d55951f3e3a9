//! The standard streams, in a process of its own: this test binary, asked for one test.

use std::io::Write as _;
use std::process::{Command, Stdio};

use yamanote::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stderr, stdin, stdout};

const IN_CHILD: &str = "YAMANOTE_TEST_STDIO_CHILD";

fn runtime() -> yamanote::runtime::Runtime {
    yamanote::runtime::Builder::new_current_thread().build().unwrap()
}

/// Runs the test `name` of this binary with `input`, and gives what it wrote to its output and errors.
fn child(name: &str, input: &[u8]) -> (String, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(IN_CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || pipe.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert!(output.status.success(), "{output:?}");
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn echo() {
    if std::env::var_os(IN_CHILD).is_none() {
        let lines: String = (0..2000).map(|n| format!("line {n}\n")).collect();
        let (output, errors) = child("stdio::echo", lines.as_bytes());
        assert!(output.contains(&lines));
        assert!(errors.contains("2000 lines\n"));
        return;
    }
    runtime().block_on(async {
        let mut lines = BufReader::new(stdin()).lines();
        let mut output = stdout();
        let mut count = 0;
        while let Some(mut line) = lines.next_line().await.unwrap() {
            line.push('\n');
            output.write_all(line.as_bytes()).await.unwrap();
            count += 1;
        }
        output.flush().await.unwrap();
        stderr().write_all(format!("{count} lines\n").as_bytes()).await.unwrap();
        // Not flushed: what was accepted is written when the runtime shuts down.
    });
}

#[cfg(unix)]
#[test]
fn they_are_known_by_their_numbers() {
    use std::os::fd::{AsFd, AsRawFd};
    assert_eq!((stdin().as_raw_fd(), stdout().as_raw_fd(), stderr().as_raw_fd()), (0, 1, 2));
    assert_eq!(stdout().as_fd().as_raw_fd(), 1);
}
