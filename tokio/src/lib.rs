//! tokio's paths and version on the yamanote runtime, for `[patch.crates-io]`.
pub use yamanote::*;
