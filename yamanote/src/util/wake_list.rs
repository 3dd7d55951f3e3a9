//! A bounded batch of wakers, collected under a lock and run after it is released.
//!
//! A waker is foreign code: it may take any lock, also ours. So whoever wakes many waiters collects
//! them here, lets go of the lock, calls [`WakeList::wake_all`] and comes back for more.

use std::task::Waker;

use crate::util::contain::contain;

/// Wakers taken per lock hold. Arbitrary: 32 × 16 bytes keep the batch within half a kilobyte of stack.
/// One in models, so that they see what happens between batches.
const CAPACITY: usize = if cfg!(loom) { 1 } else { 32 };

pub(crate) struct WakeList {
    wakers: [Option<Waker>; CAPACITY],
    len: usize,
}

impl WakeList {
    pub(crate) const fn new() -> Self {
        WakeList { wakers: [const { None }; CAPACITY], len: 0 }
    }

    #[inline]
    pub(crate) fn can_push(&self) -> bool {
        self.len < CAPACITY
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a waker.
    ///
    /// # Panics
    /// If the batch is full: ask `can_push` first.
    #[inline]
    pub(crate) fn push(&mut self, waker: Waker) {
        self.wakers[self.len] = Some(waker);
        self.len += 1;
    }

    /// Wakes all, in the order they were pushed. A panicking waker does not keep the rest from waking.
    pub(crate) fn wake_all(&mut self) {
        /// Wakes what is left when a waker panics.
        struct Rest<'a>(std::slice::IterMut<'a, Option<Waker>>);

        impl Drop for Rest<'_> {
            fn drop(&mut self) {
                for waker in self.0.by_ref().filter_map(Option::take) {
                    // Unwinding already: a second panic would end the process.
                    contain(|| waker.wake());
                }
            }
        }

        let len = std::mem::take(&mut self.len);
        let mut rest = Rest(self.wakers[..len].iter_mut());
        for slot in rest.0.by_ref() {
            if let Some(waker) = slot.take() {
                waker.wake();
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    struct Count(AtomicUsize, bool);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            assert!(!self.1, "planned");
        }
    }

    #[test]
    fn a_panicking_waker_leaves_nobody_asleep() {
        let good = Arc::new(Count(AtomicUsize::new(0), false));
        let bad = Arc::new(Count(AtomicUsize::new(0), true));
        let mut list = WakeList::new();
        list.push(good.clone().into());
        list.push(bad.clone().into());
        list.push(bad.clone().into());
        list.push(good.clone().into());
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| list.wake_all())).is_err());
        assert_eq!(good.0.load(Ordering::Relaxed), 2);
        assert!(list.is_empty());
    }
}
