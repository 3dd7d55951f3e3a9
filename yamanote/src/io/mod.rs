//! Asynchronous input and output: traits, helpers and definitions.
//!
//! The four traits [`AsyncRead`], [`AsyncWrite`], [`AsyncBufRead`] and [`AsyncSeek`] mirror those of
//! [`std::io`] without blocking: an operation that cannot go on yet gives the thread back and has its task
//! woken later. Sockets, files, pipes, child processes and the types of this module implement them. What
//! programs call is mostly in the extension traits (`AsyncReadExt`, `AsyncWriteExt`, `AsyncBufReadExt`,
//! `AsyncSeekExt`), whose methods return futures.
//!
//! Around them are: buffers (`BufReader`, `BufWriter`, `BufStream`), copying (`copy`, `copy_buf`,
//! `copy_bidirectional`), pipes in memory (`duplex`, `simplex`), taking a stream apart and putting it
//! together (`split`, `join`), sources and destinations for tests (`empty`, `repeat`, `sink`), and the
//! standard streams of the process (`stdin`, `stdout`, `stderr`).
//!
//! The standard streams are operated by threads of the blocking pool, since they cannot be waited for on every
//! platform. A program that has finished its work while a read of `stdin` is under way does not
//! get that thread back; interactive programs are better off with a thread of their own for it.

// Read in this order: the traits and the buffer; the readiness sets; then what is built from them.
mod async_buf_read;
mod async_read;
mod async_seek;
mod async_write;
mod read_buf;

#[cfg(all(unix, feature = "net"))]
mod async_fd;
#[cfg(any(feature = "io-std", feature = "process"))]
pub(crate) mod pool;
#[cfg(feature = "io-std")]
mod stdio;
#[cfg(feature = "io-util")]
mod util;

pub(crate) mod interest;
pub(crate) mod ready;

pub use async_buf_read::AsyncBufRead;
pub use async_read::AsyncRead;
pub use async_seek::AsyncSeek;
pub use async_write::AsyncWrite;
pub use read_buf::ReadBuf;
#[doc(no_inline)]
pub use std::io::{Error, ErrorKind, Result, SeekFrom};

/// What the polling functions of the traits return.
pub(crate) type PollIo<T = ()> = std::task::Poll<Result<T>>;

#[cfg(feature = "net")]
#[cfg_attr(docsrs, doc(cfg(feature = "net")))]
pub use interest::Interest;
#[cfg(feature = "net")]
#[cfg_attr(docsrs, doc(cfg(feature = "net")))]
pub use ready::Ready;
#[cfg(feature = "io-std")]
#[cfg_attr(docsrs, doc(cfg(feature = "io-std")))]
pub use stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
#[cfg(feature = "io-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "io-util")))]
pub use util::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufStream, BufWriter, Chain,
    DuplexStream, Empty, Join, Lines, ReadHalf, Repeat, SimplexStream, Sink, Split, Take, WriteHalf,
    copy, copy_bidirectional, copy_bidirectional_with_sizes, copy_buf, duplex, empty, join, repeat,
    simplex, sink, split,
};

/// What is particular to Unix.
#[cfg(all(unix, feature = "net"))]
#[cfg_attr(docsrs, doc(cfg(all(unix, feature = "net"))))]
pub mod unix {
    #[doc(hidden)]
    pub use super::async_fd::AsyncFdTryNewError;
    pub use super::async_fd::{
        AsyncFd, AsyncFdReadyGuard, AsyncFdReadyMutGuard, AsyncFdRegisterError, TryIoError,
    };
}
