use super::*;
use crate::engine::block_on::park_until;
use std::sync::Arc;
use std::task::Wake;
use std::thread;

struct Nothing;

impl Wake for Nothing {
    fn wake(self: Arc<Self>) {}
}

/// A waker, and what tells how many there are of it.
fn counted() -> (Arc<Nothing>, Waker) {
    let count = Arc::new(Nothing);
    (Arc::clone(&count), count.into())
}

#[test]
fn wakers_are_let_go() {
    let (tx_count, tx_waker) = counted();
    let (rx_count, rx_waker) = counted();
    let poll = |tx: &mut Sender<u32>, rx: &mut Receiver<u32>| {
        assert!(tx.poll_closed(&mut Context::from_waker(&tx_waker)).is_pending());
        assert!(Pin::new(rx).poll(&mut Context::from_waker(&rx_waker)).is_pending());
    };
    let (mut tx, mut rx) = channel();
    poll(&mut tx, &mut rx);
    // A half that goes drops its own waker and hands the other's over to be woken.
    drop(rx);
    assert_eq!((Arc::strong_count(&tx_count), Arc::strong_count(&rx_count)), (2, 2));
    assert!(tx.send(1).is_err());

    let (mut tx, mut rx) = channel();
    poll(&mut tx, &mut rx);
    tx.send(1).unwrap();
    assert_eq!((Arc::strong_count(&tx_count), Arc::strong_count(&rx_count)), (2, 2));
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn closing_twice_and_late() {
    let (tx, mut rx) = channel();
    rx.close();
    rx.close();
    assert!(tx.is_closed());
    assert_eq!(tx.send(1), Err(1));
    assert_eq!(park_until(&mut rx), Err(RecvError(())));
    assert!(rx.is_terminated());
    rx.close();
}

/// Random ends on two threads; every value is counted when it is dropped.
#[test]
fn every_value_is_dropped_once() {
    let token = Arc::new(());
    let pairs: Vec<_> = (0..if cfg!(miri) { 40 } else { 4000 }).map(|_| channel()).collect();
    let (senders, receivers): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let value = Arc::clone(&token);
    let thread = thread::spawn(move || {
        let mut sent = 0;
        for (i, mut tx) in senders.into_iter().enumerate() {
            match i % 5 {
                0 => drop(tx),
                1 => park_until(tx.closed()),
                _ => sent += usize::from(tx.send(Arc::clone(&value)).is_ok()),
            }
        }
        sent
    });
    let mut received = 0;
    for (i, mut rx) in receivers.into_iter().enumerate() {
        match i % 5 {
            0 => assert!(park_until(rx).is_err()),
            1 => rx.close(),
            2 => drop(rx),
            _ => received += usize::from(park_until(rx).is_ok()),
        }
    }
    let sent = thread.join().unwrap();
    assert!(sent >= received);
    assert_eq!(received * 5, if cfg!(miri) { 80 } else { 8000 });
    assert_eq!(Arc::strong_count(&token), 1);
}
