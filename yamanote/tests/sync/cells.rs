//! `OnceCell`, `SetOnce`, `Barrier`, `Notify`.

use crate::support::hand;
use std::sync::Arc;
use yamanote::sync::{Barrier, Notify, OnceCell, SetError, SetOnce};

#[test]
fn once_cell_computes_once_and_tries_again_after_failure() {
    let cell = OnceCell::new();
    let gate = Notify::new();
    let mut one = hand(cell.get_or_try_init(|| async {
        gate.notified().await;
        Err("down")
    }));
    let mut two = hand(cell.get_or_init(|| async { 2 }));
    assert!(one.is_pending() && two.is_pending());
    assert_eq!(cell.set(3), Err(SetError::InitializingError(3)));
    assert!(!cell.initialized());
    gate.notify_one();
    assert_eq!(one.ready(), Err("down"));
    assert!(two.is_woken());
    assert_eq!(two.ready(), &2);
    let error = cell.set(3).unwrap_err();
    assert!(error.is_already_init_err() && !error.is_initializing_err());
    assert_eq!(error.to_string(), "AlreadyInitializedError");
    assert_eq!(cell.clone().into_inner(), Some(2));
    assert_eq!(cell, OnceCell::from(2));
    assert_eq!(format!("{cell:?}"), "OnceCell { value: Some(2) }");
}

#[test]
fn once_cell_outlives_a_cancelled_or_panicking_computation() {
    let cell = OnceCell::new();
    let mut one = hand(cell.get_or_init(std::future::pending));
    let mut two = hand(cell.get_or_init(|| async { panic!("planned") }));
    let mut three = hand(cell.get_or_init(|| async { 3 }));
    assert!(one.is_pending() && two.is_pending() && three.is_pending());
    drop(one);
    assert!(two.is_woken() && !three.is_woken());
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| two.poll().is_ready()));
    assert!(result.is_err());
    drop(two);
    assert!(three.is_woken());
    assert_eq!(three.ready(), &3);
}

#[test]
fn once_cell_wakes_all_who_wait() {
    let cell = OnceCell::new();
    let gate = Notify::new();
    let mut one = hand(cell.get_or_init(|| async {
        gate.notified().await;
        1
    }));
    assert!(one.is_pending());
    let mut others: Vec<_> = (0..50).map(|_| hand(cell.get_or_init(|| async { 2 }))).collect();
    assert!(others.iter_mut().all(|w| w.is_pending()));
    gate.notify_one();
    assert_eq!(one.ready(), &1);
    assert!(others.iter().all(|w| w.is_woken()));
    assert!(others.iter_mut().all(|w| w.ready() == &1));
}

#[test]
fn values_are_dropped_once() {
    let counted = Arc::new(());
    let cell = OnceCell::new();
    cell.set(counted.clone()).unwrap();
    assert!(cell.set(counted.clone()).is_err());
    assert_eq!(Arc::strong_count(&counted), 2);
    drop(cell);
    let once = SetOnce::new_with(Some(counted.clone()));
    assert!(once.set(counted.clone()).is_err());
    drop(once.into_inner());
    let mut cell = OnceCell::from(counted.clone());
    drop(cell.take());
    assert!(!cell.initialized());
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn set_once_wakes_all_who_wait() {
    static CELL: SetOnce<u32> = SetOnce::const_new();
    let mut waiting: Vec<_> = (0..50).map(|_| hand(CELL.wait())).collect();
    assert!(waiting.iter_mut().all(|w| w.is_pending()));
    drop(waiting.pop());
    CELL.set(1).unwrap();
    assert!(waiting.iter().all(|w| w.is_woken()));
    assert!(waiting.iter_mut().all(|w| *w.ready() == 1));
    let error = CELL.set(2).unwrap_err();
    assert_eq!((error.to_string(), error.0), ("SetOnceError".to_string(), 2));
    assert_eq!(*hand(CELL.wait()).ready(), 1);
    assert_eq!(format!("{:?}", SetOnce::from(1)), "SetOnce { value: Some(1) }");
}

#[test]
fn barrier_rounds() {
    assert!(hand(Barrier::new(0).wait()).ready().is_leader());
    let barrier = Barrier::new(3);
    for _ in 0..3 {
        let (mut a, mut b) = (hand(barrier.wait()), hand(barrier.wait()));
        assert!(a.is_pending() && b.is_pending() && a.is_pending());
        assert!(hand(barrier.wait()).ready().is_leader());
        assert!(a.is_woken() && b.is_woken());
        // The next round has begun: its first does not hold up those of the last.
        let mut next = hand(barrier.wait());
        assert!(next.is_pending());
        assert!(!a.ready().is_leader());
        assert!(!b.ready().is_leader());
        // Who leaves has come nevertheless.
        drop(next);
        let mut second = hand(barrier.wait());
        assert!(second.is_pending());
        assert!(hand(barrier.wait()).ready().is_leader());
        assert!(!second.ready().is_leader());
    }
}

#[test]
fn notify_permits_and_generations() {
    let notify = Notify::new();
    // Not polled, so not in the order yet, but reached by a notification of all.
    let early = notify.notified();
    notify.notify_waiters();
    notify.notify_one();
    hand(early).ready();
    // It left the permit.
    hand(notify.notified()).ready();
    assert!(hand(notify.notified()).is_pending());

    // One that left is not notified; the permit stays one.
    notify.notify_one();
    notify.notify_one();
    hand(notify.notified()).ready();
    assert!(hand(notify.notified()).is_pending());
}

#[test]
fn owned_notified_keeps_the_notify() {
    let notify = Arc::new(Notify::new());
    let mut waiting = hand(notify.clone().notified_owned());
    assert!(waiting.is_pending());
    notify.notify_last();
    drop(notify);
    assert!(waiting.is_woken());
    waiting.ready();
}
