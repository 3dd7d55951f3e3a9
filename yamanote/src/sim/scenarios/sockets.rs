//! Sockets and pipes: the operating system's, waited for in simulated time. No event is lost, whoever takes it, and
//! whatever else happens at that moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{Stage, one_in, pick};
use crate::io::{AsyncReadExt, AsyncWriteExt};
use crate::net::UnixStream;
use crate::net::unix::pipe;
use crate::runtime::{Builder, Runtime};
use crate::task::yield_now;
use crate::time::{Instant, sleep, timeout};

/// More than a socket's buffer takes at once.
const LARGE: usize = 300_000;

fn with_io(stage: &Stage) -> Runtime {
    let mut builder = stage.multi();
    builder.enable_io();
    if one_in(4) {
        builder.max_io_events_per_tick(1 + pick(3));
    }
    if one_in(4) {
        builder.busy_poll(Duration::from_micros(pick(50) as u64));
    }
    stage.build(&mut builder)
}

/// A pair of sockets of that runtime.
fn pair(runtime: &Runtime) -> (UnixStream, UnixStream) {
    let _enter = runtime.enter();
    UnixStream::pair().expect("a pair of sockets")
}

async fn answer(mut socket: UnixStream, mut between: impl AsyncFnMut()) {
    let mut buf = vec![0; LARGE];
    loop {
        let n = socket.read(&mut buf).await.unwrap();
        if n == 0 {
            return;
        }
        between().await;
        socket.write_all(&buf[..n]).await.unwrap();
    }
}

async fn ask(socket: &mut UnixStream, message: &[u8]) {
    let (mut reading, mut writing) = socket.split();
    let mut buf = vec![0; message.len()];
    let (sent, received) =
        futures::join!(async { writing.write_all(message).await }, reading.read_exact(&mut buf));
    sent.unwrap();
    received.unwrap();
    assert!(buf == message);
}

fn message(i: usize) -> Vec<u8> {
    let len = if one_in(10) { LARGE } else { 1 + pick(100) };
    (0..len).map(|at| (at * 31 + i) as u8).collect()
}

/// Sockets whose ends are tasks, or threads that are no workers, and timers and yields between their messages.
pub(super) fn echo(stage: &Stage) {
    let runtime = Arc::new(with_io(stage));
    let (mut tasks, mut threads) = (Vec::new(), Vec::new());
    for i in 0..1 + pick(6) {
        let (mut ours, theirs) = pair(&runtime);
        let (kind, long) = (pick(3), pick(2_000) as u64);
        tasks.push(runtime.spawn(answer(theirs, async move || match kind {
            0 => {}
            1 => yield_now().await,
            _ => sleep(Duration::from_micros(long)).await,
        })));
        let messages: Vec<_> = (0..1 + pick(20)).map(|k| message(i + k)).collect();
        let ask_all = async move {
            for message in messages {
                ask(&mut ours, &message).await;
            }
        };
        if one_in(3) {
            let runtime = Arc::clone(&runtime);
            threads.push(thread::spawn(move || runtime.block_on(ask_all)));
        } else {
            tasks.push(runtime.spawn(ask_all));
        }
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// What is awaited comes at about the time when patience ends: a read that was given up took nothing with it.
pub(super) fn races(stage: &Stage) {
    let runtime = with_io(stage);
    let tasks: Vec<_> = (0..1 + pick(4))
        .map(|_| {
            let _enter = runtime.enter();
            let (mut writing, mut reading) = pipe::pipe().expect("a pipe");
            let rounds = 1 + pick(8);
            let pauses: Vec<_> =
                (0..rounds).map(|_| Duration::from_micros(1_000 * (1 + pick(3)) as u64)).collect();
            let writer = async move {
                for (i, pause) in pauses.into_iter().enumerate() {
                    sleep(pause).await;
                    writing.write_all(&[i as u8]).await.unwrap();
                }
            };
            if one_in(3) {
                let handle = runtime.handle().clone();
                thread::spawn(move || handle.block_on(writer));
            } else {
                runtime.spawn(writer);
            }
            runtime.spawn(async move {
                let patience = Duration::from_micros(500 * (1 + pick(6)) as u64);
                let (mut received, mut byte) = (0, [0]);
                while received < rounds {
                    match timeout(patience, reading.read_exact(&mut byte)).await {
                        Ok(result) => {
                            result.unwrap();
                            assert_eq!(usize::from(byte[0]), received, "in order, and each once");
                            received += 1;
                        }
                        Err(_) if one_in(2) => yield_now().await,
                        Err(_) => {}
                    }
                }
                // The writer is gone.
                assert_eq!(reading.read(&mut byte).await.unwrap(), 0);
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// Many wait for one socket, and give up or take one message each: all that is sent is taken.
pub(super) fn readers(stage: &Stage) {
    let runtime = with_io(stage);
    let (ours, theirs) = pair(&runtime);
    let (ours, theirs) = (Arc::new(ours), Arc::new(theirs));
    let messages = 1 + pick(20);
    let taken = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..1 + pick(4))
        .map(|_| {
            let (theirs, taken) = (Arc::clone(&theirs), Arc::clone(&taken));
            let impatient = one_in(3);
            runtime.spawn(async move {
                loop {
                    if impatient {
                        let wait = timeout(Duration::from_micros(pick(300) as u64), theirs.readable());
                        let Ok(ready) = wait.await else { continue };
                        ready.unwrap();
                    } else {
                        theirs.readable().await.unwrap();
                    }
                    match theirs.try_read(&mut [0]) {
                        Ok(0) => return,
                        Ok(_) => _ = taken.fetch_add(1, Ordering::SeqCst),
                        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
                    }
                }
            })
        })
        .collect();
    let writer = runtime.spawn(async move {
        for _ in 0..messages {
            ours.writable().await.unwrap();
            assert_eq!(ours.try_write(b"x").unwrap(), 1);
            if one_in(2) {
                sleep(Duration::from_micros(pick(500) as u64)).await;
            }
        }
    });
    runtime.block_on(async {
        writer.await.unwrap();
        for reader in readers {
            reader.await.unwrap();
        }
    });
    assert_eq!(taken.load(Ordering::SeqCst), messages);
}

/// Workers are stuck, perhaps the one that waited for events: others' sockets and timers go on.
pub(super) fn stalled(stage: &Stage) {
    let runtime = with_io(stage);
    let stallers: Vec<_> = (0..1 + pick(3))
        .map(|_| {
            let (mut ours, theirs) = pair(&runtime);
            let answers = runtime.spawn(answer(theirs, async || {}));
            let (rounds, long) = (1 + pick(3), 1 + pick(80) as u64);
            runtime.spawn(async move {
                for i in 0..rounds {
                    // An event that comes while its task's worker, or that of its partner, is stuck.
                    ask(&mut ours, &message(i)).await;
                    thread::sleep(Duration::from_millis(long));
                }
                drop(ours);
                answers.await.unwrap();
            })
        })
        .collect();
    let others: Vec<_> = (0..1 + pick(4))
        .map(|_| {
            let (mut ours, theirs) = pair(&runtime);
            let answers = runtime.spawn(answer(theirs, async || {}));
            let rounds = 1 + pick(10);
            runtime.spawn(async move {
                for i in 0..rounds {
                    ask(&mut ours, &message(i)).await;
                    sleep(Duration::from_micros(700)).await;
                }
                drop(ours);
                answers.await.unwrap();
            })
        })
        .collect();
    let delays = std::simulation::longest_delay();
    if delays.is_zero() && runtime.metrics().num_workers() > 1 {
        let (start, (mut ours, theirs)) = (Instant::now(), pair(&runtime));
        runtime.spawn(answer(theirs, async || {}));
        let asked = runtime.spawn(async move {
            ask(&mut ours, b"how late is it").await;
            start.elapsed()
        });
        let late = runtime.block_on(asked).unwrap();
        assert!(late <= Duration::from_millis(4 * 80 + 40), "late: {late:?}");
    }
    runtime.block_on(async {
        for task in stallers.into_iter().chain(others) {
            task.await.unwrap();
        }
    });
}

/// The runtime ends while tasks, and threads that are none of its own, wait for sockets.
pub(super) fn any_moment(stage: &Stage) {
    let runtime = with_io(stage);
    let done = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..1 + pick(4))
        .map(|i| {
            let (mut ours, theirs) = pair(&runtime);
            let done = Arc::clone(&done);
            runtime.spawn(answer(theirs, async || {}));
            runtime.spawn(async move {
                loop {
                    ask(&mut ours, &message(i)).await;
                    done.fetch_add(1, Ordering::SeqCst);
                    if one_in(3) {
                        sleep(Duration::from_micros(pick(500) as u64)).await;
                    }
                }
            })
        })
        .collect();
    // Waits for what never comes, with another runtime's timers or none.
    let (mut kept, silent) = pair(&runtime);
    let outside = thread::spawn(move || {
        let other = Builder::new_current_thread().enable_time().build().unwrap();
        other.block_on(async move {
            let error = kept.read(&mut [0]).await.unwrap_err();
            // And so does all that comes after.
            kept.read(&mut [0]).await.unwrap_err();
            error.to_string()
        })
    });
    thread::sleep(Duration::from_micros(pick(3_000) as u64));
    match pick(3) {
        0 => drop(runtime),
        1 => runtime.shutdown_background(),
        _ => runtime.shutdown_timeout(Duration::from_millis(pick(30) as u64)),
    }
    assert!(outside.join().unwrap().contains("shutdown"), "the reader is told");
    drop(silent);
    let other = Builder::new_current_thread().build().unwrap();
    other.block_on(async {
        for task in tasks {
            // Cancelled, or the partner was before it.
            task.await.unwrap_err();
        }
    });
}

/// Several threads block on a runtime that has one worker; whoever drives it takes the events of all.
pub(super) fn single(stage: &Stage) {
    let runtime = Arc::new(stage.build(Builder::new_current_thread().enable_all()));
    let threads: Vec<_> = (0..1 + pick(3))
        .map(|i| {
            let (mut ours, theirs) = pair(&runtime);
            let (runtime, rounds, spawned) = (Arc::clone(&runtime), 1 + pick(6), one_in(2));
            thread::spawn(move || {
                let answers = answer(theirs, async || {});
                let asks = async move {
                    for k in 0..rounds {
                        ask(&mut ours, &message(i + k)).await;
                        if one_in(3) {
                            sleep(Duration::from_micros(pick(700) as u64)).await;
                        }
                    }
                };
                if spawned {
                    let answers = runtime.spawn(answers);
                    runtime.block_on(async {
                        asks.await;
                        answers.await.unwrap();
                    });
                } else {
                    runtime.block_on(async { futures::join!(answers, asks) });
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
