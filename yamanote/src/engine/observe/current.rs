//! Which task a worker polls, for the monitor to look at.

use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::engine::task::Id;
use crate::util::{CachePadded, Counter};

/// Written by the thread that has the worker's core, and only where somebody wants to know.
///
/// The two words do not belong together by themselves: the reader compares the worker's count of polls before
/// and after, which tells whether they are of the poll it thinks of.
#[derive(Default)]
pub(crate) struct Current(CachePadded<Words>);

#[derive(Default)]
struct Words {
    /// 0: none.
    id: Counter,
    location: AtomicPtr<Location<'static>>,
    /// The thread that has the core, as the system calls it; 0 is not known.
    #[allow(dead_code)] // Whose stack is looked at, where that can be done.
    thread: AtomicU32,
}

impl Current {
    pub(crate) fn set(&self, id: Id, location: &'static Location<'static>) {
        // Relaxed: a reader that sees one and not the other has long not moved on; see the type.
        self.0.location.store(ptr::from_ref(location).cast_mut(), Ordering::Relaxed);
        self.0.id.set(id.as_u64());
    }

    pub(crate) fn clear(&self) {
        self.0.id.set(0);
    }

    pub(crate) fn get(&self) -> Option<(Id, &'static Location<'static>)> {
        let id = Id::from_u64(self.0.id.get())?;
        // SAFETY: nothing but `'static` references is stored, or null.
        let location = unsafe { self.0.location.load(Ordering::Relaxed).as_ref() }?;
        Some((id, location))
    }

    #[allow(dead_code)] // As the field.
    pub(crate) fn set_thread(&self, id: u32) {
        // Relaxed: stands alone.
        self.0.thread.store(id, Ordering::Relaxed);
    }

    #[allow(dead_code)] // As the field.
    pub(crate) fn thread(&self) -> Option<u32> {
        Some(self.0.thread.load(Ordering::Relaxed)).filter(|id| *id != 0)
    }
}
