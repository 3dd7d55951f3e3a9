//! The standard input: [`Stdin`].

use std::io;
use std::pin::Pin;
use std::task::Context;

use crate::io::pool::Input;
use crate::io::{AsyncRead, PollIo, ReadBuf};

/// The standard input of the process.
///
/// Made by [`stdin`]. Each read that finds nothing left of the one before is a job of the blocking
/// pool, and **cannot be cancelled**: it holds a thread until there is input. A runtime that is dropped
/// waits for it, so a program may seem to hang at its end until somebody presses enter; use
/// `Runtime::shutdown_timeout` or `shutdown_background` there. An interactive program had better read
/// [`std::io::stdin`] on a thread of its own.
///
/// # Examples
/// ```no_run
/// use yamanote::io::{self, AsyncBufReadExt, BufReader};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut lines = BufReader::new(io::stdin()).lines();
/// let mut count = 0;
/// while lines.next_line().await?.is_some() {
///     count += 1;
/// }
/// println!("{count} lines");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Stdin {
    input: Input<fn() -> io::Stdin>,
}

/// Makes a handle of the standard input.
///
/// Handles share the buffer that the standard library has, but what a dropped handle has read and not given out is
/// lost. Make one and keep it.
///
/// # Examples
/// ```no_run
/// use yamanote::io::{AsyncBufReadExt, BufReader};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut lines = BufReader::new(yamanote::io::stdin()).lines();
/// while let Some(text) = lines.next_line().await? {
///     println!("{text}");
/// }
/// # Ok(())
/// # }
/// ```
pub fn stdin() -> Stdin {
    Stdin { input: Input::new(io::stdin as fn() -> io::Stdin) }
}

/// # Panics
/// Outside a runtime.
impl AsyncRead for Stdin {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        self.input.poll_read(cx, buf)
    }
}
