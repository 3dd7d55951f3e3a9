//! Ten thousand connections at once, the other ends of which are another process's: a descriptor each.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;

use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, Runtime};
use yamanote::sync::Barrier;
use yamanote::task::JoinSet;

use crate::support::{child, many, role};

const TEST: &str = "connections::ten_thousand_connections";

/// Connects under way at a time: as many as a listener's queue holds.
const AT_ONCE: usize = 100;

/// Lets this process have as many descriptors as it may; how many that are.
fn raise_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer leads to a value of that type.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    limit.rlim_cur as usize
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Connects that often, and once all are there sends a number through each and gets it back.
fn connect(port: u16, count: usize) {
    runtime().block_on(async move {
        let all = Arc::new(Barrier::new(count));
        let room = Arc::new(yamanote::sync::Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for i in 0..count as u64 {
            let (all, room) = (Arc::clone(&all), Arc::clone(&room));
            tasks.spawn(async move {
                let permit = room.acquire().await.unwrap();
                let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                // Accepted: the peer says hello.
                assert_eq!(stream.read_u8().await.unwrap(), b'!');
                drop(permit);
                all.wait().await;
                stream.write_u64(i).await.unwrap();
                assert_eq!(stream.read_u64().await.unwrap(), i);
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
    });
}

async fn serve(mut stream: TcpStream) {
    stream.write_u8(b'!').await.unwrap();
    let number = stream.read_u64().await.unwrap();
    stream.write_u64(number).await.unwrap();
    // Open until the client goes.
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}

#[test]
fn ten_thousand_connections() {
    let count = many(10_000);
    let limit = raise_limit();
    if let Some(port) = role() {
        connect(port.parse().unwrap(), count);
        println!("all answered");
        return;
    }
    if limit < count + 100 {
        println!("not run: this process may have {limit} descriptors only");
        return;
    }
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut client = child(TEST, &port.to_string()).stdout(Stdio::piped()).spawn().unwrap();
        let mut connections = JoinSet::new();
        for _ in 0..count {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn(serve(stream));
        }
        while let Some(connection) = connections.join_next().await {
            connection.unwrap();
        }
        let said = BufReader::new(client.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said: Vec<String> = said.collect();
        assert!(client.wait().unwrap().success(), "{said:?}");
        assert!(said.iter().any(|line| line.contains("all answered")), "{said:?}");
    });
}
