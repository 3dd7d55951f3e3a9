//! What every task begins with, whatever its future's type.

use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::NonNull;
use std::task::{Context, Waker};

use super::error::Payload;
use super::id::Id;
use super::state::State;
use crate::engine::instrument::SpanId;
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use crate::util::linked_list::{Link, Links};

/// The hot part of a task: one cache line. What belongs to one task type follows it in memory (`raw::Cell`).
///
/// # Who may touch what
/// * `state`: everybody.
/// * `vtable`, `id`, `location`, `span`: written once, before anybody else knows the task.
/// * `queue_next`: the queue the task's runnable is in.
/// * `links`: the shard of the live set the task is bound to, under its lock.
/// * `home`: everybody; a hint.
/// * `shard`: whoever polls the task: it binds it, once, and releases it.
/// * `stage`: whoever may touch the future or the output (see `raw`).
#[repr(C)]
pub(crate) struct Header {
    pub(super) state: State,
    pub(super) vtable: &'static Vtable,
    queue_next: UnsafeCell<Option<NonNull<Header>>>,
    pub(super) links: UnsafeCell<Links<Header>>,
    pub(super) id: Id,
    pub(super) location: &'static Location<'static>,
    home: AtomicU16,
    pub(super) shard: AtomicU16,
    pub(super) stage: AtomicU8,
    pub(super) span: SpanId,
}

/// The slot for the join handle's waker; `raw` says when its content has an owner who drops it.
pub(super) type JoinWaker = UnsafeCell<ManuallyDrop<Option<Waker>>>;

/// What differs between task types. The functions are `raw`'s, where their contracts are.
pub(crate) struct Vtable {
    pub(super) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> bool,
    pub(super) drop_stage: unsafe fn(NonNull<Header>, u8),
    pub(super) store_panic: unsafe fn(NonNull<Header>, Payload),
    pub(super) take_output: unsafe fn(NonNull<Header>, *mut ()),
    pub(super) deallocate: unsafe fn(NonNull<Header>),
    pub(super) schedule: unsafe fn(NonNull<Header>),
    pub(super) cancel: unsafe fn(NonNull<Header>),
    /// Where the join handle's waker is kept.
    pub(super) join_waker: unsafe fn(NonNull<Header>) -> NonNull<JoinWaker>,
}

/// The shard of a task that is not bound yet.
pub(super) const UNBOUND: u16 = u16::MAX;

/// The home of a task that no worker has run yet.
pub(crate) const NO_HOME: u16 = u16::MAX;

impl Header {
    pub(super) fn new(
        vtable: &'static Vtable,
        id: Id,
        location: &'static Location<'static>,
        span: SpanId,
        stage: u8,
    ) -> Header {
        Header {
            state: State::new(),
            vtable,
            queue_next: UnsafeCell::new(None),
            links: UnsafeCell::new(Links::new()),
            id,
            location,
            home: AtomicU16::new(NO_HOME),
            shard: AtomicU16::new(UNBOUND),
            stage: AtomicU8::new(stage),
            span,
        }
    }

    /// Links the task's runnable to the next one in its queue.
    ///
    /// # Safety
    /// The caller must own the runnable's reference, or the queue it is in.
    pub(crate) unsafe fn set_queue_next(task: NonNull<Header>, next: Option<NonNull<Header>>) {
        // SAFETY: the runnable's reference keeps the task alive, and there is one runnable at a time.
        unsafe { task.as_ref().queue_next.with_mut(|link| *link = next) }
    }

    /// The next runnable in the queue.
    ///
    /// # Safety
    /// As for [`set_queue_next`](Self::set_queue_next).
    pub(crate) unsafe fn queue_next(task: NonNull<Header>) -> Option<NonNull<Header>> {
        // SAFETY: as in `set_queue_next`.
        unsafe { task.as_ref().queue_next.with(|link| *link) }
    }

    /// Whether the live set knows the task.
    pub(super) fn is_bound(&self) -> bool {
        // Relaxed: written by whoever polls, and the state orders polls. Read by whoever is about to poll, who has
        // the runnable from a wake-up that came after the last poll.
        self.shard.load(Ordering::Relaxed) != UNBOUND
    }

    pub(crate) fn id(&self) -> Id {
        self.id
    }

    /// The worker that ran the task last.
    #[inline]
    pub(crate) fn home(&self) -> u16 {
        // Relaxed: a hint.
        self.home.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set_home(&self, worker: u16) {
        self.home.store(worker, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header").field("id", &self.id).field("state", &self.state.load()).finish()
    }
}

/// Links tasks in the live set.
pub(crate) struct LiveLink;

// SAFETY: `links` is a field of the header, which does not move, and only the live set goes there.
unsafe impl Link for LiveLink {
    type Node = Header;

    unsafe fn links(node: NonNull<Header>) -> NonNull<Links<Header>> {
        // SAFETY: `node` is alive by contract.
        let pointer = unsafe { node.as_ref().links.with_mut(|links| links) };
        // SAFETY: the address of a field is not null.
        unsafe { NonNull::new_unchecked(pointer) }
    }
}

#[cfg(all(test, not(loom), target_pointer_width = "64"))]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_one_cache_line() {
        assert_eq!(size_of::<Header>(), 64 + size_of::<SpanId>());
    }
}
