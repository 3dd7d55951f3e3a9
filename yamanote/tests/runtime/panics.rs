use yamanote::runtime::{Builder, UnhandledPanic};

use crate::each_flavor;

#[test]
fn a_panicking_task_is_told_and_nobody_else_suffers() {
    each_flavor(|rt| {
        rt.block_on(async {
            let bad = yamanote::spawn(async { panic!("planned") });
            let good = yamanote::spawn(async {
                yamanote::task::yield_now().await;
                1
            });
            let error = bad.await.unwrap_err();
            assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "planned");
            assert_eq!(good.await.unwrap(), 1);
        });
    });
}

#[test]
#[should_panic(expected = "a spawned task panicked")]
fn an_unhandled_panic_may_stop_the_runtime() {
    let rt =
        Builder::new_current_thread().unhandled_panic(UnhandledPanic::ShutdownRuntime).build().unwrap();
    rt.block_on(async {
        yamanote::spawn(async { panic!("planned") });
        std::future::pending::<()>().await;
    });
}

/// After that, what is spawned is cancelled, and blocking is refused.
#[test]
fn a_runtime_that_stopped_stays_so() {
    let rt =
        Builder::new_current_thread().unhandled_panic(UnhandledPanic::ShutdownRuntime).build().unwrap();
    let block = |rt: &yamanote::runtime::Runtime| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            rt.block_on(async { drop(yamanote::spawn(async { panic!("planned") }).await) })
        }))
    };
    assert!(block(&rt).is_err());
    assert!(futures::executor::block_on(rt.spawn(async {})).unwrap_err().is_cancelled());
    assert!(block(&rt).is_err());
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn spawning_outside() {
    yamanote::spawn(async {});
}

#[cfg(feature = "rt-multi-thread")]
#[test]
#[should_panic(expected = "Worker threads cannot be set to 0")]
fn no_workers() {
    Builder::new_multi_thread().worker_threads(0);
}
