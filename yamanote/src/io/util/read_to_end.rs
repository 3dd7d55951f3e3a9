//! The future of `AsyncReadExt::read_to_end`: fills a vector until the end of the source.
//!
//! How the vector grows: while it has room for [`PROBE`] bytes or more it is read into as it is, with what
//! earlier reads initialised remembered. When less is free, it grows by doubling, with one exception: the
//! vector the caller brought may be exactly as large as the data. So while it still has the capacity it came
//! with, a read into a small array on the stack finds out whether there is more at all.

use std::future::Future;
use std::io;
use std::marker::PhantomPinned;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::is_interrupted;
use super::read::poll_read_uninit;
use crate::io::{AsyncRead, PollIo, ReadBuf};

/// The least room worth a read of its own, and the size of the array on the stack. As in the standard
/// library.
const PROBE: usize = 32;

pin_project! {
    /// The future of `AsyncReadExt::read_to_end`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ReadToEnd<'a, R: ?Sized> {
        reader: &'a mut R,
        vec: &'a mut Vec<u8>,
        filler: Filler,
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_read_to_end<'a, R: ?Sized + AsyncRead + Unpin>(
    reader: &'a mut R,
    vec: &'a mut Vec<u8>,
) -> ReadToEnd<'a, R> {
    let filler = Filler::new(vec);
    ReadToEnd { reader, vec, filler, _pinned: PhantomPinned }
}

impl<R: ?Sized + AsyncRead + Unpin> Future for ReadToEnd<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<usize> {
        let me = self.project();
        // SAFETY: the filler was made for this vector, which we borrow exclusively.
        unsafe { me.filler.poll(Pin::new(&mut **me.reader), cx, me.vec) }
    }
}

/// What has to be known of the vector from read to read. One filler serves one vector.
#[derive(Debug)]
pub(super) struct Filler {
    /// The capacity the vector came with.
    first_capacity: usize,
    /// How many bytes behind the vector's length are initialised.
    initialized: usize,
    /// How many bytes were read.
    read: usize,
}

impl Filler {
    pub(super) fn new(vec: &Vec<u8>) -> Self {
        Filler { first_capacity: vec.capacity(), initialized: 0, read: 0 }
    }

    /// Reads to the end of `reader` and tells how many bytes that were.
    ///
    /// # Safety
    /// `vec` must be the vector the filler was made for, changed by nobody else since, or have no capacity.
    pub(super) unsafe fn poll<R: ?Sized + AsyncRead>(
        &mut self,
        mut reader: Pin<&mut R>,
        cx: &mut Context<'_>,
        vec: &mut Vec<u8>,
    ) -> PollIo<usize> {
        loop {
            // SAFETY: as for this function.
            match ready!(unsafe { self.poll_once(reader.as_mut(), cx, vec) }) {
                Ok(0) => return Poll::Ready(Ok(self.read)),
                Ok(n) => self.read += n,
                Err(e) if is_interrupted(&e) => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
    }

    /// # Safety
    /// As for [`poll`](Self::poll).
    unsafe fn poll_once<R: ?Sized + AsyncRead>(
        &mut self,
        reader: Pin<&mut R>,
        cx: &mut Context<'_>,
        vec: &mut Vec<u8>,
    ) -> PollIo<usize> {
        if vec.capacity() - vec.len() < PROBE {
            if vec.capacity() == self.first_capacity && self.first_capacity >= PROBE {
                return self.poll_probe(reader, cx, vec);
            }
            vec.reserve(PROBE);
            // The memory may be another by now.
            self.initialized = 0;
        }
        let spare = vec.spare_capacity_mut();
        // SAFETY: `initialized` is what the read before left of this very memory: the vector has neither
        // been reallocated nor changed since (see `poll`), else it would be 0.
        let poll = unsafe { poll_read_uninit(reader, cx, spare, self.initialized) };
        let outcome = ready!(poll)?;
        self.initialized = outcome.initialized - outcome.filled;
        let len = vec.len() + outcome.filled;
        // SAFETY: `poll_read_uninit` saw that many bytes behind the old length being filled.
        unsafe { vec.set_len(len) };
        Poll::Ready(Ok(outcome.filled))
    }

    fn poll_probe<R: ?Sized + AsyncRead>(
        &mut self,
        reader: Pin<&mut R>,
        cx: &mut Context<'_>,
        vec: &mut Vec<u8>,
    ) -> PollIo<usize> {
        let mut memory = [MaybeUninit::uninit(); PROBE];
        let mut probe = ReadBuf::uninit(&mut memory);
        ready!(reader.poll_read(cx, &mut probe))?;
        let bytes = probe.filled();
        vec.extend_from_slice(bytes);
        // Either the memory is another by now, or what was initialised has got shorter.
        self.initialized = 0;
        Poll::Ready(Ok(bytes.len()))
    }
}
