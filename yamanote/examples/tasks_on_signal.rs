//! Asking a running program what it does: `cargo run --example tasks_on_signal [SECONDS]`, then `kill -USR1` its id.
//!
//! Each signal prints all tasks: what they are, where they were spawned, what they do and who woke them; then a second is
//! recorded, summed up, and written to a file for <https://ui.perfetto.dev>. And whoever blocks a worker is named.

#[cfg(unix)]
mod support;

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, BufWriter};
    use std::path::Path;
    use std::time::Duration;

    use yamanote::runtime::{Builder, Handle};
    use yamanote::signal::unix::{Signal, SignalKind, signal};
    use yamanote::sync::mpsc;
    use yamanote::task;
    use yamanote::time::{interval, sleep};

    const HELP: &str = "\
usage: tasks_on_signal [SECONDS]

Works, for SECONDS if told so. SIGUSR1 has it print its tasks and record a second of what they do.";

    /// Something to look at: a task that ticks, one that it feeds, a job, and now and then one that blocks.
    fn work() -> io::Result<()> {
        let (send, mut receive) = mpsc::channel(8);
        task::Builder::new().name("ticker").spawn(async move {
            let mut ticks = interval(Duration::from_millis(20));
            while send.send(ticks.tick().await).await.is_ok() {}
        })?;
        task::Builder::new().name("counter").spawn(async move {
            let mut ticks = 0_u64;
            while receive.recv().await.is_some() {
                ticks += 1;
            }
            ticks
        })?;
        task::Builder::new().name("culprit").spawn(async {
            loop {
                sleep(Duration::from_millis(700)).await;
                std::thread::sleep(Duration::from_millis(50));
            }
        })?;
        task::Builder::new()
            .name("job")
            .spawn_blocking(|| std::thread::sleep(Duration::from_secs(3)))?;
        Ok(())
    }

    async fn answer(mut asked: Signal) -> io::Result<()> {
        let path = Path::new(&std::env::temp_dir()).join(format!("trace-{}.json", std::process::id()));
        while asked.recv().await.is_some() {
            let handle = Handle::current();
            for task in handle.tasks() {
                println!("{task}");
            }
            let recording = handle.record(Duration::from_secs(1)).await;
            println!("\n{}", recording.summary());
            let mut file = BufWriter::new(File::create(&path)?);
            recording.write_chrome_trace(&mut file)?;
            io::Write::flush(&mut file)?;
            println!("for ui.perfetto.dev: {}", path.display());
        }
        Ok(())
    }

    pub(crate) fn main() -> io::Result<()> {
        let seconds = match super::support::words(HELP, 0, 1).pop() {
            Some(seconds) => seconds.parse().map_err(io::Error::other)?,
            None => u64::MAX,
        };
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .track_tasks(true)
            .on_stall(|stall| eprintln!("stalled: {stall}"))
            .build()?;
        runtime.block_on(async {
            let asked = signal(SignalKind::user_defined1())?;
            work()?;
            println!("kill -USR1 {}", std::process::id());
            let answers = task::Builder::new().name("answers").spawn(answer(asked))?;
            yamanote::select! {
                answered = answers => answered?,
                () = sleep(Duration::from_secs(seconds)) => Ok(()),
            }
        })?;
        runtime.shutdown_background();
        Ok(())
    }
}

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    unix::main()
}

#[cfg(not(unix))]
fn main() {
    eprintln!("There is no SIGUSR1 here.");
}
