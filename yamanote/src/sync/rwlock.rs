//! `RwLock`: a semaphore with as many permits as there may be readers; a writer takes them all.
//!
//! The queue of the semaphore is strict, so a writer that waits holds off later readers, and a reader
//! behind it is not overtaken by later writers: neither kind starves.

mod guard;
mod owned_guard;

use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

pub use guard::{RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard};
pub use owned_guard::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

use super::TryLockError;
use super::batch_semaphore::Semaphore;
use crate::engine::block_on::block_on_thread;
use crate::engine::instrument::{Inherits, Resource};

/// What a lock allows unless it is told otherwise, and the most it can be told. As upstream's, so that a
/// semaphore can count it on every platform.
const MAX_READERS: u32 = u32::MAX >> 3;

/// A value that either many tasks read or one writes, with locks that tasks wait for without blocking
/// their thread.
///
/// Guards may be held across an `.await`. As with [`Mutex`](super::Mutex), the lock of the standard
/// library is faster where none is.
///
/// The lock is fair: turns come in the order in which tasks asked. A writer that waits holds off
/// readers that come after it, even though others are reading at that moment. A task that holds a read
/// guard and asks for a second one can therefore wait for itself, if a writer came in between.
///
/// The lock is not poisoned by panics.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::sync::RwLock;
///
/// let settings = RwLock::new(vec!["a"]);
/// {
///     let one = settings.read().await;
///     let two = settings.read().await;
///     assert_eq!(one.len() + two.len(), 2);
/// }
/// settings.write().await.push("b");
/// assert_eq!(*settings.read().await, ["a", "b"]);
/// # }
/// ```
pub struct RwLock<T: ?Sized> {
    max_readers: u32,
    resource: Resource,
    semaphore: Semaphore,
    value: UnsafeCell<T>,
}

// SAFETY: as for a reader-writer lock anywhere: readers share the value between threads, hence `Sync`, and
// a writer may take it out and another put it in, hence `Send`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

#[track_caller]
const fn assert_readers(max_readers: u32) {
    assert!(max_readers != 0, "a RwLock may not be created with 0 readers");
    assert!(
        max_readers <= MAX_READERS,
        "a RwLock may not be created with more than u32::MAX >> 3 readers"
    );
}

impl<T: ?Sized> RwLock<T> {
    /// An unlocked lock, for up to `u32::MAX >> 3` readers at a time.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = RwLock::new(5);
    /// assert_eq!(*lock.try_read().unwrap(), 5);
    /// ```
    #[track_caller]
    pub fn new(value: T) -> RwLock<T>
    where
        T: Sized,
    {
        RwLock::with_max_readers(value, MAX_READERS)
    }

    /// An unlocked lock, for up to `max_readers` at a time; further ones wait.
    ///
    /// # Panics
    /// If `max_readers` is 0 or more than `u32::MAX >> 3`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = RwLock::with_max_readers(5, 1);
    /// let reader = lock.try_read().unwrap();
    /// assert!(lock.try_read().is_err());
    /// # drop(reader);
    /// ```
    #[track_caller]
    pub fn with_max_readers(value: T, max_readers: u32) -> RwLock<T>
    where
        T: Sized,
    {
        assert_readers(max_readers);
        let (resource, semaphore) =
            Resource::rwlock(max_readers, || Semaphore::new(max_readers as usize));
        RwLock { max_readers, resource, semaphore, value: UnsafeCell::new(value) }
    }

    /// As [`new`](Self::new), for statics and constants.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::RwLock;
    ///
    /// static LEVEL: RwLock<u8> = RwLock::const_new(3);
    /// assert_eq!(*LEVEL.try_read().unwrap(), 3);
    /// ```
    #[cfg(not(loom))]
    pub const fn const_new(value: T) -> RwLock<T>
    where
        T: Sized,
    {
        RwLock::const_with_max_readers(value, MAX_READERS)
    }

    /// As [`with_max_readers`](Self::with_max_readers), for statics and constants.
    ///
    /// # Panics
    /// If `max_readers` is 0 or more than `u32::MAX >> 3`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::RwLock;
    ///
    /// static LEVEL: RwLock<u8> = RwLock::const_with_max_readers(3, 1024);
    /// assert_eq!(*LEVEL.try_read().unwrap(), 3);
    /// ```
    #[cfg(not(loom))]
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_readers: u32) -> RwLock<T>
    where
        T: Sized,
    {
        assert_readers(max_readers);
        RwLock {
            max_readers,
            resource: Resource::none(),
            semaphore: Semaphore::const_new(max_readers as usize),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for permits, as the method `source`.
    #[inline]
    fn operation(&self, source: &'static str, permits: u32) -> impl Future<Output = ()> {
        self.resource.operation(source, "poll", Inherits::No, move || self.acquire(permits))
    }

    #[inline]
    async fn acquire(&self, permits: u32) {
        if self.semaphore.acquire(permits as usize).await.is_err() {
            unreachable!("a lock is never closed");
        }
    }

    #[inline]
    fn try_acquire(&self, permits: u32) -> Result<(), TryLockError> {
        self.semaphore.try_acquire(permits as usize).map_err(|_| TryLockError(()))
    }

    /// Locks for reading, waiting in line until no writer holds the lock or came earlier.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future but the place in the line.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let reader = lock.read().await;
    /// assert!(lock.try_read().is_ok());
    /// assert!(lock.try_write().is_err());
    /// # drop(reader);
    /// # }
    /// ```
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        self.operation("RwLock::read", 1).await;
        // SAFETY: the permit is held.
        unsafe { RwLockReadGuard::new(self) }
    }

    /// As [`read`](Self::read), for threads outside of the runtime: blocks the thread.
    ///
    /// # Panics
    /// Inside an asynchronous context.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// assert_eq!(*lock.blocking_read(), 1);
    /// ```
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        block_on_thread(self.read())
    }

    /// As [`read`](Self::read), with a guard that keeps the lock alive.
    ///
    /// # Cancel safety
    /// As for [`read`](Self::read).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::sync::Arc;
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let reader = lock.clone().read_owned().await;
    /// assert_eq!(yamanote::spawn(async move { *reader }).await.unwrap(), 1);
    /// # }
    /// ```
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        self.operation("RwLock::read_owned", 1).await;
        // SAFETY: the permit is held.
        unsafe { OwnedRwLockReadGuard::new(self) }
    }

    /// Locks for reading if that is possible at once.
    ///
    /// # Errors
    /// If a writer holds the lock or waits for it, or as many read as may.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let writer = lock.try_write().unwrap();
    /// assert!(lock.try_read().is_err());
    /// drop(writer);
    /// assert!(lock.try_read().is_ok());
    /// ```
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        self.try_acquire(1)?;
        // SAFETY: the permit is held.
        Ok(unsafe { RwLockReadGuard::new(self) })
    }

    /// As [`try_read`](Self::try_read), with a guard that keeps the lock alive.
    ///
    /// # Errors
    /// As for [`try_read`](Self::try_read).
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let reader = lock.clone().try_read_owned().unwrap();
    /// assert!(lock.try_write().is_err());
    /// # drop(reader);
    /// ```
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        self.try_acquire(1)?;
        // SAFETY: the permit is held.
        Ok(unsafe { OwnedRwLockReadGuard::new(self) })
    }

    /// Locks for writing, waiting in line until nobody else holds the lock.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future but the place in the line.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// *lock.write().await = 2;
    /// assert_eq!(*lock.read().await, 2);
    /// # }
    /// ```
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.operation("RwLock::write", self.max_readers).await;
        // SAFETY: all permits are held.
        unsafe { RwLockWriteGuard::new(self) }
    }

    /// As [`write`](Self::write), for threads outside of the runtime: blocks the thread.
    ///
    /// # Panics
    /// Inside an asynchronous context.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// *lock.blocking_write() = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        block_on_thread(self.write())
    }

    /// As [`write`](Self::write), with a guard that keeps the lock alive.
    ///
    /// # Cancel safety
    /// As for [`write`](Self::write).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::sync::Arc;
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let mut writer = lock.clone().write_owned().await;
    /// yamanote::spawn(async move { *writer = 2 }).await.unwrap();
    /// assert_eq!(*lock.read().await, 2);
    /// # }
    /// ```
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        self.operation("RwLock::write_owned", self.max_readers).await;
        // SAFETY: all permits are held.
        unsafe { OwnedRwLockWriteGuard::new(self) }
    }

    /// Locks for writing if that is possible at once.
    ///
    /// # Errors
    /// If anybody holds the lock or waits for it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let reader = lock.try_read().unwrap();
    /// assert!(lock.try_write().is_err());
    /// drop(reader);
    /// assert!(lock.try_write().is_ok());
    /// ```
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        self.try_acquire(self.max_readers)?;
        // SAFETY: all permits are held.
        Ok(unsafe { RwLockWriteGuard::new(self) })
    }

    /// As [`try_write`](Self::try_write), with a guard that keeps the lock alive.
    ///
    /// # Errors
    /// As for [`try_write`](Self::try_write).
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::RwLock;
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let writer = lock.clone().try_write_owned().unwrap();
    /// assert!(lock.try_write_owned().is_err());
    /// # drop(writer);
    /// ```
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        self.try_acquire(self.max_readers)?;
        // SAFETY: all permits are held.
        Ok(unsafe { OwnedRwLockWriteGuard::new(self) })
    }

    /// The value, without locking: the exclusive borrow is proof that nobody else has access.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::RwLock;
    ///
    /// let mut lock = RwLock::new(1);
    /// *lock.get_mut() = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value; the lock is gone.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::RwLock;
    ///
    /// assert_eq!(RwLock::new(3).into_inner(), 3);
    /// ```
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.value.into_inner()
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => d.field("data", &&*guard),
            Err(_) => d.field("data", &format_args!("<locked>")),
        };
        d.finish()
    }
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

    type Shared = crate::loom::sync::Arc<RwLock<Checked<i32>>>;

    fn shared() -> Shared {
        crate::loom::sync::Arc::new(RwLock::with_max_readers(Checked::new(0), 4))
    }

    fn add(value: &Checked<i32>) {
        // SAFETY: under the write lock that is being checked.
        value.with_mut(|n| unsafe { *n += 1 });
    }

    fn get(value: &Checked<i32>) -> i32 {
        // SAFETY: under the lock that is being checked.
        value.with(|n| unsafe { *n })
    }

    #[test]
    fn writers_exclude_readers() {
        model(|| {
            let lock = shared();
            let writers: Vec<_> = (0..2)
                .map(|_| {
                    let lock = lock.clone();
                    thread::spawn(move || add(&block_on(lock.write())))
                })
                .collect();
            let before = get(&block_on(lock.read()));
            for w in writers {
                w.join().unwrap();
            }
            assert!(before <= 2);
            assert_eq!(get(&lock.try_read().unwrap()), 2);
        });
    }

    #[test]
    fn downgraded_writer_lets_readers_in_but_no_writer() {
        model(|| {
            let lock = shared();
            let writer = {
                let lock = lock.clone();
                thread::spawn(move || add(&block_on(lock.write())))
            };
            let guard = block_on(lock.write());
            let before = get(&guard);
            add(&guard);
            let guard = guard.downgrade();
            assert_eq!(get(&guard), before + 1);
            drop(guard);
            writer.join().unwrap();
            assert_eq!(get(&lock.try_write().unwrap()), 2);
        });
    }

    /// A writer that had gathered some of the readers' permits gives up: everybody goes on.
    #[test]
    fn abandoned_writer() {
        model(|| {
            let lock = shared();
            let reader = {
                let lock = lock.clone();
                thread::spawn(move || get(&block_on(lock.read())))
            };
            let writer = {
                let lock = lock.clone();
                thread::spawn(move || {
                    let mut write = pin!(lock.write());
                    let _ = write.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                })
            };
            add(&block_on(lock.write()));
            reader.join().unwrap();
            writer.join().unwrap();
            assert_eq!(get(&lock.try_write().unwrap()), 1);
        });
    }
}
