//! The guards that keep their lock alive.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::RwLock;
use crate::engine::instrument::Role;

/// Permits held, and their lock; given back on drop. As for the borrowing guards, the only part with a
/// destructor.
struct Held<T: ?Sized> {
    lock: Arc<RwLock<T>>,
    permits: u32,
    role: Role,
}

impl<T: ?Sized> Drop for Held<T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.semaphore.release(self.permits as usize);
        self.lock.resource.as_ref().left(self.role);
    }
}

impl<T: ?Sized> Held<T> {
    #[inline]
    fn new(lock: Arc<RwLock<T>>, permits: u32, role: Role) -> Self {
        // First of all: a subscriber may panic.
        let held = Held { lock, permits, role };
        held.lock.resource.as_ref().entered(role);
        held
    }

    /// Keeps one permit of all.
    fn downgrade(mut self) -> Self {
        let released = self.permits - 1;
        // First of all: if a waker panics below, dropping this gives back the one.
        self.permits = 1;
        let role = std::mem::replace(&mut self.role, Role::READER);
        self.lock.semaphore.release(released as usize);
        let resource = self.lock.resource.as_ref();
        resource.left(role);
        resource.entered(Role::READER);
        self
    }
}

/// The right to read the value (or a part, `U`) in a [`RwLock`] in an [`Arc`], which it keeps alive.
///
/// From [`RwLock::read_owned`] and its kin. It can move to other tasks.
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    held: Held<T>,
    /// The locked value or a part of it.
    data: *const U,
    _marker: PhantomData<T>,
}

/// The right to change the value in a [`RwLock`] in an [`Arc`], which it keeps alive.
///
/// From [`RwLock::write_owned`] and its kin. It can move to other tasks.
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    held: Held<T>,
    /// The locked value.
    data: *mut T,
    _marker: PhantomData<T>,
}

/// The right to change a part of the value in a [`RwLock`] in an [`Arc`], which it keeps alive.
///
/// From [`OwnedRwLockWriteGuard::map`].
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    held: Held<T>,
    /// Into the locked value.
    data: *mut U,
    _marker: PhantomData<T>,
}

// SAFETY: it is a `&U` and the lock, which may be dropped where the guard is.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Sync> Send for OwnedRwLockReadGuard<T, U> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedRwLockReadGuard<T, U> {}
// SAFETY: it is a `&mut T` and the lock.
unsafe impl<T: ?Sized + Send + Sync> Send for OwnedRwLockWriteGuard<T> {}
// SAFETY: as above; shared it gives `&T`.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedRwLockWriteGuard<T> {}
// SAFETY: it is a `&mut U` and the lock, which may be dropped where the guard is.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Send
    for OwnedRwLockMappedWriteGuard<T, U>
{
}
// SAFETY: as above; shared it gives `&U`.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync
    for OwnedRwLockMappedWriteGuard<T, U>
{
}

impl<T: ?Sized> OwnedRwLockReadGuard<T> {
    /// # Safety
    /// The caller holds one permit and hands it over.
    #[inline]
    pub(super) unsafe fn new(lock: Arc<RwLock<T>>) -> Self {
        let data = lock.value.get();
        OwnedRwLockReadGuard { held: Held::new(lock, 1, Role::READER), data, _marker: PhantomData }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    /// Narrows the guard to a part of the value.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{OwnedRwLockReadGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new((1, "one")));
    /// let name = OwnedRwLockReadGuard::map(lock.try_read_owned().unwrap(), |pair| pair.1);
    /// assert_eq!(&*name, "one");
    /// ```
    #[inline]
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V>
    where
        F: FnOnce(&U) -> &V,
    {
        let data: *const V = f(&*this);
        OwnedRwLockReadGuard { held: this.held, data, _marker: PhantomData }
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
    /// use yamanote::sync::{OwnedRwLockReadGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new(vec![1, 2]));
    /// let guard = lock.try_read_owned().unwrap();
    /// let guard = OwnedRwLockReadGuard::try_map(guard, |v| v.get(5)).unwrap_err();
    /// assert_eq!(*OwnedRwLockReadGuard::try_map(guard, |v| v.get(1)).unwrap(), 2);
    /// ```
    #[inline]
    pub fn try_map<F, V: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        F: FnOnce(&U) -> Option<&V>,
    {
        let data: *const V = match f(&*this) {
            Some(data) => data,
            None => return Err(this),
        };
        Ok(OwnedRwLockReadGuard { held: this.held, data, _marker: PhantomData })
    }

    /// The lock that is held.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{OwnedRwLockReadGuard, RwLock};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new(1));
    /// let guard = lock.clone().read_owned().await;
    /// assert!(Arc::ptr_eq(OwnedRwLockReadGuard::rwlock(&guard), &lock));
    /// # }
    /// ```
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.held.lock
    }
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// # Safety
    /// The caller holds all permits and hands them over.
    #[inline]
    pub(super) unsafe fn new(lock: Arc<RwLock<T>>) -> Self {
        let (data, permits) = (lock.value.get(), lock.max_readers);
        OwnedRwLockWriteGuard {
            held: Held::new(lock, permits, Role::WRITER),
            data,
            _marker: PhantomData,
        }
    }

    /// Narrows the guard to a part of the value.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new((1, "one")));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// *OwnedRwLockWriteGuard::map(guard, |pair| &mut pair.0) = 2;
    /// assert_eq!(lock.try_read().unwrap().0, 2);
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let data: *mut U = f(&mut *this);
        OwnedRwLockMappedWriteGuard { held: this.held, data, _marker: PhantomData }
    }

    /// Narrows the guard to a part of the value and lets readers in, without giving a writer the chance to
    /// come in between.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new((1, "one")));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// let number = OwnedRwLockWriteGuard::downgrade_map(guard, |pair| &pair.0);
    /// assert_eq!((*number, lock.try_read().unwrap().1), (1, "one"));
    /// ```
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let data: *const U = f(&*this);
        OwnedRwLockReadGuard { held: this.held.downgrade(), data, _marker: PhantomData }
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
    /// use yamanote::sync::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new(vec![1, 2]));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// let guard = OwnedRwLockWriteGuard::try_map(guard, |v| v.get_mut(5)).unwrap_err();
    /// *OwnedRwLockWriteGuard::try_map(guard, |v| v.get_mut(1)).unwrap() = 7;
    /// assert_eq!(*lock.try_read().unwrap(), [1, 7]);
    /// ```
    #[inline]
    pub fn try_map<F, U: ?Sized>(mut this: Self, f: F) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let data: *mut U = match f(&mut *this) {
            Some(data) => data,
            None => return Err(this),
        };
        Ok(OwnedRwLockMappedWriteGuard { held: this.held, data, _marker: PhantomData })
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
    /// use std::sync::Arc;
    /// use yamanote::sync::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new(vec![1, 2]));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// let guard = OwnedRwLockWriteGuard::try_downgrade_map(guard, |v| v.get(5)).unwrap_err();
    /// assert!(lock.try_read().is_err());
    /// # drop(guard);
    /// ```
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        let data: *const U = match f(&*this) {
            Some(data) => data,
            None => return Err(this),
        };
        Ok(OwnedRwLockReadGuard { held: this.held.downgrade(), data, _marker: PhantomData })
    }

    /// The guard as one of a part, the part being the whole.
    ///
    /// For code that takes [`OwnedRwLockMappedWriteGuard`]s.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new(vec![1, 2]));
    /// let all: OwnedRwLockMappedWriteGuard<Vec<i32>> =
    ///     OwnedRwLockWriteGuard::into_mapped(lock.clone().write_owned().await);
    /// let mut first = OwnedRwLockMappedWriteGuard::map(all, |list| &mut list[0]);
    /// *first = 7;
    /// drop(first);
    /// assert_eq!(*lock.read().await, [7, 2]);
    /// # }
    /// ```
    #[inline]
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        OwnedRwLockMappedWriteGuard { held: this.held, data: this.data, _marker: PhantomData }
    }

    /// Turns the writer into a reader, without giving another writer the chance to come in between.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::sync::Arc;
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let guard = lock.clone().write_owned().await.downgrade();
    /// assert_eq!((*guard, *lock.read().await), (1, 1));
    /// # }
    /// ```
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard { held: self.held.downgrade(), data: self.data, _marker: PhantomData }
    }

    /// The lock that is held.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new(1));
    /// let guard = lock.clone().write_owned().await;
    /// assert!(Arc::ptr_eq(OwnedRwLockWriteGuard::rwlock(&guard), &lock));
    /// # }
    /// ```
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.held.lock
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// Narrows the guard further.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new(((1, 2), 3)));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// let pair = OwnedRwLockWriteGuard::map(guard, |v| &mut v.0);
    /// *OwnedRwLockMappedWriteGuard::map(pair, |pair| &mut pair.1) = 7;
    /// assert_eq!(*lock.try_read().unwrap(), ((1, 7), 3));
    /// ```
    #[inline]
    pub fn map<F, V: ?Sized>(mut this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        let data: *mut V = f(&mut *this);
        OwnedRwLockMappedWriteGuard { held: this.held, data, _marker: PhantomData }
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
    /// use yamanote::sync::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new(vec![vec![1], vec![]]));
    /// let row = OwnedRwLockWriteGuard::map(lock.write_owned().await, |rows| &mut rows[1]);
    /// // An empty row has no first element: the guard comes back as it was.
    /// let Err(row) = OwnedRwLockMappedWriteGuard::try_map(row, |row| row.first_mut()) else { panic!() };
    /// assert!(row.is_empty());
    /// # }
    /// ```
    #[inline]
    pub fn try_map<F, V: ?Sized>(mut this: Self, f: F) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        let data: *mut V = match f(&mut *this) {
            Some(data) => data,
            None => return Err(this),
        };
        Ok(OwnedRwLockMappedWriteGuard { held: this.held, data, _marker: PhantomData })
    }

    /// The lock that is held.
    ///
    /// An associated function, so that it does not hide a method of the value.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new((1, 2)));
    /// let guard = OwnedRwLockWriteGuard::map(lock.clone().write_owned().await, |pair| &mut pair.0);
    /// assert!(Arc::ptr_eq(OwnedRwLockMappedWriteGuard::rwlock(&guard), &lock));
    /// # }
    /// ```
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.held.lock
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedRwLockReadGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: a permit is held, so nobody writes; `data` points into the value, which is kept alive.
        unsafe { &*self.data }
    }
}

impl<T: ?Sized> Deref for OwnedRwLockWriteGuard<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: all permits are held, and the value is kept alive.
        unsafe { &*self.data }
    }
}

impl<T: ?Sized> DerefMut for OwnedRwLockWriteGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard is borrowed exclusively.
        unsafe { &mut *self.data }
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedRwLockMappedWriteGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: all permits are held; `data` points into the value, which is kept alive.
        unsafe { &*self.data }
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedRwLockMappedWriteGuard<T, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: as in `deref`, and the guard is borrowed exclusively.
        unsafe { &mut *self.data }
    }
}

crate::sync::guard_fmt! {
    impl[T: ?Sized, U: ?Sized] OwnedRwLockReadGuard<T, U> => U;
    impl[T: ?Sized] OwnedRwLockWriteGuard<T> => T;
    impl[T: ?Sized, U: ?Sized] OwnedRwLockMappedWriteGuard<T, U> => U;
}
