//! `RwLock` against a line that is served strictly in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;

use yamanote::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::poll::Polled;
use crate::script::Script;

enum Guard {
    Read(#[allow(dead_code, reason = "held")] OwnedRwLockReadGuard<u32>),
    Write(OwnedRwLockWriteGuard<u32>),
}

struct Waiting {
    writes: bool,
    /// It was let in and does not know yet.
    is_in: bool,
    lock: Polled<Guard>,
}

#[derive(Default)]
struct Model {
    readers: usize,
    writers: usize,
    line: VecDeque<Waiting>,
}

impl Model {
    fn may(&self, writes: bool) -> bool {
        self.writers == 0 && (!writes || self.readers == 0)
    }

    fn enter(&mut self, writes: bool) {
        if writes { self.writers += 1 } else { self.readers += 1 }
    }

    fn leave(&mut self, writes: bool) {
        if writes {
            self.writers -= 1
        } else {
            self.readers -= 1
        }
        self.let_in();
    }

    fn let_in(&mut self) {
        for at in 0..self.line.len() {
            if self.line[at].is_in {
                continue;
            }
            let writes = self.line[at].writes;
            if !self.may(writes) {
                break;
            }
            self.enter(writes);
            self.line[at].is_in = true;
        }
    }
}

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let lock = Arc::new(RwLock::new(0_u32));
    let mut model = Model::default();
    let mut guards: Vec<(bool, Guard)> = Vec::new();
    let mut value = 0;
    for _ in 0..200 {
        let in_line = model.line.iter().any(|waiting| !waiting.is_in);
        match script.below(8) {
            0..=2 => {
                let (ours, writes) = (Arc::clone(&lock), script.below(3) == 0);
                let mut lock = Polled::new(async move {
                    if writes {
                        Guard::Write(ours.write_owned().await)
                    } else {
                        Guard::Read(ours.read_owned().await)
                    }
                });
                match lock.poll() {
                    Poll::Ready(guard) => {
                        assert!(!in_line && model.may(writes), "it overtook");
                        model.enter(writes);
                        guards.push((writes, guard));
                    }
                    Poll::Pending => {
                        assert!(in_line || !model.may(writes), "nothing keeps it out");
                        model.line.push_back(Waiting { writes, is_in: false, lock });
                    }
                }
            }
            3 => {
                let ours = Arc::clone(&lock);
                match ours.try_read_owned() {
                    Ok(guard) => {
                        assert!(model.may(false));
                        model.enter(false);
                        guards.push((false, Guard::Read(guard)));
                    }
                    Err(_) => assert!(in_line || !model.may(false)),
                }
            }
            4 if !model.line.is_empty() => {
                let at = script.below(model.line.len().min(200));
                match model.line[at].lock.poll() {
                    Poll::Ready(guard) => {
                        let waiting = model.line.remove(at).unwrap();
                        assert!(waiting.is_in, "it overtook");
                        guards.push((waiting.writes, guard));
                    }
                    Poll::Pending => assert!(!model.line[at].is_in, "it was let in"),
                }
            }
            5 if !model.line.is_empty() => {
                let at = script.below(model.line.len().min(200));
                let gone = model.line.remove(at).unwrap();
                drop(gone.lock);
                if gone.is_in {
                    model.leave(gone.writes);
                } else {
                    model.let_in();
                }
            }
            _ => {
                if guards.is_empty() {
                    continue;
                }
                let (writes, mut guard) = guards.swap_remove(script.below(guards.len().min(200)));
                match &mut guard {
                    Guard::Write(guard) => {
                        assert_eq!(**guard, value);
                        value += 1;
                        **guard = value;
                    }
                    Guard::Read(guard) => assert_eq!(**guard, value),
                }
                if let (Guard::Write(_), true) = (&guard, script.below(4) == 0) {
                    let Guard::Write(guard) = guard else { unreachable!() };
                    // Those behind it who read may come in too.
                    let guard = guard.downgrade();
                    model.writers -= 1;
                    model.readers += 1;
                    model.let_in();
                    guards.push((false, Guard::Read(guard)));
                    continue;
                }
                drop(guard);
                model.leave(writes);
            }
        }
        for waiting in &model.line {
            if waiting.is_in {
                assert!(waiting.lock.is_woken(), "it was let in, and it sleeps");
            }
        }
        if script.is_over() {
            break;
        }
    }
}
