//! Stopping the runtime's clock, for tests.

use std::time::Duration;

use crate::engine::context;
use crate::engine::shared::Shared;
use crate::runtime::Handle;

/// Stops the clock of the current runtime.
///
/// From now on [`Instant::now`](crate::time::Instant::now) shows the same moment, until the clock is moved by
/// [`advance`], set going by [`resume`], or moved by itself. The standard library's clock goes on.
///
/// # Auto-advance
/// When time stands still and the runtime has nothing to do but to wait for timers, the clock jumps to the next
/// of them. So a test that sleeps for an hour takes no time, and everything happens in
/// the order of the deadlines. While a job of [`spawn_blocking`](crate::task::spawn_blocking) runs,
/// the clock does not jump.
///
/// # Panics
/// If time stands still already; outside a runtime; in a runtime that is not single-threaded.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::time::{self, Duration, Instant};
///
/// time::pause();
/// let start = Instant::now();
/// time::sleep(Duration::from_secs(3600)).await;
/// assert!(start.elapsed() >= Duration::from_secs(3600));
/// # }
/// ```
#[track_caller]
pub fn pause() {
    with_runtime(|shared| shared.clock().pause());
}

/// Sets the clock going again, from the moment it shows.
///
/// # Panics
/// If the clock is going; outside a runtime.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use yamanote::time::{self, Instant};
///
/// let before = Instant::now();
/// time::resume();
/// std::thread::sleep(std::time::Duration::from_millis(1));
/// assert!(Instant::now() > before);
/// # }
/// ```
#[track_caller]
pub fn resume() {
    with_runtime(|shared| shared.clock().resume());
}

/// Moves the stopped clock forward, in one jump.
///
/// Every timer with a deadline up to the new moment fires, whatever the order of the deadlines; its task is
/// woken, and has not necessarily run when `advance` completes. To see tasks run at each deadline in turn, use
/// [`sleep`](crate::time::sleep) and let the clock [move by itself](pause#auto-advance).
///
/// # Panics
/// If the clock is going; outside a runtime.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use yamanote::time::{self, Duration, Instant};
///
/// let start = Instant::now();
/// time::advance(Duration::from_secs(5)).await;
/// assert_eq!(start.elapsed(), Duration::from_secs(5));
/// # }
/// ```
pub async fn advance(duration: Duration) {
    let handle = Handle::current();
    with_runtime(|shared| shared.clock().advance(duration));
    // Where the clock can be stopped there is one worker.
    handle.shared.driver(0).fire_timers(handle.shared.clock());
    drop(handle);
    crate::task::yield_now().await;
}

#[track_caller]
fn with_runtime(f: impl FnOnce(&Shared) -> Result<(), &'static str>) {
    let result = context::with_handle(|handle| f(&handle.shared));
    match result {
        Ok(Ok(())) => {}
        Ok(Err(message)) => panic!("{message}"),
        Err(_) => panic!("time can only be paused, moved or resumed inside a runtime"),
    }
}
