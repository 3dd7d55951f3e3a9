//! `OnceCell`: a value that is computed once, by one of those who ask for it.
//!
//! A semaphore with one permit decides who computes. Its holder stores the value, sets `ready` and closes
//! the semaphore, which sends those who waited for the permit to the value. A holder that fails, panics or
//! is cancelled gives the permit back, and the next in line tries.

use std::cell::UnsafeCell;
use std::error::Error;
use std::fmt;
use std::future::Future;

use super::batch_semaphore::{Closed, Semaphore, TryAcquire};
use crate::engine::instrument::{Inherits, Resource};
use crate::loom::sync::atomic::AtomicBool;
use crate::loom::sync::atomic::Ordering::{Acquire, Release};

/// A cell that is filled at most once, possibly by an asynchronous computation.
///
/// If several tasks ask at a time, one computes and the others wait for it. Mostly used for statics whose
/// value takes an `.await` to make:
///
/// ```
/// use yamanote::sync::OnceCell;
///
/// static ADDRESS: OnceCell<String> = OnceCell::const_new();
///
/// async fn look_up() -> String {
///     // … ask a name server …
///     "192.0.2.1".to_string()
/// }
///
/// async fn address() -> &'static str {
///     ADDRESS.get_or_init(look_up).await
/// }
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(address().await, "192.0.2.1");
/// assert!(ADDRESS.initialized());
/// # }
/// ```
///
/// If the computation fails, panics or is dropped before it is done, the cell stays empty, and the next
/// task that waits computes.
///
/// For a value that comes from elsewhere and is only waited for, see [`SetOnce`](super::SetOnce).
pub struct OnceCell<T> {
    /// Whether there is a value; never reset through a shared reference.
    ready: AtomicBool,
    /// Written by the holder of the permit while `ready` is not set, read by all once it is.
    value: UnsafeCell<Option<T>>,
    resource: Resource,
    semaphore: Semaphore,
}

// SAFETY: all threads get shared references to the value, hence `Sync`; the one that fills the cell need not
// be the one that drops it, hence `Send`.
unsafe impl<T: Send + Sync> Sync for OnceCell<T> {}

impl<T> OnceCell<T> {
    /// An empty cell.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// let cell: OnceCell<String> = OnceCell::new();
    /// assert_eq!(cell.get(), None);
    /// ```
    #[track_caller]
    pub fn new() -> Self {
        let (resource, semaphore) = Resource::semaphore(|| Semaphore::new(1));
        OnceCell { ready: AtomicBool::new(false), value: UnsafeCell::new(None), resource, semaphore }
    }

    /// A cell with this value, or an empty one.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// assert_eq!(OnceCell::new_with(Some(1)).get(), Some(&1));
    /// assert_eq!(OnceCell::<i32>::new_with(None).get(), None);
    /// ```
    pub fn new_with(value: Option<T>) -> Self {
        match value {
            Some(value) => OnceCell::from(value),
            None => OnceCell::new(),
        }
    }

    /// As [`new`](Self::new), for statics and constants.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// static CELL: OnceCell<u8> = OnceCell::const_new();
    /// assert_eq!(CELL.get(), None);
    /// ```
    #[cfg(not(loom))]
    pub const fn const_new() -> Self {
        OnceCell {
            ready: AtomicBool::new(false),
            value: UnsafeCell::new(None),
            resource: Resource::none(),
            semaphore: Semaphore::const_new(1),
        }
    }

    /// A cell with this value, for statics and constants.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// static CELL: OnceCell<u8> = OnceCell::const_new_with(1);
    /// assert_eq!(CELL.get(), Some(&1));
    /// ```
    #[cfg(not(loom))]
    pub const fn const_new_with(value: T) -> Self {
        OnceCell {
            ready: AtomicBool::new(true),
            value: UnsafeCell::new(Some(value)),
            resource: Resource::none(),
            semaphore: Semaphore::const_new_closed(),
        }
    }

    /// Whether the cell has its value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cell = OnceCell::new();
    /// assert!(!cell.initialized());
    /// cell.get_or_init(|| async { 1 }).await;
    /// assert!(cell.initialized());
    /// # }
    /// ```
    #[inline]
    pub fn initialized(&self) -> bool {
        // Acquire pairs with the Release in `fill`: the value is seen.
        self.ready.load(Acquire)
    }

    /// The value, if the cell has it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// let cell = OnceCell::new();
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

    /// The value, if the cell has it; the exclusive borrow allows to change it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// let mut cell = OnceCell::from(1);
    /// *cell.get_mut().unwrap() = 2;
    /// assert_eq!(cell.get(), Some(&2));
    /// ```
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_mut()
    }

    /// Fills the cell.
    ///
    /// # Errors
    /// Gives the value back if the cell is filled, or is being filled by somebody else at the moment.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{OnceCell, SetError};
    ///
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.set(1), Ok(()));
    /// assert_eq!(cell.set(2), Err(SetError::AlreadyInitializedError(2)));
    /// ```
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        if self.initialized() {
            return Err(SetError::AlreadyInitializedError(value));
        }
        match self.semaphore.try_acquire(1) {
            Ok(()) => {
                self.fill(value, Permit(&self.semaphore));
                Ok(())
            }
            Err(TryAcquire::NoPermits) => Err(SetError::InitializingError(value)),
            Err(TryAcquire::Closed) => Err(SetError::AlreadyInitializedError(value)),
        }
    }

    /// Stores the value. The permit is proof that nobody else does.
    fn fill(&self, value: T, permit: Permit<'_>) -> &T {
        // SAFETY: the permit excludes other writers, and readers wait for `ready`, which cannot be set:
        // there are no permits once it is.
        let value = unsafe { (*self.value.get()).insert(value) };
        // Release pairs with the Acquire in `initialized`.
        self.ready.store(true, Release);
        // Consumed for ever, so that the next thing that waiters see is the closing.
        std::mem::forget(permit);
        self.semaphore.close();
        value
    }

    /// The value; if there is none yet, computes it with `f`, or waits for the task that does so already.
    ///
    /// # Cancel safety
    /// If the task that computes is dropped, the computation goes with it, and another task starts its
    /// own.
    ///
    /// # Panics
    /// If `f` panics. The cell stays empty.
    ///
    /// A computation that asks the same cell for its value waits for itself, for ever.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::OnceCell;
    ///
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.get_or_init(|| async { 1 }).await, &1);
    /// assert_eq!(cell.get_or_init(|| async { 2 }).await, &1);
    /// # }
    /// ```
    pub async fn get_or_init<F, Fut>(&self, f: F) -> &T
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        if let Some(value) = self.get() {
            return value;
        }
        match self.acquire().await {
            Ok(permit) => {
                let value = f().await;
                self.fill(value, permit)
            }
            Err(value) => value,
        }
    }

    /// As [`get_or_init`](Self::get_or_init), for a computation that can fail.
    ///
    /// # Cancel safety
    /// As for [`get_or_init`](Self::get_or_init).
    ///
    /// # Panics
    /// As for [`get_or_init`](Self::get_or_init).
    ///
    /// # Errors
    /// That of `f`. The cell stays empty, and the next to ask computes.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::OnceCell;
    ///
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.get_or_try_init(|| async { Err("down") }).await, Err("down"));
    /// assert_eq!(cell.get_or_try_init(|| async { Ok::<_, &str>(1) }).await, Ok(&1));
    /// # }
    /// ```
    pub async fn get_or_try_init<E, F, Fut>(&self, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        match self.acquire().await {
            Ok(permit) => {
                let value = f().await?;
                Ok(self.fill(value, permit))
            }
            Err(value) => Ok(value),
        }
    }

    /// The right to fill the cell, or the value that somebody else filled it with.
    async fn acquire(&self) -> Result<Permit<'_>, &T> {
        let acquire = || self.semaphore.acquire(1);
        match self.resource.operation("Semaphore::acquire", "poll", Inherits::Yes, acquire).await {
            Ok(()) => Ok(Permit(&self.semaphore)),
            Err(Closed) => Err(self.get().expect("closed after the cell was filled")),
        }
    }

    /// The value, if there is one; the cell is gone.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// let cell = OnceCell::new();
    /// cell.set("value").unwrap();
    /// assert_eq!(cell.into_inner(), Some("value"));
    /// assert_eq!(OnceCell::<u8>::new().into_inner(), None);
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value out, if there is one. The cell is empty afterwards, as a new one.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// let mut cell = OnceCell::from(1);
    /// assert_eq!(cell.take(), Some(1));
    /// assert_eq!(cell.set(2), Ok(()));
    /// ```
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }
}

/// The right to fill the cell; given back on drop.
struct Permit<'a>(&'a Semaphore);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.release(1);
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> OnceCell<T> {
        OnceCell::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCell").field("value", &self.get()).finish()
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    fn clone(&self) -> OnceCell<T> {
        OnceCell::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &OnceCell<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        OnceCell {
            ready: AtomicBool::new(true),
            value: UnsafeCell::new(Some(value)),
            resource: Resource::none(),
            semaphore: Semaphore::new_closed(),
        }
    }
}

/// Why [`OnceCell::set`] did not take the value, which it gives back.
///
/// # Examples
/// ```
/// use yamanote::sync::{OnceCell, SetError};
///
/// let cell = OnceCell::new();
/// cell.set("first").unwrap();
/// // The value comes back with the error.
/// assert_eq!(cell.set("second"), Err(SetError::AlreadyInitializedError("second")));
/// ```
#[derive(Debug, PartialEq, Eq)]
pub enum SetError<T> {
    /// The cell has a value.
    AlreadyInitializedError(T),
    /// Somebody is computing the value.
    InitializingError(T),
}

impl<T> SetError<T> {
    /// Whether the cell has a value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// let cell = OnceCell::new();
    /// cell.set(1).unwrap();
    /// assert!(cell.set(2).unwrap_err().is_already_init_err());
    /// ```
    pub fn is_already_init_err(&self) -> bool {
        matches!(self, SetError::AlreadyInitializedError(_))
    }

    /// Whether somebody is computing the value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::OnceCell;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cell = OnceCell::new();
    /// cell.get_or_init(|| async {
    ///     // Somebody is at it.
    ///     assert!(cell.set(2).unwrap_err().is_initializing_err());
    ///     1
    /// })
    /// .await;
    /// assert_eq!(cell.get(), Some(&1));
    /// # }
    /// ```
    pub fn is_initializing_err(&self) -> bool {
        matches!(self, SetError::InitializingError(_))
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetError::AlreadyInitializedError(_) => "AlreadyInitializedError",
            SetError::InitializingError(_) => "InitializingError",
        })
    }
}

impl<T: fmt::Debug> Error for SetError<T> {}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::cell::UnsafeCell as Checked;
    use crate::loom::sync::Arc;
    use crate::loom::{model, thread};
    use loom::future::block_on;
    use std::pin::pin;
    use std::task::{Context, Waker};

    fn read(value: &Checked<u32>) -> u32 {
        // SAFETY: written before the cell was filled.
        value.with(|v| unsafe { *v })
    }

    /// Two compute and one sets: one value, seen whole by all.
    #[test]
    fn one_value() {
        model(|| {
            let cell = Arc::new(OnceCell::new());
            let threads: Vec<_> = (1..3)
                .map(|n| {
                    let cell = cell.clone();
                    thread::spawn(move || read(block_on(cell.get_or_init(|| async { Checked::new(n) }))))
                })
                .collect();
            let set = cell.set(Checked::new(3)).is_ok();
            let here = cell.get().map(read);
            let seen: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
            assert_eq!(seen[0], seen[1]);
            assert_eq!(set, seen[0] == 3);
            assert!(here.is_none_or(|n| n == seen[0]));
        });
    }

    /// The first fails, or gives up in the middle: the other one's value is stored.
    #[test]
    fn the_next_computes() {
        for fail in [true, false] {
            model(move || {
                let cell = Arc::new(OnceCell::new());
                let other = {
                    let cell = cell.clone();
                    thread::spawn(move || {
                        if fail {
                            let _ = block_on(cell.get_or_try_init(|| async { Err(()) }));
                        } else {
                            let mut init = pin!(cell.get_or_init(std::future::pending));
                            let _ = init.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                        }
                    })
                };
                let value = block_on(cell.get_or_init(|| async { Checked::new(1) }));
                assert_eq!(read(value), 1);
                other.join().unwrap();
            });
        }
    }
}
