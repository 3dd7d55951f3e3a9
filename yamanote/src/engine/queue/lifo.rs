//! The LIFO slot: the task that was woken last runs next.
//!
//! Whoever sends a message wakes its receiver; running it at once finds the message in the cache. The slot
//! holds one task; a second one moves the first to the ring. It is no place to hide: when its worker is
//! stuck in a poll, others may take the task out (see `search`), so it is an atomic, not a plain field.

use std::ptr::{self, NonNull};

use crate::engine::queue::ring::Raw;
use crate::engine::task::Header;
use crate::loom::sync::atomic::{AtomicPtr, Ordering};

#[derive(Debug)]
pub(crate) struct LifoSlot(AtomicPtr<Header>);

impl LifoSlot {
    pub(crate) fn new() -> Self {
        LifoSlot(AtomicPtr::new(ptr::null_mut()))
    }

    /// Puts `task` in and gives back what was there. For the worker that owns the slot.
    #[inline]
    pub(crate) fn replace(&self, task: Raw) -> Option<Raw> {
        // Release pairs with `take`'s acquire (the task's state travels with the pointer); Acquire does so
        // for the task that comes out.
        NonNull::new(self.0.swap(task.as_ptr(), Ordering::AcqRel))
    }

    /// Takes the task out. For anybody.
    #[inline]
    pub(crate) fn take(&self) -> Option<Raw> {
        // Relaxed: only to spare the exclusive access when the slot is empty.
        if self.is_empty() {
            return None;
        }
        // Acquire pairs with `replace`'s release.
        NonNull::new(self.0.swap(ptr::null_mut(), Ordering::Acquire))
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed).is_null()
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::Arc;
    use crate::loom::thread;

    fn raw(n: usize) -> Raw {
        NonNull::new(ptr::without_provenance_mut(n * 64)).unwrap()
    }

    /// The owner replaces and takes while a rescuer takes: every task comes out once.
    #[test]
    fn owner_and_rescuer() {
        crate::loom::model(|| {
            let slot = Arc::new(LifoSlot::new());
            let other = Arc::clone(&slot);
            let rescuer = thread::spawn(move || other.take().map_or(0, |t| t.as_ptr().addr()));
            let mut got = 0;
            for i in 1..=2 {
                got += slot.replace(raw(i)).map_or(0, |t| t.as_ptr().addr());
            }
            got += slot.take().map_or(0, |t| t.as_ptr().addr());
            got += rescuer.join().unwrap();
            got += slot.take().map_or(0, |t| t.as_ptr().addr());
            assert_eq!(got, 3 * 64);
        });
    }
}
