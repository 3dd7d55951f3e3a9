//! The runtime from outside: flavours, shutdown, hooks, blocking, and what happens when things go wrong.

#[cfg(all(feature = "taskdump", target_os = "linux"))]
mod backtrace;
mod block_on;
#[cfg(feature = "rt-multi-thread")]
mod blocking;
#[cfg(unix)]
mod busy_poll;
#[cfg(unix)]
mod callbacks;
mod destructors;
#[cfg(feature = "taskdump")]
mod dump;
#[cfg(feature = "rt-multi-thread")]
mod futurelock;
mod hooks;
mod metrics;
#[cfg(feature = "rt-multi-thread")]
mod monitor;
mod panics;
mod scheduling;
#[cfg(feature = "rt-multi-thread")]
mod shutdown;
#[cfg(feature = "rt-multi-thread")]
mod stall;
#[cfg(feature = "rt-multi-thread")]
mod stress;
#[cfg(feature = "rt-multi-thread")]
mod trace_format;
#[cfg(feature = "rt-multi-thread")]
mod views;

use yamanote::runtime::{Builder, Runtime};

/// Runs a test body on each flavour.
fn each_flavor(test: impl Fn(Runtime)) {
    test(Builder::new_current_thread().enable_all().build().unwrap());
    #[cfg(feature = "rt-multi-thread")]
    for workers in [1, 2, 4] {
        test(Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap());
    }
}
