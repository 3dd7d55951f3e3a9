//! Many runtimes, many workers.

use std::time::Duration;

use yamanote::runtime::{Builder, Runtime};

/// Tasks on all workers, timers, and wake-ups from one task to another.
fn exercise(rt: &Runtime, tasks: u64) {
    let sum = rt.block_on(async {
        let tasks: Vec<_> = (0..tasks)
            .map(|i| {
                yamanote::spawn(async move {
                    let (sender, receiver) = yamanote::sync::oneshot::channel();
                    yamanote::spawn(async move {
                        yamanote::time::sleep(Duration::from_micros(i % 7)).await;
                        sender.send(i).unwrap();
                    });
                    receiver.await.unwrap()
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, tasks * (tasks - 1) / 2);
}

#[test]
fn any_number_of_workers() {
    let numbers: Vec<usize> = if cfg!(sanitized) { vec![1, 2, 63, 64, 65] } else { (1..=256).collect() };
    for workers in numbers {
        let rt = Builder::new_multi_thread().worker_threads(workers).enable_time().build().unwrap();
        assert_eq!(rt.metrics().num_workers(), workers);
        exercise(&rt, 20);
    }
}

#[test]
fn sixty_four_runtimes_side_by_side() {
    let count = if cfg!(sanitized) { 8 } else { 64 };
    let runtimes: Vec<_> = (0..count)
        .map(|i| {
            let mut builder = match i % 4 {
                0 => Builder::new_current_thread(),
                _ => Builder::new_multi_thread(),
            };
            builder.worker_threads(2).enable_all().build().unwrap()
        })
        .collect();
    // From threads of their own, all at once; then tasks of one that wait for tasks of the next.
    std::thread::scope(|scope| {
        for rt in &runtimes {
            scope.spawn(|| exercise(rt, 30));
        }
    });
    let mut previous: Option<yamanote::task::JoinHandle<u32>> = None;
    for rt in runtimes.iter().skip(1).filter(|rt| rt.metrics().num_workers() > 1) {
        previous = Some(rt.spawn(async move {
            match previous {
                None => 1,
                Some(previous) => 1 + previous.await.unwrap(),
            }
        }));
    }
    let chain = runtimes[0].block_on(previous.unwrap()).unwrap();
    assert!(chain as usize >= count / 2);
}
