//! Bounded and unbounded channels against a queue, with senders and receivers that wait, give up and go away at any
//! moment.

use std::collections::VecDeque;
use std::task::Poll;

use yamanote::sync::mpsc::error::{TryRecvError, TrySendError};
use yamanote::sync::mpsc::{self, OwnedPermit, error::SendError};

use crate::poll::Polled;
use crate::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    if script.below(4) == 0 { unbounded(&mut script) } else { bounded(&mut script) }
}

struct Waiting {
    value: u32,
    send: Polled<Result<(), SendError<u32>>>,
}

fn bounded(script: &mut Script<'_>) {
    let capacity = 1 + script.below(4);
    let (sender, mut receiver) = mpsc::channel::<u32>(capacity);
    let mut senders = vec![sender];
    let mut permits: Vec<OwnedPermit<u32>> = Vec::new();
    // In the order in which they began to wait.
    let mut waiting: VecDeque<Waiting> = VecDeque::new();
    let mut queue: VecDeque<u32> = VecDeque::new();
    let (mut next, mut is_closed) = (0, false);
    // Room that was given to the first of those who wait and that they have not taken yet.
    for _ in 0..200 {
        let used = queue.len() + permits.len();
        let free = capacity - used;
        // Whoever waits first has been given what was free.
        let given = free.min(waiting.len());
        for early in waiting.iter().take(if is_closed { waiting.len() } else { given }) {
            assert!(early.send.is_woken(), "there is room for it, and it sleeps");
        }
        match script.below(11) {
            0 | 1 => {
                let Some(sender) = senders.first() else { continue };
                next += 1;
                match sender.try_send(next) {
                    Ok(()) => {
                        assert!(!is_closed && free > given, "no room was left");
                        queue.push_back(next);
                    }
                    Err(TrySendError::Full(value)) => {
                        assert_eq!(value, next);
                        assert!(!is_closed && free == given, "there was room");
                    }
                    Err(TrySendError::Closed(_)) => assert!(is_closed),
                }
            }
            2 | 3 => {
                // Begins to wait, if there is no room.
                let Some(sender) = senders.last().cloned() else { continue };
                next += 1;
                let value = next;
                let mut send = Polled::new(async move { sender.send(value).await });
                match send.poll() {
                    Poll::Ready(Ok(())) => {
                        assert!(!is_closed && free > given, "it overtook");
                        queue.push_back(value);
                    }
                    Poll::Ready(Err(SendError(value))) => assert!(is_closed && value == next),
                    Poll::Pending => {
                        assert!(!is_closed && free == given, "pending with room");
                        waiting.push_back(Waiting { value, send });
                    }
                }
            }
            4 => {
                // One of those who wait is polled.
                if waiting.is_empty() {
                    continue;
                }
                let at = script.below(waiting.len().min(200));
                match waiting[at].send.poll() {
                    Poll::Ready(Ok(())) => {
                        // A channel that was closed meanwhile still takes what was given room before.
                        assert!(at < given, "it overtook");
                        queue.push_back(waiting.remove(at).unwrap().value);
                    }
                    Poll::Ready(Err(_)) => {
                        assert!(is_closed);
                        waiting.remove(at);
                    }
                    Poll::Pending => assert!(!is_closed && at >= given, "pending with room"),
                }
            }
            5 => {
                // Or gives up: its room goes to the next.
                if !waiting.is_empty() {
                    let at = script.below(waiting.len().min(200));
                    drop(waiting.remove(at));
                }
            }
            6 | 7 => {
                let expected = queue.pop_front();
                match receiver.try_recv() {
                    Ok(value) => assert_eq!(Some(value), expected),
                    Err(TryRecvError::Empty) => {
                        assert_eq!(expected, None);
                        let over = senders.is_empty() && waiting.is_empty() && permits.is_empty();
                        let closed = is_closed && permits.is_empty() && given == 0;
                        assert!(!over && !closed, "it is over");
                    }
                    Err(TryRecvError::Disconnected) => {
                        assert_eq!(expected, None);
                        let none = senders.is_empty() && waiting.is_empty() && permits.is_empty();
                        assert!(none || is_closed, "not over yet");
                    }
                }
            }
            8 => {
                let Some(sender) = senders.first().cloned() else { continue };
                match sender.try_reserve_owned() {
                    Ok(permit) => {
                        assert!(!is_closed && free > given);
                        permits.push(permit);
                    }
                    Err(TrySendError::Full(_)) => assert!(!is_closed && free == given),
                    Err(TrySendError::Closed(_)) => assert!(is_closed),
                }
            }
            9 => {
                let Some(permit) = permits.pop() else { continue };
                if script.flag() {
                    next += 1;
                    drop(permit.send(next));
                    queue.push_back(next);
                } else {
                    drop(permit);
                }
            }
            _ => match script.below(6) {
                0 => senders.extend(senders.first().cloned()),
                1 => drop(senders.pop()),
                2 if script.flag() => {
                    receiver.close();
                    is_closed = true;
                }
                _ => {
                    let mut many = Vec::new();
                    let limit = 1 + script.below(4);
                    let expected: Vec<u32> = queue.drain(..limit.min(queue.len())).collect();
                    let polled = {
                        let mut recv = std::pin::pin!(receiver.recv_many(&mut many, limit));
                        let waker = std::task::Waker::noop();
                        recv.as_mut().poll(&mut std::task::Context::from_waker(waker))
                    };
                    if polled.is_ready() {
                        assert_eq!(many, expected);
                    } else {
                        assert!(expected.is_empty(), "pending with something to receive");
                    }
                }
            },
        }
        if !is_closed
            && senders.is_empty()
            && waiting.is_empty()
            && permits.is_empty()
            && queue.is_empty()
        {
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        }
        if !is_closed {
            let used = queue.len() + permits.len();
            let given = (capacity - used).min(waiting.len());
            assert_eq!(receiver.len(), queue.len());
            assert_eq!(receiver.capacity(), capacity - used - given);
        }
        if script.is_over() {
            break;
        }
    }
}

fn unbounded(script: &mut Script<'_>) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<u32>();
    let mut senders = vec![sender];
    let mut queue = VecDeque::new();
    let (mut next, mut is_closed) = (0, false);
    for _ in 0..200 {
        match script.below(8) {
            0..=2 => {
                let Some(sender) = senders.first() else { continue };
                next += 1;
                assert_eq!(sender.send(next).is_ok(), !is_closed);
                if !is_closed {
                    queue.push_back(next);
                }
            }
            3 => {
                // Many at once, over blocks.
                let Some(sender) = senders.first() else { continue };
                for _ in 0..script.byte() {
                    next += 1;
                    if sender.send(next).is_ok() {
                        queue.push_back(next);
                    }
                }
            }
            4 | 5 => match (receiver.try_recv(), queue.pop_front()) {
                (Ok(value), expected) => assert_eq!(Some(value), expected),
                (Err(TryRecvError::Empty), None) => assert!(!senders.is_empty() && !is_closed),
                (Err(TryRecvError::Disconnected), None) => assert!(senders.is_empty() || is_closed),
                (error, expected) => panic!("{error:?} instead of {expected:?}"),
            },
            6 => {
                for _ in 0..script.byte() {
                    let Ok(value) = receiver.try_recv() else { break };
                    assert_eq!(Some(value), queue.pop_front());
                }
            }
            _ => match script.below(8) {
                0 => senders.extend(senders.first().cloned()),
                1 => drop(senders.pop()),
                2 => {
                    receiver.close();
                    is_closed = true;
                }
                _ => {}
            },
        }
        assert_eq!(receiver.len(), queue.len());
        if script.is_over() {
            break;
        }
    }
}
