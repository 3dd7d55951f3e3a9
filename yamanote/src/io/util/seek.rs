//! The future of `AsyncSeekExt::{seek, rewind, stream_position}`.

use std::future::Future;
use std::io::{self, SeekFrom};
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, ready};

use pin_project_lite::pin_project;

use crate::io::{AsyncSeek, PollIo};

pin_project! {
    /// Waits for what is under way, submits a seek, waits for it.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Seek<'a, S: ?Sized> {
        stream: &'a mut S,
        // `None` once it was submitted.
        target: Option<SeekFrom>,
        // Room for fields that must not move.
        #[pin]
        _pinned: PhantomPinned,
    }
}

pub(super) fn new_seek<S: ?Sized + AsyncSeek + Unpin>(stream: &mut S, target: SeekFrom) -> Seek<'_, S> {
    Seek { stream, target: Some(target), _pinned: PhantomPinned }
}

impl<S: ?Sized + AsyncSeek + Unpin> Future for Seek<'_, S> {
    type Output = io::Result<u64>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        let me = self.project();
        if let Some(target) = *me.target {
            // A seek that was cancelled may still be under way.
            ready!(Pin::new(&mut **me.stream).poll_complete(cx))?;
            Pin::new(&mut **me.stream).start_seek(target)?;
            *me.target = None;
        }
        Pin::new(&mut **me.stream).poll_complete(cx)
    }
}
