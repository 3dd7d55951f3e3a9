//! tokio-metrics: what it counts of tasks and, without any `--cfg`, of the runtime.

use std::time::Duration;

use tokio_metrics::{RuntimeMonitor, TaskMonitor};

#[tokio::test]
async fn polls_of_a_task_are_counted() {
    let monitor = TaskMonitor::new();
    let mut intervals = monitor.intervals();
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            tokio::spawn(monitor.instrument(async {
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
            }))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let metrics = intervals.next().unwrap();
    assert_eq!(metrics.instrumented_count, 10);
    assert_eq!(metrics.dropped_count, 10);
    assert_eq!(metrics.total_poll_count, 50);
    assert_eq!(metrics.first_poll_count, 10);
    assert_eq!(metrics.total_scheduled_count, 40);
}

#[tokio::test]
async fn a_slow_poll_is_slow_and_a_sleep_is_idle() {
    let monitor = TaskMonitor::with_slow_poll_threshold(Duration::from_millis(20));
    let task = tokio::spawn(monitor.instrument(async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        std::thread::sleep(Duration::from_millis(30));
    }));
    task.await.unwrap();
    let metrics = monitor.cumulative();
    assert_eq!(metrics.total_poll_count, 2);
    assert!(metrics.total_slow_poll_count >= 1);
    assert!(metrics.total_slow_poll_duration >= Duration::from_millis(30));
    assert_eq!(metrics.total_idled_count, 1);
    assert!(metrics.total_idle_duration >= Duration::from_millis(25));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runtime_is_watched() {
    let monitor = RuntimeMonitor::new(&tokio::runtime::Handle::current());
    let mut intervals = monitor.intervals();
    let first = intervals.next().unwrap();
    assert_eq!(first.workers_count, 2);
    let forever = tokio::spawn(std::future::pending::<()>());
    let tasks: Vec<_> = (0..100)
        .map(|_| tokio::spawn(async { tokio::time::sleep(Duration::from_millis(1)).await }))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // A task may be joined a moment before its place is free.
    while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 1 {
        tokio::task::yield_now().await;
    }
    let metrics = intervals.next().unwrap();
    assert_eq!(metrics.workers_count, 2);
    assert_eq!(metrics.live_tasks_count, 1);
    assert!(metrics.elapsed > Duration::ZERO);
    // A worker that has slept was parked, and what it did before took some time.
    assert!(metrics.total_park_count >= 1, "{metrics:?}");
    assert!(metrics.total_busy_duration > Duration::ZERO, "{metrics:?}");
    forever.abort();
}
