//! Time: waiting for a moment, doing something every so often, and giving up after a while.
//!
//! * [`sleep`] and [`sleep_until`] wait.
//! * [`interval`] and [`interval_at`] tick at a fixed rate.
//! * [`timeout`] and [`timeout_at`] limit how long a future may take.
//!
//! All of them need a runtime with timers: one made by [`#[yamanote::main]`](crate::main), or built with
//! [`enable_time`](crate::runtime::Builder::enable_time). They have a granularity of a millisecond and never fire early.
//!
//! A timer is cheap to make, and to drop before it fires: it touches nothing shared until it is polled before
//! its deadline, and then the timers of the worker that polls it. So every operation can have a timeout.
//!
//! With the feature `test-util`, a test can stop the clock and move it by hand: see [`pause`].
//!
//! # Examples
//! ```
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() {
//! use yamanote::time::{self, Duration};
//!
//! async fn slow() -> u32 {
//!     time::sleep(Duration::from_secs(60)).await;
//!     1
//! }
//!
//! match time::timeout(Duration::from_millis(5), slow()).await {
//!     Ok(value) => println!("got {value}"),
//!     Err(_) => println!("gave up"),
//! }
//! # }
//! ```

pub mod error;
mod instant;
mod interval;
#[cfg(feature = "test-util")]
mod pause;
mod sleep;
mod timeout;

pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
#[cfg(feature = "test-util")]
pub use pause::{advance, pause, resume};
pub use sleep::{Sleep, sleep, sleep_until};
#[doc(no_inline)]
pub use std::time::Duration;
pub use timeout::{Timeout, timeout, timeout_at};
