//! The targets of `yamanote/tests/fuzz`, for the fuzzer: `cargo +nightly fuzz run NAME` in this folder's parent.
//!
//! What it finds goes into `yamanote/tests/fuzz/corpus/NAME/`, where the plain tests look.

#[path = "../../yamanote/tests/fuzz/mock.rs"]
mod mock;
#[path = "../../yamanote/tests/fuzz/poll.rs"]
mod poll;
#[path = "../../yamanote/tests/fuzz/script.rs"]
mod script;
#[path = "../../yamanote/tests/fuzz/targets/mod.rs"]
mod targets;

/// Runs one target on one script.
///
/// # Panics
/// If it finds something, or there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) =
        targets::ALL.iter().find(|target| target.0 == name).expect("a target of that name");
    target(data);
}
