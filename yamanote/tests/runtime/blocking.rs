use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use yamanote::runtime::Builder;
use yamanote::task;

use crate::each_flavor;

#[test]
fn returns_what_the_closure_returns() {
    each_flavor(|rt| {
        assert_eq!(rt.block_on(async { task::spawn_blocking(|| 4).await.unwrap() }), 4);
    });
}

#[test]
fn many_jobs_on_few_threads() {
    let rt = Builder::new_multi_thread().worker_threads(1).max_blocking_threads(3).build().unwrap();
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    rt.block_on(async {
        let jobs: Vec<_> = (0..500)
            .map(|_| {
                let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                task::spawn_blocking(move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        for job in jobs {
            job.await.unwrap();
        }
    });
    assert!(most.load(Ordering::SeqCst) <= 3);
}

/// Jobs that wait for each other in pairs need two threads at once: a job that relied on a thread
/// promised to another one would hang here.
#[test]
fn no_two_jobs_rely_on_one_idle_thread() {
    let rt = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    rt.block_on(async {
        for _ in 0..500 {
            let (tx, rx) = mpsc::channel();
            let waits = task::spawn_blocking(move || rx.recv().unwrap());
            let sends = task::spawn_blocking(move || tx.send(()).unwrap());
            waits.await.unwrap();
            sends.await.unwrap();
        }
    });
}

#[test]
fn a_panic_is_told() {
    each_flavor(|rt| {
        let error = rt.block_on(async { task::spawn_blocking(|| panic!("planned")).await.unwrap_err() });
        assert!(error.is_panic());
        assert_eq!(rt.block_on(async { task::spawn_blocking(|| 1).await.unwrap() }), 1);
    });
}

#[test]
fn the_runtime_is_current_inside() {
    each_flavor(|rt| {
        let got = rt.block_on(async {
            task::spawn_blocking(|| yamanote::runtime::Handle::current().block_on(async { 5 }))
                .await
                .unwrap()
        });
        assert_eq!(got, 5);
    });
}

#[test]
fn block_in_place_lets_others_run() {
    let rt = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    rt.block_on(async {
        yamanote::spawn(async {
            let (tx, rx) = mpsc::channel();
            yamanote::spawn(async move { tx.send(8).unwrap() });
            assert_eq!(task::block_in_place(|| rx.recv().unwrap()), 8);
            task::yield_now().await;
        })
        .await
        .unwrap();
    });
}

#[test]
fn block_in_place_may_block_on() {
    let rt = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let got = rt.block_on(async {
        yamanote::spawn(async {
            task::block_in_place(|| {
                yamanote::runtime::Handle::current().block_on(async {
                    task::yield_now().await;
                    yamanote::spawn(async { 6 }).await.unwrap()
                })
            })
        })
        .await
        .unwrap()
    });
    assert_eq!(got, 6);
}

#[test]
fn block_in_place_many_times() {
    let rt = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async {
        let tasks: Vec<_> = (0..200)
            .map(|i| {
                yamanote::spawn(async move {
                    for _ in 0..10 {
                        task::block_in_place(std::thread::yield_now);
                        task::yield_now().await;
                    }
                    i
                })
            })
            .collect();
        for (i, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), i);
        }
    });
}

/// One worker, with and without the monitor that notices how long a closure takes.
fn one_worker(f: impl Fn(yamanote::runtime::Runtime)) {
    for limit in [None, Some(Duration::from_secs(3600))] {
        let mut builder = Builder::new_multi_thread();
        f(builder.worker_threads(1).stall_limit(limit).enable_all().build().unwrap());
    }
}

/// What happens while the closure waits does not wait for it: a timer, an event, a task that comes from outside.
#[cfg(unix)]
#[test]
fn block_in_place_holds_up_nothing_that_comes_later() {
    one_worker(|rt| {
        let handle = rt.handle().clone();
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        rt.block_on(rt.spawn(async move {
            let mut ours = yamanote::net::UnixStream::from_std(ours).unwrap();
            let (tell, told) = mpsc::channel();
            let (by_timer, by_event, from_outside) = (tell.clone(), tell.clone(), tell);
            yamanote::spawn(async move {
                yamanote::time::sleep(Duration::from_millis(1)).await;
                by_timer.send("timer").unwrap();
            });
            yamanote::spawn(async move {
                let mut byte = [0];
                yamanote::io::AsyncReadExt::read_exact(&mut ours, &mut byte).await.unwrap();
                by_event.send("event").unwrap();
            });
            // Both wait by the time the closure begins.
            task::yield_now().await;
            task::yield_now().await;
            task::block_in_place(|| {
                let task = handle.spawn(async move { from_outside.send("task").unwrap() });
                std::io::Write::write_all(&mut &theirs, b"x").unwrap();
                let mut seen: Vec<_> = (0..3).map(|_| told.recv().unwrap()).collect();
                seen.sort_unstable();
                assert_eq!(seen, ["event", "task", "timer"]);
                drop(task);
            });
        }))
        .unwrap();
    });
}

/// A worker that is shut down while its core is lent drops its tasks without waiting for the closure.
#[test]
fn block_in_place_holds_up_no_shutdown() {
    one_worker(|rt| {
        let (started, has_started) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let (dropped, was_dropped) = mpsc::channel::<()>();
        rt.spawn(async move {
            let _dropped = dropped;
            std::future::pending::<()>().await;
        });
        rt.spawn(async move {
            task::yield_now().await;
            task::block_in_place(|| {
                started.send(()).unwrap();
                let _ = may_go_on.recv();
            });
        });
        has_started.recv().unwrap();
        rt.shutdown_background();
        assert!(was_dropped.recv().is_err());
        drop(go_on);
    });
}

/// A closure that is over soon leaves the worker where it is.
#[test]
fn block_in_place_for_a_moment_moves_no_worker() {
    let rt = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    rt.block_on(rt.spawn(async move {
        // The monitor may see the one or other twice, if this thread loses its processor in it.
        let mut moves = 0;
        for _ in 0..1000 {
            let before = std::thread::current().id();
            task::block_in_place(|| ());
            task::yield_now().await;
            moves += usize::from(std::thread::current().id() != before);
        }
        assert!(moves < 500, "the worker moved {moves} times of 1000");
    }))
    .unwrap();
}

/// A pool's thread that takes a worker over is none of those that the limit allows for blocking jobs.
#[test]
fn block_in_place_leaves_the_pool_its_threads() {
    for workers in [1, 3] {
        let mut builder = Builder::new_multi_thread();
        let rt = builder.worker_threads(workers).max_blocking_threads(1).build().unwrap();
        for _ in 0..20 {
            rt.block_on(async {
                let in_place =
                    || yamanote::spawn(async { task::block_in_place(std::thread::yield_now) });
                let tasks: Vec<_> = (0..workers).map(|_| in_place()).collect();
                for task in tasks {
                    task.await.unwrap();
                }
                // Would wait for a thread for ever. One at a time, still.
                let running = Arc::new(AtomicUsize::new(0));
                let jobs: Vec<_> = (0..4)
                    .map(|_| {
                        let running = Arc::clone(&running);
                        task::spawn_blocking(move || {
                            assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                            std::thread::yield_now();
                            running.fetch_sub(1, Ordering::SeqCst);
                        })
                    })
                    .collect();
                for job in jobs {
                    job.await.unwrap();
                }
            });
        }
    }
}

#[test]
#[should_panic(expected = "can call blocking only when running on the multi-threaded runtime")]
fn block_in_place_needs_several_threads() {
    Builder::new_current_thread().build().unwrap().block_on(async { task::block_in_place(|| ()) });
}

#[test]
fn block_in_place_outside_just_runs() {
    assert_eq!(task::block_in_place(|| 3), 3);
}
