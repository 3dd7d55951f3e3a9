//! A pipe in memory, in both directions: [`DuplexStream`].
//!
//! Two [`Pipe`]s, each behind a lock of its own. Whatever an operation says about wakers is done after
//! the lock is released.

use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::simplex::{Aside, Pipe};
use crate::io::{AsyncRead, AsyncWrite, PollIo, ReadBuf};
use crate::loom::sync::{Arc, Mutex};
use crate::task::coop::poll_proceed;

/// One end of a pipe in memory: what is written to one end can be read from the other.
///
/// It is like a pair of connected sockets, without an operating system. Dropping an end closes both
/// directions: the other end can read what is under way, and then finds the end; writing there fails with
/// [`BrokenPipe`](std::io::ErrorKind::BrokenPipe).
///
/// Made by [`duplex`].
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// Works with anything that reads and writes; a pipe in memory is enough to test it.
/// async fn answer(mut stream: DuplexStream) -> std::io::Result<()> {
///     let question = stream.read_u8().await?;
///     stream.write_u8(question + 1).await
/// }
///
/// let (mut here, there) = yamanote::io::duplex(64);
/// yamanote::spawn(answer(there));
/// here.write_u8(1).await?;
/// assert_eq!(here.read_u8().await?, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DuplexStream {
    incoming: Arc<Mutex<Pipe>>,
    outgoing: Arc<Mutex<Pipe>>,
}

/// Makes a pair of connected streams.
///
/// In each direction up to `max_buf_size` bytes can be under way; then writing waits for reading.
///
/// # Panics
/// If `max_buf_size` is 0.
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncReadExt, AsyncWriteExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> io::Result<()> {
/// let (mut client, mut server) = io::duplex(64);
/// client.write_all(b"ping").await?;
/// let mut word = [0; 4];
/// server.read_exact(&mut word).await?;
/// assert_eq!(&word, b"ping");
/// server.write_all(b"pong").await?;
/// client.read_exact(&mut word).await?;
/// assert_eq!(&word, b"pong");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn duplex(max_buf_size: usize) -> (DuplexStream, DuplexStream) {
    let one = Arc::new(Mutex::new(Pipe::new(max_buf_size)));
    let two = Arc::new(Mutex::new(Pipe::new(max_buf_size)));
    (
        DuplexStream { incoming: Arc::clone(&one), outgoing: Arc::clone(&two) },
        DuplexStream { incoming: two, outgoing: one },
    )
}

impl DuplexStream {
    #[inline]
    fn poll_put(
        &self,
        cx: &mut Context<'_>,
        put: impl FnOnce(&mut Pipe, &mut Context<'_>) -> (PollIo<usize>, Aside),
    ) -> PollIo<usize> {
        let coop = ready!(poll_proceed(cx));
        let (poll, aside) = put(&mut self.outgoing.lock(), cx);
        aside.run();
        if poll.is_ready() {
            coop.made_progress();
        }
        poll
    }
}

impl AsyncRead for DuplexStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        let coop = ready!(poll_proceed(cx));
        let (poll, aside) = self.incoming.lock().poll_read(cx, buf);
        aside.run();
        if poll.is_ready() {
            coop.made_progress();
        }
        poll
    }
}

impl AsyncWrite for DuplexStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        self.poll_put(cx, |pipe, cx| pipe.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        self.poll_put(cx, |pipe, cx| pipe.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> PollIo {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> PollIo {
        let aside = self.outgoing.lock().close_write();
        aside.run();
        Poll::Ready(Ok(()))
    }
}

impl Drop for DuplexStream {
    fn drop(&mut self) {
        let reader = self.outgoing.lock().close_write();
        let writer = self.incoming.lock().close_read();
        // Should the first waker panic, the second is still run: dropping `Aside` does not wake.
        struct Last(Option<Aside>);
        impl Drop for Last {
            fn drop(&mut self) {
                if let Some(aside) = self.0.take() {
                    aside.run();
                }
            }
        }
        let _last = Last(Some(writer));
        reader.run();
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::thread;
    use loom::future::block_on;
    use std::future::poll_fn;

    #[test]
    fn no_wake_is_lost_between_a_writer_and_a_reader() {
        crate::loom::model(|| {
            let (mut a, mut b) = duplex(1);
            let writer = thread::spawn(move || {
                for byte in *b"xy" {
                    let write = poll_fn(|cx| Pin::new(&mut a).poll_write(cx, &[byte]));
                    assert_eq!(block_on(write).unwrap(), 1);
                }
            });
            let mut received = Vec::new();
            loop {
                let mut byte = [0];
                let mut buf = ReadBuf::new(&mut byte);
                block_on(poll_fn(|cx| Pin::new(&mut b).poll_read(cx, &mut buf))).unwrap();
                match buf.filled() {
                    [] => break,
                    bytes => received.extend_from_slice(bytes),
                }
            }
            assert_eq!(received, b"xy");
            writer.join().unwrap();
        });
    }

    #[test]
    fn a_writer_learns_that_its_reader_is_gone() {
        crate::loom::model(|| {
            let (mut a, b) = duplex(1);
            let reader = thread::spawn(move || drop(b));
            let error = loop {
                let write = poll_fn(|cx| Pin::new(&mut a).poll_write(cx, b"x"));
                if let Err(e) = block_on(write) {
                    break e;
                }
            };
            assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
            reader.join().unwrap();
        });
    }
}
