//! Starting tasks.

use std::future::Future;

use crate::engine::spawn as engine;
use crate::engine::task::Origin;
use crate::runtime::TryCurrentError;
use crate::task::JoinHandle;

/// Spawns a task on the current runtime: it runs at once, beside the calling code, whether or not its handle is
/// awaited.
///
/// On a multi-threaded runtime it may run on any worker, so it and its output have to be [`Send`]. When the
/// runtime shuts down, the task is dropped at the `.await` where it is suspended; one that never runs
/// through to its end is therefore possible.
///
/// # Panics
/// Outside a runtime.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let tasks: Vec<_> = (0..10).map(|i| yamanote::spawn(async move { i * i })).collect();
/// let mut sum = 0;
/// for task in tasks {
///     sum += task.await.unwrap();
/// }
/// assert_eq!(sum, 285);
/// # }
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_from(future, Origin::here())
}

/// As [`spawn`], for a task with a name.
#[inline]
#[track_caller]
pub(super) fn spawn_from<F>(future: F, origin: Origin<'_>) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match engine::current_home() {
        Ok(shared) => engine::spawn(shared, future, origin),
        Err(error) => panic!("{}", TryCurrentError::from(error)),
    }
}
