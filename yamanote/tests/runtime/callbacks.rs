//! Callbacks and wakers that panic: the thread they run on is the runtime's, and has other work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use yamanote::io::AsyncRead;
use yamanote::net::UnixStream;
use yamanote::runtime::{Builder, Runtime};
use yamanote::time::sleep;

/// How long something may take that would otherwise hang.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `f` on a thread of its own; a hang fails the test.
fn in_time(what: &str, f: impl FnOnce() + Send + 'static) {
    let (done, waiting) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        f();
        let _ = done.send(());
    });
    match waiting.recv_timeout(LIMIT) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what}: hangs"),
        // Done, or panicked: the thread says which.
        _ => thread.join().unwrap_or_else(|_| panic!("{what}: panicked")),
    }
}

fn builders() -> Vec<(&'static str, Builder)> {
    let mut all = vec![("single", Builder::new_current_thread())];
    for (name, workers) in [("one worker", 1), ("two workers", 2), ("four workers", 4)] {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers);
        all.push((name, builder));
    }
    for (_, builder) in &mut all {
        builder.enable_all();
    }
    all
}

/// Tasks, timers, blocking jobs and wake-ups from outside get on.
fn exercise(rt: &Runtime) {
    rt.block_on(async {
        let tasks: Vec<_> = (0..20)
            .map(|i| {
                yamanote::spawn(async move {
                    yamanote::task::yield_now().await;
                    sleep(Duration::from_millis(i % 3)).await;
                    yamanote::task::spawn_blocking(move || i).await.unwrap()
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        assert_eq!(sum, 190);
    });
    let outside = rt.spawn(async { 1 });
    assert_eq!(rt.block_on(outside).unwrap(), 1);
}

/// Counts futures that are there.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Alive {
        count.fetch_add(1, SeqCst);
        Alive(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Exercises a runtime and drops it with tasks in it.
fn use_up(rt: Runtime) {
    exercise(&rt);
    let alive = Arc::new(AtomicUsize::new(0));
    for i in 0..50 {
        let guard = Alive::new(&alive);
        rt.spawn(async move {
            let _guard = guard;
            if i % 2 == 0 {
                sleep(Duration::from_millis(1)).await;
            }
            std::future::pending::<()>().await;
        });
    }
    exercise(&rt);
    drop(rt);
    assert_eq!(alive.load(SeqCst), 0, "a task outlived its runtime");
}

type Install = fn(&mut Builder, Arc<dyn Fn() + Send + Sync>);

const HOOKS: [(&str, Install); 7] = [
    ("on_thread_start", |b, f| {
        b.on_thread_start(move || f());
    }),
    ("on_thread_stop", |b, f| {
        b.on_thread_stop(move || f());
    }),
    ("on_thread_park", |b, f| {
        b.on_thread_park(move || f());
    }),
    ("on_thread_unpark", |b, f| {
        b.on_thread_unpark(move || f());
    }),
    ("on_before_task_poll", |b, f| {
        b.on_before_task_poll(move |_| f());
    }),
    ("on_after_task_poll", |b, f| {
        b.on_after_task_poll(move |_| f());
    }),
    ("on_task_terminate", |b, f| {
        b.on_task_terminate(move |_| f());
    }),
];

#[test]
fn a_hook_that_always_panics_stops_nothing() {
    for (hook, install) in HOOKS {
        for (flavor, mut builder) in builders() {
            in_time(&format!("{hook}, {flavor}"), move || {
                install(&mut builder, Arc::new(|| panic!("planned")));
                use_up(builder.build().unwrap());
            });
        }
    }
}

#[test]
fn a_hook_that_panics_now_and_then_stops_nothing() {
    for (hook, install) in HOOKS {
        for (flavor, mut builder) in builders() {
            in_time(&format!("{hook}, {flavor}"), move || {
                let calls = AtomicUsize::new(0);
                let hook = move || assert!(calls.fetch_add(1, SeqCst) % 3 != 1, "planned");
                install(&mut builder, Arc::new(hook));
                use_up(builder.build().unwrap());
            });
        }
    }
}

/// The spawn hook runs in the caller's name, and so does its panic.
#[test]
fn a_spawn_hook_that_panics_tells_the_caller() {
    for (flavor, mut builder) in builders() {
        in_time(flavor, move || {
            let armed = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&armed);
            let hook = move |_: &yamanote::runtime::TaskMeta<'_>| assert!(!seen.load(SeqCst), "planned");
            let rt = builder.on_task_spawn(hook).build().unwrap();
            exercise(&rt);
            let alive = Arc::new(AtomicUsize::new(0));
            armed.store(true, SeqCst);
            let (one, two) = (Alive::new(&alive), Alive::new(&alive));
            let result = catch_unwind(AssertUnwindSafe(|| {
                rt.spawn(async move {
                    let _one = one;
                });
            }));
            assert!(result.is_err());
            assert!(catch_unwind(AssertUnwindSafe(|| rt.spawn_blocking(move || drop(two)))).is_err());
            assert_eq!(alive.load(SeqCst), 0);
            armed.store(false, SeqCst);
            // Those of before are counted out a moment after they are joined.
            while rt.metrics().num_alive_tasks() > 0 {
                std::thread::yield_now();
            }
            use_up(rt);
        });
    }
}

/// A paused clock jumps although a blocking job was refused by a hook.
#[test]
fn a_spawn_hook_that_panics_does_not_stop_a_paused_clock() {
    in_time("paused clock", || {
        let armed = Arc::new(AtomicBool::new(true));
        let seen = Arc::clone(&armed);
        let rt = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .on_task_spawn(move |_| assert!(!seen.load(SeqCst), "planned"))
            .build()
            .unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| rt.spawn_blocking(|| ()))).is_err());
        armed.store(false, SeqCst);
        rt.block_on(async { sleep(Duration::from_secs(3600)).await });
    });
}

#[test]
fn a_name_that_cannot_be_made_keeps_a_job_from_starting() {
    for (flavor, mut builder) in builders() {
        in_time(flavor, move || {
            let armed = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&armed);
            builder.thread_name_fn(move || {
                assert!(!seen.load(SeqCst), "planned");
                "worker".to_owned()
            });
            let rt = builder.build().unwrap();
            armed.store(true, SeqCst);
            let alive = Arc::new(AtomicUsize::new(0));
            let guard = Alive::new(&alive);
            assert!(catch_unwind(AssertUnwindSafe(|| rt.spawn_blocking(move || drop(guard)))).is_err());
            assert_eq!(alive.load(SeqCst), 0);
            if flavor != "single" {
                // The worker whose place nobody could take goes on being one, also where it is known to wait.
                let handle = rt.handle().clone();
                let pause = async { sleep(Duration::from_millis(1)).await };
                let waits = move || yamanote::task::block_in_place(|| handle.block_on(pause));
                rt.block_on(rt.spawn(async move { waits() })).unwrap();
            }
            armed.store(false, SeqCst);
            use_up(rt);
        });
    }
}

#[test]
fn a_name_that_cannot_be_made_leaves_no_half_a_runtime() {
    in_time("build", || {
        let calls = Arc::new(AtomicUsize::new(0));
        let stops = Arc::new(AtomicUsize::new(0));
        let (seen, ended) = (Arc::clone(&calls), Arc::clone(&stops));
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(4)
            .thread_name_fn(move || {
                assert!(seen.fetch_add(1, SeqCst) < 2, "planned");
                "worker".to_owned()
            })
            .on_thread_stop(move || {
                ended.fetch_add(1, SeqCst);
            });
        assert!(catch_unwind(AssertUnwindSafe(|| builder.build().map(|_| ()))).is_err());
        // Those that were started have ended.
        assert_eq!(stops.load(SeqCst), 2);
    });
}

struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("planned");
    }
}

/// Has the runtime's own thread wake a waker that panics, by a timer and by a socket.
async fn plant_bombs() {
    let bomb = Waker::from(Arc::new(Bomb));
    // Two that are due at once, and what is due with them.
    let mut timers: Vec<_> = (0..3).map(|_| Box::pin(sleep(Duration::from_millis(1)))).collect();
    for timer in &mut timers[..2] {
        assert!(timer.as_mut().poll(&mut Context::from_waker(&bomb)).is_pending());
    }
    timers[2].as_mut().await;
    let (mut one, two) = UnixStream::pair().unwrap();
    {
        let mut buffer = [0; 8];
        let mut buffer = yamanote::io::ReadBuf::new(&mut buffer);
        let read = Pin::new(&mut one).poll_read(&mut Context::from_waker(&bomb), &mut buffer);
        assert!(matches!(read, Poll::Pending));
    }
    two.writable().await.unwrap();
    assert_eq!(two.try_write(b"x").unwrap(), 1);
    one.readable().await.unwrap();
}

#[test]
fn a_waker_that_panics_stops_no_worker() {
    for (flavor, mut builder) in builders() {
        if flavor == "single" {
            continue;
        }
        in_time(flavor, move || {
            let rt = builder.build().unwrap();
            for _ in 0..10 {
                rt.block_on(async {
                    for _ in 0..4 {
                        yamanote::spawn(plant_bombs());
                    }
                });
                exercise(&rt);
            }
            use_up(rt);
        });
    }
}

/// There it runs inside `block_on`, whose caller is told; what is left goes on next time.
#[test]
fn a_waker_that_panics_tells_who_blocks_on_a_single_threaded_runtime() {
    in_time("single", || {
        let rt = Builder::new_current_thread().enable_all().build().unwrap();
        let bombs = rt.spawn(plant_bombs());
        let mut panics = 0;
        while !bombs.is_finished() {
            let wait = AssertUnwindSafe(|| rt.block_on(async { sleep(Duration::from_millis(5)).await }));
            panics += usize::from(catch_unwind(wait).is_err());
        }
        assert!(panics > 0);
        use_up(rt);
    });
}

/// Wakers that shutdown wakes.
#[test]
fn a_waker_that_panics_does_not_stop_a_shutdown() {
    for (flavor, mut builder) in builders() {
        in_time(flavor, move || {
            let rt = builder.build().unwrap();
            let bomb = Waker::from(Arc::new(Bomb));
            let (mut sleeps, reader) = rt.block_on(async {
                let sleeps: Vec<_> =
                    (0..100).map(|_| Box::pin(sleep(Duration::from_secs(3600)))).collect();
                let (one, two) = UnixStream::pair().unwrap();
                (sleeps, (one, two))
            });
            for sleep in &mut sleeps {
                assert!(sleep.as_mut().poll(&mut Context::from_waker(&bomb)).is_pending());
            }
            let (mut one, _two) = reader;
            let mut buffer = [0; 8];
            let mut buffer = yamanote::io::ReadBuf::new(&mut buffer);
            let read = Pin::new(&mut one).poll_read(&mut Context::from_waker(&bomb), &mut buffer);
            assert!(read.is_pending());
            use_up(rt);
            // And all were told.
            let mut cx = Context::from_waker(Waker::noop());
            for sleep in &mut sleeps {
                let poll = catch_unwind(AssertUnwindSafe(|| sleep.as_mut().poll(&mut cx)));
                assert!(poll.is_err() || poll.is_ok_and(|poll| poll.is_ready()));
            }
            let read = Pin::new(&mut one).poll_read(&mut cx, &mut buffer);
            assert!(matches!(read, Poll::Ready(Err(_))));
        });
    }
}
