//! Each panic, its message, and that it points at the caller.

// A function passed by name would be called, and blamed, by the standard library.
#![allow(clippy::redundant_closure)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock};
use std::thread::ThreadId;

use yamanote::runtime::{Builder, Handle};
use yamanote::time::{self, Instant, interval, interval_at, sleep, sleep_until, timeout, timeout_at};

use crate::support::{ms, multi, single};

/// Runs `f`, which must panic: the message, and the file that was blamed.
fn panic_of(f: impl FnOnce()) -> (String, String) {
    type Panics = Mutex<Vec<(ThreadId, String, String)>>;
    static PANICS: OnceLock<Panics> = OnceLock::new();
    let panics = PANICS.get_or_init(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let file = info.location().map_or("", |location| location.file()).to_owned();
            let payload = info.payload();
            let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
                (Some(message), _) => (*message).to_owned(),
                (_, Some(message)) => message.clone(),
                _ => String::new(),
            };
            let thread = std::thread::current().id();
            PANICS.get().unwrap().lock().unwrap().push((thread, message, file));
            before(info);
        }));
        Panics::default()
    });
    catch_unwind(AssertUnwindSafe(f)).expect_err("it must panic");
    let thread = std::thread::current().id();
    let mut panics = panics.lock().unwrap();
    let at = panics.iter().rposition(|(by, ..)| *by == thread).unwrap();
    let (_, message, file) = panics.remove(at);
    (message, file)
}

#[track_caller]
fn assert_panics(expected: &str, f: impl FnOnce()) {
    let (message, file) = panic_of(f);
    assert!(message.contains(expected), "{message}");
    assert_eq!(file, file!());
}

#[test]
fn outside_a_runtime() {
    let expected = "must be called from the context of a Tokio 1.x runtime";
    assert_panics(expected, || drop(sleep(ms(1))));
    assert_panics(expected, || drop(sleep_until(Instant::now())));
    assert_panics(expected, || drop(timeout(ms(1), async {})));
    assert_panics(expected, || drop(timeout_at(Instant::now(), async {})));
    assert_panics(expected, || drop(interval(ms(1))));
    assert_panics(expected, || drop(interval_at(Instant::now(), ms(1))));
}

#[test]
fn without_timers() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let _guard = runtime.enter();
    let expected = "timers are disabled. Call `enable_time`";
    assert_panics(expected, || drop(sleep(ms(1))));
    assert_panics(expected, || drop(timeout_at(Instant::now(), async {})));
    assert_panics(expected, || drop(interval(ms(1))));
}

#[test]
fn a_period_of_zero() {
    assert_panics("`period` must be non-zero.", || drop(interval(ms(0))));
    assert_panics("`period` must be non-zero.", || drop(interval_at(Instant::now(), ms(0))));
}

#[test]
fn pausing_what_is_paused_and_resuming_what_is_not() {
    let runtime = single();
    let _guard = runtime.enter();
    assert_panics("time is not frozen", || time::resume());
    time::pause();
    assert_panics("time is already frozen", || time::pause());
    time::resume();
    assert_panics("time is not frozen", || time::resume());
    let advance = || runtime.block_on(time::advance(ms(1)));
    assert!(panic_of(advance).0.contains("time is not frozen"));
}

#[test]
fn pausing_where_it_is_not_possible() {
    assert_panics("inside a runtime", || time::pause());
    assert_panics("inside a runtime", || time::resume());
    for workers in [1, 2] {
        let runtime = multi(workers);
        let _guard = runtime.enter();
        assert_panics("current_thread", || time::pause());
        let task = runtime.spawn(async { time::pause() });
        assert!(runtime.block_on(task).unwrap_err().is_panic());
    }
}

#[test]
fn after_shutdown() {
    let expected = "A Tokio 1.x context was found, but it is being shutdown.";
    for runtime in [single(), multi(2)] {
        let guard = Handle::enter(runtime.handle());
        let handle = runtime.handle().clone();
        let before = sleep(ms(100));
        drop(guard);
        drop(runtime);
        let _guard = handle.enter();
        let after = sleep(ms(100));
        assert!(panic_of(|| handle.block_on(before)).0.contains(expected));
        assert!(panic_of(|| handle.block_on(after)).0.contains(expected));
    }
}
