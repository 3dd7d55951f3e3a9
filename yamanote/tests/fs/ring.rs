//! Operations that are done through the kernel's io_uring: that they are, and what happens to those that nobody waits for.

use std::future::Future;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use yamanote::fs::{self, File, OpenOptions};
use yamanote::io::AsyncReadExt;
use yamanote::runtime::{Builder, FileIo, Runtime};

use super::support::{file, pattern, poll_once};

fn ring(builder: Builder) -> Runtime {
    let mut builder = builder;
    builder.worker_threads(2).enable_all().file_io(FileIo::Ring).build().unwrap()
}

fn flavours() -> [Runtime; 2] {
    [ring(Builder::new_current_thread()), ring(Builder::new_multi_thread())]
}

/// Whether this kernel, or who guards it, gives rings to this process.
fn is_possible() -> bool {
    let mut params = [0u8; 120];
    // SAFETY: the structure has 120 bytes, which the kernel reads and writes.
    let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, 8, params.as_mut_ptr()) };
    if fd < 0 {
        println!("skipped: no io_uring here ({})", std::io::Error::last_os_error());
        return false;
    }
    // SAFETY: just opened, and nobody else's.
    unsafe { libc::close(fd as i32) };
    true
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// How many of this process's descriptors lead to `path`.
fn descriptors(path: &Path) -> usize {
    let links = std::fs::read_dir("/proc/self/fd").unwrap();
    links
        .filter(|link| std::fs::read_link(link.as_ref().unwrap().path()).is_ok_and(|to| to == path))
        .count()
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_ring_is_used_for_what_it_can_do() {
    if !is_possible() {
        return;
    }
    for runtime in flavours() {
        let metrics = runtime.metrics();
        let dir = tempfile::tempdir().unwrap();
        let (a, b, sub) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("sub"));
        runtime.block_on(async {
            let mut seen = metrics.file_ring_operations_count();
            let mut moved = |what: &str| {
                let now = metrics.file_ring_operations_count();
                assert!(now > seen, "{what} went another way");
                seen = now;
            };
            let file = File::create(&a).await.unwrap();
            moved("create");
            file.sync_all().await.unwrap();
            moved("sync_all");
            file.sync_data().await.unwrap();
            moved("sync_data");
            std::fs::write(&a, pattern(100)).unwrap();
            let mut file = OpenOptions::new().read(true).open(&a).await.unwrap();
            moved("OpenOptions::open");
            assert_eq!(file.read(&mut [0; 64]).await.unwrap(), 64);
            moved("File::read");
            assert_eq!(fs::read(&a).await.unwrap(), pattern(100));
            moved("fs::read");
            assert!(fs::try_exists(&a).await.unwrap());
            moved("try_exists");
            assert_eq!(fs::metadata(&a).await.unwrap().len(), 100);
            moved("metadata");
            fs::rename(&a, &b).await.unwrap();
            moved("rename");
            fs::hard_link(&b, &a).await.unwrap();
            moved("hard_link");
            fs::remove_file(&a).await.unwrap();
            moved("remove_file");
            fs::symlink(&b, &a).await.unwrap();
            moved("symlink");
            assert!(fs::symlink_metadata(&a).await.unwrap().is_symlink());
            moved("symlink_metadata");
            fs::create_dir(&sub).await.unwrap();
            moved("create_dir");
            fs::remove_dir(&sub).await.unwrap();
            moved("remove_dir");
        });
    }
}

#[test]
fn thousands_at_once() {
    for runtime in flavours() {
        let dir = tempfile::tempdir().unwrap();
        for i in 0..50 {
            std::fs::write(dir.path().join(i.to_string()), pattern(i)).unwrap();
        }
        runtime.block_on(async {
            let mut tasks = yamanote::task::JoinSet::new();
            for i in 0..3_000 {
                let path = dir.path().join((i % 50).to_string());
                tasks.spawn(async move {
                    assert_eq!(fs::read(path).await.unwrap(), pattern(i % 50));
                });
            }
            while let Some(result) = tasks.join_next().await {
                result.unwrap();
            }
            // All from one task, before the ring was turned once.
            let path = dir.path().join("7");
            let all: Vec<_> = (0..3_000).map(|_| fs::metadata(&path)).collect();
            for metadata in futures::future::join_all(all).await {
                assert_eq!(metadata.unwrap().len(), 7);
            }
        });
    }
}

#[test]
fn files_that_were_opened_for_nobody_are_closed() {
    for runtime in flavours() {
        let (_dir, path) = file(b"x");
        runtime.block_on(async {
            for _ in 0..200 {
                assert!(poll_once(File::open(&path)).await.is_none_or(|file| file.is_ok()));
            }
            // One that has completed before it is dropped.
            let mut open = Box::pin(File::open(&path));
            let _ = poll_once(open.as_mut()).await;
            for _ in 0..50 {
                yamanote::time::sleep(Duration::from_millis(1)).await;
            }
            drop(open);
            let begun = Instant::now();
            while descriptors(&path) > 0 {
                assert!(begun.elapsed() < Duration::from_secs(30), "some stay open");
                yamanote::time::sleep(Duration::from_millis(1)).await;
            }
        });
        for _ in 0..200 {
            // By a thread that has no turns.
            let _entered = runtime.enter();
            let open = pin!(File::open(&path));
            let _ = open.poll(&mut Context::from_waker(Waker::noop()));
        }
        drop(runtime);
        until("some stay open after the runtime", || descriptors(&path) == 0);
    }
}

/// On the pool, each of them would occupy a thread, and the runtime would wait for them in vain.
#[test]
fn what_may_wait_for_ever_is_called_off() {
    if !is_possible() {
        return;
    }
    for runtime in flavours() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        fifo(&path);
        runtime.block_on(async {
            // Waits for somebody who writes.
            assert!(poll_once(File::open(&path)).await.is_none());
            let opening = yamanote::spawn({
                let path = path.clone();
                async move { File::open(path).await.map(drop) }
            });
            yamanote::time::sleep(Duration::from_millis(5)).await;
            opening.abort();
            assert!(opening.await.unwrap_err().is_cancelled());
        });
        // Opened for both, so that nobody is waited for; there is nothing to read.
        let both = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut file = File::from_std(both.try_clone().unwrap());
        runtime.block_on(async {
            yamanote::spawn(async move { file.read(&mut [0; 8]).await.map(drop) });
            yamanote::time::sleep(Duration::from_millis(5)).await;
            // The same once more, by an opening that waits.
            let other = dir.path().join("other");
            fifo(&other);
            yamanote::spawn(async move { File::open(other).await.map(drop) });
            yamanote::time::sleep(Duration::from_millis(5)).await;
        });
        let (done, wait) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            drop(runtime);
            done.send(()).unwrap();
        });
        wait.recv_timeout(Duration::from_secs(30)).expect("the runtime's end waits for nobody");
        // The read was called off before it could take what is not its own any more.
        std::io::Write::write_all(&mut &both, b"late").unwrap();
        let mut buf = [0; 8];
        assert_eq!(std::io::Read::read(&mut &both, &mut buf).unwrap(), 4);
    }
}

#[test]
fn a_waker_that_panics_harms_nothing() {
    struct Panics(AtomicUsize);

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            panic!("a waker that panics");
        }
    }

    if !is_possible() {
        return;
    }
    let (_dir, path) = file(b"x");
    let runtime = ring(Builder::new_current_thread());
    runtime.block_on(fs::read(&path)).unwrap();
    let panics = Arc::new(Panics(AtomicUsize::new(0)));
    let waker = Waker::from(panics.clone());
    let mut open = Box::pin(File::open(&path));
    // Where the runtime is driven: else the pool would do it.
    runtime.block_on(async {
        assert!(open.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    });
    let result = catch_unwind(AssertUnwindSafe(|| runtime.block_on(std::future::pending::<()>())));
    assert!(result.is_err());
    assert_eq!(panics.0.load(Ordering::SeqCst), 1);
    runtime.block_on(open).unwrap();
    assert_eq!(runtime.block_on(fs::read(&path)).unwrap(), b"x");
}

/// The kernel calls off what a thread has left undone when it ends. It is done all the same.
#[test]
fn threads_that_end_leave_nothing_undone() {
    for runtime in flavours() {
        let dir = tempfile::tempdir().unwrap();
        let removals: Vec<_> = (0..100)
            .map(|i| {
                let path = dir.path().join(i.to_string());
                std::fs::write(&path, "x").unwrap();
                let handle = runtime.handle().clone();
                let started = std::thread::spawn(move || {
                    let _entered = handle.enter();
                    let mut removal = Box::pin(fs::remove_file(path));
                    let first = removal.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                    first.is_pending().then_some(removal)
                });
                started.join().unwrap()
            })
            .collect();
        runtime.block_on(async {
            for removal in removals.into_iter().flatten() {
                removal.await.unwrap();
            }
        });
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_dropped_change_is_made_all_the_same() {
    for runtime in flavours() {
        let dir = tempfile::tempdir().unwrap();
        let sub = dir.path().join("sub");
        runtime.block_on(async {
            assert!(poll_once(fs::create_dir(&sub)).await.is_none_or(|made| made.is_ok()));
        });
        drop(runtime);
        assert!(sub.is_dir());
    }
}

/// Nothing is left under way, whenever it is that the runtime goes.
#[test]
fn runtimes_end_at_any_moment() {
    let (_dir, path) = file(&pattern(100_000));
    for round in 0..40_u64 {
        for runtime in flavours() {
            for _ in 0..20 {
                let path = path.clone();
                runtime.spawn(async move {
                    loop {
                        match fs::read(&path).await {
                            Ok(bytes) => assert_eq!(bytes.len(), 100_000),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Other),
                        }
                    }
                });
            }
            runtime.block_on(async { yamanote::time::sleep(Duration::from_micros(round * 50)).await });
            match round % 3 {
                0 => runtime.shutdown_background(),
                1 => runtime.shutdown_timeout(Duration::from_secs(30)),
                _ => drop(runtime),
            }
        }
    }
    until("files stay open", || descriptors(&path) == 0);
}

#[test]
fn without_a_driver_the_pool_does_it() {
    let (_dir, path) = file(b"x");
    let runtime = Builder::new_current_thread().file_io(FileIo::Ring).build().unwrap();
    assert_eq!(runtime.block_on(fs::read(&path)).unwrap(), b"x");
    assert_eq!(runtime.metrics().file_ring_operations_count(), 0);
}

/// A clock that stands still does not jump while an operation is under way.
#[test]
fn paused_time_waits_for_files() {
    let (_dir, path) = file(&pattern(10_000));
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).file_io(FileIo::Ring).build().unwrap();
    runtime.block_on(async {
        for _ in 0..100 {
            let read = yamanote::time::timeout(Duration::from_secs(1), fs::read(&path));
            assert_eq!(read.await.expect("time stands still").unwrap().len(), 10_000);
        }
    });
}

/// A spare worker that starts an operation may be relieved before its next turn, when the worker that it stood in for waits
/// already. Nobody else would hand over what it had written down.
#[test]
fn what_a_spare_worker_starts_is_handed_over() {
    use std::sync::mpsc::channel;

    let mut builder = Builder::new_multi_thread();
    let runtime = builder
        .worker_threads(1)
        .max_spare_workers(1)
        .stall_limit(Duration::from_millis(50))
        .enable_all()
        .file_io(FileIo::Ring)
        .build()
        .unwrap();
    let metrics = runtime.metrics();
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let path = dir.path().join(round.to_string());
        std::fs::write(&path, "x").unwrap();
        let (free, stuck) = channel::<()>();
        let (begun, begins) = channel();
        runtime.spawn(async move {
            begun.send(()).unwrap();
            stuck.recv().unwrap();
        });
        begins.recv().unwrap();
        // For the spare: the worker is stuck.
        let (done, removed) = channel();
        let metrics = metrics.clone();
        runtime.spawn(async move {
            // The worker goes on, finds nothing to do, and waits, if it does so in time: not so long that this one counts
            // as stuck.
            let parked = metrics.worker_park_count(0);
            let until = Instant::now() + Duration::from_millis(30);
            free.send(()).unwrap();
            while metrics.worker_park_count(0) == parked && Instant::now() < until {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_millis(2));
            let result = fs::remove_file(path);
            done.send(result.await.is_ok()).unwrap();
        });
        let removed = removed.recv_timeout(Duration::from_secs(60));
        assert_eq!(removed, Ok(true), "it was handed over to nobody");
    }
}

/// Unless told otherwise, what is not in memory goes through the ring where a worker waits for it, and to the pool where nobody
/// might: a runtime that is not driven reads files all the same.
#[test]
fn by_default_a_worker_has_the_ring_do_what_waits() {
    if !is_possible() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    std::fs::write(&a, "x").unwrap();
    let builders: [fn() -> Builder; 2] = [Builder::new_current_thread, Builder::new_multi_thread];
    for builder in builders {
        // A spare worker would leave it to the pool.
        let runtime =
            builder().enable_all().max_spare_workers(0).file_io(FileIo::Cached).build().unwrap();
        let metrics = runtime.metrics();
        let there_and_back = {
            let (a, b) = (a.clone(), b.clone());
            move || {
                let (a, b) = (a.clone(), b.clone());
                async move {
                    fs::rename(&a, &b).await.unwrap();
                    fs::rename(&b, &a).await.unwrap();
                }
            }
        };
        runtime.block_on(runtime.spawn(there_and_back())).unwrap();
        assert_eq!(metrics.file_ring_operations_count(), 2);
        // Not what the kernel does on a thread of its own.
        runtime.block_on(runtime.spawn(fs::write(dir.path().join("c"), "x"))).unwrap().unwrap();
        runtime.block_on(runtime.spawn(File::create(dir.path().join("c")))).unwrap().unwrap();
        assert_eq!(metrics.file_ring_operations_count(), 2);
        runtime.handle().block_on(there_and_back());
        assert_eq!(metrics.file_ring_operations_count(), 2);
    }
}

/// Nor does it hang for text where the ring is to do everything; upstream's has none do that.
#[test]
fn text_needs_no_driver() {
    let (_dir, path) = file(b"x");
    for runtime in flavours() {
        assert_eq!(runtime.handle().block_on(fs::read_to_string(&path)).unwrap(), "x");
    }
}
