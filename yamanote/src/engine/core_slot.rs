//! Where the core of a single-threaded runtime waits between two `block_on`s.
//!
//! Several threads may call `block_on` at once: one takes the core and drives the runtime, the others
//! poll their own future when it is woken and wait for the core. Whoever puts it back wakes one of
//! them.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread, ThreadId};

use crate::engine::worker::Core;
use crate::util::canary::canary;

#[derive(Default)]
struct State {
    core: Option<Box<Core>>,
    /// Threads that want the core, first come first served.
    waiting: Vec<Thread>,
}

#[derive(Default)]
pub(crate) struct CoreSlot(Mutex<State>);

impl CoreSlot {
    pub(crate) fn new() -> Self {
        CoreSlot::default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The core, if it is there; else the calling thread is unparked when it may be.
    pub(crate) fn take_or_wait(&self) -> Option<Box<Core>> {
        let me = thread::current();
        let mut state = self.lock();
        match state.core.take() {
            Some(core) => {
                // It may have come by although another was chosen, and then still waits in line: the one chosen
                // when it puts the core back must not be itself.
                state
                    .waiting
                    .retain(|thread| thread.id() != me.id() || canary!("core-taken-out-of-line"));
                Some(core)
            }
            None => {
                if !state.waiting.iter().any(|t| t.id() == me.id()) {
                    state.waiting.push(me);
                }
                None
            }
        }
    }

    pub(crate) fn take(&self) -> Option<Box<Core>> {
        self.lock().core.take()
    }

    /// The calling thread no longer wants the core; passes the chance on if it was given one.
    pub(crate) fn stop_waiting(&self) {
        let me: ThreadId = thread::current().id();
        let next = {
            let mut state = self.lock();
            let before = state.waiting.len();
            state.waiting.retain(|t| t.id() != me);
            let was_chosen = state.waiting.len() == before;
            if was_chosen && state.core.is_some() && !state.waiting.is_empty() {
                Some(state.waiting.remove(0))
            } else {
                None
            }
        };
        if let Some(thread) = next {
            thread.unpark();
        }
    }

    /// The core will not come back: whoever waits for it has to look.
    pub(crate) fn wake_all(&self) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        waiting.iter().for_each(Thread::unpark);
    }

    /// Puts the core back and wakes one thread that waits for it.
    pub(crate) fn put(&self, core: Box<Core>) {
        let next = {
            let mut state = self.lock();
            state.core = Some(core);
            if state.waiting.is_empty() { None } else { Some(state.waiting.remove(0)) }
        };
        if let Some(thread) = next {
            thread.unpark();
        }
    }
}
