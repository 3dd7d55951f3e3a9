//! Does a thread of an idle runtime wake up, and do workers wake up more often for being watched? The kernel counts how
//! often each thread has waited.

use std::fs;
use std::time::Duration;

use yamanote::net::TcpListener;
use yamanote::runtime::Builder;

pub fn run(seconds: u64) -> bool {
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = runtime.expect("the runtime builds");
    // It has done something, has sockets and timers to wait for, and tasks that wait.
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    runtime.spawn(async move { while listener.accept().await.is_ok() {} });
    for _ in 0..100 {
        runtime.spawn(async { yamanote::time::sleep(Duration::from_secs(3600)).await });
    }
    // The monitor looks a hundred times before it believes that nothing goes on.
    std::thread::sleep(Duration::from_secs(3));
    let before = waits();
    std::thread::sleep(Duration::from_secs(seconds));
    let after = waits();
    // This thread has waited once.
    let woken: Vec<_> = after
        .iter()
        .filter(|(id, ..)| *id != std::process::id())
        .filter_map(|(id, name, waits)| {
            let earlier = before.iter().find(|earlier| earlier.0 == *id).map_or(0, |earlier| earlier.2);
            (*waits != earlier).then(|| format!("{name} ({})", waits - earlier))
        })
        .collect();
    println!("{} threads, {seconds} s, woken up: {}", after.len(), woken.len());
    for thread in &woken {
        println!("  {thread}");
    }
    woken.is_empty()
}

/// The same light load for a while on a runtime whose workers are watched and on one where they are not: how often
/// do threads wake up?
pub fn compare(seconds: u64) -> bool {
    const PERIOD: Duration = Duration::from_millis(5);
    println!("{:26} {:>16} {:>14}", "wake-ups a second", "workers", "monitor");
    for (name, limit) in [("watched", Some(Duration::from_millis(10))), ("not watched", None)] {
        let runtime =
            Builder::new_multi_thread().worker_threads(2).enable_all().stall_limit(limit).build();
        let runtime = runtime.expect("the runtime builds");
        for _ in 0..10 {
            runtime.spawn(async {
                let mut interval = yamanote::time::interval(PERIOD);
                loop {
                    interval.tick().await;
                }
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        let before = waits();
        std::thread::sleep(Duration::from_secs(seconds));
        let after = waits();
        let a_second = |is_meant: fn(&str) -> bool| {
            let sum = |waits: &[(u32, String, u64)]| -> u64 {
                let threads = waits.iter().filter(|thread| thread.0 != std::process::id());
                threads.filter(|thread| is_meant(&thread.1)).map(|thread| thread.2).sum()
            };
            sum(&after).saturating_sub(sum(&before)) as f64 / seconds as f64
        };
        let workers = a_second(|name| !name.starts_with("yamanote-mon"));
        println!("{name:26} {workers:16.1} {:14.1}", a_second(|name| name.starts_with("yamanote-mon")));
    }
    true
}

/// Each thread's number, its name, and how often it has waited.
fn waits() -> Vec<(u32, String, u64)> {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux tells of threads there");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let status = fs::read_to_string(entry.ok()?.path().join("status")).ok()?;
        let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let waits = value("voluntary_ctxt_switches:")?.parse().ok()?;
        Some((value("Pid:")?.parse().ok()?, value("Name:")?.to_owned(), waits))
    };
    tasks.filter_map(read).collect()
}
