//! `Semaphore`: the public face of the fair semaphore, whose permits release themselves.
//!
//! All waiting is done by [`batch_semaphore`](super::batch_semaphore); here is who owns which permits.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::batch_semaphore as ll;
use crate::engine::block_on::block_on_thread;
use crate::engine::instrument::{Inherits, Resource};

/// A counter of permits that tasks take, hold and give back, and wait for when there are none.
///
/// Bounds how many tasks do something at a time, how many requests are on the wire, how many buffers
/// are in use. Permits come back when their guard is dropped.
///
/// The semaphore is *fair*: permits go to who asked first. That also holds for
/// [`acquire_many`](Self::acquire_many): while the first in line waits for many permits, later callers
/// that want only one wait too, even if there are some free.
///
/// What happened before a permit was given back (or added) happens before whatever its next owner does
/// after it acquired it.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use yamanote::sync::Semaphore;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// // At most two downloads at a time.
/// let downloads = Arc::new(Semaphore::new(2));
/// let mut tasks = Vec::new();
/// for page in 0..5 {
///     let permit = downloads.clone().acquire_owned().await.unwrap();
///     tasks.push(yamanote::spawn(async move {
///         let _permit = permit; // held until the task ends
///         page * 10
///     }));
/// }
/// let mut sum = 0;
/// for task in tasks {
///     sum += task.await.unwrap();
/// }
/// assert_eq!(sum, 100);
/// # }
/// ```
///
/// Used as a token bucket, permits are [forgotten](SemaphorePermit::forget) when they are used and
/// [added](Self::add_permits) as time goes by:
///
/// ```
/// use yamanote::sync::Semaphore;
///
/// let tokens = Semaphore::new(1);
/// tokens.try_acquire().unwrap().forget();
/// assert!(tokens.try_acquire().is_err());
/// tokens.add_permits(1); // a timer would do this
/// assert!(tokens.try_acquire().is_ok());
/// ```
#[derive(Debug)]
pub struct Semaphore {
    inner: ll::Semaphore,
    resource: Resource,
}

/// Permits of a [`Semaphore`], given back on drop.
///
/// From [`Semaphore::acquire`] and its kin.
#[must_use]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

/// Permits of a [`Semaphore`] in an [`Arc`], given back on drop.
///
/// From [`Semaphore::acquire_owned`] and its kin; it can move to other tasks.
#[must_use]
#[derive(Debug)]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    permits: usize,
}

/// The semaphore was [closed](Semaphore::close), so a permit cannot be had any more.
///
/// # Examples
/// ```
/// use yamanote::sync::Semaphore;
///
/// let semaphore = Semaphore::new(1);
/// semaphore.close();
/// assert_eq!(semaphore.blocking_acquire().unwrap_err().to_string(), "semaphore closed");
/// ```
#[derive(Debug)]
pub struct AcquireError(());

/// Why an attempt to take permits at once failed.
///
/// # Examples
/// ```
/// use yamanote::sync::{Semaphore, TryAcquireError};
///
/// let semaphore = Semaphore::new(0);
/// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
/// semaphore.close();
/// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
/// ```
#[derive(Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore is [closed](Semaphore::close).
    Closed,
    /// Not enough permits are free.
    NoPermits,
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("semaphore closed")
    }
}

impl Error for AcquireError {}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryAcquireError::Closed => "semaphore closed",
            TryAcquireError::NoPermits => "no permits available",
        })
    }
}

impl Error for TryAcquireError {}

impl From<ll::Closed> for AcquireError {
    fn from(_: ll::Closed) -> Self {
        AcquireError(())
    }
}

impl From<ll::TryAcquire> for TryAcquireError {
    fn from(error: ll::TryAcquire) -> Self {
        match error {
            ll::TryAcquire::Closed => TryAcquireError::Closed,
            ll::TryAcquire::NoPermits => TryAcquireError::NoPermits,
        }
    }
}

#[track_caller]
fn to_usize(n: u32) -> usize {
    usize::try_from(n).expect("more permits than MAX_PERMITS")
}

impl Semaphore {
    /// The most permits a semaphore can have: `usize::MAX >> 3`.
    pub const MAX_PERMITS: usize = ll::Semaphore::MAX_PERMITS;

    /// A semaphore with so many permits.
    ///
    /// # Panics
    /// If `permits` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// let places = Semaphore::new(2);
    /// assert_eq!(places.available_permits(), 2);
    /// ```
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        // Here, where the caller is known.
        ll::assert_permits(permits);
        let (resource, inner) = Resource::semaphore(|| ll::Semaphore::new(permits));
        Semaphore { inner, resource }
    }

    /// As [`new`](Self::new), for statics and constants.
    ///
    /// # Panics
    /// If `permits` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// static CONNECTIONS: Semaphore = Semaphore::const_new(100);
    /// assert_eq!(CONNECTIONS.available_permits(), 100);
    /// ```
    #[cfg(not(loom))]
    #[track_caller]
    pub const fn const_new(permits: usize) -> Self {
        Semaphore { inner: ll::Semaphore::const_new(permits), resource: Resource::none() }
    }

    /// How many permits are free at this moment.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let places = Semaphore::new(3);
    /// let permit = places.acquire().await.unwrap();
    /// assert_eq!(places.available_permits(), 2);
    /// drop(permit);
    /// assert_eq!(places.available_permits(), 3);
    /// # }
    /// ```
    pub fn available_permits(&self) -> usize {
        self.inner.available_permits()
    }

    /// Adds `n` permits; waiting tasks get them first.
    ///
    /// # Panics
    /// If the semaphore would have more than [`MAX_PERMITS`](Self::MAX_PERMITS) free.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let semaphore = Semaphore::new(0);
    /// assert!(semaphore.try_acquire().is_err());
    /// semaphore.add_permits(2);
    /// assert!(semaphore.try_acquire_many(2).is_ok());
    /// # }
    /// ```
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.inner.release(n);
    }

    /// Removes up to `n` of the free permits and tells how many it were. Permits that are held or that
    /// somebody in line was promised are not touched.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Semaphore::new(3);
    /// let held = slots.try_acquire().unwrap();
    /// assert_eq!(slots.forget_permits(10), 2);
    /// drop(held);
    /// assert_eq!(slots.available_permits(), 1);
    /// ```
    pub fn forget_permits(&self, n: usize) -> usize {
        self.inner.forget_permits(n)
    }

    /// Takes one permit, waiting in line until there is one.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future but the place in the line.
    ///
    /// # Errors
    /// If the semaphore is [closed](Self::close), before or while waiting.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Semaphore::new(2);
    /// let one = slots.acquire().await.unwrap();
    /// let two = slots.acquire().await.unwrap();
    /// assert_eq!(slots.available_permits(), 0);
    /// drop((one, two));
    /// assert_eq!(slots.available_permits(), 2);
    /// # }
    /// ```
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.operation("Semaphore::acquire", 1).await?;
        Ok(SemaphorePermit { semaphore: self, permits: 1 })
    }

    /// Takes `n` permits together, waiting in line until they are there.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future but the place in the line; permits already set aside for it
    /// go to who is next.
    ///
    /// # Panics
    /// If `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Errors
    /// If the semaphore is [closed](Self::close), before or while waiting.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::Semaphore;
    ///
    /// let kilobytes = Semaphore::new(64);
    /// let upload = kilobytes.acquire_many(48).await.unwrap();
    /// assert_eq!(upload.num_permits(), 48);
    /// assert_eq!(kilobytes.available_permits(), 16);
    /// # }
    /// ```
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        let permits = to_usize(n);
        self.operation("Semaphore::acquire_many", permits).await?;
        Ok(SemaphorePermit { semaphore: self, permits })
    }

    /// Takes one permit if there is one.
    ///
    /// # Errors
    /// [`Closed`](TryAcquireError::Closed) after [`close`](Self::close),
    /// [`NoPermits`](TryAcquireError::NoPermits) if none is free.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::{Semaphore, TryAcquireError};
    ///
    /// let slots = Semaphore::new(1);
    /// let permit = slots.try_acquire().unwrap();
    /// assert_eq!(slots.try_acquire().err(), Some(TryAcquireError::NoPermits));
    /// drop(permit);
    /// slots.close();
    /// assert_eq!(slots.try_acquire().err(), Some(TryAcquireError::Closed));
    /// ```
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.inner.try_acquire(1)?;
        Ok(SemaphorePermit { semaphore: self, permits: 1 })
    }

    /// Takes `n` permits if they are there.
    ///
    /// # Panics
    /// If `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Errors
    /// As for [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Semaphore::new(4);
    /// let three = slots.try_acquire_many(3).unwrap();
    /// assert!(slots.try_acquire_many(2).is_err());
    /// # drop(three);
    /// ```
    #[track_caller]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        let permits = to_usize(n);
        self.inner.try_acquire(permits)?;
        Ok(SemaphorePermit { semaphore: self, permits })
    }

    /// As [`acquire`](Self::acquire), with a permit that keeps the semaphore alive.
    ///
    /// # Cancel safety
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Arc::new(Semaphore::new(1));
    /// let permit = slots.clone().acquire_owned().await.unwrap();
    /// yamanote::spawn(async move { drop(permit) }).await.unwrap();
    /// assert_eq!(slots.available_permits(), 1);
    /// # }
    /// ```
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.operation("Semaphore::acquire_owned", 1).await?;
        Ok(OwnedSemaphorePermit { semaphore: self, permits: 1 })
    }

    /// As [`acquire_many`](Self::acquire_many), with permits that keep the semaphore alive.
    ///
    /// # Cancel safety
    /// As for [`acquire_many`](Self::acquire_many).
    ///
    /// # Panics
    /// As for [`acquire_many`](Self::acquire_many).
    ///
    /// # Errors
    /// As for [`acquire_many`](Self::acquire_many).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Arc::new(Semaphore::new(5));
    /// let permits = slots.clone().acquire_many_owned(4).await.unwrap();
    /// assert_eq!((permits.num_permits(), slots.available_permits()), (4, 1));
    /// # }
    /// ```
    pub async fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        let permits = to_usize(n);
        self.operation("Semaphore::acquire_many_owned", permits).await?;
        Ok(OwnedSemaphorePermit { semaphore: self, permits })
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// As for [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Arc::new(Semaphore::new(1));
    /// let permit = slots.clone().try_acquire_owned().unwrap();
    /// assert!(Arc::ptr_eq(permit.semaphore(), &slots));
    /// ```
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.inner.try_acquire(1)?;
        Ok(OwnedSemaphorePermit { semaphore: self, permits: 1 })
    }

    /// As [`try_acquire_many`](Self::try_acquire_many), with permits that keep the semaphore alive.
    ///
    /// # Panics
    /// As for [`try_acquire_many`](Self::try_acquire_many).
    ///
    /// # Errors
    /// As for [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Arc::new(Semaphore::new(3));
    /// assert!(slots.clone().try_acquire_many_owned(4).is_err());
    /// assert!(slots.try_acquire_many_owned(3).is_ok());
    /// ```
    #[track_caller]
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        let permits = to_usize(n);
        self.inner.try_acquire(permits)?;
        Ok(OwnedSemaphorePermit { semaphore: self, permits })
    }

    /// As [`acquire`](Self::acquire), for threads outside of the runtime: blocks the thread.
    ///
    /// # Panics
    /// Inside an asynchronous context.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Semaphore::new(1);
    /// std::thread::scope(|s| {
    ///     s.spawn(|| drop(slots.blocking_acquire().unwrap()));
    ///     s.spawn(|| drop(slots.blocking_acquire().unwrap()));
    /// });
    /// assert_eq!(slots.available_permits(), 1);
    /// ```
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on_thread(self.acquire())
    }

    /// As [`acquire_many`](Self::acquire_many), for threads outside of the runtime: blocks the thread.
    ///
    /// # Panics
    /// Inside an asynchronous context, or if `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(3);
    /// let permit = semaphore.blocking_acquire_many(2).unwrap();
    /// assert_eq!(permit.num_permits(), 2);
    /// ```
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on_thread(self.acquire_many(n))
    }

    /// As [`acquire_owned`](Self::acquire_owned), for threads outside of the runtime: blocks the thread.
    ///
    /// # Panics
    /// Inside an asynchronous context.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// let places = Arc::new(Semaphore::new(1));
    /// let permit = places.clone().blocking_acquire_owned().unwrap();
    /// // It can go to another thread, and comes back from there.
    /// std::thread::spawn(move || drop(permit)).join().unwrap();
    /// assert_eq!(places.available_permits(), 1);
    /// ```
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on_thread(self.acquire_owned())
    }

    /// As [`acquire_many_owned`](Self::acquire_many_owned), for threads outside of the runtime: blocks the
    /// thread.
    ///
    /// # Panics
    /// Inside an asynchronous context, or if `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// let places = Arc::new(Semaphore::new(3));
    /// let permit = places.clone().blocking_acquire_many_owned(2).unwrap();
    /// assert_eq!(places.available_permits(), 1);
    /// # drop(permit);
    /// ```
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on_thread(self.acquire_many_owned(n))
    }

    /// Closes the semaphore: nobody gets a permit any more, and all who wait are woken with an error.
    ///
    /// Permits that are held stay valid.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Arc::new(Semaphore::new(0));
    /// let waiting = yamanote::spawn(slots.clone().acquire_owned());
    /// slots.close();
    /// assert!(waiting.await.unwrap().is_err());
    /// # }
    /// ```
    pub fn close(&self) {
        self.inner.close();
    }

    /// Whether [`close`](Self::close) was called.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(1);
    /// assert!(!semaphore.is_closed());
    /// semaphore.close();
    /// assert!(semaphore.is_closed());
    /// assert!(semaphore.try_acquire().is_err());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Waits for permits, as the method `source`.
    #[inline]
    fn operation(
        &self,
        source: &'static str,
        permits: usize,
    ) -> impl Future<Output = Result<(), ll::Closed>> {
        self.resource.operation(source, "poll", Inherits::Yes, || self.inner.acquire(permits))
    }
}

impl<'a> SemaphorePermit<'a> {
    /// Lets go of the permits without giving them back: the semaphore has fewer from now on.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Semaphore::new(3);
    /// slots.try_acquire_many(2).unwrap().forget();
    /// assert_eq!(slots.available_permits(), 1);
    /// ```
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Adds the permits of `other` to this guard.
    ///
    /// # Panics
    /// If they are of another semaphore.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Semaphore::new(3);
    /// let mut permits = slots.try_acquire().unwrap();
    /// permits.merge(slots.try_acquire_many(2).unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// ```
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            std::ptr::eq(self.semaphore, other.semaphore),
            "merging permits from different semaphore instances"
        );
        self.permits += std::mem::take(&mut other.permits);
    }

    /// Moves `n` of the permits to a guard of their own; `None` if there are not so many.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Semaphore::new(3);
    /// let mut permits = slots.try_acquire_many(3).unwrap();
    /// drop(permits.split(2).unwrap());
    /// assert_eq!((permits.num_permits(), slots.available_permits()), (1, 2));
    /// assert!(permits.split(2).is_none());
    /// ```
    pub fn split(&mut self, n: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(n)?;
        Some(SemaphorePermit { semaphore: self.semaphore, permits: n })
    }

    /// How many permits this guard holds.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let semaphore = Semaphore::new(5);
    /// let permit = semaphore.acquire_many(3).await.unwrap();
    /// assert_eq!(permit.num_permits(), 3);
    /// # }
    /// ```
    pub fn num_permits(&self) -> usize {
        self.permits
    }

    /// The semaphore that the permits are of.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Semaphore;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let semaphore = Semaphore::new(5);
    /// let permit = semaphore.acquire().await.unwrap();
    /// assert_eq!(permit.semaphore().available_permits(), 4);
    /// # }
    /// ```
    pub fn semaphore(&self) -> &Semaphore {
        self.semaphore
    }
}

impl OwnedSemaphorePermit {
    /// Lets go of the permits without giving them back: the semaphore has fewer from now on.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Arc::new(Semaphore::new(3));
    /// slots.clone().try_acquire_many_owned(2).unwrap().forget();
    /// assert_eq!(slots.available_permits(), 1);
    /// ```
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Adds the permits of `other` to this guard.
    ///
    /// # Panics
    /// If they are of another semaphore.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Arc::new(Semaphore::new(3));
    /// let mut permits = slots.clone().try_acquire_owned().unwrap();
    /// permits.merge(slots.try_acquire_owned().unwrap());
    /// assert_eq!(permits.num_permits(), 2);
    /// ```
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            Arc::ptr_eq(&self.semaphore, &other.semaphore),
            "merging permits from different semaphore instances"
        );
        self.permits += std::mem::take(&mut other.permits);
    }

    /// Moves `n` of the permits to a guard of their own; `None` if there are not so many.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// let slots = Arc::new(Semaphore::new(3));
    /// let mut permits = slots.clone().try_acquire_many_owned(3).unwrap();
    /// let one = permits.split(1).unwrap();
    /// assert_eq!((permits.num_permits(), one.num_permits()), (2, 1));
    /// ```
    pub fn split(&mut self, n: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(n)?;
        Some(OwnedSemaphorePermit { semaphore: Arc::clone(&self.semaphore), permits: n })
    }

    /// How many permits this guard holds.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let semaphore = Arc::new(Semaphore::new(5));
    /// let permit = semaphore.acquire_many_owned(3).await.unwrap();
    /// assert_eq!(permit.num_permits(), 3);
    /// # }
    /// ```
    pub fn num_permits(&self) -> usize {
        self.permits
    }

    /// The semaphore that the permits are of.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use yamanote::sync::Semaphore;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let semaphore = Arc::new(Semaphore::new(5));
    /// let permit = semaphore.clone().acquire_owned().await.unwrap();
    /// assert!(Arc::ptr_eq(permit.semaphore(), &semaphore));
    /// # }
    /// ```
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}

impl Drop for SemaphorePermit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.inner.release(self.permits);
    }
}

impl Drop for OwnedSemaphorePermit {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.inner.release(self.permits);
    }
}
