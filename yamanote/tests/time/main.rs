//! Sleeping, timeouts, intervals and the paused clock, through the public interface.

#![cfg(not(loom))]

mod instant;
mod interval;
#[cfg(feature = "rt-multi-thread")]
mod panics;
mod pause;
#[cfg(feature = "rt-multi-thread")]
mod runtimes;
mod sleep;
#[cfg(feature = "rt-multi-thread")]
mod stress;
mod support;
mod timeout;
