//! Nobody sleeps through the last value, or through the end.

use super::*;
use crate::loom::{model, thread};
use loom::future::block_on;

#[test]
fn the_last_value_is_seen() {
    model(|| {
        let (tx, mut rx) = channel(0);
        let thread = thread::spawn(move || {
            tx.send(1).unwrap();
            tx.send(2).unwrap();
        });
        let mut last = 0;
        while block_on(rx.changed()).is_ok() {
            let value = *rx.borrow_and_update();
            assert!(value >= last);
            last = value;
        }
        assert_eq!(last, 2);
        thread.join().unwrap();
    });
}

#[test]
fn two_receivers() {
    model(|| {
        let (tx, rx) = channel(0);
        let threads = [rx.clone(), rx].map(|mut rx| {
            thread::spawn(move || {
                block_on(rx.changed()).unwrap();
                assert_eq!(*rx.borrow(), 1);
            })
        });
        tx.send(1).unwrap();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn two_senders() {
    model(|| {
        let (tx, mut rx) = channel(0);
        let thread = {
            let tx = tx.clone();
            thread::spawn(move || tx.send_modify(|n| *n += 1))
        };
        let other = thread::spawn(move || tx.send_modify(|n| *n += 1));
        assert_eq!(*block_on(rx.wait_for(|n| *n == 2)).unwrap(), 2);
        assert!(block_on(rx.wait_for(|n| *n == 3)).is_err());
        thread.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn the_end_is_seen_after_the_last_value() {
    model(|| {
        let (tx, mut rx) = channel(0);
        let thread = thread::spawn(move || {
            tx.send(1).unwrap();
        });
        assert_eq!(*block_on(rx.wait_for(|n| *n == 1)).unwrap(), 1);
        assert!(block_on(rx.changed()).is_err());
        thread.join().unwrap();
    });
}

#[test]
fn the_last_receiver_is_missed() {
    model(|| {
        let (tx, rx) = channel(());
        let other = rx.clone();
        let thread = thread::spawn(move || drop(rx));
        drop(other);
        block_on(tx.closed());
        assert!(tx.send(()).is_err());
        thread.join().unwrap();
    });
}
