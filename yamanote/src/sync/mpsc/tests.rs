use super::error::{TryRecvError, TrySendError};
use super::*;
use crate::engine::block_on::park_until;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

/// Polls a future a few times and then maybe drops it: what a `select!` that goes elsewhere does.
fn poll_or_cancel<F: Future>(future: F, cancel: bool) -> Option<F::Output> {
    let mut future = pin!(future);
    if cancel {
        park_until(poll_fn(|cx| {
            Poll::Ready(match future.as_mut().poll(cx) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => None,
            })
        }))
    } else {
        Some(park_until(future))
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

const SENDERS: u64 = 4;
const SENDS: u64 = if cfg!(miri) { 100 } else { 8_000 };

/// Checks that each sender's values arrive whole and in order. `receive` is called until it answers 0.
fn check_order(mut receive: impl FnMut(&mut Vec<(u64, u64)>) -> usize) -> u64 {
    let mut next = [0; SENDERS as usize];
    let mut buffer = Vec::new();
    let mut count = 0;
    while receive(&mut buffer) > 0 {
        for (sender, i) in buffer.drain(..) {
            // What was cancelled left a gap, nothing comes twice or late.
            assert!(i >= next[sender as usize]);
            next[sender as usize] = i + 1;
            count += 1;
        }
    }
    count
}

#[test]
fn unbounded_with_cancelled_receives() {
    let (tx, mut rx) = unbounded_channel();
    let threads: Vec<_> = (0..SENDERS)
        .map(|s| {
            let tx = tx.clone();
            thread::spawn(move || (0..SENDS).for_each(|i| tx.send((s, i)).unwrap()))
        })
        .collect();
    drop(tx);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let count = check_order(|buffer| {
        loop {
            let received = match random.below(4) {
                0 => poll_or_cancel(rx.recv(), true),
                1 => poll_or_cancel(rx.recv(), false),
                2 => match rx.try_recv() {
                    Ok(value) => Some(Some(value)),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => Some(None),
                },
                _ => {
                    let limit = 1 + random.below(70) as usize;
                    return park_until(rx.recv_many(buffer, limit));
                }
            };
            match received {
                Some(Some(value)) => {
                    buffer.push(value);
                    return 1;
                }
                Some(None) => return 0,
                None => {}
            }
        }
    });
    assert_eq!(count, SENDERS * SENDS);
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn bounded_with_cancelled_sends() {
    for bound in [1, 3, 100] {
        let (tx, mut rx) = channel(bound);
        let threads: Vec<_> = (0..SENDERS)
            .map(|s| {
                let tx = tx.clone();
                let mut random = Random(s + 1);
                thread::spawn(move || {
                    let mut sent = 0;
                    for i in 0..SENDS / 10 {
                        let cancel = random.below(3) == 0;
                        let ok = match random.below(4) {
                            0 => poll_or_cancel(tx.send((s, i)), cancel).is_some(),
                            1 => poll_or_cancel(tx.reserve(), cancel).is_some_and(|p| {
                                random.below(2) == 0 && {
                                    p.unwrap().send((s, i));
                                    true
                                }
                            }),
                            2 => tx.try_send((s, i)).is_ok(),
                            _ => {
                                let n = 1 + random.below(bound as u64) as usize;
                                match poll_or_cancel(tx.reserve_many(n), cancel) {
                                    Some(permits) => {
                                        permits.unwrap().next().unwrap().send((s, i));
                                        true
                                    }
                                    None => false,
                                }
                            }
                        };
                        sent += u64::from(ok);
                    }
                    sent
                })
            })
            .collect();
        let mut random = Random(7);
        let probe = tx.clone();
        drop(tx);
        let weak = probe.downgrade();
        drop(probe);
        let count = check_order(|buffer| {
            loop {
                match poll_or_cancel(rx.recv(), random.below(2) == 0) {
                    Some(Some(value)) => {
                        buffer.push(value);
                        return 1;
                    }
                    Some(None) => return 0,
                    None => {}
                }
            }
        });
        let sent: u64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
        assert_eq!(count, sent);
        // Every permit came back.
        assert_eq!(rx.capacity(), bound);
        assert!(weak.upgrade().is_none());
    }
}

/// Receivers that close or go at a random moment; each value is dropped once, and what was received is what
/// was sent.
#[test]
fn ends_at_any_moment() {
    let mut random = Random(99);
    for round in 0..if cfg!(miri) { 10 } else { 60 } {
        let token = Arc::new(());
        let (tx, mut rx) = unbounded_channel();
        let (btx, mut brx) = channel(5);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (tx, btx, token) = (tx.clone(), btx.clone(), Arc::clone(&token));
                thread::spawn(move || {
                    let (mut sent, mut bsent) = (0, 0);
                    while tx.send(Arc::clone(&token)).is_ok() {
                        sent += 1;
                    }
                    while park_until(btx.send(Arc::clone(&token))).is_ok() {
                        bsent += 1;
                    }
                    (sent, bsent)
                })
            })
            .collect();
        drop((tx, btx));
        let (mut received, mut breceived) = (0, 0);
        for _ in 0..random.below(200) {
            received += usize::from(park_until(rx.recv()).is_some());
        }
        let drops = round % 3 == 0;
        if drops {
            drop(rx);
        } else {
            rx.close();
            while park_until(rx.recv()).is_some() {
                received += 1;
            }
        }
        for _ in 0..random.below(50) {
            breceived += usize::from(park_until(brx.recv()).is_some());
        }
        if drops {
            drop(brx);
        } else {
            brx.close();
            while park_until(brx.recv()).is_some() {
                breceived += 1;
            }
            assert_eq!(brx.capacity(), 5);
        }
        let mut sent = (0, 0);
        for thread in threads {
            let (a, b) = thread.join().unwrap();
            sent = (sent.0 + a, sent.1 + b);
        }
        if !drops {
            assert_eq!(sent, (received, breceived));
        }
        assert_eq!(Arc::strong_count(&token), 1);
    }
}

#[test]
fn positions_go_on_over_many_blocks() {
    let (tx, mut rx) = unbounded_channel();
    for round in 0..200usize {
        for i in 0..round {
            tx.send(Box::new(i)).unwrap();
            assert_eq!(rx.len(), i + 1);
        }
        for i in 0..round {
            assert_eq!(*rx.try_recv().unwrap(), i);
        }
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        assert!(rx.is_empty());
    }
    tx.send(Box::new(1)).unwrap();
}

/// Only the sender whose value is waited for wakes.
#[test]
fn one_wake_for_many_values() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let (tx, mut rx) = unbounded_channel();
    for round in 1..100 {
        assert!(rx.poll_recv(&mut cx).is_pending());
        assert!(rx.poll_recv(&mut cx).is_pending());
        for i in 0..5 {
            tx.send(i).unwrap();
        }
        assert_eq!(count.0.load(Relaxed), round);
        for i in 0..5 {
            assert_eq!(rx.try_recv(), Ok(i));
        }
    }
    assert!(rx.poll_recv(&mut cx).is_pending());
    drop(tx);
    assert_eq!(count.0.load(Relaxed), 100);
    assert_eq!(rx.poll_recv(&mut cx), Poll::Ready(None));
}

#[test]
fn a_permit_of_a_closed_channel() {
    let (tx, mut rx) = channel(2);
    let permit = tx.try_reserve().unwrap();
    rx.close();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(tx.try_send(0), Err(TrySendError::Closed(0)));
    permit.send(1);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn large_values_stay_off_the_stack() {
    thread::Builder::new()
        // Some twenty copies of a value are on it in an unoptimized build. A block has 32 (where addresses have 64 bits).
        .stack_size(26 * 32 * 1024)
        .spawn(|| {
            let (tx, mut rx) = unbounded_channel::<[u8; 32 * 1024]>();
            tx.send([1; 32 * 1024]).unwrap();
            assert_eq!(rx.try_recv().unwrap()[77], 1);
        })
        .unwrap()
        .join()
        .unwrap();
}
