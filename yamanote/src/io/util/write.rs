//! The futures of `AsyncWriteExt`: writing bytes, buffers and numbers, flushing, shutting down.

use std::future::Future;
use std::io::{self, IoSlice};
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use pin_project_lite::pin_project;

use super::is_interrupted;
use crate::io::{AsyncWrite, PollIo};

/// Slices handed to one vectored write. Arbitrary: a kilobyte of stack; Linux takes 1024 at a time.
const SLICES: usize = 64;

pin_project! {
    /// The future of `AsyncWriteExt::write`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Write<'a, W: ?Sized> {
        writer: &'a mut W,
        buf: &'a [u8],
        // Room for fields that must not move.
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_write<'a, W: ?Sized + AsyncWrite + Unpin>(
    writer: &'a mut W,
    buf: &'a [u8],
) -> Write<'a, W> {
    Write { writer, buf, _pinned: PhantomPinned }
}

impl<W: ?Sized + AsyncWrite + Unpin> Future for Write<'_, W> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<usize> {
        let me = self.project();
        Pin::new(&mut **me.writer).poll_write(cx, me.buf)
    }
}

pin_project! {
    /// The future of `AsyncWriteExt::write_vectored`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WriteVectored<'a, 'b, W: ?Sized> {
        writer: &'a mut W,
        bufs: &'a [IoSlice<'b>],
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_write_vectored<'a, 'b, W: ?Sized + AsyncWrite + Unpin>(
    writer: &'a mut W,
    bufs: &'a [IoSlice<'b>],
) -> WriteVectored<'a, 'b, W> {
    WriteVectored { writer, bufs, _pinned: PhantomPinned }
}

impl<W: ?Sized + AsyncWrite + Unpin> Future for WriteVectored<'_, '_, W> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<usize> {
        let me = self.project();
        Pin::new(&mut **me.writer).poll_write_vectored(cx, me.bufs)
    }
}

/// One write of what `buf` has, which must be something, taken off its front.
fn poll_write_some<W: ?Sized + AsyncWrite, B: Buf>(
    writer: Pin<&mut W>,
    cx: &mut Context<'_>,
    buf: &mut B,
) -> PollIo<usize> {
    let n = if writer.is_write_vectored() {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = buf.chunks_vectored(&mut slices);
        ready!(writer.poll_write_vectored(cx, &slices[..count]))?
    } else {
        ready!(writer.poll_write(cx, buf.chunk()))?
    };
    buf.advance(n);
    Poll::Ready(Ok(n))
}

pin_project! {
    /// The future of `AsyncWriteExt::write_buf`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WriteBuf<'a, W: ?Sized, B> {
        writer: &'a mut W,
        buf: &'a mut B,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_write_buf<'a, W: AsyncWrite + Unpin, B: Buf>(
    writer: &'a mut W,
    buf: &'a mut B,
) -> WriteBuf<'a, W, B> {
    WriteBuf { writer, buf, _pinned: PhantomPinned }
}

impl<W: AsyncWrite + Unpin, B: Buf> Future for WriteBuf<'_, W, B> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<usize> {
        let me = self.project();
        if !me.buf.has_remaining() {
            return Poll::Ready(Ok(0));
        }
        poll_write_some(Pin::new(&mut **me.writer), cx, *me.buf)
    }
}

pin_project! {
    /// The future of `AsyncWriteExt::write_all_buf`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WriteAllBuf<'a, W: ?Sized, B> {
        writer: &'a mut W,
        buf: &'a mut B,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_write_all_buf<'a, W: AsyncWrite + Unpin, B: Buf>(
    writer: &'a mut W,
    buf: &'a mut B,
) -> WriteAllBuf<'a, W, B> {
    WriteAllBuf { writer, buf, _pinned: PhantomPinned }
}

impl<W: AsyncWrite + Unpin, B: Buf> Future for WriteAllBuf<'_, W, B> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        let me = self.project();
        while me.buf.has_remaining() {
            match ready!(poll_write_some(Pin::new(&mut **me.writer), cx, *me.buf)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(e) if is_interrupted(&e) => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Writes until all of `buf`, written up to `written`, is out.
fn poll_drain<W: ?Sized + AsyncWrite>(
    mut writer: Pin<&mut W>,
    cx: &mut Context<'_>,
    buf: &[u8],
    written: &mut usize,
) -> PollIo {
    while *written < buf.len() {
        match ready!(writer.as_mut().poll_write(cx, &buf[*written..])) {
            Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Ok(n) => *written += n,
            Err(e) if is_interrupted(&e) => {}
            Err(e) => return Poll::Ready(Err(e)),
        }
    }
    assert!(*written == buf.len(), "the writer took more than it was given");
    Poll::Ready(Ok(()))
}

pin_project! {
    /// The future of `AsyncWriteExt::write_all`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WriteAll<'a, W: ?Sized> {
        writer: &'a mut W,
        buf: &'a [u8],
        written: usize,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_write_all<'a, W: ?Sized + AsyncWrite + Unpin>(
    writer: &'a mut W,
    buf: &'a [u8],
) -> WriteAll<'a, W> {
    WriteAll { writer, buf, written: 0, _pinned: PhantomPinned }
}

impl<W: ?Sized + AsyncWrite + Unpin> Future for WriteAll<'_, W> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        let me = self.project();
        poll_drain(Pin::new(&mut **me.writer), cx, me.buf, me.written)
    }
}

pin_project! {
    /// The future of `AsyncWriteExt::write_u8` and its kin: writes the bytes `A` of a number.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WriteNumber<'a, W: ?Sized, A> {
        writer: &'a mut W,
        bytes: A,
        written: usize,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_write_number<W: ?Sized + AsyncWrite + Unpin, const N: usize>(
    writer: &mut W,
    bytes: [u8; N],
) -> WriteNumber<'_, W, [u8; N]> {
    WriteNumber { writer, bytes, written: 0, _pinned: PhantomPinned }
}

impl<W: ?Sized + AsyncWrite + Unpin, A: AsRef<[u8]>> Future for WriteNumber<'_, W, A> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        let me = self.project();
        poll_drain(Pin::new(&mut **me.writer), cx, (*me.bytes).as_ref(), me.written)
    }
}

pin_project! {
    /// The future of `AsyncWriteExt::flush`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Flush<'a, W: ?Sized> {
        writer: &'a mut W,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_flush<W: ?Sized + AsyncWrite + Unpin>(writer: &mut W) -> Flush<'_, W> {
    Flush { writer, _pinned: PhantomPinned }
}

impl<W: ?Sized + AsyncWrite + Unpin> Future for Flush<'_, W> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        Pin::new(&mut **self.project().writer).poll_flush(cx)
    }
}

pin_project! {
    /// The future of `AsyncWriteExt::shutdown`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Shutdown<'a, W: ?Sized> {
        writer: &'a mut W,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_shutdown<W: ?Sized + AsyncWrite + Unpin>(writer: &mut W) -> Shutdown<'_, W> {
    Shutdown { writer, _pinned: PhantomPinned }
}

impl<W: ?Sized + AsyncWrite + Unpin> Future for Shutdown<'_, W> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        Pin::new(&mut **self.project().writer).poll_shutdown(cx)
    }
}
