//! Workers that are stuck in a poll: spares stand in for them, and nobody else waits.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, Runtime};
use yamanote::sync::oneshot;

fn runtime(workers: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .stall_limit(Duration::from_millis(2))
        .build()
        .unwrap()
}

/// A task that blocks its worker until let go.
struct Blocker {
    go: mpsc::Sender<()>,
    task: yamanote::task::JoinHandle<()>,
}

impl Blocker {
    /// Returns when the task blocks a worker.
    fn start(rt: &Runtime) -> Blocker {
        let (go, wait) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let task = rt.spawn(async move {
            tell.send(()).unwrap();
            let _ = wait.recv();
        });
        told.recv().unwrap();
        Blocker { go, task }
    }

    fn end(self, rt: &Runtime) {
        drop(self.go);
        rt.block_on(self.task).unwrap();
    }
}

/// Sockets, timers and wake-ups between tasks, none of which can go on without a worker.
async fn all_kinds_of_work() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = yamanote::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut byte = [0];
        while socket.read(&mut byte).await.unwrap() == 1 {
            socket.write_all(&byte).await.unwrap();
        }
    });
    let client = yamanote::spawn(async move {
        let mut socket = TcpStream::connect(address).await.unwrap();
        for i in 0..20 {
            socket.write_all(&[i]).await.unwrap();
            assert_eq!(socket.read_u8().await.unwrap(), i);
            yamanote::time::sleep(Duration::from_micros(500)).await;
            yamanote::task::yield_now().await;
            yamanote::spawn(async {}).await.unwrap();
        }
    });
    client.await.unwrap();
    echo.await.unwrap();
}

/// All workers are blocked, one after another, and everything else goes on all the same.
#[test]
fn all_workers_blocked() {
    for workers in [1, 2, 8] {
        let rt = runtime(workers);
        // Sockets and timers that belong to the workers that are about to be stuck.
        let before: Vec<_> = (0..8).map(|_| rt.spawn(all_kinds_of_work())).collect();
        let blockers: Vec<_> = (0..workers).map(|_| Blocker::start(&rt)).collect();
        let after: Vec<_> = (0..8).map(|_| rt.spawn(all_kinds_of_work())).collect();
        rt.block_on(async {
            for task in before.into_iter().chain(after) {
                task.await.unwrap();
            }
        });
        assert_eq!(rt.metrics().num_workers(), workers);
        assert!(rt.metrics().spare_worker_count() > 0);
        assert!(rt.metrics().stall_count() >= 1);
        for blocker in blockers {
            blocker.end(&rt);
        }
        // And afterwards, with the workers back.
        rt.block_on(rt.spawn(all_kinds_of_work())).unwrap();
    }
}

/// A spare that is stuck itself is relieved by the next, as long as there are any.
#[test]
fn spares_that_block_too() {
    let rt = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .stall_limit(Duration::from_millis(1))
        .max_spare_workers(5)
        .build()
        .unwrap();
    let blockers: Vec<_> = (0..5).map(|_| Blocker::start(&rt)).collect();
    rt.block_on(rt.spawn(all_kinds_of_work())).unwrap();
    assert_eq!(rt.metrics().spare_worker_count(), 5);
    for blocker in blockers.into_iter().rev() {
        blocker.end(&rt);
        rt.block_on(rt.spawn(all_kinds_of_work())).unwrap();
    }
}

/// The spare goes when the worker is back, and another comes the next time.
#[test]
fn a_spare_comes_and_goes() {
    let rt = runtime(1);
    for round in 1..=10 {
        let blocker = Blocker::start(&rt);
        rt.block_on(rt.spawn(all_kinds_of_work())).unwrap();
        assert!(rt.metrics().spare_worker_count() >= 1);
        assert!(rt.metrics().stall_count() >= round);
        blocker.end(&rt);
        while rt.metrics().spare_worker_count() > 0 {
            rt.block_on(rt.spawn(all_kinds_of_work())).unwrap();
        }
    }
}

/// Tasks that share their worker with one that waits for them without yielding the thread: what upstream's LIFO
/// slot, which nobody steals from, turns into a deadlock (its issue 4941).
#[test]
fn a_task_in_the_lifo_slot_is_not_kept_from_running() {
    for workers in [1, 2] {
        let rt = runtime(workers);
        rt.block_on(async {
            yamanote::spawn(async {
                let (tx, rx) = oneshot::channel::<mpsc::Sender<u32>>();
                yamanote::spawn(async move { rx.await.unwrap().send(7).unwrap() });
                yamanote::task::yield_now().await;
                let (tell, told) = mpsc::channel();
                // Wakes the task, which goes into the slot of this worker.
                tx.send(tell).unwrap();
                assert_eq!(told.recv().unwrap(), 7);
            })
            .await
            .unwrap();
        });
    }
}

/// A task that yielded waits for its turn behind one that blocks.
#[test]
fn a_task_that_yielded_is_not_kept_from_running() {
    let rt = runtime(1);
    let (tell, told) = mpsc::channel();
    let (in_line, wait) = mpsc::channel();
    let yielder = rt.spawn(async move {
        in_line.send(()).unwrap();
        loop {
            yamanote::task::yield_now().await;
            if tell.send(()).is_err() {
                return;
            }
        }
    });
    wait.recv().unwrap();
    rt.block_on(rt.spawn(async move {
        for _ in 0..100 {
            told.recv().unwrap();
        }
    }))
    .unwrap();
    rt.block_on(yielder).unwrap();
}

/// The worker that waits in the driver is the one that a task then blocks: events go on to be seen (upstream's issue
/// 4730).
#[test]
fn the_driver_is_not_held_up() {
    let rt = runtime(2);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let server = {
        let accepted = Arc::clone(&accepted);
        rt.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, SeqCst);
                // Each connection blocks whoever serves it until its peer hangs up, which another task does.
                yamanote::spawn(async move {
                    let byte = socket.read_u8().await.unwrap();
                    socket.write_all(&[byte]).await.unwrap();
                });
            }
        })
    };
    let blockers = [Blocker::start(&rt), Blocker::start(&rt)];
    for i in 0..20 {
        use std::io::{Read, Write};
        let mut client = std::net::TcpStream::connect(address).unwrap();
        client.write_all(&[i]).unwrap();
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [i]);
    }
    assert_eq!(accepted.load(SeqCst), 20);
    for blocker in blockers {
        blocker.end(&rt);
    }
    server.abort();
}

/// The runtime ends while workers are stuck: it waits for their polls, and cancels the rest, once.
#[test]
fn shutdown_while_stalled() {
    struct CountDrop(Arc<AtomicUsize>);
    impl Drop for CountDrop {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    for wait in [false, true] {
        let rt = runtime(2);
        let dropped = Arc::new(AtomicUsize::new(0));
        for i in 0..100 {
            let guard = CountDrop(Arc::clone(&dropped));
            rt.spawn(async move {
                let _guard = guard;
                if i % 2 == 0 {
                    yamanote::time::sleep(Duration::from_secs(3600)).await;
                }
                loop {
                    yamanote::task::yield_now().await;
                }
            });
        }
        let blockers = [Blocker::start(&rt), Blocker::start(&rt)];
        rt.block_on(rt.spawn(all_kinds_of_work())).unwrap();
        if wait {
            // Lets go from elsewhere, when the shutdown may have begun.
            let letting_go = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(5));
                drop(blockers);
            });
            drop(rt);
            letting_go.join().unwrap();
        } else {
            rt.shutdown_timeout(Duration::from_millis(5));
            drop(blockers);
            while dropped.load(SeqCst) < 100 {
                std::thread::yield_now();
            }
        }
        assert_eq!(dropped.load(SeqCst), 100);
    }
}

/// A spare may give its core away, and take it back, as any worker.
#[test]
fn block_in_place_on_a_spare() {
    let rt = runtime(1);
    let blocker = Blocker::start(&rt);
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            rt.spawn(async {
                for _ in 0..5 {
                    yamanote::task::block_in_place(|| std::thread::sleep(Duration::from_millis(3)));
                    yamanote::task::yield_now().await;
                }
                assert_eq!(yamanote::runtime::worker_index(), Some(0));
            })
        })
        .collect();
    rt.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    blocker.end(&rt);
    rt.block_on(rt.spawn(all_kinds_of_work())).unwrap();
}

/// No spare: the monitor serves sockets and timers itself, but tasks have to wait.
#[test]
fn without_spares() {
    let rt = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .max_spare_workers(0)
        .stall_limit(Duration::from_millis(1))
        .build()
        .unwrap();
    let blocker = Blocker::start(&rt);
    rt.block_on(rt.spawn(all_kinds_of_work())).unwrap();
    rt.block_on(all_kinds_of_work());
    assert_eq!(rt.metrics().spare_worker_count(), 0);
    blocker.end(&rt);
}

/// Once all workers sleep, so does the monitor: its count of looks stays where it is.
#[test]
fn nobody_wakes_up_for_an_idle_runtime() {
    let rt = runtime(2);
    rt.block_on(rt.spawn(all_kinds_of_work())).unwrap();
    let looks = || rt.metrics().monitor_look_count();
    loop {
        let before = looks();
        // Many times as long as the monitor stays awake when it finds nothing; if it should need longer on a busy
        // machine, it gets another chance.
        std::thread::sleep(Duration::from_millis(50));
        if looks() == before {
            break;
        }
    }
    // And it wakes up again.
    let done = Arc::new(AtomicBool::new(false));
    let blocker = Blocker::start(&rt);
    let other = Blocker::start(&rt);
    let flag = Arc::clone(&done);
    rt.block_on(rt.spawn(async move { flag.store(true, SeqCst) })).unwrap();
    assert!(done.load(SeqCst));
    blocker.end(&rt);
    other.end(&rt);
}
