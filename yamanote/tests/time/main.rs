//! Sleeping, timeouts, intervals and the paused clock, through the public interface.

#![cfg(not(loom))]

mod instant;
mod interval;
mod panics;
mod pause;
mod runtimes;
mod sleep;
mod stress;
mod support;
mod timeout;
