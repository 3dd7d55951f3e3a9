//! All workers are blocked, and the rest goes on: how long do echoes and timers take meanwhile?
//!
//! `cargo run --release --example stalled_workers [CONNECTIONS [SECONDS]]` starts, on runtimes of 1, 2 and 8
//! workers, 1,000 connections that send a byte and wait for its echo every 100 ms, and 1,000 tasks that sleep for
//! 100 ms again and again. Then it blocks every worker for 5 seconds in `std::thread::sleep`, and prints how late the
//! echoes and the timers were that came meanwhile.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::Builder;
use yamanote::time::sleep;

const PAUSE: Duration = Duration::from_millis(100);

type Samples = Arc<Mutex<Vec<Duration>>>;

async fn echo_server(listener: TcpListener) {
    loop {
        let Ok((mut socket, _)) = listener.accept().await else { return };
        yamanote::spawn(async move {
            let mut byte = [0];
            while socket.read_exact(&mut byte).await.is_ok() && socket.write_all(&byte).await.is_ok() {}
        });
    }
}

async fn echo_client(address: std::net::SocketAddr, samples: Samples) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    loop {
        let start = Instant::now();
        socket.write_all(b"x").await?;
        socket.read_u8().await?;
        samples.lock().unwrap().push(start.elapsed());
        sleep(PAUSE).await;
    }
}

async fn timer(samples: Samples) {
    loop {
        let start = Instant::now();
        sleep(PAUSE).await;
        samples.lock().unwrap().push(start.elapsed().saturating_sub(PAUSE));
    }
}

fn report(name: &str, samples: &Samples) {
    let mut samples = std::mem::take(&mut *samples.lock().unwrap());
    samples.sort_unstable();
    let Some(last) = samples.len().checked_sub(1) else {
        println!("  {name}: nothing came");
        return;
    };
    let at = |part: f64| samples[(last as f64 * part) as usize];
    let (n, p50, p99, max) = (samples.len(), at(0.5), at(0.99), samples[last]);
    println!("  {name:7} {n:7} samples   p50 {p50:9.2?}   p99 {p99:9.2?}   max {max:9.2?}");
}

fn main() {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("a number"));
    let (connections, seconds) = (words.next().unwrap_or(1_000), words.next().unwrap_or(5));
    for workers in [1, 2, 8] {
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap();
        let (echoes, timers) = (Samples::default(), Samples::default());
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(echo_server(listener));
        for _ in 0..connections {
            runtime.spawn(echo_client(address, Arc::clone(&echoes)));
            runtime.spawn(timer(Arc::clone(&timers)));
        }
        thread::sleep(Duration::from_secs(2));
        println!("{workers} workers, none blocked");
        report("echoes", &echoes);
        report("timers", &timers);
        for _ in 0..workers {
            runtime.spawn(async move { thread::sleep(Duration::from_secs(seconds)) });
        }
        thread::sleep(Duration::from_secs(seconds));
        let metrics = runtime.metrics();
        let (stalls, sent) = (metrics.stall_count(), metrics.spare_workers_sent_count());
        println!("{workers} workers, all blocked ({stalls} long polls, {sent} spares sent)");
        report("echoes", &echoes);
        report("timers", &timers);
        runtime.shutdown_background();
    }
}
