//! The ends of a pipe.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::windows::io::{
    AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, IntoRawHandle, OwnedHandle, RawHandle,
};
use std::pin::Pin;
use std::task::{Context, Poll};

use mio::windows::NamedPipe;

use super::{PipeEnd, PipeInfo, PipeMode};
use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use crate::runtime::Handle;
use crate::sys::windows::named_pipe as sys;

/// The server's end of an instance of a pipe. Made by [`ServerOptions::create`](super::ServerOptions::create).
///
/// # Examples
/// A server for any number of clients. The next instance is made before the one with a client is given away: a
/// client that comes when there is none fails.
///
/// ```no_run
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::net::windows::named_pipe::ServerOptions;
///
/// let name = r"\\.\pipe\many-clients";
/// let mut server = ServerOptions::new().first_pipe_instance(true).create(name)?;
/// loop {
///     server.connect().await?;
///     let client = std::mem::replace(&mut server, ServerOptions::new().create(name)?);
///     yamanote::spawn(async move {
///         // Talk to the client.
///         drop(client);
///     });
/// }
/// # }
/// ```
pub struct NamedPipeServer {
    pub(super) io: PollEvented<NamedPipe>,
}

/// The client's end of a pipe. Made by [`ClientOptions::open`](super::ClientOptions::open).
pub struct NamedPipeClient {
    pub(super) io: PollEvented<NamedPipe>,
}

impl NamedPipeServer {
    /// Waits for a client. Done at once if there is one.
    ///
    /// # Cancel safety
    /// No client is lost if the future is dropped.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn connect(&self) -> io::Result<()> {
        match self.io.connect() {
            // The system knows that we wait; it makes the pipe writable when a client comes.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.io
                    .registration()
                    .async_io(Interest::WRITABLE, || match self.io.take_error()? {
                        Some(error) => Err(error),
                        None => self.io.connect(),
                    })
                    .await
            }
            result => result,
        }
    }

    /// Sends the client away. What it has not read yet is lost to it. The server may then
    /// [`connect`](NamedPipeServer::connect) to another one.
    ///
    /// # Errors
    /// Those of the system.
    pub fn disconnect(&self) -> io::Result<()> {
        self.io.disconnect()
    }
}

/// An end that was dropped is closed when the system has told of the end of its operations, which a turn of the poller
/// hears of. Before another instance is made, whose options may not go with those of one that is still there, such
/// ends are let go of.
#[track_caller]
pub(super) fn let_go_of_dropped() {
    let shared = &Handle::current().shared;
    // Somebody else who is at it does it, too.
    let _ = shared.driver(shared.home()).io.try_turn(MAX_EVENTS);
}

/// Arbitrary: as many as one is likely to have dropped at once.
const MAX_EVENTS: usize = 64;

macro_rules! end {
    ($ty:ident) => {
        impl $ty {
            /// The handle must be open for overlapped operations.
            #[track_caller]
            pub(super) fn from_owned(handle: OwnedHandle) -> io::Result<$ty> {
                // SAFETY: it is owned and given away.
                let pipe = unsafe { NamedPipe::from_raw_handle(handle.into_raw_handle()) };
                Ok($ty { io: PollEvented::new(pipe)? })
            }

            /// Takes over a handle, which has to be open for overlapped operations.
            ///
            /// # Panics
            /// Outside a runtime, or on one without I/O.
            ///
            /// # Errors
            /// When the system cannot watch the pipe.
            ///
            /// # Safety
            /// The handle must be open, this end of a named pipe, and owned by the caller, who gives it away.
            #[track_caller]
            pub unsafe fn from_raw_handle(handle: RawHandle) -> io::Result<$ty> {
                // SAFETY: passed on to the caller.
                $ty::from_owned(unsafe { OwnedHandle::from_raw_handle(handle) })
            }

            /// What the system knows of the pipe.
            ///
            /// # Errors
            /// Those of the system.
            pub fn info(&self) -> io::Result<PipeInfo> {
                let info = sys::info(self.as_handle())?;
                Ok(PipeInfo {
                    mode: if info.messages { PipeMode::Message } else { PipeMode::Byte },
                    end: if info.is_server { PipeEnd::Server } else { PipeEnd::Client },
                    max_instances: info.max_instances,
                    out_buffer_size: info.out_buffer_size,
                    in_buffer_size: info.in_buffer_size,
                })
            }

            /// Waits for any of the readiness in `interest` and tells what there is of it.
            ///
            /// # Cancel safety
            /// Nothing is lost when the future is dropped: the readiness is reported again until a `try_` method
            /// has found it wrong.
            ///
            /// # Errors
            /// When the runtime has shut down.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                Ok(self.io.registration().ready(interest).await?.ready)
            }

            /// Waits until reading may make progress: `ready(Interest::READABLE)`.
            ///
            /// # Cancel safety
            /// As for `ready`.
            pub async fn readable(&self) -> io::Result<()> {
                self.ready(Interest::READABLE).await.map(drop)
            }

            /// As `readable`, for use in a `poll` function. Only the last caller of this and the reading `poll` functions
            /// is woken.
            pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.io.registration().poll_ready(cx, Direction::Read).map_ok(drop)
            }

            /// Reads what there is, without waiting. `Ok(0)` is the end of the stream, or an empty buffer.
            ///
            /// # Errors
            /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; see `readable`.
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                self.io.registration().try_io(Interest::READABLE, || (&*self.io).read(buf))
            }

            /// As `try_read`, into several buffers, filled one after another.
            pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.io.registration().try_io(Interest::READABLE, || (&*self.io).read_vectored(bufs))
            }

            /// Waits until writing may make progress: `ready(Interest::WRITABLE)`.
            ///
            /// # Cancel safety
            /// As for `ready`.
            pub async fn writable(&self) -> io::Result<()> {
                self.ready(Interest::WRITABLE).await.map(drop)
            }

            /// As `writable`, for use in a `poll` function. Only the last caller of this and the writing `poll` functions
            /// is woken.
            pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.io.registration().poll_ready(cx, Direction::Write).map_ok(drop)
            }

            /// Writes without waiting, and tells how much.
            ///
            /// # Errors
            /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) while the write before is under way; see `writable`.
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                self.io.registration().try_io(Interest::WRITABLE, || (&*self.io).write(buf))
            }

            /// As `try_write`, of several buffers, one after another.
            pub fn try_write_vectored(&self, buf: &[IoSlice<'_>]) -> io::Result<usize> {
                self.io.registration().try_io(Interest::WRITABLE, || (&*self.io).write_vectored(buf))
            }

            /// Runs an operation of your own on the pipe, unless it is known that it would block.
            ///
            /// When `operation` answers [`WouldBlock`](io::ErrorKind::WouldBlock), the readiness is cleared. So it must
            /// answer that only if the pipe itself did, and must not use methods of this type, which keep track of
            /// readiness on their own.
            ///
            /// # Errors
            /// Those of `operation`, and `WouldBlock` without a call of it.
            pub fn try_io<R>(
                &self,
                interest: Interest,
                operation: impl FnOnce() -> io::Result<R>,
            ) -> io::Result<R> {
                self.io.registration().try_io_raw(interest, operation)
            }

            /// Waits for readiness and runs an operation of your own on the pipe, until it answers anything but
            /// [`WouldBlock`](io::ErrorKind::WouldBlock). What is said of `try_io` holds here, too.
            ///
            /// # Errors
            /// Those of `operation`, and when the runtime has shut down.
            pub async fn async_io<R>(
                &self,
                interest: Interest,
                operation: impl FnMut() -> io::Result<R>,
            ) -> io::Result<R> {
                self.io.registration().async_io_raw(interest, operation).await
            }
        }

        impl AsyncRead for $ty {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.io.registration().poll_io(cx, Direction::Read, |_| {
                    // The reader takes initialised memory only.
                    let n = (&*self.io).read(buf.initialize_unfilled())?;
                    buf.advance(n);
                    Ok(())
                })
            }
        }

        impl AsyncWrite for $ty {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.io.poll_write(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.io.poll_write_vectored(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                // An end is closed as a whole: when it is dropped.
                Poll::Ready(Ok(()))
            }
        }

        impl AsRawHandle for $ty {
            fn as_raw_handle(&self) -> RawHandle {
                self.io.as_raw_handle()
            }
        }

        impl AsHandle for $ty {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                // SAFETY: open as long as the pipe, which lives as long as the borrow.
                unsafe { BorrowedHandle::borrow_raw(self.as_raw_handle()) }
            }
        }

        impl fmt::Debug for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($ty)).field("io", &*self.io).finish()
            }
        }
    };
}

end!(NamedPipeServer);
end!(NamedPipeClient);
