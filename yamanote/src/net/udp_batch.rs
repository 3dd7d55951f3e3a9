//! Several datagrams a system call.
//!
//! For servers of many small datagrams (DNS, QUIC, telemetry), whose time goes into system calls. On Linux and
//! Android a batch is one call of `recvmmsg` or `sendmmsg`, and [`send_segments`] has the kernel or the network
//! card cut a long buffer into datagrams (`UDP_SEGMENT`). Elsewhere the same functions make a call for each
//! datagram.
//!
//! tokio has nothing like it.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use crate::io::Interest;
use crate::net::UdpSocket;
use crate::sys::datagrams::{self, Arrived};

/// Room for several datagrams, and what was received last.
///
/// # Examples
/// ```
/// use yamanote::net::UdpSocket;
/// use yamanote::net::udp_batch::{RecvBatch, send_batch};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let server = UdpSocket::bind("127.0.0.1:0").await?;
/// let client = UdpSocket::bind("127.0.0.1:0").await?;
/// let to = server.local_addr()?;
/// assert_eq!(send_batch(&client, &[(b"one", to), (b"two", to)]).await?, 2);
///
/// let mut batch = RecvBatch::new(16, 1500);
/// let mut texts = Vec::new();
/// while texts.len() < 2 {
///     batch.recv(&server).await?;
///     texts.extend(batch.iter().map(|(bytes, _from)| bytes.to_vec()));
/// }
/// assert_eq!(texts, [b"one", b"two"]);
/// # Ok(())
/// # }
/// ```
pub struct RecvBatch {
    room: Vec<u8>,
    size: usize,
    arrived: Vec<Arrived>,
}

impl RecvBatch {
    /// Room for `count` datagrams of up to `size` bytes. What is longer is cut off, but
    /// on Windows, where receiving it fails.
    ///
    /// One system call fills at most 32 of them. With [`set_gro`], let `size` be 65,535.
    ///
    /// # Panics
    /// If one of the two is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    /// use yamanote::net::udp_batch::RecvBatch;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// let mut batch = RecvBatch::new(8, 1500);
    /// assert_eq!(batch.iter().count(), 0);
    /// # drop(socket);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn new(count: usize, size: usize) -> RecvBatch {
        assert!(count > 0, "a batch must have room for a datagram");
        assert!(size > 0, "a datagram must have room for a byte");
        RecvBatch { room: vec![0; count * size], size, arrived: Vec::with_capacity(count) }
    }

    /// Receives what has come, waiting for something if there is nothing, in place of what was there before.
    /// Tells how many of the batch's places are filled: as many as datagrams came, or fewer with [`set_gro`].
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing has been received.
    ///
    /// # Errors
    /// Those of the system. The batch is empty then.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    /// use yamanote::net::udp_batch::RecvBatch;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// let mut batch = RecvBatch::new(8, 1500);
    /// socket.send_to(b"x", socket.local_addr()?).await?;
    /// assert_eq!(batch.recv(&socket).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        let registration = socket.io.registration();
        registration.async_io(Interest::READABLE, || self.receive(socket)).await
    }

    /// As [`recv`](RecvBatch::recv), but fails with [`WouldBlock`](io::ErrorKind::WouldBlock) if there is
    /// nothing.
    ///
    /// # Errors
    /// Those of the system. The batch is empty then.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    /// use yamanote::net::udp_batch::RecvBatch;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// let mut batch = RecvBatch::new(8, 1500);
    /// assert!(batch.try_recv(&socket).is_err()); // nobody has sent anything
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_recv(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        self.arrived.clear();
        socket.io.registration().try_io(Interest::READABLE, || self.receive(socket))
    }

    fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        self.arrived.clear();
        let result = datagrams::recv_many(&socket.io, &mut self.room, self.size, &mut self.arrived);
        if result.is_err() {
            self.arrived.clear();
        }
        result.map(|()| self.arrived.len())
    }

    /// The datagrams received last, in the order in which they came, and who sent each. Those that the system
    /// had put together are apart again.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::UdpSocket;
    /// use yamanote::net::udp_batch::RecvBatch;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let socket = UdpSocket::bind("127.0.0.1:0").await?;
    /// let mut batch = RecvBatch::new(8, 1500);
    /// socket.send_to(b"x", socket.local_addr()?).await?;
    /// batch.recv(&socket).await?;
    /// for (bytes, from) in batch.iter() {
    ///     assert_eq!((bytes, from), (&b"x"[..], socket.local_addr()?));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        self.arrived.iter().zip(self.room.chunks_exact(self.size)).flat_map(|(arrived, room)| {
            let bytes = &room[..arrived.len.min(self.size)];
            let segment = arrived.segment.unwrap_or(usize::MAX);
            // An empty datagram is one, too, but has no chunks.
            let empty = bytes.is_empty().then_some(bytes);
            empty.into_iter().chain(bytes.chunks(segment)).map(|bytes| (bytes, arrived.from))
        })
    }
}

impl fmt::Debug for RecvBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvBatch")
            .field("count", &(self.room.len() / self.size))
            .field("size", &self.size)
            .field("filled", &self.arrived.len())
            .finish()
    }
}

/// Sends datagrams, each to its receiver, and tells how many of them, from the first on: as many as the system
/// takes at once, on Linux up to 32. Waits if it takes none.
///
/// # Cancel safety
/// When the future is dropped, nothing has been sent.
///
/// # Errors
/// What the first one meets. An error of a later one ends the batch before it, and shows when it is the first
/// of the next.
///
/// # Examples
/// ```
/// use yamanote::net::UdpSocket;
/// use yamanote::net::udp_batch::send_batch;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let socket = UdpSocket::bind("127.0.0.1:0").await?;
/// let to = socket.local_addr()?;
/// let datagrams = [([1; 100], to); 40];
/// let mut rest = &datagrams[..];
/// while !rest.is_empty() {
///     rest = &rest[send_batch(&socket, rest).await?..];
/// }
/// # Ok(())
/// # }
/// ```
pub async fn send_batch<B: AsRef<[u8]>>(
    socket: &UdpSocket,
    datagrams: &[(B, SocketAddr)],
) -> io::Result<usize> {
    if datagrams.is_empty() {
        return Ok(0);
    }
    let send = || datagrams::send_many(&socket.io, datagrams.iter().map(|(bytes, to)| (bytes, *to)));
    socket.io.registration().async_io(Interest::WRITABLE, send).await
}

/// Sends `bytes` as datagrams of `segment` bytes (the last one may be shorter), and tells how many bytes were
/// sent: whole datagrams, as many as the system takes at once. Waits if it takes none.
///
/// On Linux the datagrams pass through the network stack as one, up to 64 of them and 64 KiB, which is worth
/// more than [`send_batch`]; where that is not possible, they go one by one without further notice.
///
/// # Cancel safety
/// When the future is dropped, nothing has been sent.
///
/// # Panics
/// When it is first polled, if `segment` is 0.
///
/// # Errors
/// Those of the system.
///
/// # Examples
/// ```
/// use yamanote::net::UdpSocket;
/// use yamanote::net::udp_batch::send_segments;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let socket = UdpSocket::bind("127.0.0.1:0").await?;
/// let to = socket.local_addr()?;
/// let bytes = [7; 2500];
/// let mut sent = 0;
/// while sent < bytes.len() {
///     sent += send_segments(&socket, &bytes[sent..], 1000, to).await?;
/// }
/// let mut buffer = [0; 1500];
/// for expected in [1000, 1000, 500] {
///     assert_eq!(socket.recv_from(&mut buffer).await?.0, expected);
/// }
/// # Ok(())
/// # }
/// ```
pub async fn send_segments(
    socket: &UdpSocket,
    bytes: &[u8],
    segment: usize,
    to: SocketAddr,
) -> io::Result<usize> {
    assert!(segment > 0, "`segment` must be greater than 0");
    if bytes.is_empty() {
        return Ok(0);
    }
    let send = || datagrams::send_segments(&socket.io, bytes, segment, to);
    socket.io.registration().async_io(Interest::WRITABLE, send).await
}

/// Sets whether the system may put datagrams of one sender together and deliver them as one (`UDP_GRO`).
///
/// From then on only [`RecvBatch`] can tell them apart: do not receive by the socket's own methods.
///
/// # Errors
/// [`Unsupported`](io::ErrorKind::Unsupported) or what else the system says, where it cannot do that.
///
/// # Examples
/// ```
/// use yamanote::net::UdpSocket;
/// use yamanote::net::udp_batch::set_gro;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let socket = UdpSocket::bind("127.0.0.1:0").await?;
/// if set_gro(&socket, true).is_err() {
///     // Each datagram comes alone, then.
/// }
/// # Ok(())
/// # }
/// ```
pub fn set_gro(socket: &UdpSocket, on: bool) -> io::Result<()> {
    datagrams::set_gro(&socket.io, on)
}
