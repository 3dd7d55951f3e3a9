//! Strings as destinations of reads: the futures of `AsyncReadExt::read_to_string` and
//! `AsyncBufReadExt::read_line`.
//!
//! A string must be valid whenever somebody may look at it, and a read may end in the middle of a character.
//! So the future takes the string's bytes out, leaving the empty string, works on them, and
//! puts them back when they are valid. If they are not, what was read is dropped and the string is as before.

use std::future::Future;
use std::io;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::read_to_end::Filler;
use super::read_until::poll_read_until;
use crate::io::{AsyncBufRead, AsyncRead, PollIo};

/// Puts `bytes`, of which the first `before` were `text`'s own, back; without what was read if that is
/// not UTF-8, or if reading failed and `keep_partial` is not set.
fn finish(
    result: io::Result<usize>,
    mut bytes: Vec<u8>,
    before: usize,
    text: &mut String,
    keep_partial: bool,
) -> io::Result<usize> {
    if result.is_err() && !keep_partial {
        bytes.truncate(before);
    }
    match String::from_utf8(bytes) {
        Ok(all) => {
            *text = all;
            result
        }
        Err(e) => {
            let invalid = e.utf8_error();
            let mut bytes = e.into_bytes();
            bytes.truncate(before);
            *text = String::from_utf8(bytes).expect("the string was valid before");
            // That reading failed is the graver news.
            result.and(Err(io::Error::new(io::ErrorKind::InvalidData, invalid)))
        }
    }
}

pin_project! {
    /// The future of `AsyncReadExt::read_to_string`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ReadToString<'a, R: ?Sized> {
        reader: &'a mut R,
        text: &'a mut String,
        bytes: Vec<u8>,
        before: usize,
        filler: Filler,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_read_to_string<'a, R: ?Sized + AsyncRead + Unpin>(
    reader: &'a mut R,
    text: &'a mut String,
) -> ReadToString<'a, R> {
    let bytes = std::mem::take(text).into_bytes();
    let filler = Filler::new(&bytes);
    let before = bytes.len();
    ReadToString { reader, text, bytes, before, filler, _pinned: PhantomPinned }
}

impl<R: ?Sized + AsyncRead + Unpin> Future for ReadToString<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<usize> {
        let me = self.project();
        // SAFETY: the filler was made for these bytes, which are ours, and after the end there are none.
        let poll = unsafe { me.filler.poll(Pin::new(&mut **me.reader), cx, me.bytes) };
        let result = ready!(poll);
        Poll::Ready(finish(result, std::mem::take(me.bytes), *me.before, me.text, false))
    }
}

pin_project! {
    /// The future of `AsyncBufReadExt::read_line`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ReadLine<'a, R: ?Sized> {
        reader: &'a mut R,
        text: &'a mut String,
        bytes: Vec<u8>,
        before: usize,
        read: usize,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_read_line<'a, R: ?Sized + AsyncBufRead + Unpin>(
    reader: &'a mut R,
    text: &'a mut String,
) -> ReadLine<'a, R> {
    let bytes = std::mem::take(text).into_bytes();
    let before = bytes.len();
    ReadLine { reader, text, bytes, before, read: 0, _pinned: PhantomPinned }
}

impl<R: ?Sized + AsyncBufRead + Unpin> Future for ReadLine<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<usize> {
        let me = self.project();
        let reader = Pin::new(&mut **me.reader);
        let result = ready!(poll_read_until(reader, cx, b'\n', me.bytes, me.read));
        Poll::Ready(finish(result, std::mem::take(me.bytes), *me.before, me.text, true))
    }
}
