//! What the tests share.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use yamanote::runtime::{Builder, Runtime};

pub fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// One runtime of each flavour.
pub fn both(test: impl Fn(&Runtime)) {
    test(&current_thread());
    #[cfg(feature = "rt-multi-thread")]
    test(&Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
}

/// Counts what is alive of something.
#[derive(Clone, Default)]
pub struct Census(Arc<AtomicUsize>);

/// One that is counted.
pub struct Citizen(Census);

impl Census {
    pub fn citizen(&self) -> Citizen {
        self.0.fetch_add(1, Ordering::SeqCst);
        Citizen(self.clone())
    }

    pub fn alive(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Citizen {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A count that a task waits for, raised by any thread.
#[derive(Default)]
pub struct Signals {
    count: AtomicUsize,
    waker: Mutex<Option<Waker>>,
}

impl Signals {
    pub fn raise(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        let waker = self.waker.lock().unwrap().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub async fn reach(&self, n: usize) {
        poll_fn(|cx| {
            *self.waker.lock().unwrap() = Some(cx.waker().clone());
            if self.count.load(Ordering::SeqCst) < n { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }
}

/// Counts wake-ups.
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

/// Polls once.
pub fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Panics when dropped, unless the thread panics already.
pub struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("in the drop");
        }
    }
}
