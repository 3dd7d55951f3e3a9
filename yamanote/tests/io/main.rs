//! `yamanote::io`: traits, buffers, adapters, copying, pipes in memory.

mod buffers;
mod copying;
mod numbers;
mod pipes;
mod reading;
#[cfg(feature = "io-std")]
mod stdio;
mod support;
mod text;
mod traits;
mod writing;
