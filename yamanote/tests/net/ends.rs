//! How connections end, and what stays to be read: half-close, reset, partial reads.

use std::io::{self, Read, Write};
#[cfg(target_os = "linux")]
use std::net::Shutdown;

use crate::support::*;
use yamanote::io::{AsyncReadExt, AsyncWriteExt, Interest, Ready};
use yamanote::net::{TcpListener, TcpStream};

#[test]
fn half_close() {
    on_each(async || {
        const LEN: usize = 300_000;
        let (mut client, mut server) = tcp_pair().await;
        let serving = yamanote::spawn(async move {
            let mut all = Vec::new();
            server.read_to_end(&mut all).await.unwrap();
            // The request is over, the answer may be long.
            let answer: Vec<u8> = all.iter().rev().copied().collect();
            server.write_all(&answer).await.unwrap();
            // The end is there to be read as often as one likes.
            assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
            assert!(server.ready(Interest::READABLE).await.unwrap().is_read_closed());
        });
        let request: Vec<u8> = (0..LEN).map(|i| (i % 253) as u8).collect();
        client.write_all(&request).await.unwrap();
        client.shutdown().await.unwrap();
        let error = client.write_all(b"x").await.unwrap_err();
        // The standard library has no kind for how Windows says it.
        assert!(cfg!(windows) || error.kind() == io::ErrorKind::BrokenPipe, "{error:?}");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert!(answer.iter().eq(request.iter().rev()));
        serving.await.unwrap();
    });
}

/// The reading side may be closed, too: what comes is not for us.
#[cfg(target_os = "linux")]
#[test]
fn closed_for_reading() {
    on_each(async || {
        let (mut client, mut server) = tcp_pair().await;
        assert!(poll_once(client.readable()).is_pending());
        socket2::SockRef::from(&client).shutdown(Shutdown::Read).unwrap();
        client.readable().await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        client.write_all(b"x").await.unwrap();
        assert_eq!(server.read(&mut [0]).await.unwrap(), 1);
    });
}

/// What a standard library's socket reports, read and write after write, when its peer resets the connection.
fn reports(mut operation: impl FnMut(bool) -> io::Result<usize>) -> Vec<Result<usize, io::ErrorKind>> {
    // Reads until the end, twice, and writes.
    [false, false, true, true].map(|write| operation(write).map_err(|error| error.kind())).to_vec()
}

#[test]
fn a_reset_in_the_middle_of_a_read() {
    on_each(async || {
        // How it goes with blocking sockets:
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut std = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"ab").unwrap();
        std.read_exact(&mut [0; 2]).unwrap();
        socket2::SockRef::from(&peer).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(peer);
        let expected = reports(|write| if write { std.write(b"x") } else { std.read(&mut [0]) });
        assert_eq!(expected[0], Err(io::ErrorKind::ConnectionReset));

        // With ours, which waits for the rest when the reset comes.
        let (client, server) = tcp_pair().await;
        let (mut reader, mut writer) = client.into_split();
        server.try_write(b"ab").unwrap();
        let reading = yamanote::spawn(async move {
            let mut buf = [0; 4];
            let first = reader.read_exact(&mut buf).await.map_err(|error| error.kind());
            assert_eq!(&buf[..2], b"ab");
            let second = reader.read(&mut buf).await.map_err(|error| error.kind());
            vec![first, second]
        });
        for _ in 0..50 {
            yamanote::task::yield_now().await;
        }
        server.set_zero_linger().unwrap();
        drop(server);
        let mut got = reading.await.unwrap();
        for _ in 0..2 {
            got.push(writer.write(b"x").await.map_err(|error| error.kind()));
        }
        assert_eq!(got, expected);
    });
}

/// A writer that waits for room learns of the reset.
#[test]
fn a_reset_in_the_middle_of_a_write() {
    on_each(async || {
        let (mut client, server) = tcp_pair().await;
        let writing = yamanote::spawn(async move {
            let chunk = vec![0; 1 << 20];
            loop {
                if let Err(error) = client.write_all(&chunk).await {
                    return error.kind();
                }
            }
        });
        for _ in 0..50 {
            yamanote::task::yield_now().await;
        }
        assert!(!writing.is_finished());
        server.set_zero_linger().unwrap();
        drop(server);
        let kind = writing.await.unwrap();
        let expected = [
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::BrokenPipe,
            io::ErrorKind::ConnectionAborted,
        ];
        assert!(expected.contains(&kind), "{kind:?}");
    });
}

/// Data that was there before the end is read before it.
#[test]
fn the_end_comes_last() {
    on_each(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for len in [1, 1_000, 70_000] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut server, _) = listener.accept().await.unwrap();
            let writing = yamanote::spawn(async move { client.write_all(&vec![3; len]).await });
            let (mut total, mut buf) = (0, [0; 700]);
            loop {
                match server.read(&mut buf).await.unwrap() {
                    0 => break,
                    n => total += n,
                }
            }
            assert_eq!(total, len);
            writing.await.unwrap().unwrap();
        }
    });
}

/// A read that leaves something keeps the socket readable: no event will come for the rest.
#[test]
fn a_partial_read_keeps_the_readiness() {
    on_each(async || {
        let (mut client, mut server) = tcp_pair().await;
        client.write_all(b"0123456789").await.unwrap();
        let mut buf = [0; 3];
        assert_eq!(server.read(&mut buf).await.unwrap(), 3);
        // Whether all ten bytes have arrived with the first is for the system to say; wait for the last.
        let mut seen = [0; 10];
        while server.peek(&mut seen).await.unwrap() < 7 {}
        for expected in [b"345", b"678"] {
            assert!(poll_once(server.readable()).is_ready());
            assert!(matches!(poll_once(server.read(&mut buf)), std::task::Poll::Ready(Ok(3))));
            assert_eq!(&buf, expected);
        }
        // A byte is left; that the read is short tells that nothing is.
        assert!(matches!(poll_once(server.read(&mut buf)), std::task::Poll::Ready(Ok(1))));
        assert_eq!(buf[0], b'9');
        assert!(poll_once(server.read(&mut buf)).is_pending());
        assert!(poll_once(server.ready(Interest::READABLE)).is_pending());
        client.write_all(b"x").await.unwrap();
        assert_eq!(server.read(&mut buf).await.unwrap(), 1);
    });
}

/// A task that waits on a socket in an odd state sleeps: it is woken for what is new and not again and again.
#[test]
fn nobody_is_woken_without_end() {
    on_each(async || {
        let (mut client, mut server) = tcp_pair().await;
        // Both ends closed for writing by the peer, and a writer that waits for nothing.
        client.shutdown().await.unwrap();
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        let probe = Probe::default();
        let mut buf = [0; 4];
        let mut reading = Box::pin(client.read(&mut buf));
        assert!(probe.poll(reading.as_mut()).is_pending());
        for _ in 0..500 {
            yamanote::task::yield_now().await;
        }
        let woken = probe.woken();
        assert!(woken <= 1, "{woken}");
        if woken == 1 {
            assert!(probe.poll(reading.as_mut()).is_pending());
        }
        server.write_all(b"x").await.unwrap();
        assert_eq!(reading.await.unwrap(), 1);
        drop(server);
        while !(client.ready(Interest::READABLE | Interest::WRITABLE).await.unwrap()
            & Ready::READ_CLOSED)
            .is_read_closed()
        {
            yamanote::task::yield_now().await;
        }
    });
}
