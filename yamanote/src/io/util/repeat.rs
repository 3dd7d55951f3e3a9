//! An endless source of one byte: [`Repeat`].

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::empty::poll_budget;
use crate::io::{AsyncRead, PollIo, ReadBuf};

/// A source of the same byte over and over.
///
/// Made by [`repeat`].
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncReadExt, Repeat, Take};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// So many zeros, to fill something up with.
/// fn padding(len: u64) -> Take<Repeat> {
///     io::repeat(0).take(len)
/// }
///
/// let mut block = b"text".to_vec();
/// padding(4).read_to_end(&mut block).await?;
/// assert_eq!(block, b"text\0\0\0\0");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Repeat {
    byte: u8,
}

/// Makes a source of `byte` over and over: every read fills its buffer.
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncReadExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> io::Result<()> {
/// let mut buf = [0; 3];
/// io::repeat(7).read_exact(&mut buf).await?;
/// assert_eq!(buf, [7, 7, 7]);
/// # Ok(())
/// # }
/// ```
pub fn repeat(byte: u8) -> Repeat {
    Repeat { byte }
}

impl AsyncRead for Repeat {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        ready!(poll_budget(cx));
        // By the piece, so that memory not initialised yet is written once instead of twice.
        let piece = [self.byte; 256];
        while buf.remaining() >= piece.len() {
            buf.put_slice(&piece);
        }
        buf.put_slice(&piece[..buf.remaining()]);
        Poll::Ready(Ok(()))
    }
}
