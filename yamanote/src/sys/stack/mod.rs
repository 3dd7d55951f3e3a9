//! Looking at the stack of another thread, where the system has a way to do so.

#[cfg_attr(
    all(target_os = "linux", any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")),
    path = "linux.rs"
)]
#[cfg_attr(
    not(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
    )),
    path = "none.rs"
)]
mod sampled;

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
))]
mod registers;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
))]
mod unwind;

pub(crate) use sampled::{Sample, sample, thread_id};
