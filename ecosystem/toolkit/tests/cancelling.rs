//! tokio-util's cancellation tokens, task trackers, delay queues and pools.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep};
use tokio_util::future::FutureExt;
use tokio_util::sync::{CancellationToken, PollSemaphore, PollSender};
use tokio_util::task::{AbortOnDropHandle, JoinMap, LocalPoolHandle, TaskTracker};
use tokio_util::time::DelayQueue;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_reaches_all_below_it_and_no_one_above() {
    let root = CancellationToken::new();
    let tracker = TaskTracker::new();
    let done = Arc::new(AtomicUsize::new(0));
    let mut branches = Vec::new();
    for _ in 0..10 {
        let branch = root.child_token();
        for _ in 0..10 {
            let (leaf, done) = (branch.child_token(), done.clone());
            tracker.spawn(async move {
                leaf.cancelled().await;
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        branches.push(branch);
    }
    tracker.close();
    assert_eq!(tracker.len(), 100);
    branches[3].cancel();
    while done.load(Ordering::SeqCst) < 10 {
        tokio::task::yield_now().await;
    }
    assert!(!root.is_cancelled() && !branches[4].is_cancelled());
    root.cancel();
    tracker.wait().await;
    assert_eq!(done.load(Ordering::SeqCst), 100);
    // A token made below one that is cancelled is cancelled.
    assert!(branches[4].child_token().is_cancelled());
}

#[tokio::test]
async fn a_guard_cancels_when_it_goes() {
    let token = CancellationToken::new();
    let guard = token.clone().drop_guard();
    let task = tokio::spawn({
        let token = token.clone();
        async move { token.run_until_cancelled(std::future::pending::<()>()).await }
    });
    tokio::task::yield_now().await;
    assert!(!task.is_finished());
    drop(guard);
    assert_eq!(task.await.unwrap(), None);
    assert_eq!(token.run_until_cancelled_owned(async { 1 }).await, None);
}

#[tokio::test(start_paused = true)]
async fn futures_with_an_end() {
    let token = CancellationToken::new();
    assert!(sleep(Duration::from_secs(9)).timeout(Duration::from_secs(8)).await.is_err());
    assert!(sleep(Duration::from_secs(7)).timeout(Duration::from_secs(8)).await.is_ok());
    token.cancel();
    assert_eq!(std::future::pending::<()>().with_cancellation_token(&token).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_delay_queue_gives_back_in_order_of_time() {
    let started = Instant::now();
    let mut queue = DelayQueue::new();
    // Far and near, so that they stand in different levels of a wheel.
    let delays = [5_000, 1, 70, 4_100, 64, 300_000, 65, 0, 90_000_000];
    let keys: Vec<_> = delays.iter().map(|ms| queue.insert(*ms, Duration::from_millis(*ms))).collect();
    queue.remove(&keys[3]);
    queue.reset(&keys[0], Duration::from_millis(66));
    let mut seen = Vec::new();
    while let Some(expired) = queue.next().await {
        seen.push((expired.into_inner(), started.elapsed().as_millis() as u64));
    }
    let expected = [
        (0, 0),
        (1, 1),
        (64, 64),
        (65, 65),
        (5_000, 66),
        (70, 70),
        (300_000, 300_000),
        (90_000_000, 90_000_000),
    ];
    assert_eq!(seen.len(), expected.len());
    for ((value, at), (expected, time)) in seen.iter().zip(expected) {
        assert_eq!(*value, expected);
        // A timer is never early and, with paused time, at most a tick late.
        assert!((time..=time + 1).contains(at), "{value} came at {at} ms");
    }
}

#[tokio::test]
async fn tasks_by_key() {
    let mut tasks = JoinMap::new();
    for i in 0..20u64 {
        tasks.spawn(i, async move {
            if i % 5 == 0 {
                std::future::pending::<()>().await;
            }
            i * i
        });
    }
    assert_eq!(tasks.len(), 20);
    assert!(tasks.abort(&0) && !tasks.abort(&20));
    tasks.abort_matching(|key| key % 5 == 0);
    let (mut sum, mut cancelled) = (0, Vec::new());
    while let Some((key, result)) = tasks.join_next().await {
        match result {
            Ok(value) => sum += value,
            Err(error) => {
                assert!(error.is_cancelled());
                cancelled.push(key);
            }
        }
    }
    cancelled.sort_unstable();
    assert_eq!(cancelled, [0, 5, 10, 15]);
    assert_eq!(sum, (0..20).filter(|i| i % 5 != 0).map(|i| i * i).sum());
}

#[tokio::test]
async fn a_handle_that_aborts_when_it_goes() {
    let (send, mut receive) = mpsc::channel::<()>(1);
    let handle = AbortOnDropHandle::new(tokio::spawn(async move {
        let _send = send;
        std::future::pending::<()>().await;
    }));
    tokio::task::yield_now().await;
    drop(handle);
    assert_eq!(receive.recv().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_threads_for_what_cannot_leave_one() {
    let pool = LocalPoolHandle::new(3);
    let tasks: Vec<_> = (0..30)
        .map(|i| {
            pool.spawn_pinned(move || async move {
                let value = std::rc::Rc::new(i);
                tokio::task::yield_now().await;
                let twice = tokio::task::spawn_local({
                    let value = value.clone();
                    async move { *value * 2 }
                });
                twice.await.unwrap() + *value
            })
        })
        .collect();
    for (i, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), i * 3);
    }
}

#[tokio::test]
async fn permits_and_places_by_poll() {
    let semaphore = Arc::new(Semaphore::new(1));
    let mut polled = PollSemaphore::new(semaphore.clone());
    let first = std::future::poll_fn(|cx| polled.poll_acquire(cx)).await.unwrap();
    assert!(futures::poll!(std::future::poll_fn(|cx| polled.poll_acquire(cx))).is_pending());
    drop(first);
    drop(std::future::poll_fn(|cx| polled.poll_acquire(cx)).await.unwrap());

    let (send, mut receive) = mpsc::channel(1);
    let mut send = PollSender::new(send);
    for i in 0..2 {
        let ready = futures::poll!(std::future::poll_fn(|cx| send.poll_reserve(cx)));
        match i {
            0 => assert!(ready.is_ready()),
            _ => {
                assert!(ready.is_pending());
                assert_eq!(receive.recv().await, Some(0));
                std::future::poll_fn(|cx| send.poll_reserve(cx)).await.unwrap();
            }
        }
        send.send_item(i).unwrap();
    }
    assert_eq!(receive.recv().await, Some(1));
}
