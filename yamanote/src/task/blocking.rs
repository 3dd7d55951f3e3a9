//! Blocking code in asynchronous programs.

use crate::engine::blocking;
use crate::task::JoinHandle;

/// Runs a closure that blocks on a thread made for that, and gives a handle to await its result.
///
/// The pool of such threads is large (see [`Builder::max_blocking_threads`](crate::runtime::Builder::max_blocking_threads)), since they mostly wait. For work that
/// keeps the processor busy, a pool with a thread a core, such as rayon's, or a semaphore in front of this
/// function, serves better. A closure that has begun cannot be aborted; the shutdown of the runtime waits for
/// it, unless told otherwise.
///
/// # Panics
/// Outside a runtime; if the operating system gives no thread and the pool has none.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let sum = yamanote::task::spawn_blocking(|| (0..1_000_000u64).sum::<u64>()).await.unwrap();
/// assert_eq!(sum, 499_999_500_000);
/// # }
/// ```
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    blocking::spawn_blocking(f)
}

/// Runs a closure that blocks on the current thread, after giving the thread's other tasks to another one.
///
/// Only the calling task stands still: what runs beside it *in the same task*, by
/// [`join!`](crate::join) for instance, does too. For those, [`spawn_blocking`] is better.
///
/// # Panics
/// On a single-threaded runtime.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "multi_thread", worker_threads = 1)]
/// # async fn main() {
/// let text = yamanote::task::block_in_place(|| "computed in place");
/// assert_eq!(text, "computed in place");
/// # }
/// ```
#[track_caller]
pub fn block_in_place<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    crate::engine::block_in_place::block_in_place(f)
}
