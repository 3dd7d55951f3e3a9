//! Copying from a reader that has a buffer, without another one in between.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::is_interrupted;
use crate::io::{AsyncBufRead, AsyncWrite};
use crate::task::coop::poll_proceed;

/// Copies everything from `reader`, straight from its buffer, to `writer`, flushes, and tells how many bytes
/// there were.
///
/// It ends at the end of `reader`. While nothing can be read, `writer` is flushed, so that nothing that was
/// read is held back.
///
/// # Cancel safety
/// When the future is dropped, nothing is lost: what was not written is still in `reader`'s buffer. How many
/// bytes were written is not known.
///
/// # Errors
/// Whatever either side fails with, at once; of kind [`WriteZero`](io::ErrorKind::WriteZero) if `writer` takes no
/// more bytes. Disturbed reads and writes ([`Interrupted`](io::ErrorKind::Interrupted)) are repeated.
///
/// # Examples
/// ```
/// use yamanote::io::BufReader;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut reader = BufReader::new(&b"to be copied"[..]);
/// let mut writer = Vec::new();
/// assert_eq!(yamanote::io::copy_buf(&mut reader, &mut writer).await?, 12);
/// assert_eq!(writer, b"to be copied");
/// # Ok(())
/// # }
/// ```
pub async fn copy_buf<R, W>(reader: &mut R, writer: &mut W) -> io::Result<u64>
where
    R: AsyncBufRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    let mut copied = 0;
    let mut unflushed = false;
    std::future::poll_fn(|cx| {
        poll_copy(cx, Pin::new(&mut *reader), Pin::new(&mut *writer), &mut copied, &mut unflushed)
    })
    .await
}

fn poll_copy<R, W>(
    cx: &mut Context<'_>,
    mut reader: Pin<&mut R>,
    mut writer: Pin<&mut W>,
    copied: &mut u64,
    unflushed: &mut bool,
) -> Poll<io::Result<u64>>
where
    R: AsyncBufRead + ?Sized,
    W: AsyncWrite + ?Sized,
{
    loop {
        // One unit for each write: both sides may be in memory and never have to wait.
        let coop = ready!(poll_proceed(cx));
        let bytes = match reader.as_mut().poll_fill_buf(cx) {
            Poll::Ready(Ok(bytes)) => bytes,
            Poll::Ready(Err(e)) if is_interrupted(&e) => {
                coop.made_progress();
                continue;
            }
            Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
            Poll::Pending => {
                // Who feeds the reader may wait for what the writer holds back.
                if *unflushed {
                    ready!(writer.as_mut().poll_flush(cx))?;
                    coop.made_progress();
                    *unflushed = false;
                }
                return Poll::Pending;
            }
        };
        if bytes.is_empty() {
            ready!(writer.as_mut().poll_flush(cx))?;
            coop.made_progress();
            return Poll::Ready(Ok(*copied));
        }
        match ready!(writer.as_mut().poll_write(cx, bytes)) {
            Ok(0) => {
                let e = "the writer takes no more bytes";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, e)));
            }
            Ok(n) => {
                reader.as_mut().consume(n);
                *copied += n as u64;
                *unflushed = true;
            }
            Err(e) if is_interrupted(&e) => {}
            Err(e) => return Poll::Ready(Err(e)),
        }
        coop.made_progress();
    }
}
