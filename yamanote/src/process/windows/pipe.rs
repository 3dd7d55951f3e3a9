//! A child's pipes, by jobs of the blocking pool.
//!
//! The standard library makes them for overlapped operations, so that a poller could watch them. A handle that was given to one
//! stays with it, though, and could not become the standard stream of another child any more, which
//! [`into_stdio`](ReadPipe::into_stdio) promises.

use std::io::{self, IoSlice, Read, Write};
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle, RawHandle};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use crate::io::ReadBuf;
use crate::io::pool::{Input, Open, Output};

/// A pipe that jobs share with its owner. Jobs come one after another, so the lock is for the compiler; it is held
/// while a job waits, and so not for use by anybody else.
#[derive(Debug)]
struct Shared<T> {
    stream: Arc<Mutex<T>>,
    /// The stream's, as long as that lives.
    handle: usize,
}

impl<T: AsRawHandle> Shared<T> {
    fn new(stream: T) -> Shared<T> {
        let handle = stream.as_raw_handle() as usize;
        Shared { stream: Arc::new(Mutex::new(stream)), handle }
    }

    fn as_raw_handle(&self) -> RawHandle {
        self.handle as RawHandle
    }

    fn as_handle(&self) -> BorrowedHandle<'_> {
        // SAFETY: open as long as the stream, of which we hold a reference.
        unsafe { BorrowedHandle::borrow_raw(self.as_raw_handle()) }
    }

    fn into_stream(self) -> io::Result<T>
    where
        T: From<OwnedHandle>,
    {
        let duplicate = || self.as_handle().try_clone_to_owned();
        // Decided before the stream is given away: a job under way keeps it.
        if Arc::strong_count(&self.stream) > 1 {
            return duplicate().map(T::from);
        }
        match Arc::try_unwrap(self.stream) {
            Ok(stream) => Ok(stream.into_inner().unwrap_or_else(PoisonError::into_inner)),
            Err(_) => unreachable!("jobs are given the stream by us alone"),
        }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared { stream: Arc::clone(&self.stream), handle: self.handle }
    }
}

impl<T: Send + 'static> Open for Shared<T> {
    type Stream = Shared<T>;

    fn open(&self) -> Shared<T> {
        self.clone()
    }
}

impl<T: Read> Read for Shared<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner).read(buf)
    }
}

impl<T: Write> Write for Shared<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner).write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

#[derive(Debug)]
pub(in crate::process) struct WritePipe {
    pipe: Shared<ChildStdin>,
    output: Output<Shared<ChildStdin>>,
}

/// Of standard output or standard error: they are the same thing.
#[derive(Debug)]
pub(in crate::process) struct ReadPipe {
    pipe: Shared<ChildStdout>,
    input: Input<Shared<ChildStdout>>,
}

impl WritePipe {
    /// Whether several buffers can be written at once.
    pub(in crate::process) const IS_VECTORED: bool = false;

    pub(in crate::process) fn new(handle: OwnedHandle) -> io::Result<WritePipe> {
        let pipe = Shared::new(ChildStdin::from(handle));
        Ok(WritePipe { output: Output::new(pipe.clone()), pipe })
    }

    pub(in crate::process) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.output.poll_write(cx, buf)
    }

    pub(in crate::process) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty());
        self.poll_write(cx, first.map_or(&[], |buf| &**buf))
    }

    pub(in crate::process) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll_flush(cx)
    }

    fn into_stream(self) -> io::Result<ChildStdin> {
        // A job under way has a reference of its own.
        drop(self.output);
        self.pipe.into_stream()
    }

    pub(in crate::process) fn into_owned_handle(self) -> io::Result<OwnedHandle> {
        self.into_stream().map(OwnedHandle::from)
    }

    pub(in crate::process) fn into_stdio(self) -> io::Result<Stdio> {
        self.into_stream().map(Stdio::from)
    }
}

impl ReadPipe {
    pub(in crate::process) fn new(handle: OwnedHandle) -> io::Result<ReadPipe> {
        let pipe = Shared::new(ChildStdout::from(handle));
        Ok(ReadPipe { input: Input::new(pipe.clone()), pipe })
    }

    pub(in crate::process) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.input.poll_read(cx, buf)
    }

    fn into_stream(self) -> io::Result<ChildStdout> {
        drop(self.input);
        self.pipe.into_stream()
    }

    pub(in crate::process) fn into_owned_handle(self) -> io::Result<OwnedHandle> {
        self.into_stream().map(OwnedHandle::from)
    }

    pub(in crate::process) fn into_stdio(self) -> io::Result<Stdio> {
        self.into_stream().map(Stdio::from)
    }
}

impl AsRawHandle for WritePipe {
    fn as_raw_handle(&self) -> RawHandle {
        self.pipe.as_raw_handle()
    }
}

impl AsHandle for WritePipe {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.pipe.as_handle()
    }
}

impl AsRawHandle for ReadPipe {
    fn as_raw_handle(&self) -> RawHandle {
        self.pipe.as_raw_handle()
    }
}

impl AsHandle for ReadPipe {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.pipe.as_handle()
    }
}
