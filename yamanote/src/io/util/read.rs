//! The futures of `AsyncReadExt::{read, read_buf, read_exact}`.

use std::future::Future;
use std::io;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use pin_project_lite::pin_project;

use super::is_interrupted;
use crate::io::{AsyncRead, PollIo, ReadBuf};

pin_project! {
    /// The future of `AsyncReadExt::read`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Read<'a, R: ?Sized> {
        reader: &'a mut R,
        buf: &'a mut [u8],
        // Room for fields that must not move.
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_read<'a, R: ?Sized + AsyncRead + Unpin>(
    reader: &'a mut R,
    buf: &'a mut [u8],
) -> Read<'a, R> {
    Read { reader, buf, _pinned: PhantomPinned }
}

impl<R: ?Sized + AsyncRead + Unpin> Future for Read<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<usize> {
        let me = self.project();
        let mut buf = ReadBuf::new(me.buf);
        ready!(Pin::new(&mut **me.reader).poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(buf.filled().len()))
    }
}

pin_project! {
    /// The future of `AsyncReadExt::read_buf`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ReadIntoBuf<'a, R: ?Sized, B: ?Sized> {
        reader: &'a mut R,
        buf: &'a mut B,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_read_buf<'a, R, B>(reader: &'a mut R, buf: &'a mut B) -> ReadIntoBuf<'a, R, B>
where
    R: ?Sized + AsyncRead + Unpin,
    B: ?Sized + BufMut,
{
    ReadIntoBuf { reader, buf, _pinned: PhantomPinned }
}

impl<R, B> Future for ReadIntoBuf<'_, R, B>
where
    R: ?Sized + AsyncRead + Unpin,
    B: ?Sized + BufMut,
{
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<usize> {
        let me = self.project();
        if !me.buf.has_remaining_mut() {
            return Poll::Ready(Ok(0));
        }
        let chunk = me.buf.chunk_mut();
        // SAFETY: we only pass the chunk on to a `ReadBuf`, through which nobody de-initialises bytes.
        let chunk = unsafe { chunk.as_uninit_slice_mut() };
        // SAFETY: no byte is claimed to be initialised.
        let poll = unsafe { poll_read_uninit(Pin::new(&mut **me.reader), cx, chunk, 0) };
        let n = ready!(poll)?.filled;
        // SAFETY: the first `n` bytes of the chunk were filled just now.
        unsafe { me.buf.advance_mut(n) };
        Poll::Ready(Ok(n))
    }
}

/// What a read left in a piece of memory, counted from its front.
pub(super) struct Outcome {
    pub(super) filled: usize,
    pub(super) initialized: usize,
}

/// Reads into memory of which the first `initialized` bytes are initialised.
///
/// # Panics
/// If the reader puts another buffer in place of the one it was given: its counts would then speak of
/// other memory.
///
/// # Safety
/// They must be initialised, and no more than there are.
pub(super) unsafe fn poll_read_uninit<R: ?Sized + AsyncRead>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    memory: &mut [std::mem::MaybeUninit<u8>],
    initialized: usize,
) -> PollIo<Outcome> {
    let (start, len) = (memory.as_ptr().cast::<u8>(), memory.len());
    let mut buf = ReadBuf::uninit(memory);
    // SAFETY: as the caller promises.
    unsafe { buf.assume_init(initialized) };
    ready!(reader.poll_read(cx, &mut buf))?;
    let filled = buf.filled();
    assert!(
        filled.as_ptr() == start && filled.len() <= len,
        "the reader replaced the buffer it was given"
    );
    Poll::Ready(Ok(Outcome { filled: buf.filled().len(), initialized: buf.initialized().len() }))
}

pin_project! {
    /// The future of `AsyncReadExt::read_exact`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ReadExact<'a, R: ?Sized> {
        reader: &'a mut R,
        buf: &'a mut [u8],
        filled: usize,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_read_exact<'a, R: ?Sized + AsyncRead + Unpin>(
    reader: &'a mut R,
    buf: &'a mut [u8],
) -> ReadExact<'a, R> {
    ReadExact { reader, buf, filled: 0, _pinned: PhantomPinned }
}

impl<R: ?Sized + AsyncRead + Unpin> Future for ReadExact<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<usize> {
        let me = self.project();
        ready!(poll_fill(Pin::new(&mut **me.reader), cx, me.buf, me.filled))?;
        Poll::Ready(Ok(me.buf.len()))
    }
}

/// Reads until `buf`, filled up to `filled`, is full.
pub(super) fn poll_fill<R: ?Sized + AsyncRead>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    buf: &mut [u8],
    filled: &mut usize,
) -> PollIo {
    while *filled < buf.len() {
        let mut rest = ReadBuf::new(&mut buf[*filled..]);
        match ready!(reader.as_mut().poll_read(cx, &mut rest)) {
            Ok(()) => {}
            Err(e) if is_interrupted(&e) => continue,
            Err(e) => return Poll::Ready(Err(e)),
        }
        match rest.filled().len() {
            0 => return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "early eof"))),
            n => *filled += n,
        }
    }
    Poll::Ready(Ok(()))
}
