//! What the tests share.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use yamanote::process::Command;
use yamanote::runtime::{Builder, Runtime};

pub fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn multi() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs a test on both flavours.
pub fn on_both<F: Future>(test: impl Fn() -> F) {
    single().block_on(test());
    multi().block_on(test());
}

/// A shell that runs a script.
pub fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script);
    command
}

/// Polls a future once; what it gave if it was ready, and drops it.
pub async fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Whether there is a process of that number, be it a zombie.
pub fn exists(pid: u32) -> bool {
    // SAFETY: signal 0 is only a question.
    unsafe { libc::kill(pid as i32, 0) == 0 }
}

/// Waits until nothing is left of a process; a test that waits in vain hangs.
pub async fn gone(pid: u32) {
    while exists(pid) {
        yamanote::time::sleep(Duration::from_millis(1)).await;
    }
}
