//! Every value to every receiver.
//!
//! Values are kept in a ring. Each receiver has its own place in it and gets a clone of every value that
//! was sent after it was made. A value is dropped when the last receiver it was sent to has got it.
//!
//! # Lagging
//! Sending never waits. When the ring is full, the oldest value is overwritten, whoever has not received
//! it. A receiver that lost values this way is told how many by an error (`Lagged`), once, and goes on with
//! the oldest value that is left. The number of values kept is the capacity rounded up to a power of two.
//!
//! # When it ends
//! When all senders are dropped, receivers get what is left and then the error `Closed`. Without receivers
//! [`Sender::send`] fails; new ones can still be made by [`Sender::subscribe`].
//!
//! # Examples
//! ```
//! use yamanote::sync::broadcast;
//!
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut rx1) = broadcast::channel(16);
//! let mut rx2 = tx.subscribe();
//! let other = yamanote::spawn(async move { rx2.recv().await.unwrap() + rx2.recv().await.unwrap() });
//!
//! tx.send(10).unwrap();
//! tx.send(20).unwrap();
//! assert_eq!(rx1.recv().await.unwrap(), 10);
//! assert_eq!(rx1.recv().await.unwrap(), 20);
//! assert_eq!(other.await.unwrap(), 30);
//! # }
//! ```
//!
//! A receiver that lags:
//!
//! ```
//! use yamanote::sync::broadcast::{self, error::RecvError};
//!
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut rx) = broadcast::channel(2);
//! for i in 1..=3 {
//!     tx.send(i).unwrap();
//! }
//! assert_eq!(rx.recv().await, Err(RecvError::Lagged(1)));
//! assert_eq!(rx.recv().await, Ok(2));
//! assert_eq!(rx.recv().await, Ok(3));
//! # }
//! ```

pub mod error;
mod receiver;
mod ring;
mod sender;

pub use receiver::Receiver;
use ring::Shared;
pub use sender::{Sender, WeakSender};

/// Makes a channel that keeps at least `capacity` values, with one receiver.
///
/// # Panics
/// If `capacity` is 0 or more than `usize::MAX / 2`.
///
/// # Examples
/// ```
/// use yamanote::sync::broadcast;
///
/// let (tx, mut rx) = broadcast::channel(8);
/// tx.send("hello").unwrap();
/// assert_eq!(rx.try_recv(), Ok("hello"));
/// ```
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let sender = Sender { shared: Shared::new(capacity) };
    let receiver = sender.subscribe();
    (sender, receiver)
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
