//! Files and directories, on both flavours of runtime.

#![cfg(not(loom))]

mod cached;
mod cancelled;
mod directories;
mod file;
#[cfg(target_os = "linux")]
mod limits;
mod paths;
#[cfg(all(target_os = "linux", feature = "io-uring"))]
mod ring;
#[cfg(unix)]
mod special;
mod support;
