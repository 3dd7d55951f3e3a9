//! Does a thread of an idle runtime wake up? The kernel counts how often each thread has waited.

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
        runtime.spawn(yamanote::time::sleep(Duration::from_secs(3600)));
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
