//! tokio's paths, features and version on the yamanote runtime, for `[patch.crates-io]`.
//!
//! Everything is `yamanote`'s, by the names it has there; `#[tokio::main]` and `#[tokio::test]` expand to `::tokio`
//! paths.

pub use yamanote::*;

#[cfg(feature = "macros")]
pub use yamanote::facade::{tokio_main as main, tokio_test as test};
