//! Signals. They are the whole process's, so each test has kinds of its own: the tests run side by side.

#![cfg(all(unix, not(loom)))]

mod listeners;
mod runtimes;
mod support;
