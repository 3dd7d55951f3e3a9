//! What the tests share.

use std::future::{Future, poll_fn};
use std::task::Poll;

use yamanote::runtime::{Builder, Runtime};

pub fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn multi() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Sends a signal to this process. There must be a listener.
pub fn send(signal: i32) {
    // SAFETY: touches no memory; the caller sees to the handler.
    assert_eq!(unsafe { libc::kill(libc::getpid(), signal) }, 0);
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
