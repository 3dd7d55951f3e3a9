//! Polling by hand, and knowing whether somebody was woken.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Counts its wakes.
#[derive(Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    pub fn new() -> (Arc<Wakes>, Waker) {
        let wakes = Arc::new(Wakes::default());
        (Arc::clone(&wakes), wakes.into())
    }

    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future that is polled by hand.
pub struct Polled<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    wakes: Arc<Wakes>,
    waker: Waker,
    /// Wakes that were there at the last poll.
    seen: usize,
}

impl<T> Polled<T> {
    pub fn new(future: impl Future<Output = T> + 'static) -> Polled<T> {
        let (wakes, waker) = Wakes::new();
        Polled { future: Box::pin(future), wakes, waker, seen: 0 }
    }

    pub fn poll(&mut self) -> Poll<T> {
        self.seen = self.wakes.count();
        self.future.as_mut().poll(&mut Context::from_waker(&self.waker))
    }

    /// Whether it was woken since the last poll.
    pub fn is_woken(&self) -> bool {
        self.wakes.count() > self.seen
    }
}

/// Runs a future to its end. What is pending must have woken its task, or it would never end in earnest.
#[track_caller]
pub fn run<F: Future>(future: F) -> F::Output {
    let (wakes, waker) = Wakes::new();
    let mut future = pin!(future);
    loop {
        let seen = wakes.count();
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        assert!(wakes.count() > seen, "pending, and nobody will wake it");
    }
}
