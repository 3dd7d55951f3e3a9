//! Children and runtimes: the wrong one, another one, none.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::time::Duration;

use yamanote::process::Command;
use yamanote::runtime::Builder;

use super::support::{multi, sh, single};

#[test]
fn waited_for_in_another_runtime() {
    for (first, second) in [(single(), multi()), (multi(), single())] {
        let mut child =
            first.block_on(async { sh("read line; exit 7").stdin(Stdio::piped()).spawn().unwrap() });
        let input = child.stdin.take();
        // The first look is in the runtime that goes away.
        first.block_on(async {
            assert!(super::support::poll_once(child.wait()).await.is_none());
        });
        drop(first);
        second.block_on(async {
            assert!(super::support::poll_once(child.wait()).await.is_none());
            drop(input);
            assert_eq!(child.wait().await.unwrap().code(), Some(7));
        });
    }
}

#[test]
fn waiting_on_a_runtime_that_is_gone_ends() {
    let runtime = multi();
    let handle = runtime.handle().clone();
    let mut child = runtime.block_on(async { Command::new("sleep").arg("1000").spawn().unwrap() });
    runtime.shutdown_timeout(Duration::from_secs(60));
    let error = catch_unwind(AssertUnwindSafe(|| handle.block_on(child.wait())));
    assert!(!matches!(error, Ok(Ok(_))), "an error or a panic, and no hang");
    single().block_on(child.kill()).unwrap();
}

#[test]
fn outside_a_runtime_nothing_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made");
    let payload = catch_unwind(|| drop(Command::new("touch").arg(&path).spawn())).unwrap_err();
    let message = payload.downcast_ref::<String>().unwrap();
    assert!(message.contains("there is no reactor running"), "{message}");
    assert!(!path.exists());
}

#[test]
fn a_runtime_without_input_and_output_starts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made");
    let runtime = Builder::new_current_thread().build().unwrap();
    let _entered = runtime.enter();
    assert!(catch_unwind(|| drop(Command::new("touch").arg(&path).spawn())).is_err());
    assert!(!path.exists());
}

#[test]
fn a_child_dropped_outside_a_runtime() {
    let mut child = single().block_on(async { Command::new("true").spawn().unwrap() });
    let _ = child.start_kill();
    drop(child);
}
