//! Errors of the timers.

use std::{error, fmt, io};

/// A timeout's future did not complete in time.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::time::Duration;
/// use yamanote::time::{error::Elapsed, timeout};
///
/// let result = timeout(Duration::from_millis(1), std::future::pending::<()>()).await;
/// let error: Elapsed = result.unwrap_err();
/// assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::TimedOut);
/// # }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl Elapsed {
    pub(crate) fn new() -> Self {
        Elapsed(())
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline has elapsed")
    }
}

impl error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}

/// What can be wrong with a timer.
///
/// No function of this crate returns it: timers grow with their number, deadlines that are too far away
/// are moved to where they can be kept, and a timer of a runtime that is gone panics. It is here for
/// libraries that report such failures of their own (delay queues, for example).
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use yamanote::time::error::Error;
///
/// /// Of a library that keeps what is due later in a table of its own.
/// fn insert(due_in: Duration) -> Result<(), Error> {
///     const FARTHEST: Duration = Duration::from_secs(365 * 24 * 3_600);
///     if due_in > FARTHEST { Err(Error::invalid()) } else { Ok(()) }
/// }
///
/// assert!(insert(Duration::from_secs(60)).is_ok());
/// assert!(insert(Duration::MAX).unwrap_err().is_invalid());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Error(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Shutdown,
    AtCapacity,
    Invalid,
}

impl Error {
    /// The runtime of the timer is gone.
    ///
    /// # Examples
    /// ```
    /// use yamanote::time::error::Error;
    ///
    /// assert_eq!(Error::shutdown().to_string(), "the runtime of this timer was shut down");
    /// ```
    pub fn shutdown() -> Error {
        Error(Kind::Shutdown)
    }

    /// Whether it says that the runtime of the timer is gone.
    ///
    /// # Examples
    /// ```
    /// use yamanote::time::error::Error;
    ///
    /// assert!(Error::shutdown().is_shutdown());
    /// assert!(!Error::invalid().is_shutdown());
    /// ```
    pub fn is_shutdown(&self) -> bool {
        self.0 == Kind::Shutdown
    }

    /// There are as many timers as there can be.
    ///
    /// # Examples
    /// ```
    /// use yamanote::time::error::Error;
    ///
    /// let full: Box<dyn std::error::Error> = Error::at_capacity().into();
    /// assert_eq!(full.to_string(), "no more timers can be kept");
    /// ```
    pub fn at_capacity() -> Error {
        Error(Kind::AtCapacity)
    }

    /// Whether it says that there are as many timers as there can be.
    ///
    /// # Examples
    /// ```
    /// use yamanote::time::error::Error;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// /// Worth trying again later?
    /// fn is_temporary(error: &Error) -> bool {
    ///     error.is_at_capacity()
    /// }
    /// assert!(is_temporary(&Error::at_capacity()));
    /// assert!(!is_temporary(&Error::shutdown()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_at_capacity(&self) -> bool {
        self.0 == Kind::AtCapacity
    }

    /// The deadline cannot be represented.
    ///
    /// # Examples
    /// ```
    /// use yamanote::time::error::Error;
    ///
    /// assert_eq!(Error::invalid().to_string(), "the timer's deadline is too far away");
    /// ```
    pub fn invalid() -> Error {
        Error(Kind::Invalid)
    }

    /// Whether it says that the deadline cannot be represented.
    ///
    /// # Examples
    /// ```
    /// use yamanote::time::error::Error;
    ///
    /// assert!(Error::invalid().is_invalid());
    /// assert!(!Error::at_capacity().is_invalid());
    /// ```
    pub fn is_invalid(&self) -> bool {
        self.0 == Kind::Invalid
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Shutdown => "the runtime of this timer was shut down",
            Kind::AtCapacity => "no more timers can be kept",
            Kind::Invalid => "the timer's deadline is too far away",
        })
    }
}

impl error::Error for Error {}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        let kinds = |error: Error| [error.is_shutdown(), error.is_at_capacity(), error.is_invalid()];
        assert_eq!(kinds(Error::shutdown()), [true, false, false]);
        assert_eq!(kinds(Error::at_capacity()), [false, true, false]);
        assert_eq!(kinds(Error::invalid()), [false, false, true]);
    }
}
