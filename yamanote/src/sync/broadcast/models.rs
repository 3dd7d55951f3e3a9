//! Receivers get everything, in order, or are told what they lost; nobody sleeps through it.

use super::error::RecvError;
use super::*;
use crate::loom::sync::Arc;
use crate::loom::{model, thread};
use loom::future::block_on;

/// Counted by loom, which also finds leaks.
type Token = Arc<u64>;

#[test]
fn two_receivers_get_all() {
    model(|| {
        let (tx, mut rx) = channel::<Token>(2);
        let mut rx2 = tx.subscribe();
        let thread = thread::spawn(move || {
            assert_eq!(*block_on(rx2.recv()).unwrap(), 1);
            assert_eq!(*block_on(rx2.recv()).unwrap(), 2);
            assert!(block_on(rx2.recv()).is_err());
        });
        tx.send(Token::new(1)).unwrap();
        tx.send(Token::new(2)).unwrap();
        drop(tx);
        assert_eq!(*block_on(rx.recv()).unwrap(), 1);
        assert_eq!(*block_on(rx.recv()).unwrap(), 2);
        assert!(block_on(rx.recv()).is_err());
        thread.join().unwrap();
    });
}

#[test]
fn a_lagging_receiver_counts_what_it_lost() {
    model(|| {
        let (tx, mut rx) = channel(1);
        let thread = thread::spawn(move || {
            for i in 0..3 {
                tx.send(Token::new(i)).unwrap();
            }
        });
        let mut next = 0;
        loop {
            match block_on(rx.recv()) {
                Ok(value) => {
                    assert_eq!(*value, next);
                    next += 1;
                }
                Err(RecvError::Lagged(lost)) => next += lost,
                Err(RecvError::Closed) => break,
            }
        }
        assert_eq!(next, 3);
        thread.join().unwrap();
    });
}

#[test]
fn two_senders() {
    model(|| {
        let (tx, mut rx) = channel(2);
        let threads = [tx.clone(), tx].map(|tx| thread::spawn(move || tx.send(Token::new(1)).unwrap()));
        assert!(block_on(rx.recv()).is_ok());
        assert!(block_on(rx.recv()).is_ok());
        assert_eq!(block_on(rx.recv()).err(), Some(RecvError::Closed));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn dropping_receivers_race_with_sending() {
    model(|| {
        let (tx, rx) = channel(2);
        let rx2 = tx.subscribe();
        let thread = thread::spawn(move || drop(rx));
        let _ = tx.send(Token::new(1));
        let _ = tx.send(Token::new(2));
        drop(rx2);
        block_on(tx.closed());
        assert!(tx.send(Token::new(3)).is_err());
        thread.join().unwrap();
        assert!(tx.is_empty());
        assert_eq!(tx.len(), 0);
    });
}
