//! `broadcast` against the whole row of all values that were ever sent.

use std::task::Poll;

use yamanote::sync::broadcast::error::{RecvError, TryRecvError};
use yamanote::sync::broadcast::{self, Receiver};

use crate::poll::Polled;
use crate::script::Script;

/// The receiver comes back with what it received.
type Received = (Receiver<u64>, Result<u64, RecvError>);

struct Reader {
    /// Lent to `recv` while that waits.
    receiver: Option<Receiver<u64>>,
    /// The next value that it has not seen.
    next: u64,
    waits: Option<Polled<Received>>,
}

impl Reader {
    /// What it has to get next: a value, how many it missed, or nothing yet.
    fn expected(&self, sent: u64, room: u64) -> Result<u64, Option<u64>> {
        let oldest = sent.saturating_sub(room);
        if self.next < oldest {
            Err(Some(oldest - self.next))
        } else if self.next < sent {
            Ok(self.next)
        } else {
            Err(None)
        }
    }
}

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let capacity = 1 + script.below(6);
    // Room is made in powers of two.
    let room = capacity.next_power_of_two() as u64;
    let (sender, receiver) = broadcast::channel(capacity);
    let mut sender = Some(sender);
    let mut readers = vec![Reader { receiver: Some(receiver), next: 0, waits: None }];
    // The values are numbers, one after the other.
    let mut sent = 0_u64;
    for _ in 0..200 {
        let at = if readers.is_empty() { 0 } else { script.below(readers.len().min(200)) };
        match script.below(8) {
            0..=2 => {
                let Some(sender) = &sender else { continue };
                match sender.send(sent) {
                    Ok(count) => {
                        assert_eq!(count, readers.len());
                        sent += 1;
                    }
                    Err(error) => {
                        assert_eq!(error.0, sent);
                        assert!(readers.is_empty());
                    }
                }
            }
            3 | 4 => {
                let Some(reader) = readers.get_mut(at) else { continue };
                let expected = reader.expected(sent, room);
                let Some(receiver) = &mut reader.receiver else { continue };
                assert_eq!(receiver.len() as u64, sent - reader.next);
                match (receiver.try_recv(), expected) {
                    (Ok(value), Ok(expected)) => {
                        assert_eq!(value, expected);
                        reader.next += 1;
                    }
                    (Err(TryRecvError::Lagged(missed)), Err(Some(expected))) => {
                        assert_eq!(missed, expected);
                        reader.next += missed;
                    }
                    (Err(TryRecvError::Empty), Err(None)) => assert!(sender.is_some()),
                    (Err(TryRecvError::Closed), Err(None)) => assert!(sender.is_none()),
                    (got, expected) => panic!("{got:?} instead of {expected:?}"),
                }
            }
            5 => {
                let Some(reader) = readers.get_mut(at) else { continue };
                if let Some(mut lent) = reader.receiver.take() {
                    reader.waits = Some(Polled::new(async move {
                        let received = lent.recv().await;
                        (lent, received)
                    }));
                }
                let expected = reader.expected(sent, room);
                let Some(waits) = &mut reader.waits else { continue };
                match waits.poll() {
                    Poll::Ready((back, received)) => {
                        match (received, expected) {
                            (Ok(value), Ok(expected)) => {
                                assert_eq!(value, expected);
                                reader.next += 1;
                            }
                            (Err(RecvError::Lagged(missed)), Err(Some(expected))) => {
                                assert_eq!(missed, expected);
                                reader.next += missed;
                            }
                            (Err(RecvError::Closed), Err(None)) => assert!(sender.is_none()),
                            (got, expected) => panic!("{got:?} instead of {expected:?}"),
                        }
                        reader.receiver = Some(back);
                        reader.waits = None;
                    }
                    Poll::Pending => {
                        assert_eq!(expected, Err(None), "it sleeps with something to receive");
                        assert!(sender.is_some(), "it sleeps over the end");
                    }
                }
            }
            6 => match script.below(4) {
                0 => {
                    let Some(sender) = &sender else { continue };
                    readers.push(Reader { receiver: Some(sender.subscribe()), next: sent, waits: None });
                }
                1 => {
                    let Some(Reader { receiver: Some(receiver), .. }) = readers.get(at) else {
                        continue;
                    };
                    readers.push(Reader {
                        receiver: Some(receiver.resubscribe()),
                        next: sent,
                        waits: None,
                    });
                }
                _ if !readers.is_empty() => drop(readers.swap_remove(at)),
                _ => {}
            },
            _ if script.below(12) == 1 => sender = None,
            _ => {}
        }
        for reader in &readers {
            if let Some(waits) = &reader.waits {
                if reader.next != sent || sender.is_none() {
                    assert!(waits.is_woken(), "there is something for it, and it sleeps");
                }
            }
        }
        if let Some(sender) = &sender {
            assert_eq!(sender.receiver_count(), readers.len());
        }
        if script.is_over() {
            break;
        }
    }
}
