//! Models of notifying against waiting and cancelling.

use super::*;
use crate::loom::sync::Arc;
use crate::loom::{model, thread};
use loom::future::block_on;

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// One waits, one notifies: the waiter goes on, and sees what the notifier did.
#[test]
fn notify_one_reaches_the_waiter() {
    model(|| {
        let shared = Arc::new((Notify::new(), UnsafeCell::new(0)));
        let waiter = {
            let shared = shared.clone();
            thread::spawn(move || {
                block_on(shared.0.notified());
                // SAFETY: written before the notification.
                shared.1.with(|n| assert_eq!(unsafe { *n }, 7));
            })
        };
        // SAFETY: read after the notification.
        shared.1.with_mut(|n| unsafe { *n = 7 });
        shared.0.notify_one();
        waiter.join().unwrap();
    });
}

/// Two notifications of which one finds a permit there: who takes it sees what both did.
#[test]
fn a_permit_stands_for_all_that_was_done() {
    model(|| {
        let shared = Arc::new((Notify::new(), AtomicUsize::new(0)));
        let notifiers: Vec<_> = (0..2)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || {
                    shared.1.fetch_add(1, Relaxed);
                    shared.0.notify_one();
                })
            })
            .collect();
        // A consumer that waits once too often would never come to an end.
        while shared.1.load(Relaxed) < 2 {
            block_on(shared.0.notified());
        }
        for n in notifiers {
            n.join().unwrap();
        }
    });
}

/// Two wait, two are notified, one of the waiters gives up at any point: the notifications of both are used
/// or stored, and nobody sleeps on.
#[test]
fn a_dropped_notification_is_passed_on() {
    model(|| {
        let notify = Arc::new(Notify::new());
        let waiter = {
            let notify = notify.clone();
            thread::spawn(move || block_on(notify.notified()))
        };
        let canceller = {
            let notify = notify.clone();
            thread::spawn(move || {
                let mut notified = Box::pin(notify.notified());
                if poll_once(notified.as_mut()).is_ready() {
                    // It took the notification; it has to come back for the other to end.
                    notify.notify_one();
                }
            })
        };
        notify.notify_one();
        waiter.join().unwrap();
        canceller.join().unwrap();
    });
}

/// All are notified: who was created before goes on, whatever it had done by then.
#[test]
fn notify_waiters_reaches_all_that_exist() {
    model(|| {
        let notify = Arc::new(Notify::new());
        let mut one = Box::pin(notify.notified());
        let mut two = Box::pin(notify.notified());
        let notifier = {
            let notify = notify.clone();
            thread::spawn(move || notify.notify_waiters())
        };
        let first = poll_once(one.as_mut());
        let second = poll_once(two.as_mut());
        // Notification is one event: once somebody saw it, all have it.
        if first.is_ready() {
            assert!(second.is_ready());
        }
        if second.is_ready() {
            assert!(poll_once(one.as_mut()).is_ready());
        }
        block_on(one);
        block_on(two);
        notifier.join().unwrap();
        // And those that came later have not.
        assert!(poll_once(Box::pin(notify.notified()).as_mut()).is_pending());
    });
}

/// The pattern of a gate: create, look, wait.
#[test]
fn look_after_creation() {
    model(|| {
        let shared = Arc::new((Notify::new(), AtomicUsize::new(0)));
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || {
                    let notified = shared.0.notified();
                    if shared.1.load(Relaxed) == 0 {
                        block_on(notified);
                        assert_eq!(shared.1.load(Relaxed), 1);
                    }
                })
            })
            .collect();
        shared.1.store(1, Relaxed);
        shared.0.notify_waiters();
        for w in waiters {
            w.join().unwrap();
        }
    });
}

/// `notify_one` and `notify_waiters` at a time, with two waiters: both end, and the one that is not used up
/// is left as a permit only if nobody took it.
#[test]
fn one_and_all_together() {
    model(|| {
        let notify = Arc::new(Notify::new());
        let mut one = Box::pin(notify.notified());
        assert!(poll_once(one.as_mut()).is_pending());
        let all = {
            let notify = notify.clone();
            thread::spawn(move || notify.notify_waiters())
        };
        let single = {
            let notify = notify.clone();
            thread::spawn(move || notify.notify_one())
        };
        let mut two = Box::pin(notify.notified());
        let _ = poll_once(two.as_mut());
        block_on(one);
        drop(two);
        all.join().unwrap();
        single.join().unwrap();
        assert_eq!(notify.state.load(Relaxed) & WAITERS, 0);
    });
}

/// Waiters that are dropped while all are being notified.
#[test]
fn cancel_while_draining() {
    model(|| {
        let notify = Arc::new(Notify::new());
        let mut one = Box::pin(notify.notified());
        assert!(poll_once(one.as_mut()).is_pending());
        let canceller = {
            let notify = notify.clone();
            thread::spawn(move || {
                let mut two = Box::pin(notify.notified());
                let _ = poll_once(two.as_mut());
            })
        };
        let notifier = {
            let notify = notify.clone();
            thread::spawn(move || notify.notify_waiters())
        };
        block_on(one);
        canceller.join().unwrap();
        notifier.join().unwrap();
        let lists = notify.lists.lock();
        assert!(lists.queue.is_empty() && lists.draining.is_empty());
    });
}
