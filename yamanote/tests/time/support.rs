//! Runtimes whose time stands still, and polling by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use yamanote::runtime::{Builder, Runtime};
use yamanote::time::Duration;

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[cfg(feature = "rt-multi-thread")]
pub fn multi(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap()
}

pub fn all_flavours() -> Vec<Runtime> {
    vec![
        single(),
        #[cfg(feature = "rt-multi-thread")]
        multi(1),
        #[cfg(feature = "rt-multi-thread")]
        multi(4),
    ]
}

/// Runs a test on a clock that stands still and jumps from timer to timer.
pub fn paused<F: Future>(test: F) -> F::Output {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(test)
}

/// A future, or whatever it is in, polled by hand, with a waker that counts.
pub struct ByHand<T> {
    pub inner: T,
    count: Arc<Count>,
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl<T> ByHand<T> {
    pub fn new(inner: T) -> Self {
        ByHand { inner, count: Arc::default() }
    }

    pub fn enter<R>(&mut self, f: impl FnOnce(&mut T, &mut Context<'_>) -> R) -> R {
        let waker = Waker::from(self.count.clone());
        f(&mut self.inner, &mut Context::from_waker(&waker))
    }

    pub fn wakes(&self) -> usize {
        self.count.0.load(Ordering::SeqCst)
    }
}

impl<F: Future> ByHand<Pin<Box<F>>> {
    pub fn pin(future: F) -> Self {
        ByHand::new(Box::pin(future))
    }

    pub fn poll(&mut self) -> Poll<F::Output> {
        self.enter(|future, cx| future.as_mut().poll(cx))
    }
}
