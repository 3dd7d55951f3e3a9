//! The two halves of any stream: [`ReadHalf`] and [`WriteHalf`].
//!
//! Both share the stream behind a lock that is held while it is polled. That is short, since polling does not
//! wait, and a stream that can be polled from two sides without a lock (a socket) has its own way of splitting.

use std::fmt;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::Context;

use crate::io::{AsyncRead, AsyncWrite, PollIo, ReadBuf};
use crate::loom::sync::{Arc, Mutex};

/// The reading half of a stream.
///
/// Made by [`split`].
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, duplex, split};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (one, mut other) = duplex(64);
/// let (mut read, _write): (ReadHalf<_>, _) = split(one);
/// other.write_all(b"text").await?;
/// let mut text = [0; 4];
/// read.read_exact(&mut text).await?;
/// assert_eq!(&text, b"text");
/// # Ok(())
/// # }
/// ```
pub struct ReadHalf<T> {
    shared: Arc<Shared<T>>,
}

/// The writing half of a stream.
///
/// Made by [`split`]. Dropping it does not end writing: the reading half keeps the stream alive. Use
/// [`shutdown`](crate::io::AsyncWriteExt::shutdown).
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt, WriteHalf, duplex, split};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (one, mut other) = duplex(64);
/// let (_read, mut write): (_, WriteHalf<_>) = split(one);
/// write.write_all(b"text").await?;
/// let mut text = [0; 4];
/// other.read_exact(&mut text).await?;
/// assert_eq!(&text, b"text");
/// # Ok(())
/// # }
/// ```
pub struct WriteHalf<T> {
    shared: Arc<Shared<T>>,
}

// SAFETY: through a shared half nothing can be done with the stream: only its address is compared, and
// `vectored` is read. What the compiler would require, `T: Send`, is for the lock's sake, which only exclusive
// halves take.
unsafe impl<T: Sync> Sync for ReadHalf<T> {}
// SAFETY: as for `ReadHalf`.
unsafe impl<T: Sync> Sync for WriteHalf<T> {}

/// # Invariants
/// The stream is pinned from the first poll on: it is not moved out but by `unsplit`, which requires `T: Unpin`.
struct Shared<T> {
    stream: Mutex<T>,
    /// Asked once, as the question needs no exclusive stream and the answer does not change.
    vectored: bool,
}

/// Splits a stream into a half to read from and a half to write to, which may be used by different tasks.
///
/// Put them together again by [`ReadHalf::unsplit`]. The stream is dropped when both are. Only the waker of the
/// last call on each half counts, as long as the stream keeps one for each direction.
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncReadExt, AsyncWriteExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> io::Result<()> {
/// let (here, there) = io::duplex(64);
/// let (mut reader, mut writer) = io::split(here);
/// let (mut echo_in, mut echo_out) = io::split(there);
///
/// writer.write_all(b"echo").await?;
/// writer.shutdown().await?;
/// io::copy(&mut echo_in, &mut echo_out).await?;
/// let mut word = [0; 4];
/// reader.read_exact(&mut word).await?;
/// assert_eq!(&word, b"echo");
/// # Ok(())
/// # }
/// ```
pub fn split<T>(stream: T) -> (ReadHalf<T>, WriteHalf<T>)
where
    T: AsyncRead + AsyncWrite,
{
    let vectored = stream.is_write_vectored();
    let shared = Arc::new(Shared { stream: Mutex::new(stream), vectored });
    (ReadHalf { shared: Arc::clone(&shared) }, WriteHalf { shared })
}

impl<T> Shared<T> {
    fn with<R>(&self, f: impl FnOnce(Pin<&mut T>) -> R) -> R {
        let mut stream = self.stream.lock();
        // SAFETY: the stream lives in a reference-counted allocation and is dropped there, or is moved
        // out by `unsplit`, which needs it to be `Unpin`.
        f(unsafe { Pin::new_unchecked(&mut *stream) })
    }
}

impl<T> ReadHalf<T> {
    /// Whether both halves come from one call of [`split`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{duplex, split};
    ///
    /// let (one, other) = duplex(64);
    /// let ((read, write), (_, stranger)) = (split(one), split(other));
    /// assert!(read.is_pair_of(&write));
    /// assert!(!read.is_pair_of(&stranger));
    /// ```
    pub fn is_pair_of(&self, other: &WriteHalf<T>) -> bool {
        other.is_pair_of(self)
    }

    /// Puts the stream together again.
    ///
    /// # Panics
    /// If the halves do not come from one call of [`split`]; see [`is_pair_of`](Self::is_pair_of).
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{DuplexStream, duplex, split};
    ///
    /// let (read, write) = split(duplex(64).0);
    /// let whole: DuplexStream = read.unsplit(write);
    /// # drop(whole);
    /// ```
    #[track_caller]
    pub fn unsplit(self, wr: WriteHalf<T>) -> T
    where
        T: Unpin,
    {
        assert!(self.is_pair_of(&wr), "the two halves are of different streams");
        drop(wr);
        match Arc::try_unwrap(self.shared) {
            Ok(shared) => shared.stream.into_inner(),
            Err(_) => unreachable!("there are two halves, and one of them is gone"),
        }
    }
}

impl<T> WriteHalf<T> {
    /// Whether both halves come from one call of [`split`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{duplex, split};
    ///
    /// let (read, write) = split(duplex(64).0);
    /// assert!(write.is_pair_of(&read));
    /// ```
    pub fn is_pair_of(&self, other: &ReadHalf<T>) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T: AsyncRead> AsyncRead for ReadHalf<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        self.shared.with(|stream| stream.poll_read(cx, buf))
    }
}

impl<T: AsyncWrite> AsyncWrite for WriteHalf<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        self.shared.with(|stream| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        self.shared.with(|stream| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.shared.vectored
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.shared.with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.shared.with(|stream| stream.poll_shutdown(cx))
    }
}

impl<T: fmt::Debug> fmt::Debug for ReadHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("split::ReadHalf").finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("split::WriteHalf").finish()
    }
}
