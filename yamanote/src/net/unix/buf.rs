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
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.as_ref().try_read_buf(buf)
    }
}

impl OwnedReadHalf {
    /// As [`try_read`](OwnedReadHalf::try_read), appending to a buffer; see [`UnixStream::try_read_buf`].
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
    pub async fn recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.registration().async_io(Interest::READABLE, || self.receive(buf)).await
    }

    /// As [`try_recv`](UnixDatagram::try_recv), appending to a buffer.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || self.receive(buf))
    }

    /// As [`recv_from`](UnixDatagram::recv_from), appending to a buffer. What does not fit into the buffer's
    /// next chunk is lost.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been received.
    pub async fn recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        self.io.registration().async_io(Interest::READABLE, || self.receive_from(buf)).await
    }

    /// As [`try_recv_from`](UnixDatagram::try_recv_from), appending to a buffer.
    ///
    /// # Errors
    /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
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
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || {
            // SAFETY: `read` initialises the bytes it reports.
            let (n, ()) =
                unsafe { fill(buf, |room| sys::unix::read(&*self.io, room).map(|n| (n, ()))) }?;
            Ok(n)
        })
    }
}
