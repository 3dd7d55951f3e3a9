//! Datagrams by the dozen: `recvmmsg`, `sendmmsg`, and segmentation by the kernel or the network card.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::ptr;

use mio::net::UdpSocket;
use socket2::{SockAddr, SockAddrStorage};

/// Messages a system call. Arbitrary: more would save little and cost stack.
const AT_ONCE: usize = 32;

/// Segments the kernel takes in one message (`UDP_MAX_SEGMENTS`; newer kernels take twice as many).
const SEGMENTS: usize = 64;

/// Bytes that fit into one message, with IPv6's header, the longer one.
const MESSAGE: usize = 65_535 - 48;

/// A datagram that has come, or several that came as one (`UDP_GRO`): then all but the last have `segment`
/// bytes.
pub(crate) struct Arrived {
    pub(crate) len: usize,
    pub(crate) segment: Option<usize>,
    pub(crate) from: SocketAddr,
}

/// Room for one control message with an integer in it.
#[repr(C)]
union Control {
    _align: libc::cmsghdr,
    _room: [u8; 32],
}

impl Control {
    // `CMSG_SPACE` of an integer is 24 where a pointer has 8 bytes, and 16 where it has 4.
    const fn new() -> Control {
        Control { _room: [0; 32] }
    }
}

fn result(n: libc::c_int) -> io::Result<usize> {
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

fn no_header() -> libc::mmsghdr {
    // SAFETY: a header is numbers and pointers, for which zero is a value.
    unsafe { mem::zeroed() }
}

/// Receives what is there, a datagram to each `size` bytes of `room`, and appends what came to `arrived`.
pub(crate) fn recv_many(
    socket: &UdpSocket,
    room: &mut [u8],
    size: usize,
    arrived: &mut Vec<Arrived>,
) -> io::Result<()> {
    let mut froms: [SockAddrStorage; AT_ONCE] = std::array::from_fn(|_| SockAddrStorage::zeroed());
    let mut controls = [const { Control::new() }; AT_ONCE];
    let mut pieces = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; AT_ONCE];
    let mut headers = [no_header(); AT_ONCE];
    let mut count = 0;
    for (i, room) in room.chunks_exact_mut(size).take(AT_ONCE).enumerate() {
        pieces[i] = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: size };
        let header = &mut headers[i].msg_hdr;
        header.msg_name = (&raw mut froms[i]).cast();
        header.msg_namelen = froms[i].size_of();
        header.msg_iov = &raw mut pieces[i];
        header.msg_iovlen = 1;
        header.msg_control = (&raw mut controls[i]).cast();
        header.msg_controllen = size_of::<Control>() as _;
        count += 1;
    }
    // SAFETY: there are `count` headers, whose pointers lead to memory that lives on and is as long as they
    // say. No timeout is given.
    let n = result(unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count as libc::c_uint,
            0,
            ptr::null_mut(),
        )
    })?;
    for (header, from) in headers[..n].iter().zip(froms) {
        // SAFETY: the kernel has written an address of that length.
        let from = unsafe { SockAddr::new(from, header.msg_hdr.msg_namelen) };
        let from = from.as_socket().ok_or(io::ErrorKind::InvalidData)?;
        let len = header.msg_len as usize;
        arrived.push(Arrived { len, segment: segment_of(&header.msg_hdr), from });
    }
    Ok(())
}

/// The size of the segments of which a message was put together.
fn segment_of(header: &libc::msghdr) -> Option<usize> {
    // SAFETY: the kernel has filled the header's control messages and told their length; the macros' functions
    // stay within it. The integer may be unaligned.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while !control.is_null() {
            if (*control).cmsg_level == libc::SOL_UDP && (*control).cmsg_type == libc::UDP_GRO {
                let size = ptr::read_unaligned(libc::CMSG_DATA(control).cast::<libc::c_int>());
                return usize::try_from(size).ok().filter(|size| *size > 0);
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    None
}

/// Sends the first few of the datagrams and tells how many.
pub(crate) fn send_many(
    socket: &UdpSocket,
    datagrams: impl Iterator<Item = (impl AsRef<[u8]>, SocketAddr)>,
) -> io::Result<usize> {
    let mut pieces = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; AT_ONCE];
    let mut headers = [no_header(); AT_ONCE];
    let datagrams: Vec<_> =
        datagrams.take(AT_ONCE).map(|(bytes, to)| (bytes, SockAddr::from(to))).collect();
    for (i, (bytes, to)) in datagrams.iter().enumerate() {
        let bytes = bytes.as_ref();
        pieces[i] = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        let header = &mut headers[i].msg_hdr;
        header.msg_name = to.as_ptr().cast_mut().cast();
        header.msg_namelen = to.len();
        header.msg_iov = &raw mut pieces[i];
        header.msg_iovlen = 1;
    }
    // SAFETY: there are that many headers, whose pointers lead to memory that lives on and that the call only
    // reads.
    result(unsafe {
        libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), datagrams.len() as libc::c_uint, 0)
    })
}

/// Sends the first few segments of `bytes`, and tells how many bytes they are.
pub(crate) fn send_segments(
    socket: &UdpSocket,
    bytes: &[u8],
    segment: usize,
    to: SocketAddr,
) -> io::Result<usize> {
    let count = SEGMENTS.min(MESSAGE / segment);
    let one_by_one = || {
        let sent = send_many(socket, bytes.chunks(segment).map(|bytes| (bytes, to)))?;
        Ok(bytes.len().min(sent * segment))
    };
    // One segment is a datagram like any other.
    if count < 2 || bytes.len() <= segment {
        return one_by_one();
    }
    let bytes = &bytes[..bytes.len().min(count * segment)];
    let to = SockAddr::from(to);
    let mut control = Control::new();
    let mut piece = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: as in `no_header`.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_name = to.as_ptr().cast_mut().cast();
    header.msg_namelen = to.len();
    header.msg_iov = &raw mut piece;
    header.msg_iovlen = 1;
    header.msg_control = (&raw mut control).cast();
    // SAFETY: the control message fits into `control`, which is aligned for its header; all pointers lead to
    // memory that outlives the call.
    let n = unsafe {
        header.msg_controllen = libc::CMSG_SPACE(size_of::<u16>() as _) as _;
        let first = libc::CMSG_FIRSTHDR(&header);
        (*first).cmsg_level = libc::SOL_UDP;
        (*first).cmsg_type = libc::UDP_SEGMENT;
        (*first).cmsg_len = libc::CMSG_LEN(size_of::<u16>() as _) as _;
        // `segment` is at most half of `MESSAGE`.
        ptr::write_unaligned(libc::CMSG_DATA(first).cast::<u16>(), segment as u16);
        libc::sendmsg(socket.as_raw_fd(), &header, 0)
    };
    if let Ok(n) = usize::try_from(n) {
        return Ok(n);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // Kernels before 4.18, interfaces without checksums, segments longer than the path takes.
        Some(libc::EIO | libc::EINVAL | libc::ENOPROTOOPT | libc::EOPNOTSUPP | libc::EMSGSIZE) => {
            one_by_one()
        }
        _ => Err(error),
    }
}

/// Whether datagrams of one sender may come put together.
pub(crate) fn set_gro(socket: &UdpSocket, on: bool) -> io::Result<()> {
    let on = libc::c_int::from(on);
    // SAFETY: the pointer leads to an integer, as the length says.
    let failed = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_UDP,
            libc::UDP_GRO,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if failed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
