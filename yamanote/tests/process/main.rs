//! Child processes, on both flavours of runtime.

#![cfg(all(unix, not(loom)))]

mod ends;
mod host;
mod pipes;
mod runtimes;
mod support;
