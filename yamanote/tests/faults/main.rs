//! Sockets and pipes on a system that fails now and then: whatever the system calls may answer by their
//! documentation is answered at random, from a seed, while checked data flows. Nothing may be lost or come
//! twice, nothing may hang, and nobody may spin.
//!
//! A target of its own, since [`shim`] puts functions before those of the C library.

#![cfg(all(target_os = "linux", not(loom)))]

mod accept;
mod datagrams;
mod limit;
mod records;
mod shim;
mod streams;

use std::future::Future;
use std::time::Duration;

use yamanote::runtime::{Builder, Runtime};

/// Runs a test under faults on every flavour with several seeds. The limit is there to tell a hang from a
/// slow machine: a run takes a fraction of a second.
fn under<F: Future>(rates: shim::Rates, test: impl Fn(u64) -> F) {
    let flavours: [fn() -> Runtime; 3] = [
        || Builder::new_current_thread().enable_all().build().unwrap(),
        || Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
        || Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap(),
    ];
    for (flavour, runtime) in flavours.iter().enumerate() {
        for seed in 1..=3 {
            let runtime = runtime();
            let faults = shim::inject(seed, rates);
            let done = runtime
                .block_on(async { yamanote::time::timeout(Duration::from_secs(120), test(seed)).await });
            assert!(done.is_ok(), "hangs: flavour {flavour}, seed {seed}, {faults:?}");
            assert!(
                faults.injected() > 50,
                "hardly a fault: flavour {flavour}, seed {seed}, {faults:?}"
            );
        }
    }
}
