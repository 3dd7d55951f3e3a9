//! The standard streams of the process.
//!
//! They may be files, pipes or terminals, and no platform can wait for all of these. So each operation is a job of
//! the blocking pool, through a buffer that belongs to the job while it runs: the future that asked for it may be
//! gone before it is done. [`input`] and [`output`] are the two state machines; the types around them are as
//! thin as can be.
//!
//! A line of text that is written to a Windows console in two jobs may be cut within a character; the standard
//! library keeps such a part until the rest comes.

mod input;
mod output;
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

/// The most bytes one job handles. As in upstream, which found no gain beyond it.
const MAX_BUFFER: usize = 2 * 1024 * 1024;
