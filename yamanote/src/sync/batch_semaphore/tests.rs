use super::*;
use crate::engine::block_on::park_until;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize as Count, Ordering::SeqCst};
use std::task::Wake;

/// Counts its wake-ups, and does what it is told on each.
struct OnWake<F>(Count, F);

impl<F: Fn() + Send + Sync + 'static> Wake for OnWake<F> {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
        (self.1)();
    }
}

fn on_wake<F: Fn() + Send + Sync + 'static>(f: F) -> Arc<OnWake<F>> {
    Arc::new(OnWake(Count::new(0), f))
}

type Pinned<'a> = Pin<Box<Acquire<'a>>>;

fn poll(acquire: &mut Pinned<'_>, waker: &Waker) -> Poll<Result<(), Closed>> {
    acquire.as_mut().poll(&mut Context::from_waker(waker))
}

#[test]
fn served_in_order_with_partial_assignment() {
    let semaphore = Semaphore::new(3);
    let mut big = Box::pin(semaphore.acquire(5));
    let mut small = Box::pin(semaphore.acquire(1));
    assert!(poll(&mut big, Waker::noop()).is_pending());
    assert_eq!(semaphore.available_permits(), 0, "all there is goes to the first in line");
    assert!(poll(&mut small, Waker::noop()).is_pending());
    semaphore.release(1);
    assert!(poll(&mut small, Waker::noop()).is_pending());
    // The big one leaves: what it had (4) serves the small one and the rest is free.
    drop(big);
    assert!(poll(&mut small, Waker::noop()).is_ready());
    drop(small);
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn zero_permits_never_wait() {
    let semaphore = Semaphore::new(0);
    let mut one = Box::pin(semaphore.acquire(1));
    assert!(poll(&mut one, Waker::noop()).is_pending());
    assert!(poll(&mut Box::pin(semaphore.acquire(0)), Waker::noop()).is_ready());
    assert_eq!(semaphore.try_acquire(0), Ok(()));
}

#[test]
fn a_spent_budget_keeps_the_place_in_the_queue() {
    let semaphore = Semaphore::new(1);
    semaphore.try_acquire(1).unwrap();
    let mut tired = Box::pin(semaphore.acquire(1));
    let mut fresh = Box::pin(semaphore.acquire(1));
    crate::engine::budget::with_budget(|| {
        while crate::engine::budget::take().is_some() {}
        assert!(poll(&mut tired, Waker::noop()).is_pending());
    });
    assert!(poll(&mut fresh, Waker::noop()).is_pending());
    semaphore.release(1);
    assert!(poll(&mut fresh, Waker::noop()).is_pending());
    assert!(poll(&mut tired, Waker::noop()).is_ready());
    semaphore.release(1);
    assert!(poll(&mut fresh, Waker::noop()).is_ready());
    semaphore.release(1);

    // Free, but the budget is spent: taken, and given back if nobody comes for it.
    let mut tired = Box::pin(semaphore.acquire(1));
    crate::engine::budget::with_budget(|| {
        while crate::engine::budget::take().is_some() {}
        assert!(poll(&mut tired, Waker::noop()).is_pending());
    });
    assert_eq!(semaphore.available_permits(), 0);
    drop(tired);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn many_waiters_are_woken_once_each_and_outside_the_lock() {
    const N: usize = 100;
    let semaphore = Arc::new(Semaphore::new(0));
    // Each wake-up uses the semaphore: it would hang if the lock were held.
    let inside = semaphore.clone();
    let waker = on_wake(move || {
        drop(Box::pin(inside.acquire(N + 1)));
        let _ = inside.try_acquire(N + 1);
        inside.forget_permits(0);
    });
    let task_waker = Waker::from(waker.clone());
    let mut waiters: Vec<_> = (0..N).map(|_| Box::pin(semaphore.acquire(1))).collect();
    for w in &mut waiters {
        assert!(poll(w, &task_waker).is_pending());
    }
    semaphore.release(N + 7);
    assert_eq!(waker.0.load(SeqCst), N);
    assert_eq!(semaphore.available_permits(), 7);
    for w in &mut waiters {
        assert!(poll(w, &task_waker).is_ready());
    }
    drop(waiters);
    assert_eq!(semaphore.available_permits(), 7, "completed acquisitions belong to the caller");

    let mut waiters: Vec<_> = (0..N).map(|_| Box::pin(semaphore.acquire(8))).collect();
    for w in &mut waiters {
        assert!(poll(w, &task_waker).is_pending());
    }
    semaphore.close();
    assert_eq!(waker.0.load(SeqCst), 2 * N);
    assert_eq!(semaphore.available_permits(), 0);
    for w in &mut waiters {
        assert!(matches!(poll(w, &task_waker), Poll::Ready(Err(Closed))));
    }
    drop(waiters);
    assert_eq!(semaphore.available_permits(), 7, "what the closed ones had comes back");
}

#[test]
fn panicking_wakers_lose_nothing() {
    const N: usize = 80;
    for close in [false, true] {
        let semaphore = Semaphore::new(0);
        let bad = on_wake(|| panic!("planned"));
        let good = on_wake(|| {});
        let mut waiters: Vec<_> = (0..N).map(|_| Box::pin(semaphore.acquire(1))).collect();
        for (i, w) in waiters.iter_mut().enumerate() {
            let waker = if i == 3 { Waker::from(bad.clone()) } else { Waker::from(good.clone()) };
            assert!(poll(w, &waker).is_pending());
        }
        let result = catch_unwind(AssertUnwindSafe(|| {
            if close { semaphore.close() } else { semaphore.release(N + 5) }
        }));
        assert!(result.is_err());
        assert_eq!(good.0.load(SeqCst), N - 1);
        for w in &mut waiters {
            assert!(poll(w, Waker::noop()).is_ready());
        }
        assert_eq!(semaphore.available_permits(), if close { 0 } else { 5 });
    }
}

#[test]
fn a_waker_may_use_the_semaphore_when_it_is_dropped() {
    struct OnDrop(Arc<Semaphore>);
    impl Wake for OnDrop {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.release(1);
        }
    }
    let semaphore = Arc::new(Semaphore::new(0));
    let new = || Waker::from(Arc::new(OnDrop(semaphore.clone())));
    let mut acquire = Box::pin(semaphore.acquire(10));
    assert!(poll(&mut acquire, &new()).is_pending());
    // Replaced, cancelled, closed.
    assert!(poll(&mut acquire, &new()).is_pending());
    drop(acquire);
    assert_eq!(semaphore.available_permits(), 2);
    let mut acquire = Box::pin(semaphore.acquire(10));
    assert!(poll(&mut acquire, &new()).is_pending());
    semaphore.close();
    assert!(poll(&mut acquire, &new()).is_ready());
    drop(acquire);
    assert_eq!(semaphore.available_permits(), 4);
}

#[test]
fn closed_stays_closed() {
    let semaphore = Semaphore::new(5);
    semaphore.close();
    semaphore.close();
    assert_eq!(semaphore.forget_permits(2), 2);
    assert!(semaphore.is_closed());
    semaphore.release(1);
    assert_eq!(semaphore.available_permits(), 4);
    assert_eq!(semaphore.try_acquire(1), Err(TryAcquire::Closed));
    assert!(Semaphore::new_closed().is_closed());
    assert!(Semaphore::const_new_closed().is_closed());
}

#[test]
fn limits() {
    const MAX: usize = Semaphore::MAX_PERMITS;
    let panics = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
    assert!(panics(&|| drop(Semaphore::new(MAX + 1))));
    let semaphore = Semaphore::new(MAX);
    assert!(panics(&|| semaphore.release(1)));
    assert_eq!(semaphore.available_permits(), MAX);
    assert_eq!(semaphore.try_acquire(MAX), Ok(()));
    semaphore.release(MAX);
    assert!(panics(&|| semaphore.release(usize::MAX)));
    let empty = Semaphore::new(0);
    let mut waiter = Box::pin(empty.acquire(1));
    assert!(poll(&mut waiter, Waker::noop()).is_pending());
    assert!(panics(&|| empty.release(MAX + 1)));
    assert!(poll(&mut waiter, Waker::noop()).is_pending());
    empty.release(MAX);
    assert!(poll(&mut waiter, Waker::noop()).is_ready());
    assert_eq!(empty.available_permits(), MAX - 1);
}

/// Real threads acquire, give up waiting at random, and release: at the end every permit is back.
#[test]
fn stress_with_random_cancellation() {
    const PERMITS: usize = 5;
    let semaphore = Arc::new(Semaphore::new(PERMITS));
    let inside = Arc::new(Count::new(0));
    let threads: Vec<_> = (0..4u64)
        .map(|t| {
            let (semaphore, inside) = (semaphore.clone(), inside.clone());
            std::thread::spawn(move || {
                let mut rng = 0x9E37_79B9_7F4A_7C15 ^ (t + 1);
                for _ in 0..3_000 {
                    let (next, random) = crate::util::rng::step(rng);
                    rng = next;
                    let n = 1 + random as usize % PERMITS;
                    let mut acquire = Box::pin(semaphore.acquire(n));
                    let got = if random & 0x100 == 0 {
                        // Waits a moment at most, then gives up.
                        let first = poll(&mut acquire, Waker::noop()).is_ready();
                        std::thread::yield_now();
                        first || poll(&mut acquire, Waker::noop()).is_ready()
                    } else {
                        park_until(acquire.as_mut()).unwrap();
                        true
                    };
                    if got {
                        let before = inside.fetch_add(n, SeqCst);
                        assert!(before + n <= PERMITS);
                        if random & 0x200 == 0 {
                            std::thread::yield_now();
                        }
                        inside.fetch_sub(n, SeqCst);
                        semaphore.release(n);
                    }
                }
            })
        })
        .collect();
    for t in threads {
        t.join().unwrap();
    }
    assert_eq!(semaphore.available_permits(), PERMITS);
    assert_eq!(semaphore.state.load(Relaxed) & (WAITERS | CLOSED), 0);
}
