//! A bounded batch of wakers, collected under a lock and run after it is released.
//!
//! A waker is foreign code: it may take any lock, also ours. So whoever wakes many waiters collects
//! them here, lets go of the lock, calls [`WakeList::wake_all`] and comes back for more.

use std::mem::MaybeUninit;
use std::task::Waker;

use crate::util::contain::contain;

/// Wakers taken per lock hold. Arbitrary: 32 × 16 bytes keep the batch within half a kilobyte of stack.
/// One in models, so that they see what happens between batches.
const CAPACITY: usize = if cfg!(loom) { 1 } else { 32 };

/// Those below `len` are there. Not options: most batches are small, and should not pay for filling and clearing all.
pub(crate) struct WakeList {
    wakers: [MaybeUninit<Waker>; CAPACITY],
    len: usize,
}

impl WakeList {
    #[inline]
    pub(crate) const fn new() -> Self {
        WakeList { wakers: [const { MaybeUninit::uninit() }; CAPACITY], len: 0 }
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
        self.wakers[self.len].write(waker);
        self.len += 1;
    }

    /// Wakes all, in the order they were pushed. A panicking waker does not keep the rest from waking.
    pub(crate) fn wake_all(&mut self) {
        let mut rest = Rest { wakers: &self.wakers[..self.len] };
        // What the batch held is the guard's now.
        self.len = 0;
        while let Some(waker) = rest.next() {
            waker.wake();
        }
    }
}

impl Drop for WakeList {
    #[inline]
    fn drop(&mut self) {
        #[cold]
        fn drop_all(wakers: &[MaybeUninit<Waker>]) {
            for waker in wakers {
                // SAFETY: below `len`, so it is there, and the batch is gone after this.
                drop(unsafe { waker.assume_init_read() });
            }
        }

        if self.len > 0 {
            drop_all(&self.wakers[..self.len]);
        }
    }
}

/// Wakers that are on their way; wakes what is left when one of them panics.
struct Rest<'a> {
    /// All are there, and ours.
    wakers: &'a [MaybeUninit<Waker>],
}

impl Rest<'_> {
    #[inline]
    fn next(&mut self) -> Option<Waker> {
        let (first, rest) = self.wakers.split_first()?;
        self.wakers = rest;
        // SAFETY: it was there, and is no longer among ours.
        Some(unsafe { first.assume_init_read() })
    }
}

impl Drop for Rest<'_> {
    #[inline]
    fn drop(&mut self) {
        #[cold]
        fn wake_rest(rest: &mut Rest<'_>) {
            while let Some(waker) = rest.next() {
                // Unwinding already: a second panic would end the process.
                contain(|| waker.wake());
            }
        }

        if !self.wakers.is_empty() {
            wake_rest(self);
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
