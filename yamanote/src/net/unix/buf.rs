//! The methods of Unix sockets that receive into growing buffers ([`BufMut`]).

use std::io;

use bytes::BufMut;
use socket2::SockRef;

use crate::io::Interest;
use crate::net::buf::fill;
use crate::net::unix::pipe::Receiver;
use crate::net::unix::{OwnedReadHalf, ReadHalf, SocketAddr};
use crate::net::{UnixDatagram, UnixStream};
use crate::sys;

impl UnixStream {
    /// As [`try_read`](UnixStream::try_read), appending to a buffer. Reads at most what there is room for in
    /// the buffer's next chunk.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::UnixStream;
    ///
    /// let (client, server) = UnixStream::pair()?;
    /// client.try_write(b"hello")?;
    /// let mut buf = Vec::with_capacity(64);
    /// while buf.is_empty() {
    ///     server.readable().await?;
    ///     let _ = server.try_read_buf(&mut buf);
    /// }
    /// assert_eq!(buf, b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || {
            // SAFETY: `recv` initialises the bytes it reports.
            let (n, ()) = unsafe {
                fill(buf, |room| self.io.try_io(|| SockRef::from(&*self.io).recv(room)).map(|n| (n, ())))
            }?;
            Ok(n)
        })
    }
}

impl ReadHalf<'_> {
    /// As [`try_read`](ReadHalf::try_read), appending to a buffer; see [`UnixStream::try_read_buf`].
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut one, other) = UnixStream::pair()?;
    /// let (read, _write) = one.split();
    /// other.try_write(b"more")?;
    /// let mut text = b"some and ".to_vec();
    /// read.readable().await?;
    /// assert_eq!(read.try_read_buf(&mut text)?, 4);
    /// assert_eq!(text, b"some and more");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.as_ref().try_read_buf(buf)
    }
}

impl OwnedReadHalf {
    /// As [`try_read`](OwnedReadHalf::try_read), appending to a buffer; see [`UnixStream::try_read_buf`].
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixStream::pair()?;
    /// let (read, _write) = one.into_split();
    /// other.try_write(b"more")?;
    /// let mut text = Vec::with_capacity(16);
    /// read.readable().await?;
    /// read.try_read_buf(&mut text)?;
    /// assert_eq!(text, b"more");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.as_ref().try_read_buf(buf)
    }
}

impl UnixDatagram {
    fn receive<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        // SAFETY: `recv` initialises the bytes it reports.
        let (n, ()) = unsafe {
            fill(buf, |room| self.io.try_io(|| SockRef::from(&*self.io).recv(room)).map(|n| (n, ())))
        }?;
        Ok(n)
    }

    fn receive_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        // SAFETY: `recv_from` initialises the bytes it reports.
        let (n, from) = unsafe { fill(buf, |room| sys::unix::recv_from(&*self.io, room)) }?;
        Ok((n, SocketAddr(from)))
    }

    /// As [`recv`](UnixDatagram::recv), appending to a buffer. What does not fit into the buffer's next chunk
    /// is lost.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been received.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// one.send(b"first").await?;
    /// one.send(b"second").await?;
    /// // One datagram behind the other:
    /// let mut all = Vec::with_capacity(64);
    /// other.recv_buf(&mut all).await?;
    /// other.recv_buf(&mut all).await?;
    /// assert_eq!(all, b"firstsecond");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.registration().async_io(Interest::READABLE, || self.receive(buf)).await
    }

    /// As [`try_recv`](UnixDatagram::try_recv), appending to a buffer.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// let mut text = Vec::with_capacity(64);
    /// assert_eq!(other.try_recv_buf(&mut text).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// one.send(b"text").await?;
    /// other.readable().await?;
    /// assert_eq!(other.try_recv_buf(&mut text)?, 4);
    /// assert_eq!(text, b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || self.receive(buf))
    }

    /// As [`recv_from`](UnixDatagram::recv_from), appending to a buffer. What does not fit into the buffer's
    /// next chunk is lost.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been received.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let (path, senders) = (dir.path().join("receiver"), dir.path().join("sender"));
    /// let receiver = UnixDatagram::bind(&path)?;
    /// let sender = UnixDatagram::bind(&senders)?;
    /// sender.send_to(b"text", &path).await?;
    /// let mut buf = Vec::with_capacity(64);
    /// let (n, from) = receiver.recv_buf_from(&mut buf).await?;
    /// assert_eq!((n, from.as_pathname()), (4, Some(&*senders)));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        self.io.registration().async_io(Interest::READABLE, || self.receive_from(buf)).await
    }

    /// As [`try_recv_from`](UnixDatagram::try_recv_from), appending to a buffer.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UnixDatagram;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = UnixDatagram::pair()?;
    /// one.send(b"text").await?;
    /// other.readable().await?;
    /// let mut buf = Vec::with_capacity(64);
    /// let (n, from) = other.try_recv_buf_from(&mut buf)?;
    /// assert!(n == 4 && from.is_unnamed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        self.io.registration().try_io(Interest::READABLE, || self.receive_from(buf))
    }
}

impl Receiver {
    /// As [`try_read`](Receiver::try_read), appending to a buffer. Reads at most what there is room for in
    /// the buffer's next chunk.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::unix::pipe;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// sender.try_write(b"text")?;
    /// receiver.readable().await?;
    /// let mut buf = Vec::with_capacity(16);
    /// assert_eq!(receiver.try_read_buf(&mut buf)?, 4);
    /// assert_eq!(buf, b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || {
            // SAFETY: `read` initialises the bytes it reports.
            let (n, ()) =
                unsafe { fill(buf, |room| sys::unix::read(&*self.io, room).map(|n| (n, ()))) }?;
            Ok(n)
        })
    }
}
