use crate::support::*;
use yamanote::net::UdpSocket;
use yamanote::net::udp_batch::{RecvBatch, send_batch, send_segments, set_gro};

async fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

/// Receives `count` datagrams, by batches that also check the sender.
async fn receive(batch: &mut RecvBatch, from: &UdpSocket, to: &UdpSocket, count: usize) -> Vec<Vec<u8>> {
    let mut got = Vec::new();
    while got.len() < count {
        let filled = batch.recv(to).await.unwrap();
        assert!(filled > 0);
        for (bytes, sender) in batch.iter() {
            assert_eq!(sender, from.local_addr().unwrap());
            got.push(bytes.to_vec());
        }
    }
    got
}

#[test]
fn a_batch_arrives_in_order() {
    on_both(async || {
        let (one, other) = (socket().await, socket().await);
        let to = other.local_addr().unwrap();
        // More than a call takes, some of them empty.
        let sent: Vec<Vec<u8>> = (0..100u8).map(|i| vec![i; usize::from(i) % 7 * 10]).collect();
        let datagrams: Vec<_> = sent.iter().map(|bytes| (bytes, to)).collect();
        let mut rest = &datagrams[..];
        while !rest.is_empty() {
            let n = send_batch(&one, rest).await.unwrap();
            assert!(n > 0);
            rest = &rest[n..];
        }
        let mut batch = RecvBatch::new(16, 100);
        assert_eq!(receive(&mut batch, &one, &other, 100).await, sent);
        assert!(is_would_block(&batch.try_recv(&other)));
        assert_eq!(batch.iter().count(), 0);
    });
}

#[test]
fn each_to_its_receiver() {
    on_both(async || {
        let sender = socket().await;
        let mut receivers = Vec::new();
        for _ in 0..5 {
            receivers.push(socket().await);
        }
        let datagrams: Vec<_> =
            receivers.iter().enumerate().map(|(i, to)| ([i as u8], to.local_addr().unwrap())).collect();
        assert_eq!(send_batch(&sender, &datagrams).await.unwrap(), 5);
        let mut batch = RecvBatch::new(4, 8);
        for (i, receiver) in receivers.iter().enumerate() {
            assert_eq!(receive(&mut batch, &sender, receiver, 1).await, [[i as u8]]);
        }
    });
}

#[test]
fn a_batch_waits_and_can_be_given_up() {
    on_both(async || {
        let (one, other) = (socket().await, socket().await);
        let mut batch = RecvBatch::new(8, 8);
        assert!(poll_once(batch.recv(&other)).is_pending());
        let to = other.local_addr().unwrap();
        let sending = yamanote::spawn(async move {
            yamanote::task::yield_now().await;
            send_batch(&one, &[(b"x", to)]).await.unwrap();
            one
        });
        assert_eq!(batch.recv(&other).await.unwrap(), 1);
        assert_eq!(batch.iter().next().unwrap().0, b"x");
        drop(sending.await.unwrap());
    });
}

#[cfg(unix)]
#[test]
fn what_is_too_long_is_cut() {
    single().block_on(async {
        let (one, other) = (socket().await, socket().await);
        one.send_to(b"12345", other.local_addr().unwrap()).await.unwrap();
        one.send_to(b"67", other.local_addr().unwrap()).await.unwrap();
        let mut batch = RecvBatch::new(2, 3);
        assert_eq!(receive(&mut batch, &one, &other, 2).await, [&b"123"[..], b"67"]);
    });
}

#[test]
fn an_error_of_the_first_is_told() {
    single().block_on(async {
        let socket = socket().await;
        let to = socket.local_addr().unwrap();
        let long = vec![0; 70_000];
        assert!(send_batch(&socket, &[(&long[..], to)]).await.is_err());
        assert_eq!(send_batch(&socket, &[(&b"x"[..], to), (&long[..], to)]).await.unwrap(), 1);
        let none: &[(&[u8], _)] = &[];
        assert_eq!(send_batch(&socket, none).await.unwrap(), 0);
    });
}

/// Cut into datagrams by the system and, if it can, put together again on the way.
#[test]
fn segments() {
    for gro in [false, true] {
        on_both(async || {
            let (one, other) = (socket().await, socket().await);
            if gro && set_gro(&other, true).is_err() {
                return;
            }
            let to = other.local_addr().unwrap();
            let bytes: Vec<u8> = (0..90_500).map(|i| (i % 251) as u8).collect();
            let expected: Vec<Vec<u8>> = bytes.chunks(1000).map(<[u8]>::to_vec).collect();
            let mut batch = RecvBatch::new(16, 65_535);
            let (mut sent, mut got) = (0, Vec::new());
            while sent < bytes.len() {
                let n = send_segments(&one, &bytes[sent..], 1000, to).await.unwrap();
                assert!(n > 0 && (n % 1000 == 0 || sent + n == bytes.len()));
                sent += n;
                // Before the next ones, so that none is dropped for want of room.
                got.extend(receive(&mut batch, &one, &other, n.div_ceil(1000)).await);
            }
            assert!(got == expected);
        });
    }
}

/// Longer than a message of the system's can be cut into: one by one, then.
#[test]
fn long_segments() {
    single().block_on(async {
        let (one, other) = (socket().await, socket().await);
        let bytes = vec![3; 50_000];
        let n = send_segments(&one, &bytes, 40_000, other.local_addr().unwrap()).await.unwrap();
        assert_eq!(n, 50_000);
        let mut batch = RecvBatch::new(2, 65_535);
        let got = receive(&mut batch, &one, &other, 2).await;
        assert_eq!(got.iter().map(Vec::len).collect::<Vec<_>>(), [40_000, 10_000]);
    });
}
