//! Why a task has no output.

use std::any::Any;
use std::sync::Mutex;
use std::{fmt, io};

use super::id::Id;

/// Why a task ended without an output: it was cancelled, or it panicked.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = yamanote::spawn(async { panic!("oh no") }).await.unwrap_err();
/// assert!(error.is_panic());
/// # }
/// ```
pub struct JoinError {
    /// `None`: cancelled. Boxed twice to be one pointer; in a lock since a payload need not be `Sync`.
    panic: Option<Payload>,
    id: Id,
}

/// What a task panicked with.
pub(crate) type Payload = Box<Mutex<Box<dyn Any + Send + 'static>>>;

impl JoinError {
    pub(crate) fn cancelled(id: Id) -> JoinError {
        JoinError { panic: None, id }
    }

    pub(crate) fn panic(id: Id, payload: Payload) -> JoinError {
        JoinError { panic: Some(payload), id }
    }

    /// Whether the task was aborted, or dropped with its runtime.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(std::future::pending::<()>());
    /// task.abort();
    /// assert!(task.await.unwrap_err().is_cancelled());
    /// # }
    /// ```
    pub fn is_cancelled(&self) -> bool {
        self.panic.is_none()
    }

    /// Whether the task panicked.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(async { panic!("on purpose") });
    /// let error = task.await.unwrap_err();
    /// assert!(error.is_panic() && !error.is_cancelled());
    /// # }
    /// ```
    pub fn is_panic(&self) -> bool {
        self.panic.is_some()
    }

    /// What the task panicked with, for [`resume_unwind`](std::panic::resume_unwind) or a closer look.
    ///
    /// # Panics
    /// If the task did not panic.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let error = yamanote::spawn(async { panic!("boom") }).await.unwrap_err();
    /// assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "boom");
    /// # }
    /// ```
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        self.try_into_panic().expect("`JoinError` reason is not a panic.")
    }

    /// What the task panicked with, if it did.
    ///
    /// # Errors
    /// The error itself, if the task was cancelled.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(std::future::pending::<()>());
    /// task.abort();
    /// // It was no panic, so the error comes back.
    /// let error = task.await.unwrap_err().try_into_panic().unwrap_err();
    /// assert!(error.is_cancelled());
    /// # }
    /// ```
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.panic {
            Some(payload) => Ok(payload.into_inner().unwrap_or_else(|e| e.into_inner())),
            None => Err(self),
        }
    }

    /// The task's id.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = yamanote::spawn(std::future::pending::<()>());
    /// let id = task.id();
    /// task.abort();
    /// assert_eq!(task.await.unwrap_err().id(), id);
    /// # }
    /// ```
    pub fn id(&self) -> Id {
        self.id
    }

    /// The message of the panic, where it is text.
    fn message(&self) -> Option<String> {
        let payload = self.panic.as_ref()?.lock().unwrap_or_else(|e| e.into_inner());
        match payload.downcast_ref::<String>() {
            Some(text) => Some(text.clone()),
            None => payload.downcast_ref::<&'static str>().map(|text| (*text).to_owned()),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.panic, self.message()) {
            (None, _) => write!(f, "task {} was cancelled", self.id),
            (Some(_), Some(message)) => {
                write!(f, "task {} panicked with message {message:?}", self.id)
            }
            (Some(_), None) => write!(f, "task {} panicked", self.id),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.panic, self.message()) {
            (None, _) => write!(f, "JoinError::Cancelled({:?})", self.id),
            (Some(_), Some(message)) => write!(f, "JoinError::Panic({:?}, {message:?}, ...)", self.id),
            (Some(_), None) => write!(f, "JoinError::Panic({:?}, ...)", self.id),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(match error.panic {
            None => "task was cancelled",
            Some(_) => "task panicked",
        })
    }
}
