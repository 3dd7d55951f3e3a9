use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::AsRawFd;

use crate::support::*;
use yamanote::io::{Interest, ReadBuf};
use yamanote::net::{UnixDatagram, UnixListener, UnixSocket, UnixStream};

#[test]
fn streams() {
    on_both(async || {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(UnixListener::bind(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
        let mut client = UnixStream::connect(&path).await.unwrap();
        let (mut server, from) = listener.accept().await.unwrap();
        assert!(from.is_unnamed());
        assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(&*path));
        write_all(&mut client, b"hello").await.unwrap();
        drop(client);
        let mut buf = [0; 5];
        read_exact(&mut server, &mut buf).await.unwrap();
        assert_eq!(read(&mut server, &mut buf).await.unwrap(), 0);
        assert!(listener.take_error().unwrap().is_none());

        let addr = listener.local_addr().unwrap();
        let client = UnixStream::connect_addr(&addr).await.unwrap();
        let (server, _) = poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
        let (one, other) = (client.peer_cred().unwrap(), server.peer_cred().unwrap());
        assert_eq!(one, other);
        #[cfg(target_os = "linux")]
        assert_eq!(one.pid(), Some(std::process::id() as i32));
    });
}

#[test]
fn no_such_socket() {
    on_both(async || {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        assert_eq!(UnixStream::connect(&path).await.unwrap_err().kind(), io::ErrorKind::NotFound);
        drop(UnixListener::bind(&path).unwrap());
        let error = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_listener_that_goes_fails_the_connect() {
    single().block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let mut connect = Box::pin(UnixStream::connect(&path));
        assert!(Probe::default().poll(connect.as_mut()).is_pending());
        drop(listener);
        let kind = connect.await.unwrap_err().kind();
        assert!(matches!(kind, io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset));
    });
}

#[test]
fn pairs() {
    on_both(async || {
        let (a, mut b) = UnixStream::pair().unwrap();
        assert!(poll_once(a.writable()).is_ready());
        assert!(poll_once(a.readable()).is_pending());
        assert!(is_would_block(&a.try_read(&mut [0])));
        assert_eq!(a.try_write_vectored(&[IoSlice::new(b"h"), IoSlice::new(b"i")]).unwrap(), 2);
        let mut buf = [0; 2];
        read_exact(&mut b, &mut buf).await.unwrap();
        let mut grown = Vec::with_capacity(16);
        assert!(is_would_block(&a.try_read_buf(&mut grown)));
        b.try_write(b"yo").unwrap();
        a.readable().await.unwrap();
        assert_eq!(a.try_read_buf(&mut grown).unwrap(), 2);

        let (reader, writer) = a.into_split();
        drop(writer);
        assert_eq!(read(&mut b, &mut buf).await.unwrap(), 0);
        let mut a = reader;
        let (mut read_half, write_half) = b.split();
        write_half.try_write(b"x").unwrap();
        assert_eq!(read(&mut a, &mut buf).await.unwrap(), 1);
        drop(a);
        assert_eq!(read(&mut read_half, &mut buf).await.unwrap(), 0);
        shutdown(&mut b).await.unwrap();
        shutdown(&mut b).await.unwrap();
    });
}

/// A read stops short after a message that carries a descriptor, with another message waiting.
#[test]
fn descriptors_on_the_way_do_not_hide_what_follows() {
    single().block_on(async {
        let (a, mut b) = UnixStream::pair().unwrap();
        assert!(poll_once(read(&mut b, &mut [0; 8])).is_pending());
        send_with_descriptor(&a, b"abc");
        a.try_write(b"def").unwrap();
        let mut all = Vec::new();
        let mut buf = [0; 64];
        while all.len() < 6 {
            let n = read(&mut b, &mut buf).await.unwrap();
            all.extend_from_slice(&buf[..n]);
        }
        assert_eq!(all, b"abcdef");
    });
}

fn send_with_descriptor(socket: &UnixStream, data: &[u8]) {
    #[repr(C, align(8))]
    struct Control([u8; 64]);
    let mut control = Control([0; 64]);
    let mut iov = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    // SAFETY: the message points to buffers that outlive the call, and its control part is laid out by the
    // macros made for it, within a buffer that is large enough for one descriptor.
    let n = unsafe {
        let mut msg: libc::msghdr = std::mem::zeroed();
        msg.msg_iov = &mut iov;
        msg.msg_iovlen = 1;
        msg.msg_control = control.0.as_mut_ptr().cast();
        msg.msg_controllen = libc::CMSG_SPACE(4) as _;
        let header = libc::CMSG_FIRSTHDR(&msg);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(4) as _;
        libc::CMSG_DATA(header).cast::<i32>().write_unaligned(socket.as_raw_fd());
        libc::sendmsg(socket.as_raw_fd(), &msg, 0)
    };
    assert_eq!(n, data.len() as isize);
}

#[test]
fn datagrams() {
    on_both(async || {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        let a = UnixDatagram::bind(&here).unwrap();
        let b = UnixDatagram::bind(&there).unwrap();
        let mut buf = [0; 32];
        assert!(is_would_block(&b.try_recv_from(&mut buf)));
        assert_eq!(a.send_to(b"hello", &there).await.unwrap(), 5);
        let (n, from) = b.recv_from(&mut buf).await.unwrap();
        assert_eq!((n, from.as_pathname()), (5, Some(&*here)));
        assert_eq!(a.try_send_to(b"again", &there).unwrap(), 5);
        let mut seen = ReadBuf::new(&mut buf);
        let from = poll_fn(|cx| b.poll_recv_from(cx, &mut seen)).await.unwrap();
        assert_eq!((seen.filled(), from.as_pathname()), (&b"again"[..], Some(&*here)));

        a.connect(&there).unwrap();
        assert_eq!(a.send(b"connected").await.unwrap(), 9);
        let mut grown = Vec::with_capacity(32);
        assert_eq!(b.recv_buf(&mut grown).await.unwrap(), 9);

        let unbound = UnixDatagram::unbound().unwrap();
        unbound.send_to(b"x", &there).await.unwrap();
        let mut seen = ReadBuf::new(&mut buf);
        assert!(poll_fn(|cx| b.poll_recv_from(cx, &mut seen)).await.unwrap().is_unnamed());

        let (a, b) = UnixDatagram::pair().unwrap();
        a.send(b"x").await.unwrap();
        assert_eq!(b.recv(&mut buf).await.unwrap(), 1);
        a.shutdown(Shutdown::Both).unwrap();
        assert!(a.send(b"x").await.is_err());
        let std = b.into_std().unwrap();
        UnixDatagram::from_std(std).unwrap();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn abstract_names() {
    on_both(async || {
        let name = format!("\0yamanote-{}", std::process::id());
        let listener = UnixListener::bind(&name).unwrap();
        let client = UnixStream::connect(&name).await.unwrap();
        listener.accept().await.unwrap();
        assert_eq!(client.peer_addr().unwrap().as_abstract_name(), Some(&name.as_bytes()[1..]));
        let other = format!("{name}-datagram");
        let a = UnixDatagram::bind(&other).unwrap();
        a.send_to(b"to myself", &other).await.unwrap();
        let mut buf = Vec::with_capacity(16);
        let (n, from) = a.recv_buf_from(&mut buf).await.unwrap();
        assert_eq!((n, from.as_abstract_name()), (9, Some(&other.as_bytes()[1..])));
    });
}

#[test]
fn sockets_of_either_kind() {
    on_both(async || {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind(&there).unwrap();
        let listener = socket.listen(16).unwrap();
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind(&here).unwrap();
        let client = socket.connect(&there).await.unwrap();
        let (_, from) = listener.accept().await.unwrap();
        assert_eq!(from.as_pathname(), Some(&*here));
        client.ready(Interest::WRITABLE).await.unwrap();

        assert!(UnixSocket::new_datagram().unwrap().listen(1).is_err());
        assert!(UnixSocket::new_datagram().unwrap().connect(&there).await.is_err());
        assert!(UnixSocket::new_stream().unwrap().datagram().is_err());
        let socket = UnixSocket::new_datagram().unwrap();
        socket.bind(dir.path().join("datagram")).unwrap();
        socket.datagram().unwrap();
    });
}
