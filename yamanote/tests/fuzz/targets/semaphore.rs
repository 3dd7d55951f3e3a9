//! `Semaphore` against a count and a line of those who wait, served strictly in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;

use yamanote::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::poll::Polled;
use crate::script::Script;

struct Waiting {
    /// What it asked for, and what of it it was not given yet.
    wants: usize,
    lacks: usize,
    acquire: Polled<Result<OwnedSemaphorePermit, AcquireError>>,
}

#[derive(Default)]
struct Model {
    free: usize,
    waiting: VecDeque<Waiting>,
    is_closed: bool,
}

impl Model {
    /// Permits come back, or are new: the first in line gets them.
    fn add(&mut self, mut n: usize) {
        // A semaphore that is closed has sent them all away.
        let line = if self.is_closed { None } else { Some(&mut self.waiting) };
        for waiting in line.into_iter().flatten() {
            let given = waiting.lacks.min(n);
            waiting.lacks -= given;
            n -= given;
        }
        self.free += n;
    }
}

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let mut model = Model { free: script.below(6), ..Model::default() };
    let semaphore = Arc::new(Semaphore::new(model.free));
    let mut held: Vec<(usize, OwnedSemaphorePermit)> = Vec::new();
    for _ in 0..200 {
        match script.below(9) {
            0 | 1 => {
                let wants = script.below(5);
                let ours = Arc::clone(&semaphore);
                let mut acquire = Polled::new(ours.acquire_many_owned(wants as u32));
                let in_line = model.waiting.iter().any(|waiting| waiting.lacks > 0);
                match acquire.poll() {
                    Poll::Ready(Ok(permit)) => {
                        assert!(!model.is_closed);
                        assert!(wants == 0 || (!in_line && model.free >= wants), "it overtook");
                        model.free -= wants;
                        held.push((wants, permit));
                    }
                    Poll::Ready(Err(_)) => assert!(model.is_closed),
                    Poll::Pending => {
                        assert!(!model.is_closed && wants > 0 && (in_line || model.free < wants));
                        // It keeps what there is.
                        let given = if in_line { 0 } else { model.free };
                        model.free -= given;
                        model.waiting.push_back(Waiting { wants, lacks: wants - given, acquire });
                    }
                }
            }
            2 => {
                let wants = script.below(5);
                match Arc::clone(&semaphore).try_acquire_many_owned(wants as u32) {
                    Ok(permit) => {
                        assert!(!model.is_closed && model.free >= wants);
                        model.free -= wants;
                        held.push((wants, permit));
                    }
                    Err(TryAcquireError::Closed) => assert!(model.is_closed),
                    Err(TryAcquireError::NoPermits) => assert!(!model.is_closed && model.free < wants),
                }
            }
            3 if !model.waiting.is_empty() => {
                let at = script.below(model.waiting.len().min(200));
                let waiting = &mut model.waiting[at];
                match waiting.acquire.poll() {
                    Poll::Ready(Ok(permit)) => {
                        assert_eq!(waiting.lacks, 0, "it overtook");
                        held.push((waiting.wants, permit));
                        model.waiting.remove(at);
                    }
                    Poll::Ready(Err(_)) => {
                        assert!(model.is_closed, "closed too early");
                        let gone = model.waiting.remove(at).unwrap();
                        model.add(gone.wants - gone.lacks);
                    }
                    Poll::Pending => assert!(waiting.lacks > 0 && !model.is_closed, "it was its turn"),
                }
            }
            4 if !model.waiting.is_empty() => {
                // Gives up: what it was given goes to those behind it.
                let at = script.below(model.waiting.len().min(200));
                let gone = model.waiting.remove(at).unwrap();
                drop(gone.acquire);
                model.add(gone.wants - gone.lacks);
            }
            5 | 6 => {
                if held.is_empty() {
                    continue;
                }
                let (n, permit) = held.swap_remove(script.below(held.len().min(200)));
                if script.below(5) == 0 {
                    permit.forget();
                } else {
                    drop(permit);
                    model.add(n);
                }
            }
            7 => {
                let n = script.below(4);
                if script.flag() {
                    semaphore.add_permits(n);
                    model.add(n);
                } else {
                    let forgotten = semaphore.forget_permits(n);
                    assert_eq!(forgotten, n.min(model.free));
                    model.free -= forgotten;
                }
            }
            _ if script.below(12) == 1 => {
                semaphore.close();
                model.is_closed = true;
            }
            _ => {}
        }
        assert_eq!(semaphore.available_permits(), model.free);
        for waiting in &model.waiting {
            if waiting.lacks == 0 || model.is_closed {
                assert!(waiting.acquire.is_woken(), "it is its turn, and it sleeps");
            }
        }
        if script.is_over() {
            break;
        }
    }
}
