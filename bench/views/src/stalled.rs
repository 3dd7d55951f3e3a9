//! All workers are blocked: how late is what the others do?

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, Runtime};
use yamanote::time::sleep;

/// Connections, and timers.
const EACH: usize = 1_000;

/// Between two echoes of a connection, and what a timer waits.
const PAUSE: Duration = Duration::from_millis(100);

/// What 99 of 100 may be late at the most.
const LIMIT: Duration = Duration::from_millis(30);

type Samples = Arc<Mutex<Vec<Duration>>>;

pub fn run(seconds: u64) -> bool {
    raise_file_limit();
    let mut fine = true;
    for workers in [1, 2, 8] {
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
        let runtime = runtime.expect("the runtime builds");
        let (echoes, timers) = (Samples::default(), Samples::default());
        start_load(&runtime, &echoes, &timers);
        thread::sleep(Duration::from_secs(2));
        println!("{workers} workers, none blocked");
        report("echoes", &echoes);
        report("timers", &timers);
        for _ in 0..workers {
            runtime.spawn(async move { thread::sleep(Duration::from_secs(seconds)) });
        }
        thread::sleep(Duration::from_secs(seconds));
        let metrics = runtime.metrics();
        let (stalls, spares) = (metrics.stall_count(), metrics.spare_workers_sent_count());
        println!(
            "{workers} workers, all blocked for {seconds} s ({stalls} long polls, {spares} spares sent)"
        );
        for (name, samples) in [("echoes", &echoes), ("timers", &timers)] {
            fine &= report(name, samples).is_some_and(|p99| p99 < LIMIT);
        }
        runtime.shutdown_background();
    }
    fine
}

fn start_load(runtime: &Runtime, echoes: &Samples, timers: &Samples) {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            yamanote::spawn(async move {
                let mut byte = [0];
                while socket.read_exact(&mut byte).await.is_ok() && socket.write_all(&byte).await.is_ok()
                {
                }
            });
        }
    });
    for _ in 0..EACH {
        runtime.spawn(echo(address, Arc::clone(echoes)));
        runtime.spawn(timer(Arc::clone(timers)));
    }
}

async fn echo(address: SocketAddr, samples: Samples) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    loop {
        let start = Instant::now();
        socket.write_all(b"x").await?;
        socket.read_u8().await?;
        samples.lock().expect("nobody panics").push(start.elapsed());
        sleep(PAUSE).await;
    }
}

async fn timer(samples: Samples) {
    loop {
        let start = Instant::now();
        sleep(PAUSE).await;
        samples.lock().expect("nobody panics").push(start.elapsed().saturating_sub(PAUSE));
    }
}

/// Prints what came, and gives the 99th percentile. `None`: nothing came.
fn report(name: &str, samples: &Samples) -> Option<Duration> {
    let mut samples = std::mem::take(&mut *samples.lock().expect("nobody panics"));
    samples.sort_unstable();
    let last = samples.len().checked_sub(1)?;
    let at = |part: f64| samples[(last as f64 * part) as usize];
    let (n, p50, p99, max) = (samples.len(), at(0.5), at(0.99), samples[last]);
    println!("  {name:7} {n:7} samples   p50 {p50:9.2?}   p99 {p99:9.2?}   max {max:9.2?}");
    Some(p99)
}

/// A thousand connections are two thousand descriptors.
fn raise_file_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live, writable `rlimit`.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0 {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: the pointer is to a live, initialised `rlimit`.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    }
}
