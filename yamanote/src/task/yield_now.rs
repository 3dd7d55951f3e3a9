//! Letting others run.

use std::task::{Poll, ready};

use crate::engine::{instrument, trace};

/// Lets other tasks run: the calling one goes to the back of the queue.
///
/// Not a guarantee of any order: others may be woken meanwhile, on other threads tasks run anyway, and a
/// future that polls its children itself, such as [`select!`](crate::select), may poll this one again before the task has
/// yielded at all. The event driver gets its turn now and then, as for any busy task.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let other = yamanote::spawn(async { println!("second") });
/// println!("first");
/// yamanote::task::yield_now().await;
/// assert!(other.is_finished());
/// # }
/// ```
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        ready!(trace::leaf(cx));
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        // Woken while it runs, a task is queued behind its peers.
        instrument::yielded(cx.waker());
        Poll::Pending
    })
    .await;
}
