//! References to one thing, kept by a thread to be handed out and taken back without counting.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::Arc;

/// As many are kept at most. Each spares the exchange that giving it up costs at the end, so the more the better; so
/// many are given up in a fraction of a millisecond.
const MOST: usize = 1 << 16;

/// An [`Arc`], and counts of it in hand: what this thread makes with one and drops again costs no atomic exchange, on a
/// line that all threads of the runtime would write to.
pub(crate) struct Purse<T> {
    own: Arc<T>,
    /// So many counts of `own` are held without an `Arc` for each.
    spare: Cell<usize>,
}

impl<T> Purse<T> {
    pub(crate) fn new(own: Arc<T>) -> Purse<T> {
        Purse { own, spare: Cell::new(0) }
    }

    /// One for somebody to keep.
    #[inline]
    pub(crate) fn take(&self) -> Arc<T> {
        match self.spare.get() {
            0 => Arc::clone(&self.own),
            spare => {
                self.spare.set(spare - 1);
                // SAFETY: the pointer of an `Arc`, with a count that nobody holds any more but we.
                unsafe { Arc::from_raw(Arc::as_ptr(&self.own)) }
            }
        }
    }

    /// Takes back what somebody kept; of another thing, or one too many, it is dropped.
    #[inline]
    pub(crate) fn put(&self, back: Arc<T>) {
        if self.spare.get() < MOST && Arc::ptr_eq(&back, &self.own) {
            std::mem::forget(back);
            self.spare.set(self.spare.get() + 1);
        }
    }
}

impl<T> Deref for Purse<T> {
    type Target = Arc<T>;

    #[inline]
    fn deref(&self) -> &Arc<T> {
        &self.own
    }
}

impl<T> Drop for Purse<T> {
    fn drop(&mut self) {
        for _ in 0..self.spare.get() {
            // SAFETY: the pointer of an `Arc`, which is still there, with a count that is ours.
            unsafe { Arc::decrement_strong_count(Arc::as_ptr(&self.own)) };
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_given_up_once() {
        let thing = Arc::new(1);
        let purse = Purse::new(Arc::clone(&thing));
        let out: Vec<_> = (0..MOST + 10).map(|_| purse.take()).collect();
        assert_eq!(Arc::strong_count(&thing), 2 + MOST + 10);
        out.into_iter().for_each(|one| purse.put(one));
        assert_eq!((purse.spare.get(), Arc::strong_count(&thing)), (MOST, 2 + MOST));
        let again = purse.take();
        assert_eq!((purse.spare.get(), Arc::strong_count(&thing)), (MOST - 1, 2 + MOST));
        let foreign = Arc::new(2);
        purse.put(Arc::clone(&foreign));
        assert_eq!(Arc::strong_count(&foreign), 1);
        drop(purse);
        assert_eq!((*again, Arc::strong_count(&thing)), (1, 2));
    }
}
