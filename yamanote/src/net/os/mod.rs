//! What only some operating systems offer: conversions to and from descriptors, and socket options.

mod options;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
