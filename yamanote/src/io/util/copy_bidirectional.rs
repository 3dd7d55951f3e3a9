//! Copying in both directions between two streams, as proxies do.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::DEFAULT_BUFFER_SIZE;
use super::copy::Transfer;
use crate::io::{AsyncRead, AsyncWrite};

/// How far one direction has got.
#[derive(Debug)]
enum Direction {
    Copying(Transfer),
    /// The source has ended after so many bytes; the end is being passed on to the destination.
    ShuttingDown(u64),
    Done(u64),
}

impl Direction {
    fn new(buffer_size: usize) -> Self {
        Direction::Copying(Transfer::new(buffer_size))
    }

    fn poll<A, B>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut A,
        destination: &mut B,
    ) -> Poll<io::Result<u64>>
    where
        A: AsyncRead + Unpin + ?Sized,
        B: AsyncWrite + Unpin + ?Sized,
    {
        loop {
            *self = match self {
                Direction::Copying(transfer) => {
                    let (source, destination) = (Pin::new(&mut *source), Pin::new(&mut *destination));
                    Direction::ShuttingDown(ready!(transfer.poll(cx, source, destination))?)
                }
                Direction::ShuttingDown(copied) => {
                    ready!(Pin::new(&mut *destination).poll_shutdown(cx))?;
                    Direction::Done(*copied)
                }
                Direction::Done(copied) => return Poll::Ready(Ok(*copied)),
            };
        }
    }
}

/// Copies from `a` to `b` and from `b` to `a` at the same time, until both have ended.
///
/// When one of them reaches its end, the other is [shut down](AsyncWrite::poll_shutdown) for writing, and the
/// other direction goes on. The answer is how many bytes went from `a` to `b`, and how many from `b` to `a`.
/// Each direction has a buffer of 8 KiB.
///
/// On Linux, where both are TCP or Unix streams, the system moves the bytes itself (`splice`) while there is much to
/// move at a time. Nothing else changes by that; programs that have `SIGPIPE` end them are spared it.
///
/// # Cancel safety
/// Not cancel safe: bytes that were read and not yet written are lost when the future is dropped.
///
/// # Errors
/// Whatever either side fails with. Both directions are given up at once then, and bytes that were read and
/// not yet written are lost. Disturbed reads and writes ([`Interrupted`](io::ErrorKind::Interrupted)) are
/// repeated.
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncReadExt, AsyncWriteExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> io::Result<()> {
/// let (mut client, mut inbound) = io::duplex(64);
/// let (mut outbound, mut server) = io::duplex(64);
/// client.write_all(b"request").await?;
/// client.shutdown().await?;
/// server.write_all(b"answer").await?;
/// server.shutdown().await?;
///
/// let (up, down) = io::copy_bidirectional(&mut inbound, &mut outbound).await?;
/// assert_eq!((up, down), (7, 6));
/// let mut answer = String::new();
/// client.read_to_string(&mut answer).await?;
/// assert_eq!(answer, "answer");
/// # Ok(())
/// # }
/// ```
pub async fn copy_bidirectional<A, B>(a: &mut A, b: &mut B) -> io::Result<(u64, u64)>
where
    A: ?Sized + AsyncRead + AsyncWrite + Unpin,
    B: ?Sized + AsyncRead + AsyncWrite + Unpin,
{
    copy_both(a, b, DEFAULT_BUFFER_SIZE, DEFAULT_BUFFER_SIZE).await
}

/// As [`copy_bidirectional`], with buffers of these sizes.
///
/// # Cancel safety
/// As for [`copy_bidirectional`].
///
/// # Panics
/// When it is first polled, if one of the sizes is 0.
///
/// # Errors
/// As for [`copy_bidirectional`].
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncWriteExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> io::Result<()> {
/// let (mut client, mut inbound) = io::duplex(64);
/// let (mut outbound, server) = io::duplex(64);
/// client.write_all(b"request").await?;
/// client.shutdown().await?;
/// # let mut server = server;
/// server.shutdown().await?;
/// let copied = io::copy_bidirectional_with_sizes(&mut inbound, &mut outbound, 16, 32).await?;
/// assert_eq!(copied, (7, 0));
/// # Ok(())
/// # }
/// ```
pub async fn copy_bidirectional_with_sizes<A, B>(
    a: &mut A,
    b: &mut B,
    a_to_b_buf_size: usize,
    b_to_a_buf_size: usize,
) -> io::Result<(u64, u64)>
where
    A: ?Sized + AsyncRead + AsyncWrite + Unpin,
    B: ?Sized + AsyncRead + AsyncWrite + Unpin,
{
    assert!(a_to_b_buf_size > 0, "`a_to_b_buf_size` must be greater than 0");
    assert!(b_to_a_buf_size > 0, "`b_to_a_buf_size` must be greater than 0");
    copy_both(a, b, a_to_b_buf_size, b_to_a_buf_size).await
}

async fn copy_both<A, B>(
    a: &mut A,
    b: &mut B,
    a_to_b_size: usize,
    b_to_a_size: usize,
) -> io::Result<(u64, u64)>
where
    A: ?Sized + AsyncRead + AsyncWrite + Unpin,
    B: ?Sized + AsyncRead + AsyncWrite + Unpin,
{
    let mut a_to_b = Direction::new(a_to_b_size);
    let mut b_to_a = Direction::new(b_to_a_size);
    std::future::poll_fn(|cx| {
        // Both, always: one that waits must not keep the other from going on.
        let up = a_to_b.poll(cx, a, b)?;
        let down = b_to_a.poll(cx, b, a)?;
        Poll::Ready(Ok((ready!(up), ready!(down))))
    })
    .await
}
