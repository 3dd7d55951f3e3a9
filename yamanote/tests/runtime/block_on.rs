use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use yamanote::runtime::{Builder, Handle, Runtime};

use crate::each_flavor;

#[test]
fn gives_the_output_back() {
    each_flavor(|rt| assert_eq!(rt.block_on(async { "out" }), "out"));
}

#[test]
fn goes_on_where_the_last_one_stopped() {
    let rt = Builder::new_current_thread().build().unwrap();
    let task = rt.spawn(async {
        yamanote::task::yield_now().await;
        3
    });
    rt.block_on(async {});
    assert_eq!(rt.block_on(task).unwrap(), 3);
}

#[test]
fn a_future_may_be_large() {
    each_flavor(|rt| {
        let bytes = [7u8; 100_000];
        let sum: usize = rt.block_on(async move {
            yamanote::task::yield_now().await;
            bytes.iter().map(|&b| usize::from(b)).sum()
        });
        assert_eq!(sum, 700_000);
    });
}

/// Several threads block on one single-threaded runtime; each gets its answer, whoever drives.
#[test]
fn from_several_threads_at_once() {
    let rt = Arc::new(Builder::new_current_thread().enable_all().build().unwrap());
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let rt = Arc::clone(&rt);
            std::thread::spawn(move || {
                for round in 0..200 {
                    let got = rt.block_on(async {
                        yamanote::spawn(async move {
                            yamanote::task::yield_now().await;
                            i * 1000 + round
                        })
                        .await
                        .unwrap()
                    });
                    assert_eq!(got, i * 1000 + round);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[cfg(feature = "rt-multi-thread")]
#[test]
fn handle_block_on_works_beside_the_driver() {
    let rt = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let handle = rt.handle().clone();
    let got = std::thread::spawn(move || {
        handle.block_on(async {
            yamanote::time::sleep(std::time::Duration::from_millis(5)).await;
            Handle::current().spawn(async { 9 }).await.unwrap()
        })
    })
    .join()
    .unwrap();
    assert_eq!(got, 9);
}

#[test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
fn nesting_is_refused() {
    let outer = Builder::new_current_thread().build().unwrap();
    let inner = Builder::new_current_thread().build().unwrap();
    outer.block_on(async { inner.block_on(async {}) });
}

#[test]
fn a_panic_leaves_the_runtime_usable() {
    each_flavor(|rt| {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            rt.block_on(async { panic!("planned") })
        }));
        assert!(result.is_err());
        assert_eq!(rt.block_on(async { yamanote::spawn(async { 2 }).await.unwrap() }), 2);
    });
}

#[test]
fn enter_guards_nest() {
    let a = Builder::new_current_thread().build().unwrap();
    let b = Builder::new_current_thread().build().unwrap();
    let outer = a.enter();
    let inner = b.enter();
    assert_eq!(Handle::current().id(), b.handle().id());
    drop(inner);
    assert_eq!(Handle::current().id(), a.handle().id());
    drop(outer);
    assert!(Handle::try_current().is_err());
}

#[test]
#[should_panic(expected = "dropped out of order")]
fn enter_guards_are_dropped_in_order() {
    let a: Runtime = Builder::new_current_thread().build().unwrap();
    let b: Runtime = Builder::new_current_thread().build().unwrap();
    let first = a.enter();
    let _second = b.enter();
    drop(first);
}

/// The waker of a `block_on` may be used after it is over.
#[test]
fn a_late_wake_is_harmless() {
    each_flavor(|rt| {
        let woken = Arc::new(AtomicBool::new(false));
        let mut waker = None;
        rt.block_on(std::future::poll_fn(|cx| {
            if waker.is_none() {
                waker = Some(cx.waker().clone());
                cx.waker().wake_by_ref();
                std::task::Poll::Pending
            } else {
                woken.store(true, Ordering::Relaxed);
                std::task::Poll::Ready(())
            }
        }));
        drop(rt);
        waker.unwrap().wake();
        assert!(woken.load(Ordering::Relaxed));
    });
}
