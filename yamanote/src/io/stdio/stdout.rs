//! The standard output: [`Stdout`].

use std::io;
use std::pin::Pin;
use std::task::Context;

use crate::io::pool::Output;
use crate::io::{AsyncWrite, PollIo};

/// The standard output of the process.
///
/// Made by [`stdout`]. Each write is handed to a job of the blocking pool and reported as done; call
/// [`flush`](AsyncWrite::poll_flush) to be sure that it is written, **also before the program ends**. Errors are
/// reported by the operation that comes next.
///
/// Writes of one handle keep their order. Those of several handles, or of `print!`, may come between the pieces of a
/// large write.
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncWriteExt, BufWriter};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut stdout = BufWriter::new(io::stdout());
/// for i in 0..3 {
///     stdout.write_all(format!("line {i}\n").as_bytes()).await?;
/// }
/// stdout.flush().await?; // one write for all of them, before the program ends
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Stdout {
    output: Output<fn() -> io::Stdout>,
}

/// Makes a handle of the standard output.
///
/// # Examples
/// ```
/// use yamanote::io::AsyncWriteExt;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut stdout = yamanote::io::stdout();
/// stdout.write_all(b"some text\n").await?;
/// stdout.flush().await?;
/// # Ok(())
/// # }
/// ```
pub fn stdout() -> Stdout {
    Stdout { output: Output::new(io::stdout as fn() -> io::Stdout) }
}

/// # Panics
/// Outside a runtime.
impl AsyncWrite for Stdout {
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
