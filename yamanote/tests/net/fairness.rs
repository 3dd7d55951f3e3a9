//! Many connections that always have a request on its way: each is served about as often as the others.
//!
//! Counted in requests, so that it does not matter how fast the machine is: between two answers on a connection no more
//! than so many requests of others may be served. A client sends its next request when it has the answer to the last, so
//! with perfect fairness it is one of each other connection's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::*;
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, Runtime};

const CONNECTIONS: u64 = if cfg!(windows) { 20 } else { 200 };
const ROUNDS: u64 = if cfg!(windows) { 10 } else { 40 };

/// How many times as many as with perfect fairness. A connection may miss a few turns: its request or its answer has
/// just missed the other side's look at the events.
const PATIENCE: u64 = 8;

/// The longest that a connection had to wait, in requests of others.
async fn serve(listener: TcpListener) -> u64 {
    let served = Arc::new(AtomicU64::new(0));
    let longest = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (served, longest) = (Arc::clone(&served), Arc::clone(&longest));
        tasks.push(yamanote::spawn(async move {
            let mut request = [0; 64];
            let mut last = None;
            for round in 0..ROUNDS {
                read_exact(&mut stream, &mut request).await.unwrap();
                let now = served.fetch_add(1, Ordering::SeqCst);
                // While connections are made, and when the first are done, not all have a request on its way.
                if round > 2 && round < ROUNDS / 2 {
                    longest.fetch_max(last.map_or(0, |last| now - last), Ordering::SeqCst);
                }
                last = Some(now);
                write_all(&mut stream, &request).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    longest.load(Ordering::SeqCst)
}

/// The clients, in a runtime of their own, so that the servers' alone decides on the order of the servers.
fn drive_clients(addr: std::net::SocketAddr) {
    single().block_on(async {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(addr).await.unwrap();
            stream.set_nodelay(true).unwrap();
            clients.push(stream);
        }
        let tasks: Vec<_> = clients
            .into_iter()
            .map(|mut stream| {
                yamanote::spawn(async move {
                    let mut message = [7; 64];
                    for _ in 0..ROUNDS {
                        write_all(&mut stream, &message).await.unwrap();
                        read_exact(&mut stream, &mut message).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

fn longest_wait(runtime: &Runtime) -> u64 {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let addr = listener.local_addr().unwrap();
    let clients = std::thread::spawn(move || drive_clients(addr));
    // On a worker, where there is one: that is where the connections are.
    let serving = runtime.spawn(serve(listener));
    let longest = runtime.block_on(serving).unwrap();
    clients.join().unwrap();
    longest
}

#[test]
fn no_connection_starves() {
    // Several workers would be for the system's scheduler to judge: who is not run by it cannot serve.
    let worker = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for (name, runtime) in [("one thread", single()), ("one worker", worker)] {
        let longest = longest_wait(&runtime);
        assert!(
            longest <= PATIENCE * CONNECTIONS,
            "{name}: a connection waited for {longest} requests of {CONNECTIONS} connections"
        );
        if std::env::var_os("YAMANOTE_TEST_PRINT").is_some() {
            println!("{name}: {longest}");
        }
    }
}

/// The same where one connection has much to say: it does not keep the others waiting.
#[test]
fn a_talker_lets_others_speak() {
    single().block_on(async {
        let (mut talker, mut listener) = tcp_pair().await;
        let (mut client, mut server) = tcp_pair().await;
        let talked = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&talked);
        let talking = yamanote::spawn(async move {
            let block = [0; 1 << 16];
            loop {
                write_all(&mut talker, &block).await.unwrap();
            }
        });
        let listening = yamanote::spawn(async move {
            let mut buf = [0; 1 << 12];
            loop {
                read(&mut listener, &mut buf).await.unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        let echo = yamanote::spawn(async move {
            let mut message = [0; 8];
            for _ in 0..50 {
                read_exact(&mut server, &mut message).await.unwrap();
                write_all(&mut server, &message).await.unwrap();
            }
        });
        let mut longest = 0;
        for i in 0..50u64 {
            let before = talked.load(Ordering::SeqCst);
            let mut message = i.to_le_bytes();
            write_all(&mut client, &message).await.unwrap();
            read_exact(&mut client, &mut message).await.unwrap();
            longest = longest.max(talked.load(Ordering::SeqCst) - before);
        }
        echo.await.unwrap();
        talking.abort();
        listening.abort();
        // A task does 128 operations in a turn; and some turns pass until the driver is asked for events.
        assert!(longest <= 128 * 61 * 2, "{longest} reads of another connection meanwhile");
        if std::env::var_os("YAMANOTE_TEST_PRINT").is_some() {
            println!("talker: {longest}");
        }
    });
}
