//! The standard error stream: [`Stderr`].

use std::io;
use std::pin::Pin;
use std::task::Context;

use crate::io::pool::Output;
use crate::io::{AsyncWrite, PollIo};

/// The standard error stream of the process.
///
/// Made by [`stderr`]. Each write is handed to a job of the blocking pool and reported as done; call
/// [`flush`](AsyncWrite::poll_flush) to be sure that it is written, **also before the program ends**. Errors are
/// reported by the operation that comes next.
///
/// Writes of one handle keep their order. Those of several handles, or of `print!`, may come between the pieces of a
/// large write.
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncWriteExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut stderr = io::stderr();
/// stderr.write_all(b"warning: it is late\n").await?;
/// stderr.flush().await?; // before the program ends
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Stderr {
    output: Output<fn() -> io::Stderr>,
}

/// Makes a handle of the standard error stream.
///
/// # Examples
/// ```
/// use yamanote::io::AsyncWriteExt;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut stderr = yamanote::io::stderr();
/// stderr.write_all(b"some text\n").await?;
/// stderr.flush().await?;
/// # Ok(())
/// # }
/// ```
pub fn stderr() -> Stderr {
    Stderr { output: Output::new(io::stderr as fn() -> io::Stderr) }
}

/// # Panics
/// Outside a runtime.
impl AsyncWrite for Stderr {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        self.output.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.output.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        // There is nothing to be ended; the stream belongs to the process.
        self.output.poll_flush(cx)
    }
}
