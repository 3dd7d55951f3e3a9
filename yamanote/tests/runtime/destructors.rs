//! Panics where nobody expects them: in the destructors of futures, outputs, payloads and task-local values, in wakers'
//! own functions, and in the branches of `select!`.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::time::Duration;

use yamanote::runtime::Runtime;
use yamanote::sync::{Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};
use yamanote::task::{JoinSet, LocalSet, yield_now};
use yamanote::time::{sleep, timeout};

use crate::each_flavor;

/// Panics when dropped, unless the thread panics already.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("planned");
        }
    }
}

/// Whether it panics.
fn panics<R>(f: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(f()))).is_err()
}

fn works(rt: &Runtime) {
    let sum = rt.block_on(async {
        let tasks: Vec<_> = (0..10)
            .map(|i| {
                yamanote::spawn(async move {
                    yield_now().await;
                    sleep(Duration::from_micros(i)).await;
                    yamanote::task::spawn_blocking(move || i).await.unwrap()
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 45);
}

async fn holds_a_bomb() {
    let _bomb = Bomb;
    pending::<()>().await;
}

#[test]
fn of_futures_that_are_cancelled() {
    each_flavor(|rt| {
        rt.block_on(async {
            let mut set = JoinSet::new();
            for _ in 0..10 {
                set.spawn(holds_a_bomb());
            }
            yield_now().await;
            set.abort_all();
            while let Some(ended) = set.join_next().await {
                assert!(ended.is_err());
            }
            for _ in 0..10 {
                set.spawn(holds_a_bomb());
            }
            yield_now().await;
            // Aborted where they are.
            drop(set);
            // A future inside another one: its caller's affair.
            let nested = yamanote::spawn(timeout(Duration::from_millis(1), holds_a_bomb()));
            assert!(nested.await.unwrap_err().is_panic());
        });
        works(&rt);
        for _ in 0..10 {
            rt.spawn(holds_a_bomb());
        }
        works(&rt);
        // The shutdown drops them. A panic, if it comes out at all, comes after all of them.
        let alive = Arc::new(());
        for _ in 0..10 {
            let (bomb, alive) = (Bomb, Arc::clone(&alive));
            rt.spawn(async move {
                let _both = (bomb, alive);
                pending::<()>().await;
            });
        }
        works(&rt);
        let _ = panics(|| drop(rt));
        assert_eq!(Arc::strong_count(&alive), 1, "a task was left");
    });
}

#[test]
fn of_a_set_of_local_tasks() {
    each_flavor(|rt| {
        let alive = Arc::new(());
        let local = LocalSet::new();
        for _ in 0..10 {
            let (bomb, alive) = (Bomb, Arc::clone(&alive));
            local.spawn_local(async move {
                let _both = (bomb, alive);
                pending::<()>().await;
            });
        }
        local.block_on(&rt, async {
            let task = yamanote::task::spawn_local(holds_a_bomb());
            yield_now().await;
            task.abort();
            assert!(task.await.is_err());
        });
        let _ = panics(|| drop(local));
        assert_eq!(Arc::strong_count(&alive), 1, "a task was left");
        works(&rt);
    });
}

/// What a task panics with may panic itself, when it is dropped with a handle or with nobody to take it.
#[test]
fn of_payloads() {
    each_flavor(|rt| {
        let ended = Arc::new(AtomicUsize::new(0));
        for _ in 0..5 {
            let ended = Arc::clone(&ended);
            rt.spawn(async move {
                let _ended = Counts(ended);
                panic_any(Bomb)
            });
        }
        rt.block_on(async {
            while ended.load(SeqCst) < 5 {
                yield_now().await;
            }
        });
        let task = rt.spawn(async { panic_any(Bomb) });
        let error = rt.block_on(task).unwrap_err();
        assert!(panics(|| drop(error)), "its owner drops it");
        drop(rt.spawn_blocking(|| panic_any(Bomb)));
        works(&rt);
    });
}

struct Counts(Arc<AtomicUsize>);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

yamanote::task_local! {
    static FUSE: Option<Bomb>;
    static NUMBER: u32;
}

#[test]
fn of_task_local_values() {
    each_flavor(|rt| {
        // At the end of the scope, inside another one, which is restored.
        let scoped = NUMBER.scope(1, async {
            let mut scope = Box::pin(NUMBER.scope(2, FUSE.scope(Some(Bomb), async {})));
            let ends = poll_fn(|cx| Poll::Ready(panics(|| scope.as_mut().poll(cx)))).await;
            assert!(ends, "the value is dropped with its scope");
            let _ = panics(|| drop(scope));
            NUMBER.get()
        });
        assert_eq!(rt.block_on(scoped), 1);
        // With a task that is aborted.
        let task = rt.spawn(FUSE.scope(Some(Bomb), pending::<()>()));
        rt.block_on(yield_now());
        task.abort();
        assert!(rt.block_on(task).is_err());
        assert!(panics(|| FUSE.sync_scope(Some(Bomb), || ())));
        assert!(FUSE.try_with(|_| ()).is_err());
        works(&rt);
    });
}

#[test]
fn in_the_branches_of_select() {
    each_flavor(|rt| {
        let polled = rt.spawn(async {
            yamanote::select! {
                biased;
                () = async { panic!("planned") } => {}
                () = holds_a_bomb() => {}
            }
        });
        assert!(rt.block_on(polled).unwrap_err().is_panic());
        let handler = rt.spawn(async {
            yamanote::select! {
                () = async {} => panic!("planned"),
                () = pending() => {}
            }
        });
        assert!(rt.block_on(handler).unwrap_err().is_panic());
        let loser = rt.spawn(async {
            yamanote::select! {
                biased;
                () = holds_a_bomb() => {}
                () = async {} => {}
            }
        });
        assert!(rt.block_on(loser).unwrap_err().is_panic());
        let condition = rt.spawn(async {
            yamanote::select! {
                () = async {}, if panics(|| panic!("planned")) => 1,
                else => 2,
            }
        });
        assert_eq!(rt.block_on(condition).unwrap(), 1);
        works(&rt);
    });
}

/// A waker whose functions panic, while armed.
static ARMED: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];
const CLONE: usize = 0;
const DROP: usize = 1;

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        assert!(!ARMED[CLONE].load(SeqCst), "planned");
        RawWaker::new(data, &VTABLE)
    },
    |_| {},
    |_| {},
    |_| assert!(!ARMED[DROP].load(SeqCst) || std::thread::panicking(), "planned"),
);

fn waker() -> Waker {
    // SAFETY: the functions use no data, and any thread may call them.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) }
}

fn armed(what: usize, f: impl FnOnce()) {
    ARMED[what].store(true, SeqCst);
    let _ = panics(f);
    ARMED[what].store(false, SeqCst);
}

type Waiting = Pin<Box<dyn Future<Output = ()>>>;

fn poll(future: &mut Waiting, waker: &Waker) -> Poll<()> {
    future.as_mut().poll(&mut Context::from_waker(waker))
}

/// Something to wait for: makes futures that do, and ends the wait of one of them or of all.
struct Wait {
    name: &'static str,
    make: Box<dyn Fn() -> Waiting>,
    end: Box<dyn Fn()>,
}

fn wait<F: Future<Output = ()> + 'static>(
    name: &'static str,
    make: impl Fn() -> F + 'static,
    end: impl Fn() + 'static,
) -> Wait {
    Wait { name, make: Box::new(move || Box::pin(make())), end: Box::new(end) }
}

/// All that a task may wait for here.
fn waits() -> Vec<Wait> {
    let notify = Arc::new(Notify::new());
    let notified = Arc::clone(&notify);
    let semaphore = Arc::new(Semaphore::new(0));
    let acquired = Arc::clone(&semaphore);
    let mutex = Arc::new(Mutex::new(()));
    let held = RefCell::new(Some(Arc::clone(&mutex).try_lock_owned().unwrap()));
    let lock = Arc::new(RwLock::new(()));
    let read = RefCell::new(Some(Arc::clone(&lock).try_read_owned().unwrap()));
    let (sender, receiver) = oneshot::channel::<()>();
    let (sender, receiver) = (Cell::new(Some(sender)), Rc::new(RefCell::new(receiver)));
    let (many, got) = mpsc::channel::<()>(1);
    let got = Rc::new(RefCell::new(got));
    let (full, room) = mpsc::channel::<()>(1);
    full.try_send(()).unwrap();
    let room = RefCell::new(room);
    let all = Rc::new(broadcast::channel::<()>(1).0);
    let subscribed = Rc::clone(&all);
    let value = Rc::new(watch::channel(()).0);
    let watched = Rc::clone(&value);
    vec![
        wait("Notify", move || Arc::clone(&notified).notified_owned(), move || notify.notify_waiters()),
        wait(
            "Semaphore",
            move || {
                let semaphore = Arc::clone(&acquired);
                async move { drop(semaphore.acquire().await) }
            },
            move || semaphore.add_permits(1),
        ),
        wait(
            "Mutex",
            move || {
                let mutex = Arc::clone(&mutex);
                async move { drop(mutex.lock().await) }
            },
            move || drop(held.take()),
        ),
        wait(
            "RwLock",
            move || {
                let lock = Arc::clone(&lock);
                async move { drop(lock.write().await) }
            },
            move || drop(read.take()),
        ),
        wait(
            "oneshot",
            move || {
                let receiver = Rc::clone(&receiver);
                poll_fn(move |cx| Pin::new(&mut *receiver.borrow_mut()).poll(cx).map(Result::unwrap))
            },
            move || sender.take().unwrap().send(()).unwrap(),
        ),
        wait(
            "mpsc",
            move || {
                let got = Rc::clone(&got);
                poll_fn(move |cx| got.borrow_mut().poll_recv(cx).map(Option::unwrap))
            },
            move || many.try_send(()).unwrap(),
        ),
        wait(
            "mpsc, full",
            move || {
                let full = full.clone();
                async move { full.send(()).await.unwrap() }
            },
            move || room.borrow_mut().try_recv().unwrap(),
        ),
        wait(
            "broadcast",
            move || {
                let mut each = subscribed.subscribe();
                async move { each.recv().await.unwrap() }
            },
            move || _ = all.send(()),
        ),
        wait(
            "watch",
            move || {
                let mut watched = watched.subscribe();
                async move { watched.changed().await.unwrap() }
            },
            move || _ = value.send(()),
        ),
    ]
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// What a primitive keeps of a waker that cannot be cloned or dropped does not get into the way of the next.
#[test]
fn in_the_functions_of_wakers() {
    for what in [CLONE, DROP] {
        for Wait { name, make, end } in waits() {
            let bad = waker();
            let mut given_up = make();
            armed(what, || {
                let _ = poll(&mut given_up, &bad);
                // Another waker takes its place, and it is dropped.
                let _ = poll(&mut given_up, Waker::noop());
            });
            armed(what, || drop(given_up));
            let mut future = make();
            let woken = Arc::new(Woken(AtomicBool::new(false)));
            let good = Waker::from(Arc::clone(&woken));
            assert!(poll(&mut future, &good).is_pending(), "{name}");
            end();
            assert!(woken.0.load(SeqCst), "{name}: not woken");
            assert!(poll(&mut future, &good).is_ready(), "{name}");
        }
        // A wait that ends while such a waker is in it.
        for Wait { name, make, end } in waits() {
            let bad = waker();
            let mut future = make();
            armed(what, || _ = poll(&mut future, &bad));
            assert!(!panics(end), "{name}");
        }
    }
}
