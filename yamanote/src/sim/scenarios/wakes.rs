//! Tasks that wake each other, from inside and from outside: nobody may be forgotten.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Stage, one_in, pick};
use crate::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use crate::task::yield_now;

/// Tokens go round through tasks.
pub(super) fn ring(stage: &Stage) {
    let runtime = stage.build(&mut stage.multi());
    let (tasks, tokens, rounds) = (1 + pick(6), 1 + pick(4), 1 + pick(6));
    let links: Vec<Arc<Semaphore>> = (0..tasks).map(|_| Arc::new(Semaphore::new(0))).collect();
    let handles: Vec<_> = (0..tasks)
        .map(|i| {
            let (mine, next) = (Arc::clone(&links[i]), Arc::clone(&links[(i + 1) % tasks]));
            runtime.spawn(async move {
                for _ in 0..tokens * rounds {
                    mine.acquire().await.unwrap().forget();
                    next.add_permits(1);
                }
            })
        })
        .collect();
    // From outside, some while they run.
    for _ in 0..tokens {
        links[0].add_permits(1);
        if one_in(2) {
            thread::sleep(Duration::from_micros(pick(500) as u64));
        }
    }
    runtime.block_on(async {
        for handle in handles {
            handle.await.unwrap();
        }
    });
}

/// Threads that are no workers spawn tasks and wait for them, while workers fall asleep.
pub(super) fn outside(stage: &Stage) {
    let runtime = stage.build(&mut stage.multi());
    let threads: Vec<_> = (0..1 + pick(3))
        .map(|_| {
            let handle = runtime.handle().clone();
            let (rounds, pause) = (1 + pick(6), pick(300) as u64);
            thread::spawn(move || {
                for round in 0..rounds {
                    let (ours, theirs) = oneshot::channel();
                    let inner = handle.clone();
                    let task = handle.spawn(async move {
                        // One that another worker may take.
                        let other = inner.spawn(async move { theirs.await.unwrap() });
                        yield_now().await;
                        other.await.unwrap()
                    });
                    if round % 2 == 0 {
                        thread::sleep(Duration::from_micros(pause));
                    }
                    ours.send(round).unwrap();
                    assert_eq!(handle.block_on(task).unwrap(), round);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Producers and consumers over each kind of channel.
pub(super) fn channels(stage: &Stage) {
    let runtime = stage.build(&mut stage.multi());
    let (producers, messages, room) = (1 + pick(3), 1 + pick(12), 1 + pick(4));
    let (bounded, mut received) = mpsc::channel(room);
    let (unbounded, mut forwarded) = mpsc::unbounded_channel();
    let (level, mut seen) = watch::channel(0);
    let done = Arc::new(Notify::new());
    for producer in 0..producers {
        let bounded = bounded.clone();
        let produce = async move {
            for message in 0..messages {
                bounded.send((producer, message)).await.unwrap();
            }
        };
        if one_in(2) {
            runtime.spawn(produce);
        } else {
            // From a thread that blocks on it.
            let handle = runtime.handle().clone();
            thread::spawn(move || handle.block_on(produce));
        }
    }
    drop(bounded);
    runtime.spawn(async move {
        let mut next = vec![0; producers];
        while let Some((producer, message)) = received.recv().await {
            assert_eq!(next[producer], message, "in order");
            next[producer] += 1;
            unbounded.send(message).unwrap();
        }
        assert!(next.iter().all(|&next| next == messages));
    });
    let notify = Arc::clone(&done);
    runtime.spawn(async move {
        let mut sum = 0;
        while let Some(message) = forwarded.recv().await {
            sum += message + 1;
            level.send(sum).unwrap();
        }
        notify.notify_one();
    });
    let all = producers * messages * (messages + 1) / 2;
    runtime.block_on(async {
        seen.wait_for(|&sum| sum == all).await.unwrap();
        done.notified().await;
    });
}

/// Tasks are aborted at any moment, and their handles tell so.
pub(super) fn aborts(stage: &Stage) {
    let runtime = stage.build(&mut stage.multi());
    let gate = Arc::new(Semaphore::new(0));
    let tasks: Vec<_> = (0..1 + pick(8))
        .map(|i| {
            let gate = Arc::clone(&gate);
            runtime.spawn(async move {
                for _ in 0..i % 3 {
                    yield_now().await;
                }
                gate.acquire().await.unwrap().forget();
                i
            })
        })
        .collect();
    let aborters: Vec<_> = tasks
        .iter()
        .filter(|_| one_in(2))
        .map(|task| {
            let (task, pause) = (task.abort_handle(), pick(200) as u64);
            thread::spawn(move || {
                thread::sleep(Duration::from_micros(pause));
                task.abort();
            })
        })
        .collect();
    gate.add_permits(tasks.len());
    for aborter in aborters {
        aborter.join().unwrap();
    }
    runtime.block_on(async {
        for (i, task) in tasks.into_iter().enumerate() {
            match task.await {
                Ok(output) => assert_eq!(output, i),
                Err(error) => assert!(error.is_cancelled()),
            }
        }
    });
}

/// Who gives up waiting for permits leaves those that it had been given already to the others.
pub(super) fn permits(stage: &Stage) {
    let runtime = stage.build(&mut stage.multi());
    let permits = 1 + pick(4);
    let semaphore = Arc::new(Semaphore::new(permits));
    let tasks: Vec<_> = (0..2 + pick(6))
        .map(|_| {
            let (semaphore, rounds) = (Arc::clone(&semaphore), 1 + pick(6));
            runtime.spawn(async move {
                for _ in 0..rounds {
                    let wanted = 1 + pick(permits) as u32;
                    let patience = Duration::from_micros(pick(400) as u64);
                    let acquired = match pick(3) {
                        0 => Ok(semaphore.acquire_many(wanted).await),
                        _ => crate::time::timeout(patience, semaphore.acquire_many(wanted)).await,
                    };
                    if acquired.is_ok() {
                        match one_in(2) {
                            true => yield_now().await,
                            false => crate::time::sleep(Duration::from_micros(pick(300) as u64)).await,
                        }
                    }
                }
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(semaphore.available_permits(), permits);
}
