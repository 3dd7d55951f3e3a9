//! `Mutex`: a semaphore with one permit around a value, its guards, and their owned twins.

use std::cell::UnsafeCell;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::Arc;

use super::batch_semaphore::Semaphore;
use crate::engine::block_on::block_on_thread;
use crate::engine::instrument::{Inherits, Resource, ResourceRef};

/// A value that one task at a time may use, with a lock that tasks wait for without blocking their thread.
///
/// A [`std::sync::Mutex`] is faster and the right choice for data that is only touched between two
/// `.await`s. This one is for guards that are held *across* an `.await`: the thread does other work
/// while tasks wait for the lock. Often a task that owns the value and is sent messages is better than
/// either.
///
/// The lock is fair: it goes to the tasks in the order in which they called [`lock`](Self::lock) (to be
/// precise: first polled the future). It is not poisoned when a task panics with the lock held; the lock
/// is released and the value is as the panic left it.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use yamanote::sync::Mutex;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let log = Arc::new(Mutex::new(Vec::new()));
/// let other = {
///     let log = log.clone();
///     yamanote::spawn(async move {
///         let mut log = log.lock().await;
///         log.push("begin");
///         yamanote::task::yield_now().await; // still locked
///         log.push("end");
///     })
/// };
/// other.await.unwrap();
/// assert_eq!(*log.lock().await, ["begin", "end"]);
/// # }
/// ```
pub struct Mutex<T: ?Sized> {
    resource: Resource,
    semaphore: Semaphore,
    value: UnsafeCell<T>,
}

/// The right to use the value in a [`Mutex`]; unlocks when it is dropped.
///
/// From [`Mutex::lock`] and its kin.
#[must_use = "the mutex is unlocked at once if the guard is not kept"]
pub struct MutexGuard<'a, T: ?Sized> {
    lock: &'a Mutex<T>,
}

/// A [`MutexGuard`] of a [`Mutex`] in an [`Arc`], which it keeps alive.
///
/// From [`Mutex::lock_owned`] and its kin. It can move to other tasks.
#[must_use = "the mutex is unlocked at once if the guard is not kept"]
pub struct OwnedMutexGuard<T: ?Sized> {
    lock: Arc<Mutex<T>>,
}

/// A guard for a part of the value in a [`Mutex`]; the whole is locked while it lives.
///
/// From [`MutexGuard::map`].
#[must_use = "the mutex is unlocked at once if the guard is not kept"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    semaphore: &'a Semaphore,
    resource: ResourceRef<'a>,
    /// Into the locked value.
    data: *mut T,
    _marker: PhantomData<&'a mut T>,
}

/// A [`MappedMutexGuard`] that keeps the [`Mutex`] alive.
///
/// From [`OwnedMutexGuard::map`].
#[must_use = "the mutex is unlocked at once if the guard is not kept"]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    lock: Arc<Mutex<T>>,
    /// Into the locked value.
    data: *mut U,
}

/// The lock could not be had at once.
///
/// From [`Mutex::try_lock`], [`RwLock::try_read`](super::RwLock::try_read) and their kin.
///
/// # Examples
/// ```
/// use yamanote::sync::Mutex;
///
/// let lock = Mutex::new(());
/// let guard = lock.try_lock().unwrap();
/// let error = lock.try_lock().unwrap_err();
/// assert_eq!(error.to_string(), "operation would block");
/// # drop(guard);
/// ```
#[derive(Debug)]
pub struct TryLockError(pub(super) ());

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("operation would block")
    }
}

impl Error for TryLockError {}

// SAFETY: the value is reached through the lock by one at a time, so sharing the lock is sending the value.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
// SAFETY: a shared guard gives shared access to the value, hence `Sync`; `Send` is what a reference to the
// mutex takes.
unsafe impl<T: ?Sized + Send + Sync> Sync for MutexGuard<'_, T> {}
// SAFETY: as for `MutexGuard`.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedMutexGuard<T> {}
// SAFETY: it is a `&mut T` with a reference to a semaphore, which is `Sync`.
unsafe impl<'a, T: ?Sized + Send + 'a> Send for MappedMutexGuard<'a, T> {}
// SAFETY: as above.
unsafe impl<'a, T: ?Sized + Sync + 'a> Sync for MappedMutexGuard<'a, T> {}
// SAFETY: it is a `&mut U` and the mutex, which may be dropped where the guard is.
unsafe impl<T: ?Sized + Send, U: ?Sized + Send> Send for OwnedMappedMutexGuard<T, U> {}
// SAFETY: a shared guard gives `&U`; the mutex is not reachable through it.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedMappedMutexGuard<T, U> {}

impl<T: ?Sized> Mutex<T> {
    /// An unlocked mutex.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Mutex;
    ///
    /// let mutex = Mutex::new(5);
    /// assert_eq!(*mutex.try_lock().unwrap(), 5);
    /// ```
    #[track_caller]
    pub fn new(value: T) -> Self
    where
        T: Sized,
    {
        let (resource, semaphore) = Resource::mutex(|| Semaphore::new(1));
        Mutex { resource, semaphore, value: UnsafeCell::new(value) }
    }

    /// As [`new`](Self::new), for statics and constants.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Mutex;
    ///
    /// static NAMES: Mutex<Vec<String>> = Mutex::const_new(Vec::new());
    /// assert!(NAMES.try_lock().unwrap().is_empty());
    /// ```
    #[cfg(not(loom))]
    pub const fn const_new(value: T) -> Self
    where
        T: Sized,
    {
        Mutex {
            resource: Resource::none(),
            semaphore: Semaphore::const_new(1),
            value: UnsafeCell::new(value),
        }
    }

    /// Locks, waiting in line until it is this task's turn.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future but the place in the line.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::Mutex;
    ///
    /// let mutex = Mutex::new(1);
    /// *mutex.lock().await += 1;
    /// assert_eq!(*mutex.lock().await, 2);
    /// # }
    /// ```
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        self.resource.operation("Mutex::lock", "poll", Inherits::No, || self.acquire()).await;
        MutexGuard::new(self)
    }

    #[inline]
    async fn acquire(&self) {
        if self.semaphore.acquire(1).await.is_err() {
            unreachable!("a mutex is never closed");
        }
    }

    #[inline]
    fn try_acquire(&self) -> Result<(), TryLockError> {
        self.semaphore.try_acquire(1).map_err(|_| TryLockError(()))
    }

    /// As [`lock`](Self::lock), for threads outside of the runtime: blocks the thread.
    ///
    /// # Panics
    /// Inside an asynchronous context.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Mutex;
    ///
    /// let total = Mutex::new(0);
    /// std::thread::scope(|s| {
    ///     for n in 1..=3 {
    ///         let total = &total;
    ///         s.spawn(move || *total.blocking_lock() += n);
    ///     }
    /// });
    /// assert_eq!(total.into_inner(), 6);
    /// ```
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        block_on_thread(self.lock())
    }

    /// As [`lock_owned`](Self::lock_owned), for threads outside of the runtime: blocks the thread.
    ///
    /// # Panics
    /// Inside an asynchronous context.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Mutex;
    ///
    /// let mutex = Arc::new(Mutex::new('a'));
    /// let guard = mutex.blocking_lock_owned();
    /// assert_eq!(*guard, 'a');
    /// ```
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        block_on_thread(self.lock_owned())
    }

    /// As [`lock`](Self::lock), with a guard that keeps the mutex alive.
    ///
    /// # Cancel safety
    /// As for [`lock`](Self::lock).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::sync::Arc;
    /// use yamanote::sync::Mutex;
    ///
    /// let mutex = Arc::new(Mutex::new(String::new()));
    /// let mut guard = mutex.clone().lock_owned().await;
    /// yamanote::spawn(async move { guard.push('!') }).await.unwrap();
    /// assert_eq!(*mutex.lock().await, "!");
    /// # }
    /// ```
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        self.resource.operation("Mutex::lock_owned", "poll", Inherits::No, || self.acquire()).await;
        OwnedMutexGuard::new(self)
    }

    /// Locks if nobody holds the lock or waits for it.
    ///
    /// # Errors
    /// If it is locked.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Mutex;
    ///
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_err());
    /// # drop(guard);
    /// ```
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        self.try_acquire()?;
        Ok(MutexGuard::new(self))
    }

    /// As [`try_lock`](Self::try_lock), with a guard that keeps the mutex alive.
    ///
    /// # Errors
    /// If it is locked.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Mutex;
    ///
    /// let mutex = Arc::new(Mutex::new(1));
    /// let guard = mutex.clone().try_lock_owned().unwrap();
    /// assert!(mutex.try_lock_owned().is_err());
    /// # drop(guard);
    /// ```
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        self.try_acquire()?;
        Ok(OwnedMutexGuard::new(self))
    }

    /// The value, without locking: the exclusive borrow is proof that nobody else has access.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Mutex;
    ///
    /// let mut mutex = Mutex::new(1);
    /// *mutex.get_mut() = 2;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value; the mutex is gone.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Mutex;
    ///
    /// assert_eq!(Mutex::new(3).into_inner(), 3);
    /// ```
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.value.into_inner()
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => d.field("data", &&*guard),
            Err(_) => d.field("data", &format_args!("<locked>")),
        };
        d.finish()
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// For whoever holds the permit.
    #[inline]
    fn new(lock: &'a Mutex<T>) -> Self {
        // First of all: a subscriber may panic.
        let guard = MutexGuard { lock };
        lock.resource.as_ref().locked(true);
        guard
    }

    /// Narrows the guard to a part of the value.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new((1, "one"));
    /// let mut number = MutexGuard::map(mutex.try_lock().unwrap(), |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(mutex.into_inner(), (2, "one"));
    /// ```
    #[inline]
    pub fn map<U: ?Sized, F>(mut this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let data: *mut U = f(&mut *this);
        let (semaphore, resource) = (&this.lock.semaphore, this.lock.resource.as_ref());
        mem::forget(this);
        MappedMutexGuard { semaphore, resource, data, _marker: PhantomData }
    }

    /// Narrows the guard to a part of the value, if the closure finds one.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Errors
    /// The guard as it was, if the closure answers `None`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new(vec![1, 2]);
    /// let guard = mutex.try_lock().unwrap();
    /// let guard = MutexGuard::try_map(guard, |v| v.get_mut(5)).unwrap_err();
    /// let second = MutexGuard::try_map(guard, |v| v.get_mut(1)).unwrap();
    /// assert_eq!(*second, 2);
    /// ```
    #[inline]
    pub fn try_map<U: ?Sized, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let data: *mut U = match f(&mut *this) {
            Some(data) => data,
            None => return Err(this),
        };
        let (semaphore, resource) = (&this.lock.semaphore, this.lock.resource.as_ref());
        mem::forget(this);
        Ok(MappedMutexGuard { semaphore, resource, data, _marker: PhantomData })
    }

    /// The mutex that is locked.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(std::ptr::eq(MutexGuard::mutex(&guard), &mutex));
    /// ```
    #[inline]
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.lock
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// For whoever holds the permit.
    #[inline]
    fn new(lock: Arc<Mutex<T>>) -> Self {
        // First of all: a subscriber may panic.
        let guard = OwnedMutexGuard { lock };
        guard.lock.resource.as_ref().locked(true);
        guard
    }

    /// The mutex, without unlocking it.
    fn into_lock(self) -> Arc<Mutex<T>> {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped nor used again, so the reference is moved, not copied.
        unsafe { ptr::read(&this.lock) }
    }

    /// Narrows the guard to a part of the value.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{Mutex, OwnedMutexGuard};
    ///
    /// let mutex = Arc::new(Mutex::new((1, "one")));
    /// let guard = mutex.clone().try_lock_owned().unwrap();
    /// *OwnedMutexGuard::map(guard, |pair| &mut pair.0) = 2;
    /// assert_eq!(*mutex.try_lock().unwrap(), (2, "one"));
    /// ```
    #[inline]
    pub fn map<U: ?Sized, F>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let data: *mut U = f(&mut *this);
        OwnedMappedMutexGuard { lock: this.into_lock(), data }
    }

    /// Narrows the guard to a part of the value, if the closure finds one.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Errors
    /// The guard as it was, if the closure answers `None`.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{Mutex, OwnedMutexGuard};
    ///
    /// let mutex = Arc::new(Mutex::new(vec![1, 2]));
    /// let guard = mutex.try_lock_owned().unwrap();
    /// let guard = OwnedMutexGuard::try_map(guard, |v| v.get_mut(5)).unwrap_err();
    /// assert_eq!(guard.len(), 2);
    /// ```
    #[inline]
    pub fn try_map<U: ?Sized, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let data: *mut U = match f(&mut *this) {
            Some(data) => data,
            None => return Err(this),
        };
        Ok(OwnedMappedMutexGuard { lock: this.into_lock(), data })
    }

    /// The mutex that is locked.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{Mutex, OwnedMutexGuard};
    ///
    /// let mutex = Arc::new(Mutex::new(1));
    /// let guard = mutex.clone().try_lock_owned().unwrap();
    /// assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &mutex));
    /// ```
    #[inline]
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        &this.lock
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// Narrows the guard further.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{MappedMutexGuard, Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new(((1, 2), 3));
    /// let pair = MutexGuard::map(mutex.try_lock().unwrap(), |v| &mut v.0);
    /// let second = MappedMutexGuard::map(pair, |pair| &mut pair.1);
    /// assert_eq!(*second, 2);
    /// ```
    #[inline]
    pub fn map<U, F>(mut this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let data: *mut U = f(&mut *this);
        let (semaphore, resource) = (this.semaphore, this.resource);
        mem::forget(this);
        MappedMutexGuard { semaphore, resource, data, _marker: PhantomData }
    }

    /// Narrows the guard further, if the closure finds a part.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Errors
    /// The guard as it was, if the closure answers `None`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{MappedMutexGuard, Mutex, MutexGuard};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Mutex::new((1, Some(2)));
    /// let option = MutexGuard::map(lock.lock().await, |pair| &mut pair.1);
    /// let mut inside = MappedMutexGuard::try_map(option, Option::as_mut).expect("there is something");
    /// *inside += 1;
    /// drop(inside);
    /// assert_eq!(*lock.lock().await, (1, Some(3)));
    /// # }
    /// ```
    #[inline]
    pub fn try_map<U, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let data: *mut U = match f(&mut *this) {
            Some(data) => data,
            None => return Err(this),
        };
        let (semaphore, resource) = (this.semaphore, this.resource);
        mem::forget(this);
        Ok(MappedMutexGuard { semaphore, resource, data, _marker: PhantomData })
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// The mutex, without unlocking it.
    fn into_lock(self) -> Arc<Mutex<T>> {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped nor used again, so the reference is moved, not copied.
        unsafe { ptr::read(&this.lock) }
    }

    /// Narrows the guard further.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
    ///
    /// let mutex = Arc::new(Mutex::new(((1, 2), 3)));
    /// let pair = OwnedMutexGuard::map(mutex.try_lock_owned().unwrap(), |v| &mut v.0);
    /// let second = OwnedMappedMutexGuard::map(pair, |pair| &mut pair.1);
    /// assert_eq!(*second, 2);
    /// ```
    #[inline]
    pub fn map<S, F>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        F: FnOnce(&mut U) -> &mut S,
    {
        let data: *mut S = f(&mut *this);
        OwnedMappedMutexGuard { lock: this.into_lock(), data }
    }

    /// Narrows the guard further, if the closure finds a part.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Errors
    /// The guard as it was, if the closure answers `None`.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(Mutex::new((1, Some(2))));
    /// let option = OwnedMutexGuard::map(lock.clone().lock_owned().await, |pair| &mut pair.1);
    /// let mut inside = OwnedMappedMutexGuard::try_map(option, Option::as_mut).expect("there is something");
    /// *inside += 1;
    /// drop(inside);
    /// assert_eq!(*lock.lock().await, (1, Some(3)));
    /// # }
    /// ```
    #[inline]
    pub fn try_map<S, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        let data: *mut S = match f(&mut *this) {
            Some(data) => data,
            None => return Err(this),
        };
        Ok(OwnedMappedMutexGuard { lock: this.into_lock(), data })
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.semaphore.release(1);
        self.lock.resource.as_ref().locked(false);
    }
}

impl<T: ?Sized> Drop for OwnedMutexGuard<T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.semaphore.release(1);
        self.lock.resource.as_ref().locked(false);
    }
}

impl<T: ?Sized> Drop for MappedMutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release(1);
        self.resource.locked(false);
    }
}

impl<T: ?Sized, U: ?Sized> Drop for OwnedMappedMutexGuard<T, U> {
    #[inline]
    fn drop(&mut self) {
        self.lock.semaphore.release(1);
        self.lock.resource.as_ref().locked(false);
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock and is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Deref for OwnedMutexGuard<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for OwnedMutexGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock and is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Deref for MappedMutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, and `data` points into the value.
        unsafe { &*self.data }
    }
}

impl<T: ?Sized> DerefMut for MappedMutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock, is borrowed exclusively, and `data` points into the value.
        unsafe { &mut *self.data }
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedMappedMutexGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: the guard holds the lock and keeps the mutex alive; `data` points into its value.
        unsafe { &*self.data }
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedMappedMutexGuard<T, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: as in `deref`, and the guard is borrowed exclusively.
        unsafe { &mut *self.data }
    }
}

super::guard_fmt! {
    impl[T: ?Sized] MutexGuard<'_, T> => T;
    impl[T: ?Sized] OwnedMutexGuard<T> => T;
    impl[T: ?Sized] MappedMutexGuard<'_, T> => T;
    impl[T: ?Sized, U: ?Sized] OwnedMappedMutexGuard<T, U> => U;
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::cell::UnsafeCell as Checked;
    use crate::loom::{model, thread};
    use loom::future::block_on;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    /// A value that complains when two threads use it at a time.
    fn add(value: &Checked<i32>) {
        // SAFETY: under the lock that is being checked.
        value.with_mut(|n| unsafe { *n += 1 });
    }

    fn shared() -> crate::loom::sync::Arc<Mutex<Checked<i32>>> {
        crate::loom::sync::Arc::new(Mutex::new(Checked::new(0)))
    }

    fn total(mutex: &Mutex<Checked<i32>>) -> i32 {
        let guard = mutex.try_lock().expect("all guards are gone");
        // SAFETY: under the lock.
        guard.with(|n| unsafe { *n })
    }

    #[test]
    fn excludes() {
        model(|| {
            let mutex = shared();
            let other = {
                let mutex = mutex.clone();
                thread::spawn(move || {
                    add(&*block_on(mutex.lock()));
                    add(&*block_on(mutex.lock()));
                })
            };
            add(&*block_on(mutex.lock()));
            if let Ok(guard) = mutex.try_lock() {
                add(&*guard);
                add(&*MutexGuard::map(guard, |v| v));
            } else {
                add(&*block_on(mutex.lock()));
                add(&*block_on(mutex.lock()));
            }
            other.join().unwrap();
            assert_eq!(total(&mutex), 5);
        });
    }

    #[test]
    fn an_abandoned_turn_goes_to_the_next() {
        model(|| {
            let mutex = shared();
            let threads: Vec<_> = (0..2)
                .map(|i| {
                    let mutex = mutex.clone();
                    thread::spawn(move || {
                        if i == 0 {
                            let mut lock = pin!(mutex.lock());
                            let _ = lock.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                        } else {
                            add(&*block_on(mutex.lock()));
                        }
                    })
                })
                .collect();
            add(&*block_on(mutex.lock()));
            for t in threads {
                t.join().unwrap();
            }
            assert_eq!(total(&mutex), 2);
        });
    }
}
