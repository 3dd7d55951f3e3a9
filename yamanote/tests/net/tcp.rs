use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::support::*;
use yamanote::io::{AsyncWrite, Interest, ReadBuf};
use yamanote::net::{TcpListener, TcpSocket, TcpStream};

/// Waits, without the runtime, until a read would find `n` bytes.
#[cfg(unix)]
fn until_queued(stream: &TcpStream, n: usize) {
    let mut buf = vec![std::mem::MaybeUninit::uninit(); n];
    while !matches!(socket2::SockRef::from(stream).peek(&mut buf), Ok(m) if m >= n) {
        std::thread::yield_now();
    }
}

#[test]
fn talks_both_ways() {
    on_both(async || {
        let (mut client, mut server) = tcp_pair().await;
        assert_eq!(client.local_addr().unwrap(), server.peer_addr().unwrap());
        assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let echo = yamanote::spawn(async move {
            let mut buf = [0; 1000];
            loop {
                match read(&mut server, &mut buf).await.unwrap() {
                    0 => break,
                    n => write_all(&mut server, &buf[..n]).await.unwrap(),
                }
            }
        });
        for i in 0..200u8 {
            let message = vec![i; 1 + 37 * i as usize];
            let mut back = vec![0; message.len()];
            write_all(&mut client, &message).await.unwrap();
            read_exact(&mut client, &mut back).await.unwrap();
            assert_eq!(message, back);
        }
        shutdown(&mut client).await.unwrap();
        shutdown(&mut client).await.unwrap();
        echo.await.unwrap();
        assert_eq!(read(&mut client, &mut [0; 8]).await.unwrap(), 0);
    });
}

#[test]
fn more_than_the_buffers_hold() {
    on_both(async || {
        const LEN: usize = 8 << 20;
        let (mut client, mut server) = tcp_pair().await;
        let writer = yamanote::spawn(async move {
            let data: Vec<u8> = (0..LEN).map(|i| (i % 251) as u8).collect();
            write_all(&mut client, &data).await.unwrap();
        });
        let mut data = vec![0; LEN];
        read_exact(&mut server, &mut data).await.unwrap();
        assert!(data.iter().enumerate().all(|(i, b)| *b == (i % 251) as u8));
        assert_eq!(read(&mut server, &mut [0]).await.unwrap(), 0);
        writer.await.unwrap();
    });
}

// Elsewhere a socket is watched from the beginning, and what is known of it comes from events alone.
#[cfg(unix)]
#[test]
fn first_operations_do_not_wait() {
    single().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        peer.write_all(b"hello").unwrap();
        // A connection that is there is accepted at the first poll ...
        let std::task::Poll::Ready(Ok((mut server, _))) = poll_once(listener.accept()) else {
            panic!("a connection is waiting")
        };
        until_queued(&server, 5);
        // ... and data that is there is read at the first poll.
        let mut buf = [0; 16];
        assert!(poll_once(server.peek(&mut buf)).is_ready());
        assert!(matches!(poll_once(read(&mut server, &mut buf)), std::task::Poll::Ready(Ok(5))));
        assert!(poll_once(write_all(&mut server, b"x")).is_ready());
        // Nothing is left, and the poll says so although there is no event yet.
        assert!(poll_once(read(&mut server, &mut buf)).is_pending());
        peer.write_all(b"more").unwrap();
        assert_eq!(read(&mut server, &mut buf).await.unwrap(), 4);
    });
}

// Elsewhere a socket is watched from the beginning, and what is known of it comes from events alone.
#[cfg(unix)]
#[test]
fn accepted_is_assumed_ready_until_refuted() {
    on_both(async || {
        let (client, server) = tcp_pair().await;
        assert!(poll_once(server.readable()).is_ready());
        assert!(is_would_block(&server.try_read(&mut [0])));
        // What an idle worker hears of the socket just before that refutes the refutation.
        while poll_once(server.readable()).is_ready() {
            assert!(is_would_block(&server.try_read(&mut [0])));
        }
        let probe = Probe::default();
        let mut readable = Box::pin(server.readable());
        assert!(probe.poll(readable.as_mut()).is_pending());
        assert!(poll_once(server.writable()).is_ready());
        assert_eq!(client.try_write(b"hello").unwrap(), 5);
        readable.await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(server.try_read(&mut buf).unwrap(), 5);
        // A client that has just connected can write, and has nothing to read.
        assert!(poll_once(client.ready(Interest::READABLE)).is_pending());
    });
}

#[test]
fn readiness_of_a_foreign_socket_is_waited_for() {
    on_both(async || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        peer.write_all(b"x").unwrap();
        let stream = TcpStream::from_std(stream).unwrap();
        // Registers it; an idle worker may have seen its event before the answer.
        let _ = poll_once(stream.readable());
        let ready = stream.ready(Interest::READABLE | Interest::WRITABLE).await.unwrap();
        assert!(ready.is_readable() || ready.is_writable());
        stream.readable().await.unwrap();
        assert_eq!(stream.try_read(&mut [0; 4]).unwrap(), 1);
    });
}

#[test]
fn try_write_until_full_and_on() {
    on_both(async || {
        let (client, server) = tcp_pair().await;
        let block = vec![7; 64 << 10];
        let mut sent = 0;
        let halves = [IoSlice::new(&block[..1000]), IoSlice::new(&block[1000..])];
        loop {
            client.writable().await.unwrap();
            match client.try_write_vectored(&halves) {
                Ok(n) => sent += n,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        assert!(poll_once(client.writable()).is_pending());
        let (mut a, mut b) = (vec![0; 1000], vec![0; 100_000]);
        while sent > 0 {
            server.readable().await.unwrap();
            let mut bufs = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
            match server.try_read_vectored(&mut bufs) {
                Ok(n) => sent -= n,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        client.writable().await.unwrap();
        drop(client);
        loop {
            if server.ready(Interest::READABLE).await.unwrap().is_read_closed() {
                break;
            }
            yamanote::task::yield_now().await;
        }
    });
}

#[test]
fn async_io_calls_again() {
    on_both(async || {
        let (client, server) = tcp_pair().await;
        let server = Arc::new(server);
        let reader = {
            let server = Arc::clone(&server);
            yamanote::spawn(async move {
                server
                    .async_io(Interest::READABLE, || {
                        let mut buf = [std::mem::MaybeUninit::uninit(); 8];
                        socket2::SockRef::from(&*server).recv(&mut buf)
                    })
                    .await
            })
        };
        yamanote::task::yield_now().await;
        client.try_write(b"abc").unwrap();
        assert_eq!(reader.await.unwrap().unwrap(), 3);
        assert!(is_would_block(
            &server.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()))
        ));
    });
}

#[test]
fn urgent_data_does_not_hide_what_follows() {
    single().block_on(async {
        let (client, mut server) = tcp_pair().await;
        // Registers, then all of this arrives before the next event.
        assert!(poll_once(read(&mut server, &mut [0; 8])).is_pending());
        let raw = socket2::SockRef::from(&client);
        raw.send(b"abc").unwrap();
        raw.send_out_of_band(b"!").unwrap();
        raw.send(b"def").unwrap();
        let mut all = Vec::new();
        let mut buf = [0; 64];
        while all.len() < 6 {
            let n = read(&mut server, &mut buf).await.unwrap();
            all.extend_from_slice(&buf[..n]);
        }
        assert_eq!(all, b"abcdef");
    });
}

#[test]
fn peek_takes_nothing() {
    on_both(async || {
        let (client, mut server) = tcp_pair().await;
        client.try_write(b"hello").unwrap();
        let mut buf = [0; 8];
        assert_eq!(server.peek(&mut buf[..3]).await.unwrap(), 3);
        let mut seen = ReadBuf::new(&mut buf);
        assert!(poll_fn(|cx| server.poll_peek(cx, &mut seen)).await.unwrap() >= 3);
        let mut all = [0; 5];
        read_exact(&mut server, &mut all).await.unwrap();
        assert_eq!(&all, b"hello");
    });
}

#[test]
fn halves() {
    on_both(async || {
        let (mut client, mut server) = tcp_pair().await;
        {
            let (mut read_half, mut write_half) = client.split();
            write_all(&mut write_half, b"ping").await.unwrap();
            let mut buf = [0; 4];
            read_exact(&mut server, &mut buf).await.unwrap();
            write_all(&mut server, b"pong").await.unwrap();
            assert_eq!(read_half.peek(&mut buf[..2]).await.unwrap(), 2);
            read_exact(&mut read_half, &mut buf).await.unwrap();
            assert_eq!(&buf, b"pong");
            assert!(write_half.is_write_vectored());
        }
        let (read_half, write_half) = client.into_split();
        let (other_read, other_write) = tcp_pair().await.0.into_split();
        let error = read_half.reunite(other_write).unwrap_err();
        assert!(!error.to_string().is_empty());
        let (read_half, other_write) = (error.0, error.1);
        drop(other_read.reunite(other_write).unwrap());
        let client = write_half.reunite(read_half).unwrap();

        let (mut read_half, write_half) = client.into_split();
        write_half.forget();
        server.try_write(b"still open").unwrap();
        assert!(poll_once(read(&mut server, &mut [0])).is_pending());
        assert!(read(&mut read_half, &mut [0; 16]).await.unwrap() > 0);
        drop(read_half);
        assert_eq!(read(&mut server, &mut [0]).await.unwrap(), 0);
    });
}

#[test]
fn dropping_the_writing_half_ends_the_stream() {
    on_both(async || {
        let (client, mut server) = tcp_pair().await;
        let (mut read_half, write_half) = client.into_split();
        let reader =
            yamanote::spawn(async move { read(&mut server, &mut [0]).await.map(|n| (n, server)) });
        yamanote::task::yield_now().await;
        drop(write_half);
        let (n, mut server) = reader.await.unwrap().unwrap();
        assert_eq!(n, 0);
        write_all(&mut server, b"x").await.unwrap();
        assert_eq!(read(&mut read_half, &mut [0]).await.unwrap(), 1);
    });
}

#[test]
fn std_and_back() {
    on_both(async || {
        let (client, server) = tcp_pair().await;
        let mut client = client.into_std().unwrap();
        client.set_nonblocking(false).unwrap();
        server.try_write(b"hello").unwrap();
        let mut buf = [0; 5];
        client.read_exact(&mut buf).unwrap();
        client.set_nonblocking(true).unwrap();
        let mut client = TcpStream::try_from(client).unwrap();
        server.try_write(b"again").unwrap();
        read_exact(&mut client, &mut buf).await.unwrap();
        assert_eq!(&buf, b"again");
    });
}

#[test]
fn connect_errors() {
    on_both(async || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        drop(listener);
        let error = TcpStream::connect(addr).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let none: &[std::net::SocketAddr] = &[];
        let error = TcpStream::connect(none).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        // The second address works.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addrs = [addr, listener.local_addr().unwrap()];
        let stream = TcpStream::connect(&addrs[..]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addrs[1]);
    });
}

#[test]
fn every_accepter_is_woken() {
    single().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let probes: Vec<Probe> = (0..40).map(|_| Probe::default()).collect();
        let mut accepts: Vec<_> = probes.iter().map(|_| Box::pin(listener.accept())).collect();
        for (probe, accept) in probes.iter().zip(&mut accepts) {
            assert!(probe.poll(accept.as_mut()).is_pending());
        }
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        while probes.iter().any(|probe| probe.woken() == 0) {
            yamanote::task::yield_now().await;
        }
        let ready = accepts
            .iter_mut()
            .zip(&probes)
            .filter_map(|(accept, probe)| match probe.poll(accept.as_mut()) {
                std::task::Poll::Ready(result) => Some(result.unwrap()),
                std::task::Poll::Pending => None,
            })
            .count();
        assert_eq!(ready, 1);
    });
}

#[test]
fn an_accept_that_failed_can_be_repeated() {
    on_both(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.set_zero_linger().unwrap();
        drop(client);
        // Whether the reset connection is seen at all differs; the next one must be.
        let next = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        loop {
            if let Ok((_, addr)) = listener.accept().await {
                if addr == next.local_addr().unwrap() {
                    break;
                }
            }
        }
    });
}

#[test]
fn shutdown_after_a_reset_is_fine() {
    on_both(async || {
        let (mut client, server) = tcp_pair().await;
        server.set_zero_linger().unwrap();
        drop(server);
        while client.ready(Interest::READABLE).await.is_ok_and(|ready| !ready.is_read_closed()) {
            yamanote::task::yield_now().await;
        }
        shutdown(&mut client).await.unwrap();
    });
}

#[test]
#[allow(deprecated)]
fn options() {
    on_both(async || {
        let (client, _server) = tcp_pair().await;
        client.set_nodelay(true).unwrap();
        assert!(client.nodelay().unwrap());
        client.set_ttl(99).unwrap();
        assert_eq!(client.ttl().unwrap(), 99);
        client.set_linger(Some(Duration::from_secs(3))).unwrap();
        assert_eq!(client.linger().unwrap(), Some(Duration::from_secs(3)));
        client.set_linger(None).unwrap();
        assert_eq!(client.linger().unwrap(), None);
        assert!(client.take_error().unwrap().is_none());

        for socket in [TcpSocket::new_v4().unwrap(), TcpSocket::new_v6().unwrap()] {
            socket.set_keepalive(true).unwrap();
            assert!(socket.keepalive().unwrap());
            socket.set_reuseaddr(true).unwrap();
            assert!(socket.reuseaddr().unwrap());
            socket.set_send_buffer_size(10_000).unwrap();
            assert!(socket.send_buffer_size().unwrap() >= 10_000);
            socket.set_recv_buffer_size(10_000).unwrap();
            assert!(socket.recv_buffer_size().unwrap() >= 10_000);
            socket.set_nodelay(true).unwrap();
            assert!(socket.nodelay().unwrap());
            assert!(socket.take_error().unwrap().is_none());
        }
    });
}

#[test]
fn sockets_become_streams_and_listeners() {
    on_both(async || {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = socket.local_addr().unwrap();
        let listener = socket.listen(16).unwrap();
        assert_eq!(listener.local_addr().unwrap(), addr);
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let from = socket.local_addr().unwrap();
        let stream = socket.connect(addr).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, from);
        assert_eq!(stream.local_addr().unwrap(), from);
    });
}

#[test]
fn vectored_writes_are_one() {
    on_both(async || {
        let (mut client, mut server) = tcp_pair().await;
        assert!(client.is_write_vectored());
        let bufs = [IoSlice::new(b"ab"), IoSlice::new(b"cd")];
        let n = poll_fn(|cx| Pin::new(&mut client).poll_write_vectored(cx, &bufs)).await.unwrap();
        assert_eq!(n, 4);
        let mut buf = [0; 4];
        read_exact(&mut server, &mut buf).await.unwrap();
        assert_eq!(&buf, b"abcd");
    });
}
