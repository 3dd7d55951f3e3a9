//! Models of the races between acquiring, releasing, cancelling and closing.

use super::*;
use crate::loom::sync::Arc;
use crate::loom::{model, thread};
use loom::future::block_on;
use std::pin::pin;

/// Polls once with a waker that does nothing.
fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Three take turns at one permit; the cell complains if two hold it.
#[test]
fn mutual_exclusion() {
    model(|| {
        let shared = Arc::new((Semaphore::new(1), UnsafeCell::new(0)));
        let run = |shared: Arc<(Semaphore, UnsafeCell<i32>)>| {
            block_on(shared.0.acquire(1)).unwrap();
            // SAFETY: the permit is held; the model checks that it excludes others.
            shared.1.with_mut(|n| unsafe { *n += 1 });
            shared.0.release(1);
        };
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || run(shared))
            })
            .collect();
        run(shared.clone());
        for t in threads {
            t.join().unwrap();
        }
        // SAFETY: the threads are joined.
        shared.1.with(|n| assert_eq!(unsafe { *n }, 3));
        assert_eq!(shared.0.available_permits(), 1);
    });
}

/// A waiter for two permits that come one by one from two threads.
#[test]
fn partial_releases() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let semaphore = semaphore.clone();
                thread::spawn(move || semaphore.release(1))
            })
            .collect();
        block_on(semaphore.acquire(2)).unwrap();
        for t in threads {
            t.join().unwrap();
        }
        assert_eq!(semaphore.available_permits(), 0);
    });
}

/// A waiter that has been (or is being) served is dropped: its permits go to the next one.
#[test]
fn cancelled_permits_go_on() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let releaser = {
            let semaphore = semaphore.clone();
            thread::spawn(move || semaphore.release(1))
        };
        let canceller = {
            let semaphore = semaphore.clone();
            thread::spawn(move || {
                let mut acquire = pin!(semaphore.acquire(2));
                if poll_once(acquire.as_mut()).is_ready() {
                    semaphore.release(2);
                }
            })
        };
        block_on(semaphore.acquire(2)).unwrap();
        releaser.join().unwrap();
        canceller.join().unwrap();
        assert_eq!(semaphore.available_permits(), 0);
        semaphore.release(2);
        assert_eq!(semaphore.try_acquire(2), Ok(()));
    });
}

/// Closing meets waiters that queue, are being served, or are cancelled: everybody ends, no permit is lost.
#[test]
fn close_wakes_all() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let waiter = {
            let semaphore = semaphore.clone();
            thread::spawn(move || match block_on(semaphore.acquire(2)) {
                Ok(()) => 2,
                Err(Closed) => 0,
            })
        };
        let releaser = {
            let semaphore = semaphore.clone();
            thread::spawn(move || semaphore.release(2))
        };
        semaphore.close();
        let taken = waiter.join().unwrap();
        releaser.join().unwrap();
        assert!(semaphore.is_closed());
        assert_eq!(semaphore.available_permits() + taken, 2);
        assert_eq!(semaphore.try_acquire(1), Err(TryAcquire::Closed));
    });
}

/// `try_acquire` never gets a permit that a queued waiter is owed.
#[test]
fn no_overtaking() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let mut first = Box::pin(semaphore.acquire(1));
        assert!(poll_once(first.as_mut()).is_pending());
        let releaser = {
            let semaphore = semaphore.clone();
            thread::spawn(move || semaphore.release(1))
        };
        assert_eq!(semaphore.try_acquire(1), Err(TryAcquire::NoPermits));
        let mut second = Box::pin(semaphore.acquire(1));
        assert!(poll_once(second.as_mut()).is_pending());
        releaser.join().unwrap();
        assert!(poll_once(first.as_mut()).is_ready());
        assert!(poll_once(second.as_mut()).is_pending());
        drop((first, second));
        assert_eq!(semaphore.available_permits(), 0);
        semaphore.release(1);
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// What a releaser wrote is seen by the acquirer, also through a forgotten permit in between.
#[test]
fn release_happens_before_acquire() {
    model(|| {
        let shared = Arc::new((Semaphore::new(0), UnsafeCell::new(0)));
        let writer = {
            let shared = shared.clone();
            thread::spawn(move || {
                // SAFETY: the reader below waits for the release.
                shared.1.with_mut(|n| unsafe { *n = 7 });
                shared.0.release(2);
            })
        };
        let forgotten = shared.0.forget_permits(1);
        block_on(shared.0.acquire(1)).unwrap();
        // SAFETY: the writer has released.
        shared.1.with(|n| assert_eq!(unsafe { *n }, 7));
        writer.join().unwrap();
        assert_eq!(shared.0.available_permits(), 1 - forgotten);
    });
}

/// A waiter moves to another waker while it is being served: one of both polls or the new waker hears of it.
#[test]
fn waker_is_replaced() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let releaser = {
            let semaphore = semaphore.clone();
            thread::spawn(move || semaphore.release(1))
        };
        let mut acquire = Box::pin(semaphore.acquire(1));
        match poll_once(acquire.as_mut()) {
            Poll::Ready(result) => result.unwrap(),
            Poll::Pending => block_on(acquire.as_mut()).unwrap(),
        }
        releaser.join().unwrap();
    });
}

/// The same while the semaphore is closed.
#[test]
fn waker_is_replaced_while_closing() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let closer = {
            let semaphore = semaphore.clone();
            thread::spawn(move || semaphore.close())
        };
        let mut acquire = Box::pin(semaphore.acquire(1));
        let result = match poll_once(acquire.as_mut()) {
            Poll::Ready(result) => result,
            Poll::Pending => block_on(acquire.as_mut()),
        };
        assert!(result.is_err());
        closer.join().unwrap();
    });
}
