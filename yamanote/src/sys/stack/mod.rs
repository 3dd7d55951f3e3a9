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

#[cfg(all(test, not(loom), target_os = "linux", target_arch = "x86_64"))]
mod tests;

pub(crate) use sampled::{Sample, sample, thread_id};

/// The calls that a thread was in.
#[allow(dead_code)] // Where no stack can be looked at, none is made.
pub(crate) struct Calls {
    /// The addresses that they would have returned to, the innermost first. The first is one past where the thread was, so
    /// that all are looked up alike.
    pub(crate) addresses: Vec<usize>,
    /// They go back to where the thread began.
    pub(crate) is_whole: bool,
}
