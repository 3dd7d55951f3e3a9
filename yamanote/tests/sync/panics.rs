//! Where calls panic, and that the caller is blamed.

use crate::support::{current_thread, panic_file};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use yamanote::sync::{Mutex, RwLock, Semaphore};

#[track_caller]
fn blames_us(f: impl FnOnce()) {
    assert_eq!(panic_file(AssertUnwindSafe(f)), file!());
}

#[test]
fn blocking_in_an_asynchronous_context() {
    fn inside(f: impl FnOnce()) {
        current_thread().block_on(async { f() });
    }
    let mutex = Arc::new(Mutex::new(()));
    let lock = RwLock::new(());
    let semaphore = Arc::new(Semaphore::new(1));
    blames_us(|| inside(|| drop(mutex.blocking_lock())));
    blames_us(|| inside(|| drop(mutex.clone().blocking_lock_owned())));
    blames_us(|| inside(|| drop(lock.blocking_read())));
    blames_us(|| inside(|| drop(lock.blocking_write())));
    blames_us(|| inside(|| drop(semaphore.blocking_acquire())));
    blames_us(|| inside(|| drop(semaphore.blocking_acquire_many(1))));
    blames_us(|| inside(|| drop(semaphore.clone().blocking_acquire_owned())));
    blames_us(|| inside(|| drop(semaphore.clone().blocking_acquire_many_owned(1))));
    assert!(mutex.try_lock().is_ok() && lock.try_write().is_ok());
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn limits() {
    const MAX: usize = Semaphore::MAX_PERMITS;
    blames_us(|| drop(Semaphore::new(MAX + 1)));
    blames_us(|| drop(Semaphore::const_new(MAX + 1)));
    blames_us(|| Semaphore::new(MAX).add_permits(1));
    blames_us(|| drop(RwLock::with_max_readers((), 0)));
    blames_us(|| drop(RwLock::const_with_max_readers((), 0)));
    blames_us(|| drop(RwLock::with_max_readers((), (u32::MAX >> 3) + 1)));
}

#[test]
fn foreign_permits() {
    let (a, b) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1)));
    blames_us(|| a.try_acquire().unwrap().merge(b.try_acquire().unwrap()));
    blames_us(|| {
        let (mut one, two) = (a.clone().try_acquire_owned().unwrap(), b.clone().try_acquire_owned());
        one.merge(two.unwrap());
    });
    assert_eq!((a.available_permits(), b.available_permits()), (1, 1));
}
