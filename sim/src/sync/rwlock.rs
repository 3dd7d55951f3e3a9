//! A lock that many may read under.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{LockResult, PoisonError};

use crate::world;

/// See the standard library's.
#[derive(Default)]
pub struct RwLock<T: ?Sized> {
    /// How many read; −1 while one writes.
    readers: Cell<isize>,
    poisoned: Cell<bool>,
    data: UnsafeCell<T>,
}

// SAFETY: all simulated threads are on one real thread; what is asked of `T` is what the standard library asks.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: as above, and the count keeps readers and writers apart.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

/// See the standard library's.
#[must_use]
pub struct RwLockReadGuard<'a, T: ?Sized>(&'a RwLock<T>, PhantomData<*const ()>);

/// See the standard library's.
#[must_use]
pub struct RwLockWriteGuard<'a, T: ?Sized>(&'a RwLock<T>, bool, PhantomData<*const ()>);

// SAFETY: through a shared guard nothing but `&T` can be reached.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<T> RwLock<T> {
    /// An unlocked one.
    pub const fn new(data: T) -> Self {
        RwLock { readers: Cell::new(0), poisoned: Cell::new(false), data: UnsafeCell::new(data) }
    }
}

impl<T: ?Sized> RwLock<T> {
    fn wait_while(&self, what: &'static str, mut taken: impl FnMut() -> bool) {
        world::point(what);
        while taken() {
            let key = std::ptr::from_ref(&self.readers).addr();
            let blocked = world::with(|world| world.block(what, key, None));
            assert!(blocked.is_some(), "a lock that nobody will unlock");
        }
    }

    fn wake(&self) {
        let key = std::ptr::from_ref(&self.readers).addr();
        world::with(|world| world.notify_all(key));
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If it is poisoned.
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.wait_while("read", || self.readers.get() < 0);
        self.readers.set(self.readers.get() + 1);
        let guard = RwLockReadGuard(self, PhantomData);
        if self.poisoned.get() { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If it is poisoned.
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.wait_while("write", || self.readers.get() != 0);
        self.readers.set(-1);
        let guard = RwLockWriteGuard(self, std::thread::panicking(), PhantomData);
        if self.poisoned.get() { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").field("readers", &self.readers.get()).finish_non_exhaustive()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: nobody writes while one reads.
        unsafe { &*self.0.data.get() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: nobody else is here.
        unsafe { &*self.0.data.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: nobody else is here.
        unsafe { &mut *self.0.data.get() }
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        self.0.readers.set(self.0.readers.get() - 1);
        self.0.wake();
        world::point("unlock");
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        if !self.1 && std::thread::panicking() {
            self.0.poisoned.set(true);
        }
        self.0.readers.set(0);
        self.0.wake();
        world::point("unlock");
    }
}
