//! A lock: a flag that simulated threads wait for.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use crate::world;

/// See the standard library's.
#[derive(Default)]
pub struct Mutex<T: ?Sized> {
    locked: Cell<bool>,
    poisoned: Cell<bool>,
    data: UnsafeCell<T>,
}

// SAFETY: all simulated threads are on one real thread; what is asked of `T` is what the standard library asks.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above, and the flag lets one in at a time.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

/// See the standard library's.
#[must_use]
pub struct MutexGuard<'a, T: ?Sized> {
    pub(super) mutex: &'a Mutex<T>,
    was_panicking: bool,
    _not_send: PhantomData<*const ()>,
}

// SAFETY: through a shared guard nothing but `&T` can be reached.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T> Mutex<T> {
    /// An unlocked one.
    pub const fn new(data: T) -> Self {
        Mutex { locked: Cell::new(false), poisoned: Cell::new(false), data: UnsafeCell::new(data) }
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If it is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.poisoned.get();
        let data = self.data.into_inner();
        if poisoned { Err(PoisonError::new(data)) } else { Ok(data) }
    }
}

impl<T: ?Sized> Mutex<T> {
    pub(super) fn key(&self) -> usize {
        std::ptr::from_ref(&self.locked).addr()
    }

    fn guard(&self) -> LockResult<MutexGuard<'_, T>> {
        self.locked.set(true);
        let was_panicking = std::thread::panicking();
        let guard = MutexGuard { mutex: self, was_panicking, _not_send: PhantomData };
        if self.poisoned.get() { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If it is poisoned.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        world::point("lock");
        self.lock_now()
    }

    pub(super) fn lock_now(&self) -> LockResult<MutexGuard<'_, T>> {
        while self.locked.get() {
            let blocked = world::with(|world| world.block("lock", self.key(), None));
            assert!(blocked.is_some(), "a lock that nobody will unlock");
        }
        self.guard()
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If it is locked or poisoned.
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        world::point("try_lock");
        if self.locked.get() {
            return Err(TryLockError::WouldBlock);
        }
        self.guard().map_err(TryLockError::Poisoned)
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If it is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.poisoned.get();
        let data = self.data.get_mut();
        if poisoned { Err(PoisonError::new(data)) } else { Ok(data) }
    }

    /// See the standard library's.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.get()
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(data: T) -> Self {
        Mutex::new(data)
    }
}

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").field("locked", &self.locked.get()).finish_non_exhaustive()
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard is the only one, until it is dropped.
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T: ?Sized> MutexGuard<'_, T> {
    pub(super) fn unlock(&self) {
        if !self.was_panicking && std::thread::panicking() {
            self.mutex.poisoned.set(true);
        }
        self.mutex.locked.set(false);
        world::with(|world| world.notify_all(self.mutex.key()));
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.unlock();
        world::point("unlock");
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
