//! Connections that do not come about: refused, without a way, without an answer, given up.

use std::io;
use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::time::Duration;

use crate::support::*;
#[cfg(target_os = "linux")]
use yamanote::net::UdpSocket;
use yamanote::net::{TcpListener, TcpSocket, TcpStream};
#[cfg(target_os = "linux")]
use yamanote::runtime::Handle;

/// The same error as the standard library's: the number of the system's, where there is one.
fn assert_same<T: std::fmt::Debug, U: std::fmt::Debug>(
    ours: io::Result<T>,
    std: io::Result<U>,
    what: &str,
) {
    let (ours, std) = (ours.expect_err(what), std.expect_err(what));
    assert_eq!(ours.kind(), std.kind(), "{what}");
    assert_eq!(ours.raw_os_error(), std.raw_os_error(), "{what}");
}

fn unused_addr(ip: &str) -> Option<SocketAddr> {
    // Dropped at once; that somebody else takes the port before the test is done would make it fail, but ports are
    // given out in turn.
    std::net::TcpListener::bind((ip, 0)).ok()?.local_addr().ok()
}

#[test]
fn refused() {
    on_each(async || {
        for addr in ["127.0.0.1", "::1"].into_iter().filter_map(unused_addr) {
            let std = std::net::TcpStream::connect(addr);
            assert_eq!(std.as_ref().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
            assert_same(TcpStream::connect(addr).await, std, "refused");
            let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
            let error = socket.connect(addr).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        }
    });
}

/// Addresses to which nobody can connect, whatever the machine's network is like.
#[cfg(target_os = "linux")]
#[test]
fn no_way() {
    on_each(async || {
        for addr in ["255.255.255.255:9", "224.0.0.1:9", "127.0.0.1:0", "[fe80::1]:9", "[ff02::1]:9"] {
            assert_same(TcpStream::connect(addr).await, std::net::TcpStream::connect(addr), addr);
        }
        let v6: SocketAddr = "[::1]:9".parse().unwrap();
        let error = TcpSocket::new_v4().unwrap().connect(v6).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EAFNOSUPPORT));
    });
}

/// Of several addresses the last one's error is reported.
#[cfg(target_os = "linux")]
#[test]
fn the_last_error_counts() {
    on_each(async || {
        let unused = unused_addr("127.0.0.1").unwrap();
        let broadcast: SocketAddr = "255.255.255.255:9".parse().unwrap();
        let kind =
            async |addrs: [SocketAddr; 2]| TcpStream::connect(&addrs[..]).await.unwrap_err().kind();
        assert_eq!(kind([broadcast, unused]).await, io::ErrorKind::ConnectionRefused);
        assert_eq!(kind([unused, broadcast]).await, io::ErrorKind::NetworkUnreachable);
    });
}

/// A listener whose queue is full: a connection to it hangs. What fills the queue comes along.
#[cfg(target_os = "linux")]
fn full_listener() -> (socket2::Socket, SocketAddr, Vec<socket2::Socket>) {
    use socket2::{Domain, Socket, Type};

    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let addr = listener.local_addr().unwrap().as_socket().unwrap();
    let mut clients = Vec::new();
    loop {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // Loopback answers at once, or not at all.
        let result = client.connect_timeout(&addr.into(), Duration::from_millis(300));
        clients.push(client);
        if result.is_err() {
            return (listener, addr, clients);
        }
    }
}

/// How many descriptors the current runtime watches.
#[cfg(target_os = "linux")]
fn watched() -> u64 {
    let metrics = Handle::current().metrics();
    metrics.io_driver_fd_registered_count() - metrics.io_driver_fd_deregistered_count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_connect_is_given_up() {
    let (_listener, addr, _clients) = full_listener();
    on_each(async || {
        let before = watched();
        // Dropped after its first poll ...
        {
            let mut connect = Box::pin(TcpStream::connect(addr));
            assert!(Probe::default().poll(connect.as_mut()).is_pending());
            assert_eq!(watched(), before + 1);
        }
        assert_eq!(watched(), before);
        // ... by a timeout ...
        let limit = Duration::from_millis(20);
        yamanote::time::timeout(limit, TcpStream::connect(addr)).await.unwrap_err();
        assert_eq!(watched(), before);
        // ... and with its task.
        let task = yamanote::spawn(TcpStream::connect(addr));
        while watched() == before {
            yamanote::task::yield_now().await;
        }
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(watched(), before);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_connect_without_an_answer_times_out() {
    let (_listener, addr, _clients) = full_listener();
    on_each(async || {
        let socket = TcpSocket::new_v4().unwrap();
        let patience = Some(Duration::from_millis(50));
        socket2::SockRef::from(&socket).set_tcp_user_timeout(patience).unwrap();
        let error = socket.connect(addr).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.raw_os_error(), Some(libc::ETIMEDOUT));
    });
}

/// A Unix listener with a full queue refuses at once, and takes the next one when there is room.
#[cfg(target_os = "linux")]
#[test]
fn a_full_unix_listener() {
    use yamanote::net::{UnixListener, UnixSocket, UnixStream};

    on_each(async || {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind(&path).unwrap();
        let listener: UnixListener = socket.listen(1).unwrap();
        let mut clients = Vec::new();
        let error = loop {
            match UnixStream::connect(&path).await {
                Ok(client) => clients.push(client),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        for _ in &clients {
            listener.accept().await.unwrap();
        }
        UnixStream::connect(&path).await.unwrap();
    });
}

/// A datagram that nobody receives comes back as an error of the next operation, once.
#[cfg(target_os = "linux")]
#[test]
fn a_refused_datagram_is_reported_once() {
    on_each(async || {
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(other.local_addr().unwrap()).await.unwrap();
        drop(other);
        socket.send(b"x").await.unwrap();
        let error = socket.recv(&mut [0; 4]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        // Nothing more comes, and the socket stays quiet: one that is woken again and again would spin.
        let probe = Probe::default();
        let mut buf = [0; 4];
        let mut receive = Box::pin(socket.recv(&mut buf));
        let mut polls = 0;
        while probe.poll(receive.as_mut()).is_pending() {
            let woken = probe.woken();
            for _ in 0..200 {
                yamanote::task::yield_now().await;
            }
            polls += 1;
            if probe.woken() == woken {
                break;
            }
            assert!(polls < 5, "woken without end");
        }
    });
}

/// A connection that its peer resets before it is accepted, or after, is no harm to the listener.
#[test]
fn resets_around_the_accept() {
    on_each(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        for _ in 0..5 {
            let client = TcpStream::connect(addr).await.unwrap();
            client.set_zero_linger().unwrap();
            drop(client);
        }
        let mut last = TcpStream::connect(addr).await.unwrap();
        let from = last.local_addr().unwrap();
        let mut server = loop {
            match listener.accept().await {
                Ok((server, addr)) if addr == from => break server,
                Ok((mut reset, _)) => {
                    // It has nothing to read, and says so in one way or another.
                    assert_eq!(read(&mut reset, &mut [0; 4]).await.unwrap_or(0), 0);
                }
                // Some systems report the reset here.
                Err(_) => {}
            }
        };
        write_all(&mut last, b"x").await.unwrap();
        assert_eq!(read(&mut server, &mut [0; 4]).await.unwrap(), 1);
    });
}
