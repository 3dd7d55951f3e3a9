//! Locks and condition variables that block simulated threads only.

pub mod atomic;

mod condvar;
mod mutex;
mod once;
mod rwlock;

// The barrier is real: for tests that are compiled along, and not simulated.
pub use ::std::sync::{Arc, Barrier, LockResult, PoisonError, TryLockError, TryLockResult, Weak, mpsc};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use once::{LazyLock, Once, OnceLock};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
