//! A reader and a writer that do as little at a time as a script says.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use yamanote::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Gives or takes at the most so many bytes at a time, in turn; 0 is pending once.
#[derive(Clone, Debug)]
pub struct Pace {
    steps: Vec<u8>,
    at: usize,
}

impl Pace {
    pub fn new(steps: &[u8]) -> Pace {
        Pace { steps: steps.to_vec(), at: 0 }
    }

    fn next(&mut self, cx: &Context<'_>) -> Poll<usize> {
        if self.steps.is_empty() {
            return Poll::Ready(usize::MAX);
        }
        let step = self.steps[self.at % self.steps.len()] % 16;
        self.at += 1;
        // Two waits in a row are as one.
        if step == 0 && self.at % 3 != 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(usize::from(step.max(1)))
    }
}

/// Reads what it holds.
#[derive(Clone, Debug)]
pub struct Reader {
    pub rest: Vec<u8>,
    pub pace: Pace,
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Poll::Ready(most) = self.pace.next(cx) else { return Poll::Pending };
        let amount = most.min(self.rest.len()).min(buf.remaining());
        buf.put_slice(&self.rest[..amount]);
        self.rest.drain(..amount);
        Poll::Ready(Ok(()))
    }
}

/// Keeps what is written.
#[derive(Debug)]
pub struct Writer {
    pub written: Vec<u8>,
    pub pace: Pace,
    pub is_shut_down: bool,
}

impl Writer {
    pub fn new(pace: Pace) -> Writer {
        Writer { written: Vec::new(), pace, is_shut_down: false }
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        assert!(!self.is_shut_down, "a write after the end");
        let Poll::Ready(most) = self.pace.next(cx) else { return Poll::Pending };
        let amount = most.min(buf.len());
        self.written.extend_from_slice(&buf[..amount]);
        Poll::Ready(Ok(amount))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        assert!(!self.is_shut_down, "a write after the end");
        let Poll::Ready(most) = self.pace.next(cx) else { return Poll::Pending };
        let before = self.written.len();
        for buf in bufs {
            let room = most.saturating_sub(self.written.len() - before);
            let amount = room.min(buf.len());
            self.written.extend_from_slice(&buf[..amount]);
        }
        Poll::Ready(Ok(self.written.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pace.next(cx).map(|_| Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Poll::Ready(_) = self.pace.next(cx) else { return Poll::Pending };
        self.is_shut_down = true;
        Poll::Ready(Ok(()))
    }
}
