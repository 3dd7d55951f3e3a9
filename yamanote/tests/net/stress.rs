//! Many connections and tasks that wander between workers: a single lost event shows as a hang.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::*;
use yamanote::net::{TcpListener, TcpStream, UdpSocket};
use yamanote::runtime::Builder;

/// How much less is done where a wait for a socket is dear: some milliseconds with wine.
const DEAR: usize = if cfg!(windows) { 10 } else { 1 };

#[test]
fn echo_over_many_connections() {
    for workers in [1, 2, 4] {
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let addr = listener.local_addr().unwrap();
            yamanote::spawn(async move {
                loop {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    yamanote::spawn(async move {
                        let mut buf = [0; 256];
                        while let Ok(n) = read(&mut stream, &mut buf).await {
                            if n == 0 || write_all(&mut stream, &buf[..n]).await.is_err() {
                                break;
                            }
                        }
                    });
                }
            });
            let clients: Vec<_> = (0..60 / DEAR)
                .map(|i| {
                    yamanote::spawn(async move {
                        for _ in 0..3 {
                            let mut stream = TcpStream::connect(addr).await.unwrap();
                            for j in (0..50).step_by(DEAR) {
                                let message = [i as u8; 100];
                                let message = &message[..1 + j];
                                let mut back = [0; 100];
                                write_all(&mut stream, message).await.unwrap();
                                read_exact(&mut stream, &mut back[..message.len()]).await.unwrap();
                                assert_eq!(&back[..message.len()], message);
                            }
                        }
                    })
                })
                .collect();
            for client in clients {
                client.await.unwrap();
            }
        });
    }
}

/// The two halves of a connection are used by tasks that are woken from all over, so that it is polled on
/// every worker and moves between their pollers while events arrive.
#[test]
fn sockets_that_move() {
    let runtime = Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let (client, server) = tcp_pair().await;
            for stream in [client, server] {
                let (mut reader, mut writer) = stream.into_split();
                tasks.push(yamanote::spawn(async move {
                    for i in 0..2000 / DEAR as u32 {
                        write_all(&mut writer, &i.to_le_bytes()).await.unwrap();
                        if i % 7 == 0 {
                            yamanote::task::yield_now().await;
                        }
                    }
                    writer.forget();
                }));
                tasks.push(yamanote::spawn(async move {
                    let mut number = [0; 4];
                    for i in 0..2000 / DEAR as u32 {
                        read_exact(&mut reader, &mut number).await.unwrap();
                        assert_eq!(u32::from_le_bytes(number), i);
                    }
                }));
            }
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// One socket, waited for by one task after another, each on whatever worker it is.
#[test]
fn a_socket_that_is_handed_around() {
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let a = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let b = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let to = b.local_addr().unwrap();
        let received = Arc::new(AtomicUsize::new(0));
        for _ in 0..1500 {
            let receiver = {
                let (b, received) = (b.clone(), received.clone());
                yamanote::spawn(async move {
                    b.recv(&mut [0; 8]).await.unwrap();
                    received.fetch_add(1, Ordering::SeqCst);
                })
            };
            let a = a.clone();
            yamanote::spawn(async move { a.send_to(b"x", to).await.unwrap() });
            receiver.await.unwrap();
        }
        assert_eq!(received.load(Ordering::SeqCst), 1500);
    });
}
