use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use crate::support::*;
use yamanote::io::{Interest, ReadBuf};
use yamanote::net::UdpSocket;

async fn pair() -> (UdpSocket, UdpSocket) {
    let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let b = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    a.connect(b.local_addr().unwrap()).await.unwrap();
    b.connect(a.local_addr().unwrap()).await.unwrap();
    (a, b)
}

#[test]
fn connected() {
    on_both(async || {
        let (a, b) = pair().await;
        assert_eq!(a.peer_addr().unwrap(), b.local_addr().unwrap());
        let mut buf = [0; 32];
        for i in 0..200 {
            let message = vec![i as u8; i % 30];
            assert_eq!(a.send(&message).await.unwrap(), message.len());
            assert_eq!(b.peek(&mut buf).await.unwrap(), message.len());
            assert_eq!(b.recv(&mut buf).await.unwrap(), message.len());
            assert_eq!(buf[..message.len()], message);
        }
    });
}

#[test]
fn unconnected() {
    on_both(async || {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (from, to) = (a.local_addr().unwrap(), b.local_addr().unwrap());
        let mut buf = [0; 32];
        let receiver = yamanote::spawn(async move {
            assert_eq!(b.peek_sender().await.unwrap(), from);
            assert_eq!(b.peek_from(&mut buf).await.unwrap(), (5, from));
            assert_eq!(b.recv_from(&mut buf).await.unwrap(), (5, from));
            b
        });
        yamanote::task::yield_now().await;
        assert_eq!(a.send_to(b"hello", to).await.unwrap(), 5);
        let b = receiver.await.unwrap();
        let none: &[SocketAddr] = &[];
        assert_eq!(a.send_to(b"x", none).await.unwrap_err().kind(), io::ErrorKind::InvalidInput);

        assert_eq!(poll_fn(|cx| a.poll_send_to(cx, b"poll", to)).await.unwrap(), 4);
        assert_eq!(poll_fn(|cx| b.poll_peek_sender(cx)).await.unwrap(), from);
        let mut seen = ReadBuf::new(&mut buf);
        assert_eq!(poll_fn(|cx| b.poll_peek_from(cx, &mut seen)).await.unwrap(), from);
        assert_eq!(seen.filled(), b"poll");
        let mut seen = ReadBuf::new(&mut buf);
        assert_eq!(poll_fn(|cx| b.poll_recv_from(cx, &mut seen)).await.unwrap(), from);
        assert_eq!(seen.filled(), b"poll");
    });
}

#[test]
fn trying() {
    on_both(async || {
        let (a, b) = pair().await;
        let from = a.local_addr().unwrap();
        let mut buf = [0; 32];
        assert!(is_would_block(&b.try_recv(&mut buf)));
        assert!(is_would_block(&b.try_recv_from(&mut buf)));
        for _ in 0..5 {
            a.writable().await.unwrap();
            assert_eq!(a.try_send(b"hello").unwrap(), 5);
            b.readable().await.unwrap();
            // The readiness may be older than what was received last.
            while is_would_block(&b.try_peek(&mut buf)) {
                b.readable().await.unwrap();
            }
            assert_eq!(b.try_peek_from(&mut buf).unwrap(), (5, from));
            assert_eq!(b.try_peek_sender().unwrap(), from);
            assert_eq!(b.try_recv_from(&mut buf).unwrap(), (5, from));
        }
        let mut grown = Vec::with_capacity(32);
        a.send(b"hello").await.unwrap();
        assert_eq!(b.recv_buf_from(&mut grown).await.unwrap(), (5, from));
        a.send(b"world").await.unwrap();
        assert_eq!(b.recv_buf(&mut grown).await.unwrap(), 5);
        assert_eq!(grown, b"helloworld");
        assert!(is_would_block(&b.try_recv_buf(&mut grown)));
        assert!(is_would_block(&b.try_recv_buf_from(&mut grown)));
    });
}

#[test]
fn one_socket_many_receivers() {
    on_both(async || {
        let socket = std::sync::Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let addr = socket.local_addr().unwrap();
        let receivers: Vec<_> = (0..20)
            .map(|_| {
                let socket = socket.clone();
                yamanote::spawn(async move { socket.recv_from(&mut [0; 8]).await.unwrap().0 })
            })
            .collect();
        yamanote::task::yield_now().await;
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for _ in 0..20 {
            sender.send_to(b"x", addr).await.unwrap();
        }
        for receiver in receivers {
            assert_eq!(receiver.await.unwrap(), 1);
        }
    });
}

#[test]
fn operations_take_part_in_fair_scheduling() {
    single().block_on(async {
        let (a, b) = pair().await;
        let turns = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        {
            let turns = turns.clone();
            yamanote::spawn(async move {
                loop {
                    turns.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    yamanote::task::yield_now().await;
                }
            });
        }
        for _ in 0..1000 {
            a.send(b"x").await.unwrap();
            b.recv(&mut [0; 4]).await.unwrap();
        }
        // There is always something to do; without a budget the other task would not run at all.
        assert!(turns.load(std::sync::atomic::Ordering::SeqCst) >= 5);
    });
}

#[test]
fn options() {
    on_both(async || {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.set_broadcast(true).unwrap();
        assert!(socket.broadcast().unwrap());
        socket.set_ttl(77).unwrap();
        assert_eq!(socket.ttl().unwrap(), 77);
        socket.set_multicast_loop_v4(false).unwrap();
        assert!(!socket.multicast_loop_v4().unwrap());
        socket.set_multicast_ttl_v4(3).unwrap();
        assert_eq!(socket.multicast_ttl_v4().unwrap(), 3);
        assert!(socket.take_error().unwrap().is_none());
        assert!(socket.peer_addr().is_err());
        let ready = socket.ready(Interest::WRITABLE).await.unwrap();
        assert!(ready.is_writable() && !ready.is_readable());
        let std = socket.into_std().unwrap();
        UdpSocket::try_from(std).unwrap();
    });
}
