//! The standard streams of the process.
//!
//! They may be files, pipes or terminals, and no platform can wait for all of these. So each operation is a job of
//! the blocking [`pool`](super::pool); the types around its two state machines are as thin as can be.
//!
//! A line of text that is written to a Windows console in two jobs may be cut within a character; the standard
//! library keeps such a part until the rest comes.

mod stderr;
mod stdin;
mod stdout;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use stderr::{Stderr, stderr};
pub use stdin::{Stdin, stdin};
pub use stdout::{Stdout, stdout};
