use super::error::RecvError;
use super::*;
use crate::engine::block_on::park_until;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc as StdArc;
use std::task::Poll;
use std::thread;

/// Receivers that cancel at random, over a ring that is too small: each one's values and losses add up.
#[test]
fn with_cancelled_receives_and_lag() {
    let count: u64 = if cfg!(miri) { 100 } else { 20_000 };
    for capacity in [1, 4, 64] {
        let (tx, rx) = channel(capacity);
        let token = StdArc::new(());
        let threads: Vec<_> = (0..4)
            .map(|i| {
                let mut rx = rx.resubscribe();
                thread::spawn(move || {
                    let (mut next, mut round) = (0, i);
                    loop {
                        round += 1;
                        let cancel = round % 3 == 0;
                        let result = park_until(async {
                            let mut recv = pin!(rx.recv());
                            poll_fn(|cx| match recv.as_mut().poll(cx) {
                                Poll::Pending if cancel => Poll::Ready(None),
                                poll => poll.map(Some),
                            })
                            .await
                        });
                        match result {
                            None => {}
                            Some(Ok((value, _))) => {
                                assert_eq!(value, next);
                                next += 1;
                            }
                            Some(Err(RecvError::Lagged(lost))) => next += lost,
                            Some(Err(RecvError::Closed)) => return next,
                        }
                    }
                })
            })
            .collect();
        drop(rx);
        for i in 0..count {
            assert_eq!(tx.send((i, StdArc::clone(&token))).unwrap(), 4);
            if i % 7 == 0 {
                thread::yield_now();
            }
        }
        drop(tx);
        for thread in threads {
            assert_eq!(thread.join().unwrap(), count);
        }
        assert_eq!(StdArc::strong_count(&token), 1);
    }
}

#[test]
fn a_panicking_clone_counts_as_received() {
    struct Bomb(StdArc<()>, bool);
    impl Clone for Bomb {
        fn clone(&self) -> Self {
            assert!(!self.1, "planned");
            Bomb(StdArc::clone(&self.0), self.1)
        }
    }
    let token = StdArc::new(());
    let (tx, mut rx) = channel(4);
    for bomb in [true, false] {
        assert!(tx.send(Bomb(StdArc::clone(&token), bomb)).is_ok());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| rx.try_recv().is_ok())).is_err());
    assert_eq!(tx.len(), 1);
    assert_eq!(StdArc::strong_count(&token), 2);
    assert!(rx.try_recv().is_ok());
    assert_eq!(StdArc::strong_count(&token), 1);
}

/// A value's `Drop` may use the channel: it runs outside the locks.
#[test]
fn values_are_dropped_outside_the_locks() {
    struct Looks(Option<Sender<Looks>>);
    impl Clone for Looks {
        fn clone(&self) -> Self {
            Looks(None)
        }
    }
    impl Drop for Looks {
        fn drop(&mut self) {
            if let Some(tx) = &self.0 {
                assert!(tx.len() <= 1);
                assert!(tx.receiver_count() <= 1);
            }
        }
    }
    let (tx, mut rx) = channel(1);
    // Dropped by the receiver that gets it, by being overwritten, and with the last receiver.
    assert!(tx.send(Looks(Some(tx.clone()))).is_ok());
    assert!(rx.try_recv().is_ok());
    assert!(tx.send(Looks(Some(tx.clone()))).is_ok());
    assert!(tx.send(Looks(Some(tx.clone()))).is_ok());
    drop(rx);
    assert_eq!(tx.strong_count(), 1);
}

#[test]
fn a_panicking_drop_does_not_keep_the_others() {
    #[derive(Clone)]
    struct Bomb(#[allow(dead_code)] StdArc<()>, bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.1, "planned");
        }
    }
    let token = StdArc::new(());
    let (tx, rx) = channel(4);
    for bomb in [false, true, false] {
        assert!(tx.send(Bomb(StdArc::clone(&token), bomb)).is_ok());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| drop(rx))).is_err());
    assert_eq!(StdArc::strong_count(&token), 1);
    assert!(tx.is_closed_for_test());
}

impl<T> Sender<T> {
    fn is_closed_for_test(&self) -> bool {
        self.receiver_count() == 0 && self.is_empty()
    }
}
