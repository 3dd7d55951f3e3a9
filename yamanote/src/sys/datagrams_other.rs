//! Datagrams by the dozen, one after the other: for systems without calls for that. The same signatures as in
//! `datagrams_linux.rs`.

use std::io;
use std::net::SocketAddr;

use mio::net::UdpSocket;

pub(crate) struct Arrived {
    pub(crate) len: usize,
    pub(crate) segment: Option<usize>,
    pub(crate) from: SocketAddr,
}

pub(crate) fn recv_many(
    socket: &UdpSocket,
    room: &mut [u8],
    size: usize,
    arrived: &mut Vec<Arrived>,
) -> io::Result<()> {
    for (i, room) in room.chunks_exact_mut(size).enumerate() {
        match socket.recv_from(room) {
            Ok((len, from)) => arrived.push(Arrived { len, segment: None, from }),
            Err(error) if i == 0 => return Err(error),
            // The next call meets it again, or finds that it has passed.
            Err(_) => break,
        }
    }
    Ok(())
}

pub(crate) fn send_many(
    socket: &UdpSocket,
    datagrams: impl Iterator<Item = (impl AsRef<[u8]>, SocketAddr)>,
) -> io::Result<usize> {
    let mut sent = 0;
    for (bytes, to) in datagrams {
        match socket.send_to(bytes.as_ref(), to) {
            Ok(_) => sent += 1,
            Err(error) if sent == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(sent)
}

pub(crate) fn send_segments(
    socket: &UdpSocket,
    bytes: &[u8],
    segment: usize,
    to: SocketAddr,
) -> io::Result<usize> {
    let sent = send_many(socket, bytes.chunks(segment).map(|bytes| (bytes, to)))?;
    Ok(bytes.len().min(sent * segment))
}

pub(crate) fn set_gro(_: &UdpSocket, on: bool) -> io::Result<()> {
    if on { Err(io::ErrorKind::Unsupported.into()) } else { Ok(()) }
}
