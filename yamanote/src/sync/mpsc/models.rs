//! Senders against the receiver. A block has two slots here, so every model crosses blocks.

use super::error::TryRecvError;
use super::*;
use crate::loom::sync::Arc;
use crate::loom::{model, thread};
use loom::future::block_on;
use std::future::{Future, poll_fn};
use std::task::Poll;

/// Counted by loom, which also finds leaks.
type Token = Arc<usize>;

/// Polls once, leaving a waker behind.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    block_on(poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    }))
}

#[test]
fn two_senders_in_order() {
    model(|| {
        let (tx, mut rx) = unbounded_channel();
        let other = tx.clone();
        let thread = thread::spawn(move || {
            other.send(8).unwrap();
            other.send(9).unwrap();
        });
        tx.send(0).unwrap();
        tx.send(1).unwrap();
        drop(tx);
        let mut seen = [Vec::new(), Vec::new()];
        while let Some(value) = block_on(rx.recv()) {
            seen[value / 8].push(value);
        }
        assert_eq!(seen, [[0, 1], [8, 9]]);
        thread.join().unwrap();
    });
}

#[test]
fn blocks_are_recycled_behind_a_slow_sender() {
    model(|| {
        let (tx, mut rx) = unbounded_channel();
        let other = tx.clone();
        let thread = thread::spawn(move || other.send(Token::new(9)).unwrap());
        for i in 0..5 {
            tx.send(Token::new(i)).unwrap();
            // The other value may be in between.
            while *block_on(rx.recv()).unwrap() != i {}
        }
        thread.join().unwrap();
        drop(tx);
        while block_on(rx.recv()).is_some() {}
    });
}

#[test]
fn closing_races_with_sending() {
    model(|| {
        let (tx, mut rx) = unbounded_channel();
        let thread = thread::spawn(move || {
            let first = tx.send(Token::new(0)).is_ok();
            let second = tx.send(Token::new(1)).is_ok();
            assert!(first || !second);
            usize::from(first) + usize::from(second)
        });
        rx.close();
        let mut received = 0;
        while block_on(rx.recv()).is_some() {
            received += 1;
        }
        assert_eq!(thread.join().unwrap(), received);
    });
}

#[test]
fn late_senders_do_not_move_the_end() {
    model(|| {
        let (tx, mut rx) = unbounded_channel();
        let threads = [tx.clone(), tx].map(|tx| thread::spawn(move || tx.send(()).is_ok()));
        rx.close();
        let len = rx.len();
        let mut received = 0;
        while block_on(rx.recv()).is_some() {
            received += 1;
        }
        assert_eq!(len, received);
        let sent = threads.into_iter().filter_map(|t| t.join().unwrap().then_some(())).count();
        assert_eq!(sent, received);
        assert_eq!(rx.len(), 0);
    });
}

#[test]
fn dropping_the_receiver_races_with_sending() {
    model(|| {
        let (tx, mut rx) = unbounded_channel();
        let thread = thread::spawn(move || {
            let _ = tx.send(Token::new(0));
            let _ = tx.send(Token::new(1));
            let _ = tx.send(Token::new(2));
        });
        let _ = poll_once(rx.recv());
        drop(rx);
        thread.join().unwrap();
    });
}

#[test]
fn what_was_sent_can_be_received_at_once() {
    model(|| {
        let (tx, mut rx) = unbounded_channel();
        let slow = tx.clone();
        let thread = thread::spawn(move || slow.send(0).unwrap());
        tx.send(1).unwrap();
        // The other sender may be in the middle of it, ahead of this one.
        assert!(rx.len() >= 1);
        assert!(rx.try_recv().is_ok());
        thread.join().unwrap();
        assert!(rx.try_recv().is_ok());
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn upgrading_races_with_the_last_drop() {
    model(|| {
        let (tx, mut rx) = unbounded_channel();
        let weak = tx.downgrade();
        let thread = thread::spawn(move || match weak.upgrade() {
            Some(tx) => tx.send(()).is_ok(),
            None => false,
        });
        drop(tx);
        let mut received = false;
        while block_on(rx.recv()).is_some() {
            received = true;
        }
        assert_eq!(thread.join().unwrap(), received);
    });
}

#[test]
fn closed_wakes_senders() {
    model(|| {
        let (tx, rx) = unbounded_channel::<()>();
        let thread = thread::spawn(move || drop(rx));
        block_on(tx.closed());
        thread.join().unwrap();
    });
}

#[test]
fn bounded_sender_waits_for_room() {
    model(|| {
        let (tx, mut rx) = channel(1);
        tx.try_send(0).unwrap();
        let thread = thread::spawn(move || block_on(tx.send(1)).unwrap());
        assert_eq!(block_on(rx.recv()), Some(0));
        assert_eq!(block_on(rx.recv()), Some(1));
        assert_eq!(block_on(rx.recv()), None);
        thread.join().unwrap();
    });
}

#[test]
fn bounded_cancelled_sender_passes_the_room_on() {
    model(|| {
        let (tx, mut rx) = channel(1);
        tx.try_send(0).unwrap();
        let other = tx.clone();
        let thread = thread::spawn(move || {
            let _ = poll_once(other.reserve());
        });
        assert_eq!(block_on(rx.recv()), Some(0));
        block_on(tx.send(1)).unwrap();
        assert_eq!(block_on(rx.recv()), Some(1));
        thread.join().unwrap();
        assert_eq!(tx.capacity(), 1);
    });
}

#[test]
fn the_last_permit_ends_a_closed_channel() {
    model(|| {
        let (tx, mut rx) = channel(2);
        let threads = [tx.clone(), tx.clone()].map(|tx| {
            let permit = tx.try_reserve_owned().unwrap();
            thread::spawn(move || drop(permit.release()))
        });
        rx.close();
        assert_eq!(block_on(rx.recv()), None::<()>);
        for thread in threads {
            thread.join().unwrap();
        }
        drop(tx);
    });
}

#[test]
fn a_permit_used_after_closing_arrives() {
    model(|| {
        let (tx, mut rx) = channel(1);
        let permit = tx.clone().try_reserve_owned().unwrap();
        let thread = thread::spawn(move || drop(permit.send(Token::new(0))));
        rx.close();
        assert!(block_on(rx.recv()).is_some());
        assert!(block_on(rx.recv()).is_none());
        thread.join().unwrap();
        drop(tx);
    });
}

#[test]
fn bounded_closing_races_with_sending() {
    model(|| {
        let (tx, mut rx) = channel(1);
        let thread = thread::spawn(move || {
            usize::from(block_on(tx.send(Token::new(0))).is_ok())
                + usize::from(block_on(tx.send(Token::new(1))).is_ok())
        });
        rx.close();
        let mut received = 0;
        while block_on(rx.recv()).is_some() {
            received += 1;
        }
        assert_eq!(thread.join().unwrap(), received);
    });
}
