//! What can go wrong on a broadcast channel.

use std::error::Error;
use std::fmt;

/// There are no receivers; the value comes back.
///
/// # Examples
/// ```
/// use yamanote::sync::broadcast::{self, error::SendError};
///
/// let (send, receive) = broadcast::channel(4);
/// drop(receive);
/// // Nobody hears it; the value comes back.
/// let SendError(value) = send.send("hello?").unwrap_err();
/// assert_eq!(value, "hello?");
/// ```
#[derive(Debug)]
pub struct SendError<T>(pub T);

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl<T: fmt::Debug> Error for SendError<T> {}

/// Why [`Receiver::recv`](super::Receiver::recv) has no value.
///
/// # Examples
/// ```
/// use yamanote::sync::broadcast::{self, error::RecvError};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let (send, mut receive) = broadcast::channel(2);
/// for i in 0..3 {
///     send.send(i).unwrap();
/// }
/// drop(send);
/// // Too slow for the first one; then the others, and the end.
/// assert_eq!(receive.recv().await, Err(RecvError::Lagged(1)));
/// assert_eq!(receive.recv().await, Ok(1));
/// assert_eq!(receive.recv().await, Ok(2));
/// assert_eq!(receive.recv().await, Err(RecvError::Closed));
/// # }
/// ```
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum RecvError {
    /// All senders were dropped and there is nothing left.
    Closed,
    /// The receiver was too slow and lost that many values. It goes on with the oldest one left.
    Lagged(u64),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::Closed => f.write_str("channel closed"),
            RecvError::Lagged(lost) => write!(f, "channel lagged by {lost}"),
        }
    }
}

impl Error for RecvError {}

/// Why [`Receiver::try_recv`](super::Receiver::try_recv) has no value.
///
/// # Examples
/// ```
/// use yamanote::sync::broadcast::{self, error::TryRecvError};
///
/// let (send, mut receive) = broadcast::channel(1);
/// assert_eq!(receive.try_recv(), Err(TryRecvError::Empty));
/// send.send(1).unwrap();
/// send.send(2).unwrap();
/// assert_eq!(receive.try_recv(), Err(TryRecvError::Lagged(1)));
/// drop(send);
/// assert_eq!(receive.try_recv(), Ok(2));
/// assert_eq!(receive.try_recv(), Err(TryRecvError::Closed));
/// ```
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum TryRecvError {
    /// There is nothing now.
    Empty,
    /// All senders were dropped and there is nothing left.
    Closed,
    /// The receiver was too slow and lost that many values. It goes on with the oldest one left.
    Lagged(u64),
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryRecvError::Empty => f.write_str("channel empty"),
            TryRecvError::Closed => f.write_str("channel closed"),
            TryRecvError::Lagged(lost) => write!(f, "channel lagged by {lost}"),
        }
    }
}

impl Error for TryRecvError {}
