//! As [`accept`](crate::accept), with nothing simulated: a server in a process that may have but a few descriptors, and
//! more clients than that. It is told so, goes on, and in the end all have their data back, each its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::TcpListener;
use yamanote::runtime::Builder;
use yamanote::task::JoinSet;

/// Tells the process that it is the server, and on how many workers (0: on one thread).
const SERVER: &str = "YAMANOTE_TEST_SERVER_WORKERS";

/// What the server may have beside those it was started with. Some are its poller's.
const DESCRIPTORS: usize = 30;
const CLIENTS: usize = 100;
const PIECES: usize = 40;
const PIECE: usize = 2_000;

/// Only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_server_without_descriptors() {
    match std::env::var(SERVER) {
        Ok(workers) => serve(workers.parse().unwrap()),
        Err(_) => [0, 1, 3].into_iter().for_each(with_server),
    }
}

fn with_server(workers: usize) {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["limit::a_server_without_descriptors", "--exact", "--nocapture"])
        .env(SERVER, workers.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut hear = |word: &str| {
        loop {
            let line = lines.next().expect("the server goes on").unwrap();
            if let Some((_, rest)) = line.split_once(word) {
                break rest.to_owned();
            }
        }
    };
    let addr = hear("server listens at ");
    let clients: Vec<TcpStream> = (0..CLIENTS).map(|_| TcpStream::connect(&addr).unwrap()).collect();
    // None says a word before that, so none is done, and the server has to run out of descriptors.
    hear("server is full");
    let clients: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(number, stream)| std::thread::spawn(move || exchange(stream, number)))
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    assert!(server.wait().unwrap().success());
}

fn exchange(mut stream: TcpStream, number: usize) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut back = vec![0; PIECE];
    for piece in 0..PIECES {
        let data: Vec<u8> = (0..PIECE).map(|i| ((number * 31 + piece * 7 + i) % 251) as u8).collect();
        stream.write_all(&data).unwrap();
        stream.read_exact(&mut back).unwrap();
        assert!(back == data, "client {number}, piece {piece}");
    }
}

fn serve(workers: usize) {
    let limit = (std::fs::read_dir("/proc/self/fd").unwrap().count() + DESCRIPTORS) as libc::rlim_t;
    let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
    // SAFETY: the pointer is to a live, initialised `rlimit`.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    let mut builder = match workers {
        0 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(workers.max(1)).enable_all().build().unwrap();
    let serving = runtime.spawn(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // The first wait makes the poller, which takes descriptors, too.
        let waiting = yamanote::time::timeout(Duration::from_millis(1), listener.accept());
        assert!(waiting.await.is_err());
        println!("server listens at {}", listener.local_addr().unwrap());
        let (mut tasks, mut served, mut refused) = (JoinSet::new(), 0, 0);
        while served < CLIENTS {
            match listener.accept().await {
                Ok((mut stream, _)) => {
                    served += 1;
                    tasks.spawn(async move {
                        let mut buffer = [0; PIECE];
                        while let n @ 1.. = stream.read(&mut buffer).await.unwrap() {
                            stream.write_all(&buffer[..n]).await.unwrap();
                        }
                    });
                }
                Err(error) => {
                    assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
                    if refused == 0 {
                        println!("server is full");
                    }
                    refused += 1;
                    yamanote::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
        assert!(refused > 0);
        tasks.join_all().await;
    });
    runtime.block_on(async { yamanote::time::timeout(PATIENCE, serving).await }).unwrap().unwrap();
}
