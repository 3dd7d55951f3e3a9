//! Subscribers that panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use yamanote::sync::{Mutex, Semaphore};

/// Panics at the event of that number, counted from 0.
struct PanicAt(usize, AtomicUsize);

impl Subscriber for PanicAt {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("runtime::resource")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        assert!(self.1.fetch_add(1, Ordering::Relaxed) != self.0, "planned");
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Runs `f` once for each event, which panics; until one run comes through.
fn at_each_event(mut f: impl FnMut()) {
    for number in 0..100 {
        let subscriber = PanicAt(number, AtomicUsize::new(0));
        let run = || tracing::subscriber::with_default(subscriber, &mut f);
        if catch_unwind(AssertUnwindSafe(run)).is_ok() {
            assert!(number > 0, "there was no event");
            return;
        }
    }
    panic!("there is no end of events");
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn no_lock_stays_locked() {
    let mutex = Mutex::new(());
    at_each_event(|| drop(mutex.try_lock().unwrap()));
    drop(mutex.try_lock().unwrap());
}

#[test]
fn who_waits_for_permits_is_woken() {
    let mut ends = 0;
    at_each_event(|| {
        let semaphore = Semaphore::const_new(0);
        let counts = [Arc::<Count>::default(), Arc::default()];
        let wakers = [Waker::from(Arc::clone(&counts[0])), Waker::from(Arc::clone(&counts[1]))];
        let none = tracing::subscriber::NoSubscriber::new();
        let (mut first, mut second) = (pin!(semaphore.acquire()), pin!(semaphore.acquire()));
        tracing::subscriber::with_default(none, || {
            assert!(first.as_mut().poll(&mut Context::from_waker(&wakers[0])).is_pending());
            assert!(second.as_mut().poll(&mut Context::from_waker(&wakers[1])).is_pending());
        });
        let released = catch_unwind(AssertUnwindSafe(|| semaphore.add_permits(3)));
        assert_eq!(counts.each_ref().map(|count| count.0.load(Ordering::Relaxed)), [1, 1]);
        assert_eq!(semaphore.available_permits(), 1);
        ends += 1;
        if let Err(panic) = released {
            std::panic::resume_unwind(panic);
        }
    });
    // Two waiters and what was left, at the least.
    assert!(ends > 3);
}

#[test]
fn permits_come_back_from_an_abandoned_acquisition() {
    let semaphore = yamanote::sync::Semaphore::new(2);
    at_each_event(|| {
        let before = semaphore.available_permits();
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let mut acquire = Box::pin(semaphore.acquire_many(3));
            assert!(matches!(
                acquire.as_mut().poll(&mut Context::from_waker(Waker::noop())),
                Poll::Pending
            ));
        }));
        assert_eq!(semaphore.available_permits(), before);
        if let Err(panic) = polled {
            std::panic::resume_unwind(panic);
        }
    });
    assert_eq!(semaphore.available_permits(), 2);
}
