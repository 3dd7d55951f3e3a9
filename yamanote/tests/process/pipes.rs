//! Standard streams.

use std::future::poll_fn;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::process::Stdio;
use std::task::Poll;

use yamanote::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use yamanote::process::{ChildStdout, Command};

use super::support::{on_both, poll_once, sh};

#[test]
fn output_collects_both_streams() {
    on_both(|| async {
        let output = sh("echo out; echo err >&2; exit 5").output().await.unwrap();
        assert_eq!(output.status.code(), Some(5));
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
    });
}

#[test]
fn output_does_not_stop_at_a_full_pipe() {
    on_both(|| async {
        // More than a pipe holds, on one stream and then on the other.
        let script = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero";
        let output = sh(script).output().await.unwrap();
        assert!(output.status.success());
        assert_eq!((output.stdout.len(), output.stderr.len()), (300_000, 300_000));
    });
}

#[test]
fn status_lets_the_streams_be() {
    on_both(|| async {
        let status = sh("cat >/dev/null; exit 6").stdin(Stdio::piped()).status().await.unwrap();
        assert_eq!(status.code(), Some(6));
    });
}

#[test]
fn a_conversation() {
    on_both(|| async {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for i in 0..200 {
            input.write_all(format!("line {i}\n").as_bytes()).await.unwrap();
            assert_eq!(lines.next_line().await.unwrap(), Some(format!("line {i}")));
        }
        input.shutdown().await.unwrap();
        drop(input);
        assert_eq!(lines.next_line().await.unwrap(), None);
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn reading_waits_for_more() {
    on_both(|| async {
        let mut child = sh("echo one; read line; echo two; read line")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        let mut four = [0; 4];
        output.read_exact(&mut four).await.unwrap();
        assert_eq!(&four, b"one\n");
        assert!(poll_once(output.read(&mut four)).await.is_none());
        input.write_all(b"\n").await.unwrap();
        output.read_exact(&mut four).await.unwrap();
        assert_eq!(&four, b"two\n");
        input.write_all(b"\n").await.unwrap();
        assert_eq!(output.read(&mut four).await.unwrap(), 0);
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn writing_waits_for_room() {
    on_both(|| async {
        let mut child = sh("read line <&2; wc -c")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr({
                // The child reads its start signal from what it has as standard error.
                let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
                START.with(|start| start.replace(Some(ours)));
                Stdio::from(std::os::fd::OwnedFd::from(theirs))
            })
            .spawn()
            .unwrap();
        let mut start = START.with(|start| start.take()).unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut written = 0;
        let mut fill = std::pin::pin!(yamanote::task::unconstrained(poll_fn(|cx| {
            loop {
                match Pin::new(&mut input).poll_write(cx, &[b'.'; 4096]) {
                    Poll::Ready(n) => written += n.unwrap(),
                    Poll::Pending => return Poll::Ready(()),
                }
            }
        })));
        fill.as_mut().await;
        assert!(written > 0);
        std::io::Write::write_all(&mut start, b"\n").unwrap();
        input.write_all(b"!").await.unwrap();
        drop(input);
        let output = child.wait_with_output().await.unwrap();
        let count: usize = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        assert_eq!(count, written + 1);
    });
}

thread_local! {
    static START: std::cell::RefCell<Option<std::os::unix::net::UnixStream>> =
        const { std::cell::RefCell::new(None) };
}

#[test]
fn a_reader_that_is_gone_fails_the_writer() {
    on_both(|| async {
        let mut child = Command::new("sleep").arg("1000").stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let writer = yamanote::spawn(async move {
            loop {
                if let Err(error) = input.write_all(&[0; 4096]).await {
                    return error.kind();
                }
            }
        });
        yamanote::task::yield_now().await;
        child.kill().await.unwrap();
        assert_eq!(writer.await.unwrap(), std::io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn one_childs_output_is_anothers_input() {
    on_both(|| async {
        let mut first =
            Command::new("echo").arg("from the first").stdout(Stdio::piped()).spawn().unwrap();
        let pipe: Stdio = first.stdout.take().unwrap().try_into().unwrap();
        let output = Command::new("cat").stdin(pipe).output().await.unwrap();
        assert_eq!(output.stdout, b"from the first\n");
        assert!(first.wait().await.unwrap().success());
    });
}

#[test]
fn descriptors_come_out_in_blocking_mode() {
    on_both(|| async {
        let mut child =
            Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let number = output.as_raw_fd();
        let fd = output.into_owned_fd().unwrap();
        assert_eq!(fd.as_raw_fd(), number);
        // SAFETY: touches no memory.
        let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) };
        assert_eq!(flags & libc::O_NONBLOCK, 0);

        let mut input = child.stdin.take().unwrap();
        input.write_all(b"x").await.unwrap();
        drop(input);
        let mut file = yamanote::fs::File::from(fd);
        let mut text = String::new();
        file.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "x");
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn the_standard_librarys_pipes() {
    on_both(|| async {
        let mut child =
            std::process::Command::new("echo").arg("x").stdout(Stdio::piped()).spawn().unwrap();
        let mut output = ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        let mut text = String::new();
        output.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "x\n");
        child.wait().unwrap();
    });
}

#[test]
fn what_a_command_is_told() {
    on_both(|| async {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command
            .arg0("called this")
            .args(["-c", "echo \"$0|$A|$B|$C|$(pwd)|$D\""])
            .env("A", "1")
            .envs([("B", "2"), ("C", "3")])
            .env("D", "4")
            .env_remove("D")
            .current_dir(std::fs::canonicalize(dir.path()).unwrap());
        assert_eq!(command.as_std().get_program(), "sh");
        let output = command.output().await.unwrap();
        let expected =
            format!("called this|1|2|3|{}|\n", std::fs::canonicalize(dir.path()).unwrap().display());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);

        let mut command = Command::new("/usr/bin/env");
        command.env_clear().env("ONLY", "this");
        assert_eq!(command.output().await.unwrap().stdout, b"ONLY=this\n");
    });
}

#[test]
fn a_closure_runs_before_the_program() {
    on_both(|| async {
        let mut command = sh("kill -s KILL $$");
        // SAFETY: `_exit` is among what may be called after a fork.
        unsafe { command.pre_exec(|| libc::_exit(9)) };
        // The standard library waits for word from the child; its end is as good.
        let status = command.status().await.unwrap();
        assert_eq!(status.code(), Some(9));

        let mut command = sh("exit 0");
        // SAFETY: makes an error without allocating.
        unsafe { command.pre_exec(|| Err(std::io::Error::from_raw_os_error(libc::EDOM))) };
        assert_eq!(command.spawn().unwrap_err().raw_os_error(), Some(libc::EDOM));
    });
}

#[test]
fn a_process_group_of_its_own() {
    on_both(|| async {
        let mut child = Command::new("sleep").arg("1000").process_group(0).spawn().unwrap();
        let pid = child.id().unwrap() as i32;
        // SAFETY: a question about a process that this test has started.
        assert_eq!(unsafe { libc::getpgid(pid) }, pid);
        child.kill().await.unwrap();
    });
}
