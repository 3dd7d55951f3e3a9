//! The guards that borrow their lock.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::RwLock;
use crate::engine::instrument::{ResourceRef, Role};
use crate::sync::batch_semaphore::Semaphore;

/// Permits held; given back on drop. The guards have no destructor of their own, so that they can be
/// taken apart and put together as others.
struct Held<'a> {
    semaphore: &'a Semaphore,
    permits: u32,
    resource: ResourceRef<'a>,
    role: Role,
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release(self.permits as usize);
        self.resource.left(self.role);
    }
}

/// The right to read the value in a [`RwLock`]; unlocks when it is dropped.
///
/// From [`RwLock::read`] and its kin.
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    held: Held<'a>,
    /// The locked value or a part of it.
    data: *const T,
    _marker: PhantomData<&'a T>,
}

/// The right to change the value in a [`RwLock`]; unlocks when it is dropped.
///
/// From [`RwLock::write`] and its kin.
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    held: Held<'a>,
    /// The locked value.
    data: *mut T,
    _marker: PhantomData<&'a mut T>,
}

/// The right to change a part of the value in a [`RwLock`]; the whole is locked while it lives.
///
/// From [`RwLockWriteGuard::map`]. Unlike the guard of the whole it cannot be downgraded: who made it saw
/// a `&mut` and may have relied on nobody reading.
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    held: Held<'a>,
    /// Into the locked value.
    data: *mut T,
    _marker: PhantomData<&'a mut T>,
}

// SAFETY: it is a `&T` with a reference to a semaphore, which is `Sync`.
unsafe impl<T: ?Sized + Sync> Send for RwLockReadGuard<'_, T> {}
// SAFETY: as above; `Send` as upstream has it.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockReadGuard<'_, T> {}
// SAFETY: it is a `&mut T` with a reference to a semaphore; `Sync` because it can become a reader.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockWriteGuard<'_, T> {}
// SAFETY: as above; shared it gives `&T`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockWriteGuard<'_, T> {}
// SAFETY: it is a `&mut T` with a reference to a semaphore.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockMappedWriteGuard<'_, T> {}
// SAFETY: as above; shared it gives `&T`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockMappedWriteGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// # Safety
    /// The caller holds one permit and hands it over.
    #[inline]
    pub(super) unsafe fn new(lock: &'a RwLock<T>) -> Self {
        RwLockReadGuard {
            held: Held::new(lock, 1, Role::READER),
            data: lock.value.get(),
            _marker: PhantomData,
        }
    }

    /// Narrows the guard to a part of the value.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockReadGuard::map(lock.try_read().unwrap(), |pair| pair.1);
    /// assert_eq!(&*name, "one");
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let data: *const U = f(&*this);
        RwLockReadGuard { held: this.held, data, _marker: PhantomData }
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
    /// use yamanote::sync::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new(vec![1, 2]);
    /// let guard = lock.try_read().unwrap();
    /// let guard = RwLockReadGuard::try_map(guard, |v| v.get(5)).unwrap_err();
    /// assert_eq!(*RwLockReadGuard::try_map(guard, |v| v.get(1)).unwrap(), 2);
    /// ```
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        let data: *const U = match f(&*this) {
            Some(data) => data,
            None => return Err(this),
        };
        Ok(RwLockReadGuard { held: this.held, data, _marker: PhantomData })
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// # Safety
    /// The caller holds all permits and hands them over.
    #[inline]
    pub(super) unsafe fn new(lock: &'a RwLock<T>) -> Self {
        RwLockWriteGuard {
            held: Held::new(lock, lock.max_readers, Role::WRITER),
            data: lock.value.get(),
            _marker: PhantomData,
        }
    }

    /// Narrows the guard to a part of the value.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// *RwLockWriteGuard::map(lock.try_write().unwrap(), |pair| &mut pair.0) = 2;
    /// assert_eq!(lock.into_inner(), (2, "one"));
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let data: *mut U = f(&mut *this);
        RwLockMappedWriteGuard { held: this.held, data, _marker: PhantomData }
    }

    /// Narrows the guard to a part of the value and lets readers in, without giving a writer the chance to
    /// come in between.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let number = RwLockWriteGuard::downgrade_map(lock.try_write().unwrap(), |pair| &pair.0);
    /// assert_eq!((*number, lock.try_read().unwrap().1), (1, "one"));
    /// ```
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let data: *const U = f(&*this);
        RwLockReadGuard { held: this.held.downgrade(), data, _marker: PhantomData }
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
    /// use yamanote::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(vec![1, 2]);
    /// let guard = lock.try_write().unwrap();
    /// let guard = RwLockWriteGuard::try_map(guard, |v| v.get_mut(5)).unwrap_err();
    /// *RwLockWriteGuard::try_map(guard, |v| v.get_mut(1)).unwrap() = 7;
    /// assert_eq!(lock.into_inner(), [1, 7]);
    /// ```
    #[inline]
    pub fn try_map<F, U: ?Sized>(mut this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let data: *mut U = match f(&mut *this) {
            Some(data) => data,
            None => return Err(this),
        };
        Ok(RwLockMappedWriteGuard { held: this.held, data, _marker: PhantomData })
    }

    /// As [`downgrade_map`](Self::downgrade_map), if the closure finds a part.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Errors
    /// The guard as it was, still for writing, if the closure answers `None`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(vec![1, 2]);
    /// let guard = lock.try_write().unwrap();
    /// let guard = RwLockWriteGuard::try_downgrade_map(guard, |v| v.get(5)).unwrap_err();
    /// let second = RwLockWriteGuard::try_downgrade_map(guard, |v| v.get(1)).unwrap();
    /// assert_eq!((*second, lock.try_read().unwrap().len()), (2, 2));
    /// ```
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        let data: *const U = match f(&*this) {
            Some(data) => data,
            None => return Err(this),
        };
        Ok(RwLockReadGuard { held: this.held.downgrade(), data, _marker: PhantomData })
    }

    /// The guard as one of a part, the part being the whole.
    ///
    /// For code that takes [`RwLockMappedWriteGuard`]s.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{RwLock, RwLockMappedWriteGuard, RwLockWriteGuard};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = RwLock::new(vec![1, 2]);
    /// let all: RwLockMappedWriteGuard<'_, Vec<i32>> = RwLockWriteGuard::into_mapped(lock.write().await);
    /// let mut first = RwLockMappedWriteGuard::map(all, |list| &mut list[0]);
    /// *first = 7;
    /// drop(first);
    /// assert_eq!(*lock.read().await, [7, 2]);
    /// # }
    /// ```
    #[inline]
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard { held: this.held, data: this.data, _marker: PhantomData }
    }

    /// Turns the writer into a reader, without giving another writer the chance to come in between.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let mut guard = lock.write().await;
    /// *guard += 1;
    /// let guard = guard.downgrade();
    /// assert_eq!((*guard, *lock.read().await), (2, 2));
    /// # }
    /// ```
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard { held: self.held.downgrade(), data: self.data, _marker: PhantomData }
    }
}

impl<'a> Held<'a> {
    #[inline]
    fn new<T: ?Sized>(lock: &'a RwLock<T>, permits: u32, role: Role) -> Self {
        let resource = lock.resource.as_ref();
        // First of all: a subscriber may panic.
        let held = Held { semaphore: &lock.semaphore, permits, resource, role };
        resource.entered(role);
        held
    }

    /// Keeps one permit of all.
    fn downgrade(mut self) -> Self {
        let released = self.permits - 1;
        // First of all: if a waker panics below, dropping this gives back the one.
        self.permits = 1;
        let role = std::mem::replace(&mut self.role, Role::READER);
        self.semaphore.release(released as usize);
        self.resource.left(role);
        self.resource.entered(Role::READER);
        self
    }
}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    /// Narrows the guard further.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{RwLock, RwLockMappedWriteGuard, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(((1, 2), 3));
    /// let pair = RwLockWriteGuard::map(lock.try_write().unwrap(), |v| &mut v.0);
    /// *RwLockMappedWriteGuard::map(pair, |pair| &mut pair.1) = 7;
    /// assert_eq!(lock.into_inner(), ((1, 7), 3));
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let data: *mut U = f(&mut *this);
        RwLockMappedWriteGuard { held: this.held, data, _marker: PhantomData }
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
    /// use yamanote::sync::{RwLock, RwLockMappedWriteGuard, RwLockWriteGuard};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = RwLock::new(vec![vec![1], vec![]]);
    /// let rows = RwLockWriteGuard::map(lock.write().await, |rows| &mut rows[1]);
    /// // An empty row has no first element: the guard comes back as it was.
    /// let Err(mut row) = RwLockMappedWriteGuard::try_map(rows, |row| row.first_mut()) else { panic!() };
    /// row.push(2);
    /// assert!(RwLockMappedWriteGuard::try_map(row, |row| row.first_mut()).is_ok());
    /// # }
    /// ```
    #[inline]
    pub fn try_map<F, U: ?Sized>(mut this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let data: *mut U = match f(&mut *this) {
            Some(data) => data,
            None => return Err(this),
        };
        Ok(RwLockMappedWriteGuard { held: this.held, data, _marker: PhantomData })
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: a permit is held, so nobody writes, and `data` points into the value.
        unsafe { &*self.data }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: all permits are held.
        unsafe { &*self.data }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: all permits are held, and the guard is borrowed exclusively.
        unsafe { &mut *self.data }
    }
}

impl<T: ?Sized> Deref for RwLockMappedWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: all permits are held, and `data` points into the value.
        unsafe { &*self.data }
    }
}

impl<T: ?Sized> DerefMut for RwLockMappedWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard is borrowed exclusively.
        unsafe { &mut *self.data }
    }
}

crate::sync::guard_fmt! {
    impl[T: ?Sized] RwLockReadGuard<'_, T> => T;
    impl[T: ?Sized] RwLockWriteGuard<'_, T> => T;
    impl[T: ?Sized] RwLockMappedWriteGuard<'_, T> => T;
}
