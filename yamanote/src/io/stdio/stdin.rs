//! The standard input: [`Stdin`].

use std::io::{self, BufRead};
use std::pin::Pin;
use std::task::Context;

use crate::io::pool::{Input, Open};
use crate::io::{AsyncRead, PollIo, ReadBuf};
use crate::sys::stdin::is_regular_file;

/// The standard input of the process.
///
/// Made by [`stdin`]. Each read that finds nothing left of the one before is a job of the blocking
/// pool, and **cannot be cancelled**: it holds a thread until there is input.
///
/// Other than in tokio, no runtime waits for it when it ends, so a program does not hang at its end until somebody presses
/// enter; and input that comes after the runtime's end is not lost: it is there for whoever reads next.
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
    input: Input<OfProcess>,
}

/// The process's standard input, with the standard library's buffer.
#[derive(Clone, Copy, Debug)]
struct OfProcess;

impl Open for OfProcess {
    type Stream = io::StdinLock<'static>;

    fn open(&self) -> io::StdinLock<'static> {
        io::stdin().lock()
    }

    const IS_EXPENDABLE: bool = true;

    fn wait(stream: &mut io::StdinLock<'static>) -> io::Result<()> {
        // A file has always something to give, or its end; to look into the buffer first would only make reads short.
        while !is_regular_file() {
            match stream.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map(drop),
            }
        }
        Ok(())
    }
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
    Stdin { input: Input::new(OfProcess) }
}

/// # Panics
/// Outside a runtime.
impl AsyncRead for Stdin {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        self.input.poll_read(cx, buf)
    }
}
