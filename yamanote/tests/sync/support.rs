//! Polling by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

/// A future that is polled by hand, and whether it was woken since.
pub struct Hand<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    wakes: Arc<Wakes>,
}

struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

pub fn hand<'a, T>(future: impl Future<Output = T> + 'a) -> Hand<'a, T> {
    Hand { future: Box::pin(future), wakes: Arc::new(Wakes(AtomicUsize::new(0))) }
}

impl<T> Hand<'_, T> {
    pub fn poll(&mut self) -> Poll<T> {
        self.wakes.0.store(0, SeqCst);
        let waker = Waker::from(self.wakes.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    pub fn is_pending(&mut self) -> bool {
        self.poll().is_pending()
    }

    #[track_caller]
    pub fn ready(&mut self) -> T {
        match self.poll() {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("not ready"),
        }
    }

    /// Woken since the last poll.
    pub fn is_woken(&self) -> bool {
        self.wakes.0.load(SeqCst) > 0
    }
}

pub fn current_thread() -> yamanote::runtime::Runtime {
    yamanote::runtime::Builder::new_current_thread().build().unwrap()
}

/// The file in which `f` panics.
pub fn panic_file(f: impl FnOnce() + std::panic::UnwindSafe) -> String {
    use std::sync::Mutex;
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(|e| e.into_inner());
    let file = Arc::new(Mutex::new(None));
    let before = std::panic::take_hook();
    let me = std::thread::current().id();
    {
        let file = file.clone();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == me {
                *file.lock().unwrap() = info.location().map(|l| l.file().to_string());
            }
        }));
    }
    let result = std::panic::catch_unwind(f);
    std::panic::set_hook(before);
    assert!(result.is_err(), "no panic");
    let file = file.lock().unwrap().take();
    file.expect("no location")
}
