//! What can go wrong on an mpsc channel.

use std::error::Error;
use std::fmt;

/// The receiver was closed or dropped; the value comes back.
///
/// # Examples
/// ```
/// use yamanote::sync::mpsc::{self, error::SendError};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let (send, receive) = mpsc::channel(1);
/// drop(receive);
/// // Nobody will receive it; the value comes back.
/// assert_eq!(send.send("hello?").await, Err(SendError("hello?")));
/// # }
/// ```
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct SendError<T>(pub T);

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl<T> Error for SendError<T> {}

/// Why a value could not be sent, or a slot not be reserved, without waiting.
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum TrySendError<T> {
    /// There is no room now.
    Full(T),
    /// The receiver was closed or dropped.
    Closed(T),
}

impl<T> TrySendError<T> {
    /// The value that was not sent.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (tx, _rx) = mpsc::channel(1);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(tx.try_send(2).unwrap_err().into_inner(), 2);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            TrySendError::Full(value) | TrySendError::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "Full(..)",
            TrySendError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "no available capacity",
            TrySendError::Closed(_) => "channel closed",
        })
    }
}

impl<T> Error for TrySendError<T> {}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(error: SendError<T>) -> Self {
        TrySendError::Closed(error.0)
    }
}

/// Why nothing could be received without waiting.
///
/// # Examples
/// ```
/// use yamanote::sync::mpsc::{self, error::TryRecvError};
///
/// let (send, mut receive) = mpsc::channel::<u8>(1);
/// assert_eq!(receive.try_recv(), Err(TryRecvError::Empty));
/// drop(send);
/// assert_eq!(receive.try_recv(), Err(TryRecvError::Disconnected));
/// ```
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub enum TryRecvError {
    /// Nothing is there now; more may come.
    Empty,
    /// Nothing is there and nothing will come.
    Disconnected,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryRecvError::Empty => "receiving on an empty channel",
            TryRecvError::Disconnected => "receiving on a closed channel",
        })
    }
}

impl Error for TryRecvError {}

/// Not returned by anything; kept for code that names it.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct RecvError(());

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl Error for RecvError {}

#[cfg(feature = "time")]
pub use send_timeout::SendTimeoutError;

#[cfg(feature = "time")]
mod send_timeout {
    use super::{Error, fmt};

    /// Why a value could not be sent in the given time.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::sync::mpsc::{self, error::SendTimeoutError};
    ///
    /// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let (send, receive) = mpsc::channel(1);
    /// send.send(1).await.unwrap();
    /// let patience = Duration::from_secs(1);
    /// assert_eq!(send.send_timeout(2, patience).await, Err(SendTimeoutError::Timeout(2)));
    /// drop(receive);
    /// assert_eq!(send.send_timeout(3, patience).await, Err(SendTimeoutError::Closed(3)));
    /// # }
    /// ```
    #[derive(PartialEq, Eq, Clone, Copy)]
    pub enum SendTimeoutError<T> {
        /// There was no room until the time ran out.
        Timeout(T),
        /// The receiver was closed or dropped.
        Closed(T),
    }

    impl<T> SendTimeoutError<T> {
        /// The value that was not sent.
        ///
        /// # Examples
        /// ```
        /// use std::time::Duration;
        /// use yamanote::sync::mpsc;
        ///
        /// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
        /// # async fn main() {
        /// let (send, _receive) = mpsc::channel(1);
        /// send.send("first").await.unwrap();
        /// let error = send.send_timeout("second", Duration::from_secs(1)).await.unwrap_err();
        /// assert_eq!(error.into_inner(), "second");
        /// # }
        /// ```
        pub fn into_inner(self) -> T {
            match self {
                SendTimeoutError::Timeout(value) | SendTimeoutError::Closed(value) => value,
            }
        }
    }

    impl<T> fmt::Debug for SendTimeoutError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                SendTimeoutError::Timeout(_) => "Timeout(..)",
                SendTimeoutError::Closed(_) => "Closed(..)",
            })
        }
    }

    impl<T> fmt::Display for SendTimeoutError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                SendTimeoutError::Timeout(_) => "timed out waiting on send operation",
                SendTimeoutError::Closed(_) => "channel closed",
            })
        }
    }

    impl<T> Error for SendTimeoutError<T> {}
}
