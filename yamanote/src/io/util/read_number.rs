//! The future of `AsyncReadExt::read_u8` and its kin, for all widths, signs and byte orders.

use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::read::poll_fill;
use crate::io::{AsyncRead, PollIo};

pin_project! {
    /// Reads the bytes `A` of a number `T`.
    #[must_use = "futures do nothing unless polled"]
    pub struct ReadNumber<'a, R: ?Sized, A, T> {
        reader: &'a mut R,
        bytes: A,
        filled: usize,
        decode: fn(A) -> T,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_read_number<R, T, const N: usize>(
    reader: &mut R,
    decode: fn([u8; N]) -> T,
) -> ReadNumber<'_, R, [u8; N], T>
where
    R: ?Sized + AsyncRead + Unpin,
{
    ReadNumber { reader, bytes: [0; N], filled: 0, decode, _pinned: PhantomPinned }
}

impl<R, A, T> Future for ReadNumber<'_, R, A, T>
where
    R: ?Sized + AsyncRead + Unpin,
    A: AsMut<[u8]> + Copy,
{
    type Output = io::Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<T> {
        let me = self.project();
        ready!(poll_fill(Pin::new(&mut **me.reader), cx, me.bytes.as_mut(), me.filled))?;
        Poll::Ready(Ok((me.decode)(*me.bytes)))
    }
}

impl<R: ?Sized, A, T> fmt::Debug for ReadNumber<'_, R, A, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadNumber").field("filled", &self.filled).finish_non_exhaustive()
    }
}
