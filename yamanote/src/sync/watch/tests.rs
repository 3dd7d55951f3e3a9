use super::*;
use crate::engine::block_on::park_until;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc as StdArc;
use std::sync::atomic::{AtomicUsize as Count, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;

struct Counted(Count);

impl Wake for Counted {
    fn wake(self: StdArc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn one_wake_a_change() {
    let (tx, rx) = channel(0);
    let wakes = StdArc::new(Counted(Count::new(0)));
    let waker = Waker::from(StdArc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    let mut receivers: Vec<_> = (0..50).map(|_| rx.clone()).collect();
    for round in 1..4 {
        let mut futures: Vec<_> = receivers.iter_mut().map(|rx| Box::pin(rx.changed())).collect();
        for future in &mut futures {
            assert!(future.as_mut().poll(&mut cx).is_pending());
        }
        tx.send(round).unwrap();
        tx.send(round).unwrap();
        assert_eq!(wakes.0.load(Ordering::Relaxed), 50 * round);
        for future in &mut futures {
            assert!(future.as_mut().poll(&mut cx).is_ready());
        }
    }
    // Nobody waits: the flag that says so is down.
    assert_eq!(tx.shared.state.load(Relaxed) & WAITING, 0);
}

/// A value's `Drop` may use the channel: it runs outside the lock.
#[test]
fn old_values_are_dropped_outside_the_lock() {
    struct Looks(Option<Receiver<Looks>>);
    impl Drop for Looks {
        fn drop(&mut self) {
            if let Some(rx) = &self.0 {
                let _ = rx.borrow();
            }
        }
    }
    let (tx, rx) = channel(Looks(None));
    tx.send(Looks(Some(rx.clone()))).unwrap();
    tx.send(Looks(None)).unwrap();
    assert!(rx.has_changed().unwrap());
}

#[test]
fn a_panicking_predicate_leaves_the_channel_usable() {
    let (tx, mut rx) = channel(1);
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        let _ = park_until(rx.wait_for(|_| panic!("planned")));
    }));
    assert!(result.is_err());
    tx.send(2).unwrap();
    assert_eq!(*park_until(rx.wait_for(|n| *n == 2)).unwrap(), 2);
}

/// Followers that drop their wait at random never miss the last value.
#[test]
fn with_cancelled_waits() {
    let (tx, rx) = channel(0u64);
    let last = if cfg!(miri) { 50 } else { 5_000 };
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let mut rx = rx.clone();
            thread::spawn(move || {
                let (mut seen, mut round) = (0, i);
                loop {
                    round += 1;
                    let cancel = round % 3 == 0;
                    let ended = park_until(async {
                        let mut changed = pin!(rx.changed());
                        poll_fn(|cx| match changed.as_mut().poll(cx) {
                            Poll::Pending if cancel => Poll::Ready(None),
                            poll => poll.map(Some),
                        })
                        .await
                    });
                    match ended {
                        None => {}
                        Some(Ok(())) => {
                            let value = *rx.borrow_and_update();
                            assert!(value > seen);
                            seen = value;
                        }
                        Some(Err(_)) => return seen,
                    }
                }
            })
        })
        .collect();
    drop(rx);
    for i in 1..=last {
        tx.send(i).unwrap();
    }
    drop(tx);
    for thread in threads {
        assert_eq!(thread.join().unwrap(), last);
    }
}
