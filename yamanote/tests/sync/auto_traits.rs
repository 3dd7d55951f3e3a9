//! `Send`, `Sync`, `Unpin` and unwind safety.

use std::panic::{RefUnwindSafe, UnwindSafe};
use yamanote::sync::{
    Barrier, MappedMutexGuard, Mutex, MutexGuard, Notify, OnceCell, OwnedMappedMutexGuard,
    OwnedMutexGuard, OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard,
    OwnedSemaphorePermit, RwLock, RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard, Semaphore,
    SemaphorePermit, SetOnce,
};

type Cell = std::cell::Cell<u8>; // Send, not Sync
type Rc = std::rc::Rc<u8>; // neither

/// Whether a type has a trait, without a bound that fails to compile: an inherent constant shadows that of
/// a blanket trait where its condition holds.
macro_rules! has {
    ($t:ty: $($bound:tt)+) => {{
        #[allow(dead_code)]
        trait No {
            const ANSWER: bool = false;
        }
        impl<T: ?Sized> No for T {}
        #[allow(dead_code)]
        struct Yes<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: ?Sized + $($bound)+> Yes<T> {
            const ANSWER: bool = true;
        }
        <Yes<$t>>::ANSWER
    }};
}

macro_rules! send_sync {
    ($($t:ty: $send:literal $sync:literal;)*) => { $(
        assert_eq!(has!($t: Send), $send, "Send for {}", stringify!($t));
        assert_eq!(has!($t: Sync), $sync, "Sync for {}", stringify!($t));
        assert!(has!($t: Unpin), "Unpin for {}", stringify!($t));
    )* };
}

#[test]
fn send_and_sync() {
    send_sync! {
        Barrier: true true;
        Notify: true true;
        Semaphore: true true;
        SemaphorePermit<'static>: true true;
        OwnedSemaphorePermit: true true;
        Mutex<u8>: true true;
        Mutex<Cell>: true true;
        Mutex<Rc>: false false;
        MutexGuard<'static, Cell>: true false;
        MutexGuard<'static, Rc>: false false;
        OwnedMutexGuard<Cell>: true false;
        OwnedMutexGuard<Rc>: false false;
        MappedMutexGuard<'static, Cell>: true false;
        MappedMutexGuard<'static, Rc>: false false;
        OwnedMappedMutexGuard<u8, Cell>: true false;
        OwnedMappedMutexGuard<Cell, u8>: true false;
        OwnedMappedMutexGuard<u8, Rc>: false false;
        OwnedMappedMutexGuard<Rc, u8>: false false;
        OwnedMappedMutexGuard<u8, u8>: true true;
        RwLock<u8>: true true;
        RwLock<Cell>: true false;
        RwLock<Rc>: false false;
        RwLockReadGuard<'static, u8>: true true;
        RwLockReadGuard<'static, Cell>: false false;
        RwLockWriteGuard<'static, u8>: true true;
        RwLockWriteGuard<'static, Cell>: false false;
        RwLockMappedWriteGuard<'static, u8>: true true;
        RwLockMappedWriteGuard<'static, Cell>: false false;
        OwnedRwLockReadGuard<u8>: true true;
        OwnedRwLockReadGuard<Cell, u8>: false false;
        OwnedRwLockReadGuard<u8, Cell>: false false;
        OwnedRwLockWriteGuard<u8>: true true;
        OwnedRwLockWriteGuard<Cell>: false false;
        OwnedRwLockMappedWriteGuard<u8, u8>: true true;
        OwnedRwLockMappedWriteGuard<Cell, u8>: false false;
        OwnedRwLockMappedWriteGuard<u8, Cell>: false false;
        OnceCell<u8>: true true;
        OnceCell<Cell>: true false;
        OnceCell<Rc>: false false;
        SetOnce<u8>: true true;
        SetOnce<Cell>: true false;
        SetOnce<Rc>: false false;
    }
}

#[test]
fn futures() {
    fn send_sync<T: Send + Sync>(_: impl FnOnce(&'static ()) -> T) {}
    send_sync(|_| async {
        Barrier::new(1).wait().await;
    });
    send_sync(|_| Box::leak(Box::new(Mutex::new(Cell::new(0)))).lock());
    send_sync(|_| Box::leak(Box::new(RwLock::new(0))).write());
    send_sync(|_| Box::leak(Box::new(Semaphore::new(0))).acquire());
    send_sync(|_| Box::leak(Box::new(SetOnce::<u8>::new())).wait());
    send_sync(|_| Box::leak(Box::new(Notify::new())).notified());
    assert!(!has!(yamanote::sync::futures::Notified<'static>: Unpin));
    assert!(!has!(yamanote::sync::futures::OwnedNotified: Unpin));
}

#[test]
fn unwind_safety() {
    assert!(has!(Notify: UnwindSafe + RefUnwindSafe));
    assert!(!has!(Semaphore: UnwindSafe) && !has!(Semaphore: RefUnwindSafe));
    assert!(!has!(Mutex<u8>: UnwindSafe) && !has!(Mutex<u8>: RefUnwindSafe));
    assert!(!has!(RwLock<u8>: UnwindSafe) && !has!(RwLock<u8>: RefUnwindSafe));
    assert!(!has!(OnceCell<u8>: UnwindSafe) && !has!(Barrier: UnwindSafe));
    assert!(has!(SetOnce<u8>: UnwindSafe) && !has!(SetOnce<u8>: RefUnwindSafe));
}
