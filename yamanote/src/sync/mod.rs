//! Synchronisation between tasks: channels to send values through, and state that tasks share.
//!
//! A task that has to wait here gives its thread to others meanwhile. Nothing in this module depends on
//! the runtime: any executor can drive these futures, and most types have a non-waiting (`try_…`) and a
//! blocking (`blocking_…`) side for code that is not asynchronous.
//!
//! # Which one?
//! To hand values over:
//!
//! | values | producers → consumers | use |
//! |---|---|---|
//! | one | 1 → 1 | [`oneshot`]: the answer to a request |
//! | many, in order | n → 1 | [`mpsc`]: work for a task; a bound gives back-pressure |
//! | many, each to everyone | n → n | [`broadcast`]: events; slow receivers lose the oldest |
//! | the latest only | n → n | [`watch`]: configuration, state to react to |
//!
//! To share state:
//!
//! | need | use |
//! |---|---|
//! | one at a time, across `.await`s | [`Mutex`] (`std`'s is better where no guard lives across one) |
//! | many readers or one writer | [`RwLock`] |
//! | a bounded number at a time | [`Semaphore`] |
//! | a value that is computed once, by whoever comes first | [`OnceCell`] |
//! | a value that is set once, which others wait for | [`SetOnce`] |
//! | a wake-up without a value | [`Notify`] |
//! | a meeting point of *n* tasks | [`Barrier`] |
//!
//! All locks and the semaphore are fair, in the order of the first poll. Waiting takes no allocation: the
//! queues run through the waiting futures. Every future can be dropped while it waits; what it had been
//! given by then goes to the next one in line, so a cancelled task never swallows a permit or a wake-up.

mod barrier;
pub(crate) mod batch_semaphore;
pub mod broadcast;
pub mod mpsc;
mod mutex;
mod notify;
mod once_cell;
pub mod oneshot;
mod rwlock;
mod semaphore;
mod set_once;
pub mod watch;

pub use barrier::{Barrier, BarrierWaitResult};
pub use mutex::{
    MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard, TryLockError,
};
pub use notify::Notify;
pub use once_cell::{OnceCell, SetError};
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError};
pub use set_once::{SetOnce, SetOnceError};

/// Futures that have a name.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}

/// `Debug` and `Display` of guards: those of what they guard.
macro_rules! guard_fmt {
    ($(impl[$($generics:tt)*] $guard:ty => $target:ident;)*) => { $(
        impl<$($generics)*> fmt::Debug for $guard
        where
            $target: fmt::Debug,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }

        impl<$($generics)*> fmt::Display for $guard
        where
            $target: fmt::Display,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&**self, f)
            }
        }
    )* };
}
use guard_fmt;
