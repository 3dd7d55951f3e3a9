//! [`Sender::send_timeout`].

use std::time::Duration;

use super::Sender;
use super::error::SendTimeoutError;

impl<T> Sender<T> {
    /// Sends a value, waiting for room for at most the given time.
    ///
    /// # Cancel safety
    /// Dropped before it completes, nothing is sent and the value is dropped.
    ///
    /// # Errors
    /// The value comes back if the time runs out, or if the receiver was closed or dropped.
    ///
    /// # Panics
    /// Outside a runtime with its time driver on.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc::{self, error::SendTimeoutError};
    /// use yamanote::time::Duration;
    ///
    /// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let (tx, _rx) = mpsc::channel(1);
    /// tx.send_timeout(1, Duration::from_millis(10)).await.unwrap();
    /// let full = tx.send_timeout(2, Duration::from_millis(10)).await;
    /// assert_eq!(full, Err(SendTimeoutError::Timeout(2)));
    /// # }
    /// ```
    pub async fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        match crate::time::timeout(timeout, self.reserve()).await {
            Ok(Ok(permit)) => {
                permit.send(value);
                Ok(())
            }
            Ok(Err(_)) => Err(SendTimeoutError::Closed(value)),
            Err(_) => Err(SendTimeoutError::Timeout(value)),
        }
    }
}
