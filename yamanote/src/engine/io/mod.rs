//! Readiness-based I/O: [`registration`] ties a resource to a worker's [`poller`]; [`source`] is what both
//! sides share. [`IoDriver`] is the worker's door to it.

pub(crate) mod condvar;

#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
mod doze;
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
mod lead;
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
mod look;
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
mod on;
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
mod place;
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
pub(crate) use on::IoDriver;
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
pub(crate) mod poll_evented;
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
pub(crate) mod poller;
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
pub(crate) mod registration;
/// Operations on files that end as events do.
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
#[cfg_attr(all(feature = "fs", feature = "io-uring"), path = "ring_on.rs")]
#[cfg_attr(not(all(feature = "fs", feature = "io-uring")), path = "ring_off.rs")]
pub(crate) mod ring;
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
pub(crate) mod source;
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
#[cfg_attr(all(test, yamanote_sim), path = "wait_simulated.rs")]
mod wait;

#[cfg(not(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring")))]
mod off;
#[cfg(not(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring")))]
pub(crate) use off::IoDriver;

/// What the builder decided about pollers.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring")),
    allow(dead_code, reason = "there are none")
)]
pub(crate) struct PollerConfig {
    /// That a turn takes at the most.
    pub(crate) events: usize,
    /// How long to look for events before waiting for them.
    pub(crate) busy_poll: Option<std::time::Duration>,
}

/// Said when a resource is made on a runtime without I/O. Upstream's words, which its users match on.
pub(crate) const DISABLED: &str = "A Tokio 1.x context was found, but IO is disabled. Call `enable_io` on \
                                   the runtime builder to enable IO.";

pub(crate) fn shutdown_error() -> std::io::Error {
    crate::runtime::shutdown_error()
}
