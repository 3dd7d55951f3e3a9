//! Differences between operating systems: the only place with target cfgs.

/// How a resource meets the poller.
#[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
#[cfg_attr(unix, path = "poll_unix.rs")]
#[cfg_attr(windows, path = "poll_windows.rs")]
pub(crate) mod poll;

/// File calls that answer from memory or not at all.
#[cfg(feature = "fs")]
#[cfg_attr(
    all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"),
    path = "cached_linux.rs"
)]
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64")),
    path = "cached_none.rs"
)]
pub(crate) mod cached;
#[cfg(all(windows, feature = "signal"))]
pub(crate) mod console;
/// Several datagrams a system call.
#[cfg(feature = "net")]
#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "datagrams_linux.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "datagrams_other.rs")]
pub(crate) mod datagrams;
#[cfg(feature = "fs")]
pub(crate) mod fs;
#[cfg(feature = "net")]
pub(crate) mod net;
/// Bytes that go from one descriptor to another unseen.
#[cfg(all(unix, feature = "net"))]
#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "splice_linux.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "splice_other.rs")]
pub(crate) mod splice;
#[cfg(feature = "taskdump")]
pub(crate) mod stack;
#[cfg(feature = "io-std")]
pub(crate) mod stdin;
/// A clock that costs little.
#[cfg_attr(all(target_os = "linux", target_arch = "x86_64"), path = "ticks_tsc.rs")]
#[cfg_attr(not(all(target_os = "linux", target_arch = "x86_64")), path = "ticks_none.rs")]
pub(crate) mod ticks;
#[cfg(all(unix, any(feature = "net", feature = "process", feature = "signal")))]
pub(crate) mod unix;
/// Operations on files that a worker waits for as it waits for sockets.
#[cfg(all(feature = "fs", feature = "io-uring"))]
#[cfg_attr(all(loom, test, unix), path = "uring_model.rs")]
#[cfg_attr(all(not(all(loom, test)), target_os = "linux"), path = "uring_linux.rs")]
#[cfg_attr(not(any(target_os = "linux", all(loom, test, unix))), path = "uring_none.rs")]
pub(crate) mod uring;
#[cfg(all(windows, any(feature = "net", feature = "process")))]
pub(crate) mod windows;
