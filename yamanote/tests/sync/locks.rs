//! `Semaphore`, `Mutex`, `RwLock`.

use crate::support::{current_thread, hand};
use std::sync::Arc;
use yamanote::sync::{
    Mutex, MutexGuard, OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockWriteGuard, Semaphore, TryAcquireError,
};

#[test]
fn semaphore_serves_in_order() {
    let semaphore = Semaphore::new(1);
    let held = semaphore.try_acquire().unwrap();
    let mut first = hand(semaphore.acquire_many(2));
    let mut second = hand(semaphore.acquire());
    assert!(first.is_pending() && second.is_pending());
    drop(held);
    assert!(!first.is_woken() && !second.is_woken());
    semaphore.add_permits(1);
    assert!(first.is_woken() && !second.is_woken());
    let permits = first.ready().unwrap();
    assert_eq!(semaphore.try_acquire().err(), Some(TryAcquireError::NoPermits));
    drop(permits);
    assert!(second.ready().is_ok());
}

#[test]
fn semaphore_permits_come_apart_and_together() {
    let semaphore = Arc::new(Semaphore::new(10));
    let mut permits = semaphore.try_acquire_many(7).unwrap();
    let mut three = permits.split(3).unwrap();
    assert!(three.split(4).is_none());
    assert_eq!((permits.num_permits(), three.num_permits()), (4, 3));
    permits.merge(three.split(2).unwrap());
    drop(three);
    assert_eq!(semaphore.available_permits(), 4);
    permits.forget();
    assert_eq!(semaphore.available_permits(), 4);

    let mut owned = semaphore.clone().try_acquire_many_owned(4).unwrap();
    owned.merge(owned.semaphore().clone().try_acquire_many_owned(0).unwrap());
    let two = owned.split(2).unwrap();
    owned.forget();
    assert_eq!(Arc::strong_count(&semaphore), 2);
    drop(two);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn closing_reaches_everybody() {
    let semaphore = Arc::new(Semaphore::new(0));
    let mut one = hand(semaphore.acquire());
    let mut two = hand(semaphore.clone().acquire_many_owned(2));
    assert!(one.is_pending() && two.is_pending());
    semaphore.close();
    assert!(one.is_woken() && two.is_woken() && semaphore.is_closed());
    assert_eq!(one.ready().unwrap_err().to_string(), "semaphore closed");
    assert!(two.ready().is_err());
    assert_eq!(semaphore.try_acquire().unwrap_err().to_string(), "semaphore closed");
    assert_eq!(TryAcquireError::NoPermits.to_string(), "no permits available");
    assert!(hand(semaphore.acquire()).ready().is_err());
    semaphore.add_permits(2);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn blocking_waits() {
    let semaphore = Arc::new(Semaphore::new(0));
    let mutex = Arc::new(Mutex::new(0));
    let lock = Arc::new(RwLock::new(0));
    let (held, writer) = (mutex.try_lock().unwrap(), lock.try_write().unwrap());
    std::thread::scope(|s| {
        let threads = [
            s.spawn(|| drop(semaphore.blocking_acquire().unwrap())),
            s.spawn(|| drop(semaphore.blocking_acquire_many(2).unwrap())),
            s.spawn(|| drop(semaphore.clone().blocking_acquire_owned().unwrap())),
            s.spawn(|| drop(semaphore.clone().blocking_acquire_many_owned(2).unwrap())),
            s.spawn(|| *mutex.blocking_lock() += 1),
            s.spawn(|| *mutex.clone().blocking_lock_owned() += 1),
            s.spawn(|| drop(lock.blocking_read())),
            s.spawn(|| *lock.blocking_write() += 1),
        ];
        std::thread::yield_now();
        semaphore.add_permits(2);
        drop((held, writer));
        for t in threads {
            t.join().unwrap();
        }
    });
    assert_eq!((*mutex.try_lock().unwrap(), *lock.try_read().unwrap()), (2, 1));
    assert_eq!(semaphore.available_permits(), 2);
    semaphore.close();
    assert!(semaphore.blocking_acquire().is_err());
}

#[test]
fn mutex_turns_go_in_order_and_past_those_who_left() {
    let mutex = Mutex::new(());
    let guard = hand(mutex.lock()).ready();
    let (mut a, mut b, mut c) = (hand(mutex.lock()), hand(mutex.lock()), hand(mutex.lock()));
    assert!(a.is_pending() && b.is_pending() && c.is_pending());
    drop(a);
    drop(guard);
    assert!(b.is_woken() && !c.is_woken());
    assert_eq!(mutex.try_lock().unwrap_err().to_string(), "operation would block");
    // Its turn has come and it leaves nevertheless.
    drop(b);
    assert!(c.is_woken());
    drop(c.ready());
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn mutex_is_not_poisoned() {
    let mutex = Arc::new(Mutex::new(1));
    let other = mutex.clone();
    let panicked = std::thread::spawn(move || {
        let mut guard = other.blocking_lock();
        *guard = 2;
        panic!("planned");
    });
    assert!(panicked.join().is_err());
    assert_eq!(*mutex.blocking_lock(), 2);
}

#[test]
fn mapped_guards_hold_the_lock() {
    let mutex = Arc::new(Mutex::new((1, String::from("one"))));
    let name = MutexGuard::map(mutex.try_lock().unwrap(), |v| &mut v.1);
    assert!(mutex.try_lock().is_err());
    let length = yamanote::sync::MappedMutexGuard::try_map(name, |_| None::<&mut ()>);
    let Err(name) = length else { unreachable!() };
    assert_eq!(format!("{name} {name:?}"), "one \"one\"");
    drop(name);

    let guard = mutex.clone().try_lock_owned().unwrap();
    let mut number = OwnedMutexGuard::map(guard, |v| &mut v.0);
    *number = 2;
    assert_eq!(Arc::strong_count(&mutex), 2);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
    drop(number);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: (2, \"one\") }");
    assert_eq!(Arc::strong_count(&mutex), 1);
    // A panic in the closure unlocks.
    let guard = mutex.clone().try_lock_owned().unwrap();
    let panics = std::panic::AssertUnwindSafe(|| {
        drop(OwnedMutexGuard::map(guard, |_| -> &mut u8 { panic!("planned") }));
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn unsized_values() {
    let mutex: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    assert_eq!(mutex.try_lock().unwrap().len(), 3);
    let lock: Arc<RwLock<dyn std::fmt::Debug>> = Arc::new(RwLock::new(5));
    assert_eq!(format!("{:?}", lock.clone().try_read_owned().unwrap()), "5");
}

#[test]
fn a_waiting_writer_holds_off_readers() {
    let lock = RwLock::new(0);
    let reader = lock.try_read().unwrap();
    let mut writer = hand(lock.write());
    assert!(writer.is_pending());
    assert!(lock.try_read().is_err(), "the writer was first");
    let (mut late, mut later) = (hand(lock.read()), hand(lock.read()));
    assert!(late.is_pending() && later.is_pending());
    drop(reader);
    assert!(writer.is_woken() && !late.is_woken());
    *writer.ready() = 1;
    assert!(late.is_woken() && later.is_woken());
    assert_eq!(*late.ready() + *later.ready(), 2);

    // And one that gives up lets them in.
    let reader = lock.try_read().unwrap();
    let mut writer = hand(lock.write());
    let mut late = hand(lock.read());
    assert!(writer.is_pending() && late.is_pending());
    drop(writer);
    assert_eq!(*late.ready() + *reader, 2);
}

#[test]
fn readers_are_counted() {
    let lock = RwLock::with_max_readers((), 2);
    let (one, two) = (lock.try_read().unwrap(), lock.try_read().unwrap());
    let mut three = hand(lock.read());
    assert!(three.is_pending());
    drop(one);
    assert!(!three.is_pending());
    drop((two, three));
    assert!(lock.try_write().is_ok());
}

#[test]
fn downgrading_lets_no_writer_in_between() {
    let lock = Arc::new(RwLock::new((1, 2)));
    for owned in [false, true] {
        let (read, write): (Box<dyn Fn() -> i32>, _);
        let mut writer;
        if owned {
            let guard = lock.clone().try_write_owned().unwrap();
            writer = hand(lock.write());
            assert!(writer.is_pending());
            let guard = OwnedRwLockWriteGuard::try_downgrade_map(guard, |_| None::<&i32>).unwrap_err();
            assert!(lock.try_read().is_err());
            let guard = OwnedRwLockWriteGuard::downgrade_map(guard, |v| &v.0);
            assert!(Arc::ptr_eq(OwnedRwLockReadGuard::rwlock(&guard), &lock));
            read = Box::new(move || *guard);
        } else {
            let guard = lock.try_write().unwrap();
            writer = hand(lock.write());
            assert!(writer.is_pending());
            let guard = RwLockWriteGuard::try_downgrade_map(guard, |_| None::<&i32>).unwrap_err();
            assert!(lock.try_read().is_err());
            let guard = guard.downgrade();
            read = Box::new(move || guard.0);
        }
        assert!(writer.is_pending(), "the reader is still there");
        assert_eq!(read(), 1);
        drop(read);
        write = writer.ready();
        drop(write);
        drop(writer);
        assert!(lock.try_write().is_ok());
    }
    assert_eq!(format!("{lock:?}"), "RwLock { data: (1, 2) }");
    let writer = RwLockWriteGuard::into_mapped(lock.try_write().unwrap());
    assert_eq!(format!("{lock:?}"), "RwLock { data: <locked> }");
    drop(writer);
}

/// The order of the calls holds, whatever budget the task had left.
#[test]
fn a_spent_budget_does_not_cost_the_turn() {
    let mutex = Mutex::new(());
    current_thread().block_on(async {
        yamanote::spawn(async {}).await.unwrap();
        let guard = mutex.lock().await;
        let mut tired = hand(async {
            while yamanote::task::coop::has_budget_remaining() {
                yamanote::task::coop::consume_budget().await;
            }
            mutex.lock().await
        });
        assert!(tired.is_pending());
        let mut fresh = hand(yamanote::task::unconstrained(mutex.lock()));
        assert!(fresh.is_pending());
        drop(guard);
        assert!(fresh.is_pending());
        yamanote::task::yield_now().await;
        drop(tired.ready());
        drop(fresh.ready());
    });
}
