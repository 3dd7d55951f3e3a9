//! One kind of signal, and who listens for it.
//!
//! Comes after whatever hears of signals: on Unix a runtime's pump ([`dispatch`](super::dispatch)), on Windows the thread that
//! the system starts for each. A signal counts up the version; listeners compare. A listener stores its waker
//! and then looks again: a signal either came before, and its version is seen, or finds the waker.

use std::task::{Context, Poll, Waker};

use crate::loom::sync::atomic::{AtomicUsize, Ordering};
use crate::loom::sync::{Mutex, MutexGuard};
use crate::util::WakeList;
use crate::util::canary::canary;

/// What the process keeps for each kind.
#[derive(Default)]
pub(super) struct Slot {
    /// How often listeners were told. They compare.
    version: AtomicUsize,
    listeners: Mutex<Listeners>,
}

#[derive(Default)]
struct Listeners {
    /// By listener number; numbers are used again.
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Slot {
    #[cfg(windows)]
    pub(super) const fn new() -> Slot {
        let listeners = Listeners { wakers: Vec::new(), free: Vec::new() };
        Slot { version: AtomicUsize::new(0), listeners: Mutex::new(listeners) }
    }

    fn lock(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock()
    }

    /// Whether anybody listens.
    #[cfg(windows)]
    pub(super) fn has_listeners(&self) -> bool {
        let listeners = self.lock();
        listeners.free.len() < listeners.wakers.len()
    }

    /// Tells all listeners.
    pub(super) fn tell(&self) {
        // Release pairs with the Acquire in `take_changed`.
        self.version.fetch_add(1, Ordering::Release);
        let mut next = 0;
        let mut wakers = WakeList::new();
        loop {
            {
                let mut listeners = self.lock();
                while next < listeners.wakers.len() && wakers.can_push() {
                    if let Some(waker) = listeners.wakers[next].take() {
                        wakers.push(waker);
                    }
                    next += 1;
                }
            }
            if wakers.is_empty() {
                return;
            }
            wakers.wake_all();
        }
    }
}

/// A listener's place in a slot.
pub(super) struct Listening {
    slot: &'static Slot,
    number: usize,
    seen: usize,
}

impl Listening {
    pub(super) fn new(slot: &'static Slot) -> Listening {
        let mut listeners = slot.lock();
        let number = listeners.free.pop().unwrap_or(listeners.wakers.len());
        if number == listeners.wakers.len() {
            listeners.wakers.push(None);
        }
        drop(listeners);
        // Acquire: nothing that came before counts.
        let seen = slot.version.load(Ordering::Acquire);
        Listening { slot, number, seen }
    }

    /// Ready once for any number of signals since the last time.
    pub(super) fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.take_changed() {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let old = self.slot.lock().wakers[self.number].replace(waker);
        drop(old);
        // Who told us meanwhile either came before the waker was stored, and the version is seen now, or finds it.
        if !canary!("listener-without-second-look") && self.take_changed() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// True once for any number of signals since the last time.
    pub(super) fn take_changed(&mut self) -> bool {
        // Acquire pairs with the Release in `tell`.
        let version = self.slot.version.load(Ordering::Acquire);
        std::mem::replace(&mut self.seen, version) != version
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let waker = {
            let mut listeners = self.slot.lock();
            listeners.free.push(self.number);
            listeners.wakers[self.number].take()
        };
        drop(waker);
    }
}
