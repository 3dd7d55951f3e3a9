//! A connection through a Unix socket.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::SockRef;

use crate::engine::io::poll_evented::{BOTH, PollEvented};
use crate::engine::io::source::Direction;
use crate::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use crate::net::unix::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, SocketAddr, UCred, WriteHalf};
use crate::sys;

/// A connection through a Unix socket.
///
/// Made by [`connect`](UnixStream::connect) or [`pair`](UnixStream::pair), or accepted by a
/// [`UnixListener`](crate::net::UnixListener). Read and write through
/// [`AsyncReadExt`](crate::io::AsyncReadExt) and [`AsyncWriteExt`](crate::io::AsyncWriteExt), or by waiting
/// for readiness and trying.
///
/// Dropping it closes the connection; what has been written can still be read by the peer.
/// [`AsyncWriteExt::shutdown`](crate::io::AsyncWriteExt::shutdown) closes the writing direction only.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
/// use yamanote::net::UnixStream;
///
/// let (mut client, mut server) = UnixStream::pair()?;
/// client.write_all(b"hello").await?;
/// drop(client);
/// let mut text = String::new();
/// server.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// ```
pub struct UnixStream {
    pub(in crate::net) io: PollEvented<mio::net::UnixStream>,
}

impl UnixStream {
    /// Opens a connection to the socket at a path. On Linux, a path that starts with a null byte names a
    /// socket in the abstract namespace.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the connection does not come about.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::{UnixListener, UnixStream};
    ///
    /// let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// let (client, server) = yamanote::join!(UnixStream::connect(&path), listener.accept());
    /// assert_eq!(client?.peer_addr()?.as_pathname(), Some(&*path));
    /// # server.map(drop)
    /// # }
    /// ```
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        let addr = sys::unix::addr_of(path.as_ref())?;
        UnixStream::connected(mio::net::UnixStream::connect_addr(&addr)?).await
    }

    /// As [`connect`](UnixStream::connect), to an address.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// When the connection does not come about.
    ///
    /// # Cancel safety
    /// When the future is dropped, so is the connection.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::unix::SocketAddr;
    /// use yamanote::net::{UnixListener, UnixStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let listener = UnixListener::bind(dir.path().join("socket"))?;
    /// let addr: SocketAddr = listener.local_addr()?;
    /// let client = UnixStream::connect_addr(&addr).await?;
    /// assert_eq!(client.peer_addr()?.as_pathname(), addr.as_pathname());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect_addr(addr: &SocketAddr) -> io::Result<UnixStream> {
        UnixStream::connected(mio::net::UnixStream::connect_addr(&addr.0)?).await
    }

    /// Waits until a connection in progress has come about or failed.
    pub(crate) async fn connected(socket: mio::net::UnixStream) -> io::Result<UnixStream> {
        let stream = UnixStream { io: PollEvented::connecting(socket, BOTH)? };
        // A socket that failed to connect is reported writable, too.
        stream.io.registration().ready(Interest::WRITABLE).await?;
        match stream.io.take_error()? {
            Some(error) => Err(error),
            None => Ok(stream),
        }
    }

    /// A connection that comes from `accept`: it has room to write, and its peer, who has been waiting, may
    /// well have sent something, so reading is worth a try.
    #[track_caller]
    pub(crate) fn accepted(socket: mio::net::UnixStream) -> io::Result<UnixStream> {
        let io = PollEvented::assumed(socket, BOTH, Ready::READABLE | Ready::WRITABLE)?;
        Ok(UnixStream { io })
    }

    /// Makes two sockets that are connected to each other.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, mut other) = UnixStream::pair()?;
    /// one.write_all(b"hello").await?;
    /// let mut text = [0; 5];
    /// other.read_exact(&mut text).await?;
    /// assert_eq!(&text, b"hello");
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (a, b) = mio::net::UnixStream::pair()?;
        Ok((
            UnixStream { io: PollEvented::assumed(a, BOTH, Ready::WRITABLE)? },
            UnixStream { io: PollEvented::assumed(b, BOTH, Ready::WRITABLE)? },
        ))
    }

    /// Takes over a connection of the standard library's.
    ///
    /// It has to be in non-blocking mode already; otherwise the thread will block.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (stream, _peer) = std::os::unix::net::UnixStream::pair()?;
    /// stream.set_nonblocking(true)?;
    /// let stream = yamanote::net::UnixStream::from_std(stream)?;
    /// stream.writable().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(stream: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
        Ok(UnixStream { io: PollEvented::new(mio::net::UnixStream::from_std(stream))? })
    }

    /// Hands the connection to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    /// When it cannot be taken from the runtime.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixStream::pair()?;
    /// let one: std::os::unix::net::UnixStream = one.into_std()?;
    /// one.set_nonblocking(false)?; // it stays non-blocking otherwise
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_std(self) -> io::Result<std::os::unix::net::UnixStream> {
        self.io.into_inner().map(Into::into)
    }

    /// Who the process at the other end ran as when it connected.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixStream::pair()?;
    /// // Both ends are this process.
    /// assert_eq!(one.peer_cred()?.pid(), Some(std::process::id() as i32));
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer_cred(&self) -> io::Result<UCred> {
        sys::unix::peer_cred(&*self.io).map(|(uid, gid, pid)| UCred::new(uid, gid, pid))
    }

    /// The address of this end.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixStream::pair()?;
    /// assert!(one.local_addr()?.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr().map(SocketAddr)
    }

    /// The address of the other end.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::{UnixListener, UnixStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// let client = UnixStream::connect(&path).await?;
    /// assert_eq!(client.peer_addr()?.as_pathname(), Some(path.as_path()));
    /// # drop(listener);
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr().map(SocketAddr)
    }

    /// Takes the socket's pending error (`SO_ERROR`).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixStream::pair()?;
    /// assert!(one.take_error()?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.take_error()
    }

    /// Waits for any of the readiness in `interest` and tells what there is of it.
    ///
    /// Meant to be followed by a `try_` method, which may still find nothing: then wait again.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped: the readiness is reported again until a `try_` method
    /// has found it wrong.
    ///
    /// # Errors
    /// When the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::io::Interest;
    /// use yamanote::net::UnixStream;
    ///
    /// let (client, _server) = UnixStream::pair()?;
    /// let ready = client.ready(Interest::READABLE | Interest::WRITABLE).await?;
    /// assert!(ready.is_writable());
    /// client.try_write(b"hello")?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.io.registration().ready(interest).await?.ready)
    }

    /// Waits until reading may make progress: `ready(Interest::READABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](UnixStream::ready).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use std::io::ErrorKind;
    /// use yamanote::net::UnixStream;
    ///
    /// let (client, server) = UnixStream::pair()?;
    /// client.try_write(b"hello")?;
    /// let mut buf = [0; 16];
    /// let n = loop {
    ///     server.readable().await?;
    ///     match server.try_read(&mut buf) {
    ///         Err(error) if error.kind() == ErrorKind::WouldBlock => {}
    ///         result => break result?,
    ///     }
    /// };
    /// assert_eq!(&buf[..n], b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// As [`readable`](UnixStream::readable), for use in a `poll` function. Only the last caller of this and
    /// the reading `poll` functions is woken.
    ///
    /// # Errors
    /// When the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// one.try_write(b"text")?;
    /// poll_fn(|cx| other.poll_read_ready(cx)).await?;
    /// assert_eq!(other.try_read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.registration().poll_ready(cx, Direction::Read).map_ok(drop)
    }

    /// Reads what there is, without waiting. `Ok(0)` is the end of the stream, or an empty buffer.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; see
    /// [`readable`](UnixStream::readable).
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// assert_eq!(other.try_read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// one.try_write(b"text")?;
    /// other.readable().await?;
    /// assert_eq!(other.try_read(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || (&*self.io).read(buf))
    }

    /// As [`try_read`](UnixStream::try_read), into several buffers, filled one after another.
    ///
    /// # Errors
    /// As for [`try_read`](UnixStream::try_read).
    ///
    /// # Examples
    /// ```
    /// use std::io::IoSliceMut;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// one.try_write(b"key=value")?;
    /// other.readable().await?;
    /// let (mut key, mut value) = ([0; 4], [0; 5]);
    /// other.try_read_vectored(&mut [IoSliceMut::new(&mut key), IoSliceMut::new(&mut value)])?;
    /// assert_eq!((&key, &value), (b"key=", b"value"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || (&*self.io).read_vectored(bufs))
    }

    /// Waits until writing may make progress: `ready(Interest::WRITABLE)`.
    ///
    /// # Cancel safety
    /// As for [`ready`](UnixStream::ready).
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::UnixStream;
    ///
    /// let (client, _server) = UnixStream::pair()?;
    /// client.writable().await?;
    /// assert_eq!(client.try_write(b"hello")?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// As [`writable`](UnixStream::writable), for use in a `poll` function. Only the last caller of this and
    /// the writing `poll` functions is woken.
    ///
    /// # Errors
    /// When the runtime has shut down.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixStream::pair()?;
    /// poll_fn(|cx| one.poll_write_ready(cx)).await?;
    /// assert_eq!(one.try_write(b"text")?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.registration().poll_ready(cx, Direction::Write).map_ok(drop)
    }

    /// Writes what there is room for, without waiting.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; see
    /// [`writable`](UnixStream::writable).
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, _other) = UnixStream::pair()?;
    /// one.writable().await?;
    /// assert_eq!(one.try_write(b"text")?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::WRITABLE, || (&*self.io).write(buf))
    }

    /// As [`try_write`](UnixStream::try_write), from several buffers, one after another.
    ///
    /// # Errors
    /// As for [`try_write`](UnixStream::try_write).
    ///
    /// # Examples
    /// ```
    /// use std::io::IoSlice;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// one.writable().await?;
    /// let n = one.try_write_vectored(&[IoSlice::new(b"key="), IoSlice::new(b"value")])?;
    /// other.readable().await?;
    /// assert_eq!(other.try_read(&mut [0; 16])?, n);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::WRITABLE, || (&*self.io).write_vectored(bufs))
    }

    /// Runs an operation of your own on the socket, unless it is known that it would block.
    ///
    /// When `f` answers [`WouldBlock`](io::ErrorKind::WouldBlock), the readiness in `interest` is cleared.
    /// So `f` must return it only if the socket itself did, and must not use methods of this type, which
    /// keep track of readiness on their own.
    ///
    /// # Errors
    /// Those of `f`, and `WouldBlock` without a call of it.
    ///
    /// # Examples
    /// ```
    /// use socket2::SockRef;
    /// use yamanote::io::Interest;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// one.try_write(b"text")?;
    /// other.readable().await?;
    /// // With a call that this type has no method for.
    /// let n = other.try_io(Interest::READABLE, || {
    ///     let mut buf = [std::mem::MaybeUninit::uninit(); 16];
    ///     SockRef::from(&other).peek(&mut buf)
    /// })?;
    /// assert_eq!(n, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io<R>(&self, interest: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.registration().try_io_raw(interest, || self.io.try_io(f))
    }

    /// Runs an operation of your own on the socket until it does anything but block, waiting for readiness
    /// in between.
    ///
    /// The conditions of [`try_io`](UnixStream::try_io) hold. `f` may be called several times.
    ///
    /// # Errors
    /// Those of `f`, and one when the runtime has shut down.
    ///
    /// # Cancel safety
    /// As safe as `f`: dropping the future only ends the waiting between its calls.
    ///
    /// # Examples
    /// ```
    /// use socket2::SockRef;
    /// use yamanote::io::Interest;
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// let peek = other.async_io(Interest::READABLE, || {
    ///     let mut buf = [std::mem::MaybeUninit::uninit(); 16];
    ///     SockRef::from(&other).peek(&mut buf)
    /// });
    /// let write = async { one.try_write(b"text") };
    /// let (seen, written) = yamanote::join!(peek, write);
    /// assert_eq!(seen?, written?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        self.io.registration().async_io_raw(interest, || self.io.try_io(&mut f)).await
    }

    /// Closes the reading, the writing or both directions.
    pub(super) fn shutdown_std(&self, how: Shutdown) -> io::Result<()> {
        match self.io.shutdown(how) {
            // The peer was faster, or this is the second time: the direction is closed.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    /// Splits into a half to read from and one to write to that borrow the stream, at no cost.
    ///
    /// For halves that go to different tasks there is [`into_split`](UnixStream::into_split).
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, mut other) = UnixStream::pair()?;
    /// one.write_all(b"question").await?;
    /// let (mut read, mut write) = other.split();
    /// let mut question = [0; 8];
    /// yamanote::try_join!(read.read_exact(&mut question), write.write_all(b"answer"))?;
    /// assert_eq!(&question, b"question");
    /// # Ok(())
    /// # }
    /// ```
    pub fn split<'a>(&'a mut self) -> (ReadHalf<'a>, WriteHalf<'a>) {
        super::split::split(self)
    }

    /// Splits into a half to read from and one to write to that own the stream together. Dropping the
    /// writing half closes the writing direction.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
    /// use yamanote::net::UnixStream;
    ///
    /// let (client, server) = UnixStream::pair()?;
    /// // An echo server.
    /// let (mut read, mut write) = server.into_split();
    /// yamanote::spawn(async move { yamanote::io::copy(&mut read, &mut write).await });
    ///
    /// let (mut read, mut write) = client.into_split();
    /// write.write_all(b"hello").await?;
    /// drop(write);
    /// let mut text = String::new();
    /// read.read_to_string(&mut text).await?;
    /// assert_eq!(text, "hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        super::split_owned::split_owned(self)
    }

    // What the traits' methods do; they want a unique reference that the halves do not have.

    pub(crate) fn poll_read_priv(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A read stops short after a message with descriptors, so it does not tell that all is read.
        // SAFETY: `recv` initialises the bytes it reports.
        unsafe { self.io.poll_read(cx, buf, false, |io, buf| io.try_io(|| SockRef::from(io).recv(buf))) }
    }

    pub(super) fn poll_write_priv(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.poll_write(cx, buf)
    }

    pub(super) fn poll_write_vectored_priv(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.poll_write_vectored(cx, bufs)
    }
}

impl AsyncRead for UnixStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_read_priv(cx, buf)
    }
}

impl AsyncWrite for UnixStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_priv(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored_priv(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: there is no buffer.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown_std(Shutdown::Write))
    }
}

impl TryFrom<std::os::unix::net::UnixStream> for UnixStream {
    type Error = io::Error;

    /// The same as [`UnixStream::from_std`].
    fn try_from(stream: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
        UnixStream::from_std(stream)
    }
}

impl AsRef<UnixStream> for UnixStream {
    fn as_ref(&self) -> &UnixStream {
        self
    }
}

impl std::fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (*self.io).fmt(f)
    }
}
