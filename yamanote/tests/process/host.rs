//! A program that has children, and a handler for `SIGCHLD`, of its own.
//!
//! Both are the whole process's, so it is one of its own: this test binary, asked for one test.

use std::process::Command as StdCommand;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use yamanote::process::Command;
use yamanote::signal::unix::{SignalKind, signal};

use super::support::{exists, multi, sh, single};

const VARIABLE: &str = "YAMANOTE_TEST_HOST";

#[test]
fn its_own_children_and_handler_are_left_alone() {
    let output = StdCommand::new(std::env::current_exe().unwrap())
        .args(["--exact", "host::with_a_handler", "--nocapture"])
        .env(VARIABLE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("left alone"), "{text}");
}

static HEARD: AtomicUsize = AtomicUsize::new(0);

extern "C" fn hear(_: libc::c_int) {
    HEARD.fetch_add(1, Ordering::SeqCst);
}

/// Waits until the handler has been called again.
fn heard_more_than(before: usize) {
    let begun = Instant::now();
    while HEARD.load(Ordering::SeqCst) <= before {
        assert!(begun.elapsed() < Duration::from_secs(30), "the handler is not called any more");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Does nothing unless it is asked to by the above.
#[test]
fn with_a_handler() {
    if std::env::var_os(VARIABLE).is_none() {
        return;
    }
    let handler = hear as extern "C" fn(libc::c_int);
    // SAFETY: all zeros is an action; the handler only counts.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()), 0);
    }
    for runtime in [single(), multi()] {
        let mut own: Vec<_> = (0..10)
            .map(|i| StdCommand::new("sh").arg("-c").arg(format!("exit {i}")).spawn().unwrap())
            .collect();
        runtime.block_on(async {
            let before = HEARD.load(Ordering::SeqCst);
            assert_eq!(sh("exit 3").status().await.unwrap().code(), Some(3));
            heard_more_than(before);
            // What the runtime itself listens for.
            let mut signals = signal(SignalKind::child()).unwrap();
            let before = HEARD.load(Ordering::SeqCst);
            let orphan = Command::new("true").spawn().unwrap().id().unwrap();
            signals.recv().await.unwrap();
            heard_more_than(before);
            while exists(orphan) {
                yamanote::time::sleep(Duration::from_millis(1)).await;
            }
        });
        drop(runtime);
        for (i, child) in own.iter_mut().enumerate() {
            // Nobody else has taken what is to be known of it.
            assert_eq!(child.wait().unwrap().code(), Some(i as i32));
        }
        let before = HEARD.load(Ordering::SeqCst);
        assert!(StdCommand::new("true").status().unwrap().success());
        heard_more_than(before);
    }
    println!("left alone");
}
