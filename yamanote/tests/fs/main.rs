//! Files and directories, on both flavours of runtime.

#![cfg(not(loom))]

mod cached;
mod cancelled;
mod directories;
mod file;
mod paths;
#[cfg(unix)]
mod special;
mod support;
