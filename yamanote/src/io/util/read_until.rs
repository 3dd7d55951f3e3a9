//! Reading up to a delimiter, on which lines and segments rest, and the futures of
//! `AsyncBufReadExt::{read_until, fill_buf}`.

use std::future::Future;
use std::io::{self, BufRead};
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::is_interrupted;
use crate::io::{AsyncBufRead, PollIo};

/// Appends bytes to `vec` up to and with `delimiter`, or to the end of the source, and tells how many
/// these were in all polls. `read` carries the count from poll to poll.
pub(super) fn poll_read_until<R: ?Sized + AsyncBufRead>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    delimiter: u8,
    vec: &mut Vec<u8>,
    read: &mut usize,
) -> PollIo<usize> {
    loop {
        let mut available = match ready!(reader.as_mut().poll_fill_buf(cx)) {
            Ok(available) => available,
            Err(e) if is_interrupted(&e) => continue,
            Err(e) => {
                // What was read stays in `vec`; the next call counts its own bytes.
                *read = 0;
                return Poll::Ready(Err(e));
            }
        };
        // The standard library searches and copies; reading from memory does not fail.
        let used = available.read_until(delimiter, vec)?;
        let found = used > 0 && vec.last() == Some(&delimiter);
        reader.as_mut().consume(used);
        *read += used;
        if found || used == 0 {
            return Poll::Ready(Ok(std::mem::take(read)));
        }
    }
}

pin_project! {
    /// The future of `AsyncBufReadExt::read_until`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ReadUntil<'a, R: ?Sized> {
        reader: &'a mut R,
        delimiter: u8,
        vec: &'a mut Vec<u8>,
        read: usize,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_read_until<'a, R: ?Sized + AsyncBufRead + Unpin>(
    reader: &'a mut R,
    delimiter: u8,
    vec: &'a mut Vec<u8>,
) -> ReadUntil<'a, R> {
    ReadUntil { reader, delimiter, vec, read: 0, _pinned: PhantomPinned }
}

impl<R: ?Sized + AsyncBufRead + Unpin> Future for ReadUntil<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<usize> {
        let me = self.project();
        poll_read_until(Pin::new(&mut **me.reader), cx, *me.delimiter, me.vec, me.read)
    }
}

pin_project! {
    /// The future of `AsyncBufReadExt::fill_buf`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct FillBuf<'a, R: ?Sized> {
        // Given up with the answer, which borrows from it.
        reader: Option<&'a mut R>,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_fill_buf<R: ?Sized + AsyncBufRead + Unpin>(reader: &mut R) -> FillBuf<'_, R> {
    FillBuf { reader: Some(reader), _pinned: PhantomPinned }
}

impl<'a, R: ?Sized + AsyncBufRead + Unpin> Future for FillBuf<'a, R> {
    type Output = io::Result<&'a [u8]>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&'a [u8]> {
        let slot = self.project().reader;
        let reader = slot.take().expect("polled after it was ready");
        match Pin::new(&mut *reader).poll_fill_buf(cx) {
            Poll::Ready(Ok(bytes)) => {
                let bytes: *const [u8] = bytes;
                // SAFETY: `bytes` borrows from `*reader`, which is ours exclusively for `'a`. We have taken
                // `reader` out of the future and drop it here, so until `'a` ends nobody uses
                // `*reader` but through `bytes`. (The borrow checker does not see that the other
                // arms, which put `reader` back, have no `bytes`.)
                Poll::Ready(Ok(unsafe { &*bytes }))
            }
            Poll::Ready(Err(e)) => Poll::Ready(Err(e)),
            Poll::Pending => {
                *slot = Some(reader);
                Poll::Pending
            }
        }
    }
}
