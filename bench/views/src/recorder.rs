//! The flight recorder's cost: each piece of work is done in turns with and without it.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, Runtime};
use yamanote::sync::{mpsc, oneshot};

/// Does about so many operations, and tells how many.
type Work = fn(u64) -> Pin<Box<dyn Future<Output = u64> + Send>>;

const CELLS: [(&str, Work); 6] = [
    ("yield_now", |n| Box::pin(yield_now(n))),
    ("spawn_join", |n| Box::pin(spawn_join(n))),
    ("ping_pong", |n| Box::pin(ping_pong(n))),
    ("mpsc", |n| Box::pin(channel(n))),
    ("echo_1", |n| Box::pin(echo(n, 1))),
    ("echo_64", |n| Box::pin(echo(n, 64))),
];

/// Long enough for the clock, short enough that both arms see the same machine.
const BATCH: Duration = Duration::from_millis(30);

pub fn run(rounds: u64) -> bool {
    println!(
        "{:22} {:>10} {:>10} {:>8} {:>14}",
        "ns per operation", "off", "on", "cost", "events per op"
    );
    for (name, work) in CELLS {
        for workers in [0, 2] {
            let runtime = match workers {
                0 => Builder::new_current_thread().enable_all().build(),
                n => Builder::new_multi_thread().worker_threads(n).enable_all().build(),
            }
            .expect("the runtime builds");
            cell(&format!("{name}/{}", if workers == 0 { "ct" } else { "mt2" }), &runtime, work, rounds);
        }
    }
    true
}

fn cell(name: &str, runtime: &Runtime, work: Work, rounds: u64) {
    let once = |n| {
        let start = Instant::now();
        let did = runtime.block_on(async { yamanote::spawn(work(n)).await.expect("it does not panic") });
        start.elapsed().as_secs_f64() * 1e9 / did as f64
    };
    let mut n = 1000;
    let per_operation = loop {
        let start = Instant::now();
        let ns = once(n);
        if start.elapsed() > BATCH / 4 {
            break ns;
        }
        n *= 2;
    };
    let n = (BATCH.as_secs_f64() * 1e9 / per_operation) as u64 + 1;
    let (mut off, mut on) = (Vec::new(), Vec::new());
    for round in 0..rounds.max(1) {
        // Who goes first changes.
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                off.push(once(n));
            } else {
                let recorder = runtime.handle().start_recording();
                on.push(once(n));
                drop(recorder);
            }
        }
    }
    // A short one, which the ring holds.
    let few = n.min(500);
    let recorder = runtime.handle().start_recording();
    once(few);
    let events = recorder.finish().event_count() as f64 / few as f64;
    let median = |samples: &mut Vec<f64>| {
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    };
    let (off, on) = (median(&mut off), median(&mut on));
    println!("{name:22} {off:10.1} {on:10.1} {:+7.1} % {events:13.1}", (on / off - 1.0) * 100.0);
}

/// Does a piece of work so many times on a single-threaded runtime, with or without the recorder: for `count`.
pub fn once(name: &str, with: bool, n: u64) -> bool {
    let Some((_, work)) = CELLS.iter().find(|cell| cell.0 == name) else { return false };
    let runtime = Builder::new_current_thread().enable_all().build().expect("the runtime builds");
    let recorder = with.then(|| runtime.handle().start_recording());
    runtime.block_on(async { yamanote::spawn(work(n)).await.expect("it does not panic") });
    drop(recorder);
    true
}

/// Instructions per operation with and without the recorder, as valgrind's callgrind counts them: they repeat.
pub fn count() -> bool {
    println!("{:22} {:>10} {:>10} {:>8}", "instructions", "off", "on", "cost");
    for (name, _) in CELLS {
        let [off, on] = ["off", "on"].map(|with| {
            // What twice as many take more is free of what it costs to start.
            let [few, many] = [2000, 4000].map(|n| instructions(name, with, n));
            Some((many? - few?) / 2000)
        });
        let (Some(off), Some(on)) = (off, on) else {
            eprintln!("valgrind does not count {name}");
            return false;
        };
        println!("{name:22} {off:10} {on:10} {:+7.1} %", (on as f64 / off as f64 - 1.0) * 100.0);
    }
    true
}

fn instructions(name: &str, with: &str, n: u64) -> Option<u64> {
    let output = std::process::Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args(["once", name, with, &n.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, count) = text.rsplit_once("Collected :")?;
    count.split_whitespace().next()?.parse().ok()
}

async fn yield_now(n: u64) -> u64 {
    for _ in 0..n {
        yamanote::task::yield_now().await;
    }
    n
}

async fn spawn_join(n: u64) -> u64 {
    for _ in 0..n {
        yamanote::spawn(async {}).await.expect("it does not panic");
    }
    n
}

async fn ping_pong(n: u64) -> u64 {
    for _ in 0..n {
        let (ping, on_ping) = oneshot::channel();
        let (pong, on_pong) = oneshot::channel();
        yamanote::spawn(async move {
            on_ping.await.expect("sent");
            pong.send(()).expect("awaited");
        });
        ping.send(()).expect("awaited");
        on_pong.await.expect("sent");
    }
    n
}

async fn channel(n: u64) -> u64 {
    let (tx, mut rx) = mpsc::channel(100);
    yamanote::spawn(async move {
        for i in 0..n {
            tx.send(i).await.expect("received");
        }
    });
    while rx.recv().await.is_some() {}
    n
}

async fn echo(n: u64, connections: u64) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = yamanote::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            yamanote::spawn(async move {
                let mut buffer = [0; 64];
                while let Ok(length @ 1..) = socket.read(&mut buffer).await {
                    if socket.write_all(&buffer[..length]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    let each = n.div_ceil(connections);
    let mut clients = Vec::new();
    for _ in 0..connections {
        let mut socket = TcpStream::connect(address).await.expect("a connection");
        clients.push(yamanote::spawn(async move {
            let mut buffer = [7; 64];
            for _ in 0..each {
                socket.write_all(&buffer).await.expect("written");
                socket.read_exact(&mut buffer).await.expect("read");
            }
        }));
    }
    for client in clients {
        client.await.expect("it does not panic");
    }
    server.abort();
    each * connections
}
