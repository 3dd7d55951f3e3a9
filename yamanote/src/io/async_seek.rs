//! Moving around in a stream of bytes: the [`AsyncSeek`] trait and its implementations for pointers and
//! for memory.

use crate::io::PollIo;
use std::io::{self, SeekFrom};
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Changes the position in a stream of bytes without blocking the thread.
///
/// The counterpart of [`std::io::Seek`] for tasks, in two steps: [`start_seek`](Self::start_seek) submits
/// the request, [`poll_complete`](Self::poll_complete) waits for it.
///
/// Methods that can be awaited are in the extension trait `AsyncSeekExt`.
pub trait AsyncSeek {
    /// Submits a seek to `position`, which may lie behind the end of the stream but not before its
    /// start.
    ///
    /// Returning `Ok(())` means that the request was accepted, not that it succeeded: that is for
    /// [`poll_complete`](Self::poll_complete) to tell, and until it has, no other operation should be
    /// tried.
    ///
    /// # Errors
    /// When the position is invalid, or when another operation is still under way: wait for it with
    /// `poll_complete` first.
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()>;

    /// Waits for the submitted seek and tells the position, counted from the start of the stream.
    ///
    /// Without a submitted seek the answer need not be meaningful; implementations tell the current position
    /// where they know it.
    ///
    /// # Errors
    /// When the seek failed; the position is then unspecified.
    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>>;
}

impl<T: ?Sized + AsyncSeek + Unpin> AsyncSeek for Box<T> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::<&mut T>::new(self.get_mut()).start_seek(position)
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        Pin::<&mut T>::new(self.get_mut()).poll_complete(cx)
    }
}

impl<T: ?Sized + AsyncSeek + Unpin> AsyncSeek for &mut T {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::<&mut T>::new(self.get_mut()).start_seek(position)
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        Pin::<&mut T>::new(self.get_mut()).poll_complete(cx)
    }
}

impl<P> AsyncSeek for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncSeek,
{
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        self.as_deref_mut().start_seek(position)
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        self.as_deref_mut().poll_complete(cx)
    }
}

impl<T: AsRef<[u8]> + Unpin> AsyncSeek for io::Cursor<T> {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        io::Seek::seek(&mut *self, position).map(drop)
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> PollIo<u64> {
        Poll::Ready(Ok(self.position()))
    }
}
