//! The two halves against each other: each value arrives, comes back or is dropped, exactly once.

use super::*;
use crate::loom::sync::Arc;
use crate::loom::{model, thread};
use loom::future::block_on;

/// Counts through loom's own reference count, which also finds leaks.
type Token = Arc<()>;

fn poll_once<T>(rx: &mut Receiver<T>) -> Poll<Result<T, RecvError>> {
    block_on(poll_fn(|cx| Poll::Ready(Pin::new(&mut *rx).poll(cx))))
}

#[test]
fn send_and_receive() {
    model(|| {
        let (tx, rx) = channel();
        let thread = thread::spawn(move || tx.send(Token::new(())).is_ok());
        assert!(block_on(rx).is_ok());
        assert!(thread.join().unwrap());
    });
}

#[test]
fn dropped_sender() {
    model(|| {
        let (tx, rx) = channel::<Token>();
        let thread = thread::spawn(move || drop(tx));
        assert!(block_on(rx).is_err());
        thread.join().unwrap();
    });
}

#[test]
fn the_value_is_received_or_comes_back() {
    model(|| {
        let (tx, mut rx) = channel();
        let thread = thread::spawn(move || tx.send(Token::new(())).is_ok());
        rx.close();
        let received = block_on(&mut rx).is_ok();
        assert_eq!(thread.join().unwrap(), received);
    });
}

#[test]
fn receiver_dropped_while_waiting() {
    model(|| {
        let (tx, mut rx) = channel();
        let thread = thread::spawn(move || tx.send(Token::new(())).is_ok());
        let _ = poll_once(&mut rx);
        drop(rx);
        thread.join().unwrap();
    });
}

#[test]
fn closed_wakes_the_sender() {
    model(|| {
        let (mut tx, mut rx) = channel::<Token>();
        let thread = thread::spawn(move || {
            let _ = poll_once(&mut rx);
            rx.close();
        });
        block_on(tx.closed());
        assert!(tx.send(Token::new(())).is_err());
        thread.join().unwrap();
    });
}

#[test]
fn both_wait_and_go() {
    model(|| {
        let (mut tx, mut rx) = channel::<Token>();
        let thread = thread::spawn(move || {
            let _ = block_on(poll_fn(|cx| Poll::Ready(tx.poll_closed(cx))));
            let _ = tx.send(Token::new(()));
        });
        let _ = poll_once(&mut rx);
        drop(rx);
        thread.join().unwrap();
    });
}

#[test]
fn changing_the_task() {
    model(|| {
        let (tx, mut rx) = channel();
        let thread = thread::spawn(move || tx.send(Token::new(())).is_ok());
        // Each `block_on` has a waker of its own.
        let first = poll_once(&mut rx);
        if first.is_pending() {
            assert!(block_on(rx).is_ok());
        }
        assert!(thread.join().unwrap());
    });
}

#[test]
fn try_recv_sees_the_whole_value() {
    model(|| {
        let (tx, mut rx) = channel();
        let thread = thread::spawn(move || tx.send(Token::new(())).is_ok());
        match rx.try_recv() {
            Ok(_) => assert_eq!(rx.try_recv().err(), Some(TryRecvError::Closed)),
            Err(error) => {
                assert_eq!(error, TryRecvError::Empty);
                assert!(block_on(rx).is_ok());
            }
        }
        assert!(thread.join().unwrap());
    });
}
