//! `SetOnce`: a value that is set once and that tasks wait for.
//!
//! The value is written under a lock, so that who comes too late is not told so before the value can be
//! read. Readers take no lock: they look at a flag. Waiters are woken by a [`Notify`].

use std::cell::UnsafeCell;
use std::error::Error;
use std::fmt;

use super::Notify;
use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::AtomicBool;
use crate::loom::sync::atomic::Ordering::{Acquire, Release};

/// A cell that is filled at most once, and that tasks can wait for.
///
/// Nobody computes the value on demand, as with [`OnceCell`](super::OnceCell): somebody sets it when it is
/// known. A future event with a value, for any number of observers:
///
/// ```
/// use yamanote::sync::SetOnce;
///
/// static PORT: SetOnce<u16> = SetOnce::const_new();
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let client = yamanote::spawn(async { *PORT.wait().await });
/// let other = yamanote::spawn(async { *PORT.wait().await });
/// PORT.set(8080).unwrap(); // the server is up
/// assert_eq!((client.await.unwrap(), other.await.unwrap()), (8080, 8080));
/// # }
/// ```
pub struct SetOnce<T> {
    /// Whether there is a value; never reset through a shared reference.
    ready: AtomicBool,
    /// Written under `writing` while `ready` is not set, read by all once it is.
    value: UnsafeCell<Option<T>>,
    writing: Mutex<()>,
    filled: Notify,
}

// SAFETY: all threads get shared references to the value, hence `Sync`; the one that sets it need not be the
// one that drops it, hence `Send`.
unsafe impl<T: Send + Sync> Sync for SetOnce<T> {}

impl<T> SetOnce<T> {
    /// An empty cell.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::SetOnce;
    ///
    /// let cell: SetOnce<String> = SetOnce::new();
    /// assert_eq!(cell.get(), None);
    /// ```
    pub fn new() -> Self {
        SetOnce::new_with(None)
    }

    /// As [`new`](Self::new), for statics and constants.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::SetOnce;
    ///
    /// static CELL: SetOnce<u8> = SetOnce::const_new();
    /// assert_eq!(CELL.get(), None);
    /// ```
    #[cfg(not(loom))]
    pub const fn const_new() -> Self {
        SetOnce {
            ready: AtomicBool::new(false),
            value: UnsafeCell::new(None),
            writing: Mutex::new(()),
            filled: Notify::const_new(),
        }
    }

    /// A cell with this value, or an empty one.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::SetOnce;
    ///
    /// assert_eq!(SetOnce::new_with(Some(1)).get(), Some(&1));
    /// assert_eq!(SetOnce::<i32>::new_with(None).get(), None);
    /// ```
    pub fn new_with(value: Option<T>) -> Self {
        SetOnce {
            ready: AtomicBool::new(value.is_some()),
            value: UnsafeCell::new(value),
            writing: Mutex::new(()),
            filled: Notify::new(),
        }
    }

    /// A cell with this value, for statics and constants.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::SetOnce;
    ///
    /// static CELL: SetOnce<u8> = SetOnce::const_new_with(1);
    /// assert_eq!(CELL.get(), Some(&1));
    /// ```
    #[cfg(not(loom))]
    pub const fn const_new_with(value: T) -> Self {
        SetOnce {
            ready: AtomicBool::new(true),
            value: UnsafeCell::new(Some(value)),
            writing: Mutex::new(()),
            filled: Notify::const_new(),
        }
    }

    /// Whether the cell has its value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::SetOnce;
    ///
    /// let cell = SetOnce::new();
    /// assert!(!cell.initialized());
    /// cell.set(1).unwrap();
    /// assert!(cell.initialized());
    /// ```
    #[inline]
    pub fn initialized(&self) -> bool {
        // Acquire pairs with the Release in `set`: the value is seen.
        self.ready.load(Acquire)
    }

    /// The value, if the cell has it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::SetOnce;
    ///
    /// let cell = SetOnce::new();
    /// assert_eq!(cell.get(), None);
    /// cell.set(1).unwrap();
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        if !self.initialized() {
            return None;
        }
        // SAFETY: once `ready` is set the value is only read, as long as the cell is shared.
        unsafe { &*self.value.get() }.as_ref()
    }

    /// Fills the cell and wakes all who wait for that.
    ///
    /// # Errors
    /// Gives the value back if the cell is filled. Then [`get`](Self::get) has the other one.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::SetOnce;
    ///
    /// let cell = SetOnce::new();
    /// assert!(cell.set(1).is_ok());
    /// assert_eq!(cell.set(2).unwrap_err().0, 2);
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        if self.initialized() {
            return Err(SetOnceError(value));
        }
        let writing = self.writing.lock();
        if self.initialized() {
            drop(writing);
            return Err(SetOnceError(value));
        }
        // SAFETY: the lock excludes other writers, and readers wait for `ready`. What is overwritten is
        // `None`, so nothing foreign runs under the lock.
        unsafe { *self.value.get() = Some(value) };
        // Release pairs with the Acquire in `initialized`.
        self.ready.store(true, Release);
        drop(writing);
        self.filled.notify_waiters();
        Ok(())
    }

    /// Waits until the cell is filled.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::sync::Arc;
    /// use yamanote::sync::SetOnce;
    ///
    /// let cell = Arc::new(SetOnce::new());
    /// let waiting = {
    ///     let cell = cell.clone();
    ///     yamanote::spawn(async move { *cell.wait().await + 1 })
    /// };
    /// cell.set(1).unwrap();
    /// assert_eq!(waiting.await.unwrap(), 2);
    /// # }
    /// ```
    pub async fn wait(&self) -> &T {
        loop {
            if let Some(value) = self.get() {
                return value;
            }
            // Created before the second look: a value that is set after that look notifies it.
            let filled = self.filled.notified();
            if let Some(value) = self.get() {
                return value;
            }
            filled.await;
        }
    }

    /// The value, if there is one; the cell is gone.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::SetOnce;
    ///
    /// let cell = SetOnce::new();
    /// cell.set("value").unwrap();
    /// assert_eq!(cell.into_inner(), Some("value"));
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

impl<T> Default for SetOnce<T> {
    fn default() -> SetOnce<T> {
        SetOnce::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for SetOnce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetOnce").field("value", &self.get()).finish()
    }
}

impl<T: Clone> Clone for SetOnce<T> {
    fn clone(&self) -> SetOnce<T> {
        SetOnce::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for SetOnce<T> {
    fn eq(&self, other: &SetOnce<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for SetOnce<T> {}

impl<T> From<T> for SetOnce<T> {
    fn from(value: T) -> Self {
        SetOnce::new_with(Some(value))
    }
}

/// The cell was filled already; the value that came too late.
///
/// From [`SetOnce::set`].
///
/// # Examples
/// ```
/// use yamanote::sync::SetOnce;
///
/// let cell = SetOnce::new();
/// cell.set("first").unwrap();
/// // The value comes back with the error.
/// assert_eq!(cell.set("second").unwrap_err().0, "second");
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct SetOnceError<T>(pub T);

impl<T> fmt::Display for SetOnceError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetOnceError")
    }
}

impl<T: fmt::Debug> Error for SetOnceError<T> {}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::cell::UnsafeCell as Checked;
    use crate::loom::sync::Arc;
    use crate::loom::{model, thread};
    use loom::future::block_on;

    fn read(value: &Checked<u32>) -> u32 {
        // SAFETY: written before the cell was filled.
        value.with(|v| unsafe { *v })
    }

    /// Who waits gets the value; who came too late to set it can read the other one.
    #[test]
    fn one_value_reaches_all() {
        model(|| {
            let cell = Arc::new(SetOnce::new());
            let waiter = {
                let cell = cell.clone();
                thread::spawn(move || read(block_on(cell.wait())))
            };
            let setter = {
                let cell = cell.clone();
                thread::spawn(move || {
                    let late = cell.set(Checked::new(1)).is_err();
                    if late { read(cell.get().unwrap()) } else { 1 }
                })
            };
            let late = cell.set(Checked::new(2)).is_err();
            let here = read(cell.get().unwrap());
            assert_eq!(late, here == 1);
            assert_eq!(setter.join().unwrap(), here);
            assert_eq!(waiter.join().unwrap(), here);
        });
    }
}
