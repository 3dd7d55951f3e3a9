//! Looking at a datagram without taking it.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use socket2::SockRef;

use super::{UdpSocket, sender};
use crate::engine::io::source::Direction;
use crate::io::{Interest, ReadBuf};

impl UdpSocket {
    /// Looks at the next datagram from the peer the socket is connected to, without taking it. Returns how
    /// much of it is in the buffer.
    ///
    /// On Windows a datagram that does not fit is an error.
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
    /// let mut buffer = [0; 16];
    /// assert_eq!(other.peek(&mut buffer).await?, 5);
    /// assert_eq!(other.recv(&mut buffer).await?, 5); // still there
    /// # Ok(())
    /// # }
    /// ```
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.registration().async_io(Interest::READABLE, || self.io.peek(buf)).await
    }

    /// As [`peek`](UdpSocket::peek), for use in a `poll` function. Only the last caller of this and the
    /// receiving `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::io::ReadBuf;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// socket.connect(socket.local_addr()?).await?;
    /// socket.send(b"text").await?;
    /// let mut space = [0; 16];
    /// let mut buf = ReadBuf::new(&mut space);
    /// poll_fn(|cx| socket.poll_peek(cx, &mut buf)).await?;
    /// assert_eq!(buf.filled(), b"text");
    /// // It is still there.
    /// assert_eq!(socket.recv(&mut [0; 16]).await?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // SAFETY: `peek` initialises the bytes it reports.
        unsafe { self.io.poll_read(cx, buf, false, |io, buf| io.try_io(|| SockRef::from(io).peek(buf))) }
    }

    /// As [`peek`](UdpSocket::peek), without waiting.
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
    /// assert_eq!(other.try_peek(&mut [0; 16])?, 5);
    /// assert_eq!(other.try_recv(&mut [0; 16])?, 5); // still there
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.registration().try_io(Interest::READABLE, || self.io.peek(buf))
    }

    /// Looks at the next datagram without taking it. Returns how much of it is in the buffer, and its
    /// sender.
    ///
    /// On Windows a datagram that does not fit is an error.
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
    /// let mut buf = [0; 16];
    /// assert_eq!(b.peek_from(&mut buf).await?, (5, a.local_addr()?));
    /// assert_eq!(b.recv_from(&mut buf).await?, (5, a.local_addr()?));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io.registration().async_io(Interest::READABLE, || self.io.peek_from(buf)).await
    }

    /// As [`peek_from`](UdpSocket::peek_from), for use in a `poll` function. Only the last caller of this
    /// and the receiving `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::io::ReadBuf;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// one.send_to(b"text", other.local_addr()?).await?;
    /// let mut space = [0; 16];
    /// let mut buf = ReadBuf::new(&mut space);
    /// let from = poll_fn(|cx| other.poll_peek_from(cx, &mut buf)).await?;
    /// assert_eq!((buf.filled(), from), (&b"text"[..], one.local_addr()?));
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let mut from = None;
        // SAFETY: `peek_from` initialises the bytes it reports.
        ready!(unsafe {
            self.io.poll_read(cx, buf, false, |io, buf| {
                let (n, addr) = io.try_io(|| SockRef::from(io).peek_from(buf))?;
                from = Some(addr);
                Ok(n)
            })
        })?;
        Poll::Ready(sender(&from.expect("set by the read that succeeded")))
    }

    /// As [`peek_from`](UdpSocket::peek_from), without waiting.
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
    /// assert_eq!(other.try_peek_from(&mut [0; 16])?, (5, one.local_addr()?));
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io.registration().try_io(Interest::READABLE, || self.io.peek_from(buf))
    }

    fn sender_of_next(&self) -> io::Result<SocketAddr> {
        sender(&self.io.try_io(|| self.sock_ref().peek_sender())?)
    }

    /// Tells who sent the next datagram, without taking it; waits for one if need be.
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
    /// let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// one.send_to(b"hello", other.local_addr()?).await?;
    /// assert_eq!(other.peek_sender().await?, one.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn peek_sender(&self) -> io::Result<SocketAddr> {
        self.io.registration().async_io(Interest::READABLE, || self.sender_of_next()).await
    }

    /// As [`peek_sender`](UdpSocket::peek_sender), for use in a `poll` function. Only the last caller of
    /// this and the receiving `poll` functions is woken.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::net::UdpSocket;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    /// one.send_to(b"text", other.local_addr()?).await?;
    /// let from = poll_fn(|cx| other.poll_peek_sender(cx)).await?;
    /// assert_eq!(from, one.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_peek_sender(&self, cx: &mut Context<'_>) -> Poll<io::Result<SocketAddr>> {
        self.io.registration().poll_io(cx, Direction::Read, |_| self.sender_of_next())
    }

    /// As [`peek_sender`](UdpSocket::peek_sender), without waiting.
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
    /// assert_eq!(other.try_peek_sender()?, one.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_peek_sender(&self) -> io::Result<SocketAddr> {
        self.io.registration().try_io(Interest::READABLE, || self.sender_of_next())
    }
}
