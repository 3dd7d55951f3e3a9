//! `Notify` against a flag and a line of those who wait.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;

use yamanote::sync::Notify;

use crate::poll::Polled;
use crate::script::Script;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waits,
    ByOne { last: bool },
    ByAll,
}

struct Waiting {
    state: State,
    notified: Polled<()>,
}

#[derive(Default)]
struct Model {
    permit: bool,
    waiting: VecDeque<Waiting>,
}

impl Model {
    fn notify(&mut self, last: bool) {
        let mut waits = self.waiting.iter_mut().filter(|waiting| waiting.state == State::Waits);
        let chosen = if last { waits.next_back() } else { waits.next() };
        match chosen {
            Some(waiting) => waiting.state = State::ByOne { last },
            None => self.permit = true,
        }
    }
}

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let notify = Arc::new(Notify::new());
    let mut model = Model::default();
    for _ in 0..200 {
        match script.below(7) {
            0 | 1 => {
                let mut notified = Polled::new(Arc::clone(&notify).notified_owned());
                match notified.poll() {
                    Poll::Ready(()) => assert!(std::mem::take(&mut model.permit), "nobody notified it"),
                    Poll::Pending => {
                        assert!(!model.permit, "a notification was there");
                        model.waiting.push_back(Waiting { state: State::Waits, notified });
                    }
                }
            }
            2 => {
                notify.notify_one();
                model.notify(false);
            }
            3 => {
                notify.notify_last();
                model.notify(true);
            }
            4 => {
                notify.notify_waiters();
                let waits = model.waiting.iter_mut().filter(|waiting| waiting.state == State::Waits);
                waits.for_each(|waiting| waiting.state = State::ByAll);
            }
            5 if !model.waiting.is_empty() => {
                let at = script.below(model.waiting.len().min(200));
                let waiting = &mut model.waiting[at];
                match waiting.notified.poll() {
                    Poll::Ready(()) => {
                        assert_ne!(waiting.state, State::Waits, "nobody notified it");
                        model.waiting.remove(at);
                    }
                    Poll::Pending => assert_eq!(waiting.state, State::Waits, "it was notified"),
                }
            }
            _ if !model.waiting.is_empty() => {
                // Gives up: a notification that was its alone goes on.
                let at = script.below(model.waiting.len().min(200));
                let gone = model.waiting.remove(at).unwrap();
                drop(gone.notified);
                if let State::ByOne { last } = gone.state {
                    model.notify(last);
                }
            }
            _ => {}
        }
        for waiting in &model.waiting {
            assert_eq!(waiting.notified.is_woken(), waiting.state != State::Waits);
        }
        if script.is_over() {
            break;
        }
    }
}
