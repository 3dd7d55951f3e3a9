//! What a stuck worker owns is served by others.

use std::sync::mpsc;
use std::time::Duration;

use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::Builder;

/// A task blocks its worker until tasks that only that worker knows of have run: one in the LIFO slot, one
/// that waits for a timer in its wheel, one for a socket of its poller.
#[test]
fn a_stuck_worker_holds_up_nobody() {
    let rt = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async {
        yamanote::spawn(async {
            let (tx, rx) = mpsc::channel();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut client = TcpStream::connect(address).await.unwrap();
            let (mut server, _) = listener.accept().await.unwrap();

            let done = tx.clone();
            yamanote::spawn(async move {
                let mut byte = [0];
                server.read_exact(&mut byte).await.unwrap();
                done.send("socket").unwrap();
            });
            let done = tx.clone();
            yamanote::spawn(async move {
                yamanote::time::sleep(Duration::from_millis(1)).await;
                done.send("timer").unwrap();
            });
            for _ in 0..10 {
                yamanote::task::yield_now().await;
            }
            client.write_all(b"x").await.unwrap();
            yamanote::spawn(async move { tx.send("lifo").unwrap() });

            let mut seen = [rx.recv().unwrap(), rx.recv().unwrap(), rx.recv().unwrap()];
            seen.sort_unstable();
            assert_eq!(seen, ["lifo", "socket", "timer"]);
        })
        .await
        .unwrap();
    });
}
