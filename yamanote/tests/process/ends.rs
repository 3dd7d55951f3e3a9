//! How a process ends, and who hears of it.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use yamanote::process::Command;

use super::support::{exists, gone, on_both, poll_once, sh};

#[test]
fn the_status_is_told_as_often_as_asked() {
    on_both(|| async {
        let mut child = sh("exit 3").spawn().unwrap();
        assert!(child.id().is_some_and(|id| id > 0));
        for _ in 0..3 {
            assert_eq!(child.wait().await.unwrap().code(), Some(3));
            assert_eq!(child.try_wait().unwrap().unwrap().code(), Some(3));
        }
        assert_eq!(child.id(), None);
        child.start_kill().unwrap();
        child.kill().await.unwrap();
    });
}

#[test]
fn looking_without_waiting() {
    on_both(|| async {
        let mut child = sh("read line").stdin(Stdio::piped()).spawn().unwrap();
        assert!(child.try_wait().unwrap().is_none());
        assert!(child.stdin.is_some(), "looking closes nothing");
        drop(child.stdin.take());
        while child.try_wait().unwrap().is_none() {
            yamanote::task::yield_now().await;
        }
        assert_eq!(child.id(), None);
        assert!(!child.wait().await.unwrap().success());
    });
}

#[test]
fn waiting_closes_the_input() {
    on_both(|| async {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        assert!(child.wait().await.unwrap().success());
        assert!(child.stdin.is_none());
    });
}

#[test]
fn a_dropped_wait_loses_no_end() {
    on_both(|| async {
        let mut child = sh("read line; exit 4").stdin(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        for _ in 0..10 {
            assert!(poll_once(child.wait()).await.is_none());
        }
        drop(input);
        assert_eq!(child.wait().await.unwrap().code(), Some(4));
    });
}

#[test]
fn killed_by_a_signal() {
    on_both(|| async {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        child.start_kill().unwrap();
        assert_eq!(child.wait().await.unwrap().signal(), Some(libc::SIGKILL));

        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        child.kill().await.unwrap();
        assert_eq!(child.id(), None);
    });
}

#[test]
fn dropping_kills_only_if_told() {
    on_both(|| async {
        let mut command = Command::new("sleep");
        command.arg("1000");
        assert!(!command.get_kill_on_drop());
        let child = command.spawn().unwrap();
        let pid = child.id().unwrap();
        drop(child);
        assert!(exists(pid), "goes on");
        // SAFETY: a process that this test has started.
        assert_eq!(unsafe { libc::kill(pid as i32, libc::SIGKILL) }, 0);
        gone(pid).await;

        command.kill_on_drop(true);
        assert!(command.get_kill_on_drop());
        let child = command.spawn().unwrap();
        let pid = child.id().unwrap();
        drop(child);
        gone(pid).await;
    });
}

#[test]
fn a_dropped_output_kills_if_told() {
    on_both(|| async {
        let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
        reader.set_nonblocking(true).unwrap();
        let reader = yamanote::net::UnixStream::from_std(reader).unwrap();
        let mut command = Command::new("sleep");
        command.arg("1000").kill_on_drop(true).stdin(std::os::fd::OwnedFd::from(writer));
        assert!(poll_once(command.output()).await.is_none());
        drop(command);
        // The process had the last reference to the other end.
        let mut byte = [0];
        loop {
            reader.readable().await.unwrap();
            match reader.try_read(&mut byte) {
                Ok(n) => break assert_eq!(n, 0),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
    });
}

#[test]
fn nothing_is_left_of_those_that_were_dropped() {
    on_both(|| async {
        let mut pids = Vec::new();
        for _ in 0..20 {
            pids.push(Command::new("true").spawn().unwrap().id().unwrap());
        }
        for pid in pids {
            gone(pid).await;
        }
    });
}

#[test]
fn many_at_once() {
    on_both(|| async {
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                yamanote::spawn(async move {
                    let mut children: Vec<_> =
                        (0..8).map(|i| sh(&format!("exit {}", task * 8 + i)).spawn().unwrap()).collect();
                    for (i, child) in children.iter_mut().enumerate().rev() {
                        assert_eq!(child.wait().await.unwrap().code(), Some((task * 8 + i) as i32));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// A thousand that run at the same time, and end at the same time.
#[test]
fn a_thousand_at_once() {
    const CHILDREN: usize = 1_000;
    let mut files = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads and writes numbers.
    let room = unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut files), 0);
        files.rlim_cur = files.rlim_max;
        // macOS refuses what it says is allowed.
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const files);
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut files), 0);
        files.rlim_cur as usize
    };
    if room < 2 * CHILDREN {
        println!("skipped: {room} descriptors are too few");
        return;
    }
    on_both(|| async {
        let mut children = Vec::new();
        for _ in 0..CHILDREN {
            match Command::new("sleep").arg("1000").kill_on_drop(true).spawn() {
                Ok(child) => children.push(child),
                Err(error) => {
                    println!("only {} children: {error}", children.len());
                    break;
                }
            }
        }
        let waiting: Vec<_> = children
            .into_iter()
            .map(|mut child| {
                yamanote::spawn(async move {
                    assert!(poll_once(child.wait()).await.is_none());
                    child.start_kill().unwrap();
                    child.wait().await.unwrap()
                })
            })
            .collect();
        for child in waiting {
            assert_eq!(child.await.unwrap().signal(), Some(libc::SIGKILL));
        }
    });
}

#[test]
fn a_program_that_is_not_there() {
    on_both(|| async {
        let error = Command::new("/no/such/program").spawn().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = Command::new("/no/such/program").output().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = Command::new("/no/such/program").status().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    });
}

/// The process runs by the time its pipes are refused; whoever is told of a failure is not told of a process.
#[test]
fn a_child_that_cannot_be_watched_is_ended_and_leaves_no_zombie() {
    use std::io::{Read, Write};
    use std::os::unix::process::CommandExt;

    let runtime = super::support::single();
    let handle = runtime.handle().clone();
    drop(runtime);
    for piped in [true, false] {
        let (mut told, teller) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut command = std::process::Command::new("sleep");
        command.arg("1000");
        // SAFETY: asks for a number and writes to a socket, which the child of a fork may.
        unsafe {
            command.pre_exec(move || (&teller).write_all(&std::process::id().to_ne_bytes()));
        }
        let mut command = Command::from(command);
        if piped {
            command.stdin(Stdio::piped());
        }
        let result = {
            let _entered = handle.enter();
            command.spawn()
        };
        assert!(result.is_err());
        let mut id = [0; 4];
        told.read_exact(&mut id).unwrap();
        let id = u32::from_ne_bytes(id);
        super::support::single().block_on(async {
            while exists(id) {
                // Starting another reaps.
                assert!(Command::new("true").status().await.unwrap().success());
            }
        });
    }
}
