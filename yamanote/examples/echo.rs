//! A TCP echo server and a hundred clients that keep it busy for five seconds.
//!
//! `cargo run --release --example echo` shows requests a second as it goes, then latency percentiles and the
//! CPU time of one request (both sides of it: clients and server share the process). With `--listen ADDR` it
//! only serves.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, Runtime};
use yamanote::task::JoinSet;

const HELP: &str = "\
usage: echo [OPTIONS]

Runs a TCP echo server and clients against it in one process, and reports what a request costs.

  --connections N   clients, a connection each (default 100)
  --seconds N       for how long (default 5)
  --size N          bytes of a message (default 64)
  --workers N       worker threads; 0 runs everything on the main thread (default: processors)
  --listen ADDR     only serve, on this address, until interrupted
  --help            print this";

#[derive(Clone)]
struct Options {
    connections: usize,
    seconds: u64,
    size: usize,
    workers: Option<usize>,
    listen: Option<SocketAddr>,
}

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("echo: {message}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let outcome = runtime(options.workers).and_then(|runtime| match options.listen {
        Some(address) => runtime.block_on(serve_only(address)),
        None => runtime.block_on(load(options)),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `None` if help was asked for.
fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
        text.parse().map_err(|_| format!("{name}: cannot read `{text}`"))
    }
    let mut options = Options { connections: 100, seconds: 5, size: 64, workers: None, listen: None };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--connections" => options.connections = number(&word, &value()?)?,
            "--seconds" => options.seconds = number(&word, &value()?)?,
            "--size" => options.size = number(&word, &value()?)?,
            "--workers" => options.workers = Some(number(&word, &value()?)?),
            "--listen" => options.listen = Some(number(&word, &value()?)?),
            _ => return Err(format!("unexpected argument `{word}`")),
        }
    }
    match options {
        Options { connections: 0, .. } => Err("--connections must be at least 1".to_owned()),
        Options { seconds: 0, .. } => Err("--seconds must be at least 1".to_owned()),
        Options { size: 0, .. } => Err("--size must be at least 1".to_owned()),
        options => Ok(Some(options)),
    }
}

fn runtime(workers: Option<usize>) -> io::Result<Runtime> {
    match workers {
        Some(0) => Builder::new_current_thread().enable_all().build(),
        Some(n) => Builder::new_multi_thread().worker_threads(n).enable_all().build(),
        None => Builder::new_multi_thread().enable_all().build(),
    }
}

async fn accept(listener: TcpListener) -> io::Result<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        yamanote::spawn(async move {
            // A client that goes away ends its own connection only.
            let _ = echo(socket).await;
        });
    }
}

async fn echo(mut socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match socket.read(&mut buffer).await? {
            0 => return Ok(()),
            n => socket.write_all(&buffer[..n]).await?,
        }
    }
}

async fn serve_only(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("echoing on {}", listener.local_addr()?);
    accept(listener).await
}

async fn load(options: Options) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = yamanote::spawn(accept(listener));
    let mut sockets = Vec::new();
    for _ in 0..options.connections {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        sockets.push(socket);
    }
    println!(
        "{} connections, {} bytes a message, {} seconds",
        options.connections, options.size, options.seconds
    );

    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let cpu = cpu_time();
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for socket in sockets {
        clients.spawn(client(socket, options.size, stop.clone(), done.clone()));
    }
    progress(options.seconds, &done).await?;
    stop.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    while let Some(result) = clients.join_next().await {
        latencies.extend(result.map_err(io::Error::other)??);
    }
    let elapsed = started.elapsed();
    let cpu = cpu_time().zip(cpu).map(|(after, before)| after - before);
    server.abort();

    latencies.sort_unstable();
    let requests = latencies.len();
    println!(
        "\r{:>12.0} requests/s ({requests} in {elapsed:.2?})",
        requests as f64 / elapsed.as_secs_f64()
    );
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        let index = ((requests as f64 * share) as usize).min(requests.saturating_sub(1));
        if let Some(ns) = latencies.get(index) {
            println!("{:>12.1} µs {name}", f64::from(*ns) / 1e3);
        }
    }
    if let (Some(cpu), 1..) = (cpu, requests) {
        println!(
            "{:>12.2} µs CPU a request, client and server",
            cpu.as_secs_f64() * 1e6 / requests as f64
        );
    }
    Ok(())
}

/// Sends and receives one message after the other; returns each one's nanoseconds.
async fn client(
    mut socket: TcpStream,
    size: usize,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
) -> io::Result<Vec<u32>> {
    let message: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
    let mut answer = vec![0; size];
    let mut latencies = Vec::new();
    // Relaxed: only a hint to end, and a number to look at; the results travel through the join.
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        // Both at once, so that a message larger than the sockets' buffers cannot block itself.
        let (mut read, mut write) = socket.split();
        yamanote::try_join!(write.write_all(&message), read.read_exact(&mut answer))?;
        if answer != message {
            return Err(io::Error::other("the echo differs from what was sent"));
        }
        latencies.push(u32::try_from(started.elapsed().as_nanos()).unwrap_or(u32::MAX));
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(latencies)
}

/// Rewrites one line four times a second.
async fn progress(seconds: u64, done: &AtomicU64) -> io::Result<()> {
    const STEPS: u64 = 4;
    let mut ticks = yamanote::time::interval(Duration::from_secs(1) / STEPS as u32);
    ticks.tick().await;
    let mut last = (Instant::now(), 0);
    for step in 1..=seconds * STEPS {
        ticks.tick().await;
        let now = (Instant::now(), done.load(Ordering::Relaxed));
        let rate = (now.1 - last.1) as f64 / (now.0 - last.0).as_secs_f64();
        last = now;
        let left = seconds as f64 - step as f64 / STEPS as f64;
        print!("\r{rate:>12.0} requests/s, {left:.1} s left ");
        io::stdout().flush()?;
    }
    print!("\r{:40}", "");
    Ok(())
}

/// User and system time of this process so far, where `/proc` tells.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may contain spaces: count from behind it.
    let mut words = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || words.next()?.parse::<u64>().ok();
    // Linux reports hundredths of a second here, whatever its own clock's rate.
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}
