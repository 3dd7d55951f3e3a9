//! Child processes, started and waited for without blocking.
//!
//! [`Command`] is the standard library's, with a [`spawn`](Command::spawn) whose [`Child`] is waited for by a future, and
//! whose pipes are asynchronous.
//!
//! # Examples
//! ```
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use yamanote::process::Command;
//!
//! let output = Command::new("echo").arg("hello").output().await?;
//! assert!(output.status.success());
//! assert_eq!(output.stdout, b"hello\n");
//! # Ok(())
//! # }
//! ```
//!
//! # Dropping a child
//!
//! A child goes on when its [`Child`] is dropped, unless [`kill_on_drop`](Command::kill_on_drop) says otherwise. Unix
//! systems keep what is left of a process until its parent asks for its end; for children that were
//! dropped the runtime does that when it can, without a promise of when. To be sure, wait for the child.

mod child;
mod command;
mod stdio;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use child::Child;
pub use command::Command;
pub use stdio::{ChildStderr, ChildStdin, ChildStdout};

#[cfg(unix)]
use unix as imp;
#[cfg(windows)]
use windows as imp;
