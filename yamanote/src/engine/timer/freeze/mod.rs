//! Stopping the clock, for tests: with the feature `test-util`, or not at all.

#[cfg(feature = "test-util")]
mod on;
#[cfg(feature = "test-util")]
pub(crate) use on::*;

#[cfg(not(feature = "test-util"))]
mod off;
#[cfg(not(feature = "test-util"))]
pub(crate) use off::*;
