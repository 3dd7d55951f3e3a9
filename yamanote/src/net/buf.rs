//! The methods that receive into growing buffers ([`BufMut`]).

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::slice;

use bytes::BufMut;
use socket2::SockRef;

use crate::io::Interest;
use crate::net::tcp::{OwnedReadHalf, ReadHalf};
use crate::net::udp::sender;
use crate::net::{TcpStream, UdpSocket};

/// Lets `receive` fill the buffer's spare room.
///
/// # Safety
/// When `receive` returns `Ok((n, _))`, it has written the first `n` bytes of the slice it got.
pub(in crate::net) unsafe fn fill<B: BufMut, T>(
    buf: &mut B,
    receive: impl FnOnce(&mut [MaybeUninit<u8>]) -> io::Result<(usize, T)>,
) -> io::Result<(usize, T)> {
    let chunk = buf.chunk_mut();
    // SAFETY: the chunk is memory that is ours to write, of that length; `MaybeUninit` makes no claim about
    // what is in it, and `receive` only writes.
    let room =
        unsafe { slice::from_raw_parts_mut(chunk.as_mut_ptr().cast::<MaybeUninit<u8>>(), chunk.len()) };
    let (n, rest) = receive(room)?;
    // SAFETY: by contract, that many bytes have been written.
    unsafe { buf.advance_mut(n) };
    Ok((n, rest))
}

impl TcpStream {
    /// As [`try_read`](TcpStream::try_read), appending to a buffer. Reads at most what there is room for in
    /// the buffer's next chunk.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (server, _) = listener.accept().await?;
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
    /// As [`try_read`](ReadHalf::try_read), appending to a buffer; see [`TcpStream::try_read_buf`].
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (mut client, server) = (client?, server?.0);
    /// let (read, _write) = client.split();
    /// server.try_write(b"more")?;
    /// let mut text = b"some and ".to_vec();
    /// read.readable().await?;
    /// read.try_read_buf(&mut text)?;
    /// assert_eq!(text, b"some and more");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.as_ref().try_read_buf(buf)
    }
}

impl OwnedReadHalf {
    /// As [`try_read`](OwnedReadHalf::try_read), appending to a buffer; see [`TcpStream::try_read_buf`].
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, server) = (client?, server?.0);
    /// let (read, _write) = client.into_split();
    /// server.try_write(b"more")?;
    /// let mut text = b"some and ".to_vec();
    /// read.readable().await?;
    /// read.try_read_buf(&mut text)?;
    /// assert_eq!(text, b"some and more");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.as_ref().try_read_buf(buf)
    }
}

impl UdpSocket {
    fn receive<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        // SAFETY: `recv` initialises the bytes it reports.
        let (n, ()) = unsafe {
            fill(buf, |room| self.io.try_io(|| SockRef::from(&*self.io).recv(room)).map(|n| (n, ())))
        }?;
        Ok(n)
    }

    fn receive_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        // SAFETY: `recv_from` initialises the bytes it reports.
        let (n, from) =
            unsafe { fill(buf, |room| self.io.try_io(|| SockRef::from(&*self.io).recv_from(room))) }?;
        Ok((n, sender(&from)?))
    }

    /// As [`recv`](UdpSocket::recv), appending to a buffer. What does not fit into the buffer's next chunk
    /// is lost.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been received.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// one.send(b"hello").await?;
    /// let mut buffer = Vec::with_capacity(16);
    /// other.recv_buf(&mut buffer).await?;
    /// assert_eq!(buffer, b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.registration().async_io(Interest::READABLE, || self.receive(buf)).await
    }

    /// As [`try_recv`](UdpSocket::try_recv), appending to a buffer.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// one.send(b"hello").await?;
    /// other.readable().await?;
    /// let mut buffer = Vec::with_capacity(16);
    /// other.try_recv_buf(&mut buffer)?;
    /// assert_eq!(buffer, b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || self.receive(buf))
    }

    /// As [`recv_from`](UdpSocket::recv_from), appending to a buffer. What does not fit into the buffer's
    /// next chunk is lost.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been received.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::UdpSocket;
    ///
    /// let (a, b) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let mut buf = Vec::with_capacity(64);
    /// assert_eq!(b.recv_buf_from(&mut buf).await?, (5, a.local_addr()?));
    /// assert_eq!(buf, b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        self.io.registration().async_io(Interest::READABLE, || self.receive_from(buf)).await
    }

    /// As [`try_recv_from`](UdpSocket::try_recv_from), appending to a buffer.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// # one.connect(other.local_addr()?).await?;
    /// # other.connect(one.local_addr()?).await?;
    /// one.send(b"hello").await?;
    /// other.readable().await?;
    /// let mut buffer = Vec::with_capacity(16);
    /// let (n, from) = other.try_recv_buf_from(&mut buffer)?;
    /// assert_eq!((n, from, &buffer[..]), (5, one.local_addr()?, &b"hello"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        self.io.registration().try_io(Interest::READABLE, || self.receive_from(buf))
    }
}
