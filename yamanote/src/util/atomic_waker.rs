//! A slot for one waker that one side fills and any thread empties, without a lock.
//!
//! One task registers, many may wake. The contract that makes it useful: **set your flag, then
//! [`wake`](AtomicWaker::wake)** on one side, **[`register`](AtomicWaker::register), then look at the flag**
//! on the other. Either the waking side finds the waker, or the registering side finds the flag.
//!
//! # State
//! Two bits, both 0 when nobody is at the slot:
//!
//! * `REGISTERING`: set by the registering side for as long as it uses the slot.
//! * `WAKING`: set by a waking side; whoever set it on a slot that was 0 uses the slot until it clears it.
//!
//! A waking side that meets `REGISTERING` leaves its bit behind: the registering side then wakes what it
//! has just stored. One that meets `WAKING` does nothing, since the other one wakes. A registering side
//! that meets `WAKING` does not store anything and wakes its own task, which will come back.
//!
//! # Why no wake-up is lost
//! Every step is a read-modify-write on one word, so they have one order. If the waker's step comes after
//! the one that ends a registration, it sees the waker. If it comes during one, the registering side sees
//! its bit at the end. If it comes before, the registration's Acquire reads it (or a successor in its
//! release sequence), so the flag set before is visible to the look that follows.

use std::fmt;
use std::task::Waker;

use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire};

const IDLE: usize = 0;
const REGISTERING: usize = 1;
const WAKING: usize = 2;

/// See the module.
///
/// # Invariants
/// `slot` is touched only by the thread that moved `state` from `IDLE`, until it moves it back, and by one
/// that ends a registration and found `WAKING` there.
pub(crate) struct AtomicWaker {
    state: AtomicUsize,
    slot: UnsafeCell<Option<Waker>>,
}

// SAFETY: `state` gives the slot to one thread at a time; a `Waker` is `Send` and `Sync`.
unsafe impl Send for AtomicWaker {}
// SAFETY: as above.
unsafe impl Sync for AtomicWaker {}

/// The slot was taken cleanly before a panic could begin: a panicking waker leaves it as it would a success.
impl std::panic::UnwindSafe for AtomicWaker {}
impl std::panic::RefUnwindSafe for AtomicWaker {}

impl AtomicWaker {
    pub(crate) fn new() -> Self {
        AtomicWaker { state: AtomicUsize::new(IDLE), slot: UnsafeCell::new(None) }
    }

    /// Leaves `waker` for the next [`wake`](Self::wake), in place of an earlier one.
    ///
    /// To be called by one task at a time; two at once are safe, but only one of them is woken.
    pub(crate) fn register(&self, waker: &Waker) {
        /// Ends the registration, also when cloning the waker panics.
        struct Registering<'a>(&'a AtomicWaker);

        impl Drop for Registering<'_> {
            fn drop(&mut self) {
                // Release pairs with the Acquire of whoever takes the slot next; Acquire, on failure, with
                // the waking side's Release: its flag is seen by the task that is woken here.
                if self.0.state.compare_exchange(REGISTERING, IDLE, AcqRel, Acquire).is_ok() {
                    return;
                }
                // SAFETY: the slot is still ours: who set `WAKING` meanwhile left it alone.
                let waker = unsafe { self.0.slot.with_mut(|slot| (*slot).take()) };
                // Acquire too: what further waking sides did before they met `WAKING`.
                self.0.state.swap(IDLE, AcqRel);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }

        // Acquire pairs with the Release of earlier users of the slot and of waking sides, see the module.
        match self.state.compare_exchange(IDLE, REGISTERING, Acquire, Acquire) {
            Ok(_) => {
                let registering = Registering(self);
                // SAFETY: the step above gave us the slot.
                let replaced = unsafe {
                    self.slot.with_mut(|slot| match &*slot {
                        Some(old) if old.will_wake(waker) => None,
                        _ => {
                            let new = waker.clone();
                            (*slot).replace(new)
                        }
                    })
                };
                drop(registering);
                // Foreign code: after the slot is free again.
                drop(replaced);
            }
            Err(WAKING) => {
                // The slot is being emptied. Its flag may or may not be visible yet: come back.
                waker.wake_by_ref();
                crate::loom::hint::spin_loop();
            }
            // Two registrations at once: the other one stands.
            Err(_) => {}
        }
    }

    /// Wakes the registered task, if there is one, and forgets it.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.take() {
            waker.wake();
        }
    }

    /// Takes the waker out, to be woken by the caller. `None` also if somebody else is about to wake it.
    #[must_use]
    pub(crate) fn take(&self) -> Option<Waker> {
        // Release: the flag set before is seen by the registration that comes next. Acquire pairs with the
        // Release that ended the last registration: the slot's content.
        if self.state.fetch_or(WAKING, AcqRel) != IDLE {
            return None;
        }
        // SAFETY: the word was `IDLE`, so the step above gave us the slot.
        let waker = unsafe { self.slot.with_mut(|slot| (*slot).take()) };
        // Release pairs with the Acquire in `register`. A swap, not a store, so that the release sequences
        // of waking sides that came meanwhile go on.
        self.state.swap(IDLE, AcqRel);
        waker
    }
}

impl fmt::Debug for AtomicWaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtomicWaker").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize as StdAtomicUsize, Ordering};
    use std::task::{RawWaker, RawWakerVTable, Wake};

    struct Count(StdAtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn wakes_once_and_forgets() {
        let count = Arc::new(Count(StdAtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let slot = AtomicWaker::new();
        slot.wake();
        slot.register(&waker);
        slot.register(&waker);
        // The count, the local waker, the slot.
        assert_eq!(Arc::strong_count(&count), 3);
        slot.wake();
        slot.wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(Arc::strong_count(&count), 2);
    }

    #[test]
    fn a_panicking_clone_leaves_the_slot_usable() {
        fn panicking(_: *const ()) -> RawWaker {
            panic!("planned")
        }
        static TABLE: RawWakerVTable = RawWakerVTable::new(panicking, |_| {}, |_| {}, |_| {});
        // SAFETY: the functions take no account of the pointer.
        let bad = unsafe { Waker::new(std::ptr::null(), &TABLE) };
        let slot = AtomicWaker::new();
        assert!(std::panic::catch_unwind(|| slot.register(&bad)).is_err());

        let count = Arc::new(Count(StdAtomicUsize::new(0)));
        slot.register(&Waker::from(Arc::clone(&count)));
        assert!(std::panic::catch_unwind(|| slot.register(&bad)).is_err());
        slot.wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::Arc;
    use crate::loom::sync::atomic::Ordering::Relaxed;
    use crate::loom::{model, thread};
    use loom::future::block_on;
    use std::future::poll_fn;
    use std::task::Poll;

    struct Shared {
        waker: AtomicWaker,
        flags: AtomicUsize,
    }

    async fn until(shared: &Shared, flags: usize) {
        poll_fn(|cx| {
            shared.waker.register(cx.waker());
            // Relaxed: the slot alone has to order it.
            if shared.flags.load(Relaxed) >= flags { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn wakers(n: usize) {
        model(move || {
            let shared = Arc::new(Shared { waker: AtomicWaker::new(), flags: AtomicUsize::new(0) });
            let threads: Vec<_> = (0..n)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || {
                        shared.flags.fetch_add(1, Relaxed);
                        shared.waker.wake();
                    })
                })
                .collect();
            block_on(until(&shared, n));
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }

    #[test]
    fn one_waker() {
        wakers(1);
    }

    #[test]
    fn two_wakers() {
        wakers(2);
    }
}
