//! Real threads that give up waiting at random. At the end everything must be back in place; whoever was
//! not woken hangs the test.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use yamanote::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce};

const THREADS: usize = 4;
const ROUNDS: usize = 1_500;

struct Random(u64);

impl Random {
    fn next(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % n
    }

    /// Waits for `future`, or gives up after a few polls.
    fn wait<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        let mut polls = if self.next(2) == 0 { usize::MAX } else { 1 + self.next(3) as usize };
        let mut future = pin!(future);
        futures::executor::block_on(std::future::poll_fn(|cx| {
            if let Poll::Ready(value) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(value));
            }
            if polls < usize::MAX {
                polls -= 1;
                if polls == 0 {
                    return Poll::Ready(None);
                }
                std::thread::yield_now();
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        }))
    }
}

fn on_threads(f: impl Fn(usize, &mut Random) + Sync) {
    std::thread::scope(|s| {
        for t in 0..THREADS {
            let f = &f;
            s.spawn(move || f(t, &mut Random(0x9E37_79B9_7F4A_7C15 ^ (t as u64 + 1))));
        }
    });
}

#[test]
fn semaphore() {
    let semaphore = Arc::new(Semaphore::new(5));
    on_threads(|_, random| {
        for _ in 0..ROUNDS {
            let n = 1 + random.next(5) as u32;
            if random.next(2) == 0 {
                if let Some(permits) = random.wait(semaphore.acquire_many(n)) {
                    let mut permits = permits.unwrap();
                    drop(permits.split(random.next(u64::from(n)) as usize));
                }
            } else if let Some(permits) = random.wait(semaphore.clone().acquire_many_owned(n)) {
                drop(permits);
            }
        }
    });
    assert_eq!(semaphore.available_permits(), 5);
}

#[test]
fn mutex() {
    let mutex = Arc::new(Mutex::new(0));
    let expected = AtomicUsize::new(0);
    on_threads(|_, random| {
        for _ in 0..ROUNDS {
            if let Some(mut guard) = random.wait(mutex.lock()) {
                let before = *guard;
                if random.next(4) == 0 {
                    std::thread::yield_now();
                }
                *guard = before + 1;
                expected.fetch_add(1, SeqCst);
            }
        }
    });
    assert_eq!(*mutex.try_lock().unwrap(), expected.load(SeqCst));
}

#[test]
fn rwlock() {
    let lock = Arc::new(RwLock::with_max_readers((0, 0), 3));
    on_threads(|_, random| {
        for _ in 0..ROUNDS {
            if random.next(3) == 0 {
                if let Some(mut guard) = random.wait(lock.write()) {
                    guard.0 += 1;
                    std::thread::yield_now();
                    guard.1 += 1;
                    let guard = guard.downgrade();
                    assert_eq!(guard.0, guard.1);
                }
            } else if let Some(guard) = random.wait(lock.clone().read_owned()) {
                assert_eq!(guard.0, guard.1);
            }
        }
    });
    assert!(lock.try_write().is_ok());
}

/// Tokens are handed out one by one, each with a notification; all must be found.
#[test]
fn notify() {
    const TOKENS: usize = 5_000;
    let (notify, tokens, left) = (Notify::new(), AtomicUsize::new(0), AtomicUsize::new(TOKENS));
    on_threads(|t, random| {
        if t == 0 {
            for _ in 0..TOKENS {
                tokens.fetch_add(1, SeqCst);
                if random.next(2) == 0 { notify.notify_one() } else { notify.notify_last() }
            }
            return;
        }
        while left.load(SeqCst) > 0 {
            let mut notified = pin!(notify.notified());
            notified.as_mut().enable();
            while tokens.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1)).is_ok() {
                if left.fetch_sub(1, SeqCst) == 1 {
                    notify.notify_waiters();
                }
            }
            if left.load(SeqCst) > 0 {
                random.wait(notified);
            }
        }
    });
    assert_eq!(tokens.load(SeqCst), 0);
}

#[test]
fn notify_waiters() {
    let notify = Notify::new();
    let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    on_threads(|t, random| {
        if t == 0 {
            for _ in 0..ROUNDS {
                begun.fetch_add(1, SeqCst);
                notify.notify_waiters();
                done.fetch_add(1, SeqCst);
                std::thread::yield_now();
            }
            return;
        }
        loop {
            let before = done.load(SeqCst);
            let notified = notify.notified();
            if begun.load(SeqCst) == ROUNDS {
                break;
            }
            if random.wait(notified).is_some() {
                assert!(begun.load(SeqCst) > before, "by a call that was over");
            }
        }
    });
    // Nobody stayed behind, and no permit was made up.
    let mut last = Box::pin(notify.notified());
    assert!(!last.as_mut().enable());
    notify.notify_one();
    assert!(last.as_mut().enable());
}

#[test]
fn once_cell() {
    for _ in 0..ROUNDS / 5 {
        let cell = OnceCell::new();
        let stored = AtomicUsize::new(0);
        on_threads(|t, random| {
            let compute = || async {
                std::thread::yield_now();
                // Suspends once, so that it can be given up half way.
                let mut first = true;
                std::future::poll_fn(|cx| {
                    if std::mem::take(&mut first) {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Poll::Ready(())
                })
                .await;
                stored.fetch_add(1, SeqCst);
                t
            };
            let one = random.wait(cell.get_or_init(compute)).copied();
            let two = *futures::executor::block_on(cell.get_or_init(compute));
            assert!(one.is_none_or(|one| one == two));
        });
        assert_eq!(stored.load(SeqCst), 1);
    }
}

#[test]
fn set_once() {
    for _ in 0..ROUNDS / 5 {
        let cell = SetOnce::new();
        on_threads(|t, random| {
            if t < 2 {
                let set = cell.set(t).is_ok();
                assert_eq!(set, cell.get() == Some(&t));
            } else {
                let early = random.wait(cell.wait()).copied();
                let value = *futures::executor::block_on(cell.wait());
                assert!(early.is_none_or(|early| early == value));
            }
        });
    }
}

/// All threads but one stay at the barrier; that one comes and leaves, which counts as well.
#[test]
fn barrier() {
    let (barrier, rounds) = (Barrier::new(THREADS), AtomicUsize::new(0));
    on_threads(|t, _| {
        for round in 0..ROUNDS {
            if t == 0 {
                let mut wait = Box::pin(barrier.wait());
                let polled = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                if matches!(polled, Poll::Ready(result) if result.is_leader()) {
                    rounds.fetch_add(1, SeqCst);
                }
                drop(wait);
                while rounds.load(SeqCst) == round {
                    std::thread::yield_now();
                }
            } else if futures::executor::block_on(barrier.wait()).is_leader() {
                rounds.fetch_add(1, SeqCst);
            }
        }
    });
    assert_eq!(rounds.load(SeqCst), ROUNDS);
}
