//! Join handles of any output type, and which of them are ready.
//!
//! Each task of a set has a [`Slot`]. Slots are made in chunks that stay where they are until the set is gone, so a
//! waker can point at one: a task that completes wakes "its slot", which appends the slot to a list of
//! ready ones. Nothing is allocated for a task but, now and then, a chunk.
//!
//! # Who may touch what
//! * `chunks`, `Slot::task`, and `Slot::next` of a slot without a waker: the [`Entries`], by `&mut`.
//! * `Slot::next` of a slot that was woken: whoever holds the lock on `ready`, until the `Entries` take the list.
//! * `Slot::set`: written once.
//!
//! # Life of a slot
//! free → (insert) watched → (the task completes) in the shared list → taken by the `Entries` → free. A
//! task's join waker is woken once in its life, so a slot that was taken is not written to by its former task
//! again. Detaching does not wait for that: it leaves the slots to the wakers and starts over.
//!
//! # Who keeps the memory
//! [`Shared`] counts references: one for the `Entries`, one for each waker. The `Entries` take references in
//! advance, a chunk's worth at a time, so that a task costs one atomic operation here instead of two.

use std::cell::UnsafeCell as StdUnsafeCell;
use std::mem;
use std::ptr::NonNull;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use crate::engine::task::{Header, JoinHandle};
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::{AtomicUsize, Ordering};

/// Slots in the first chunk. Arbitrary: many sets are small.
const FIRST_CHUNK: usize = 8;

/// Slots in the largest chunk. Arbitrary: 24 bytes each.
const LARGEST_CHUNK: usize = 512;

struct Slot {
    set: NonNull<Shared>,
    /// The next free, or the next ready slot.
    next: UnsafeCell<Option<NonNull<Slot>>>,
    /// The join handle.
    task: StdUnsafeCell<Option<NonNull<Header>>>,
}

struct Shared {
    refs: AtomicUsize,
    ready: Mutex<Ready>,
    /// Leaked boxes: pointers into them are out.
    chunks: StdUnsafeCell<Vec<NonNull<[Slot]>>>,
}

#[derive(Default)]
struct Ready {
    list: List,
    /// Of whoever waits for a task.
    waker: Option<Waker>,
}

/// Slots linked by `next`, oldest first.
#[derive(Default)]
struct List {
    head: Option<NonNull<Slot>>,
    tail: Option<NonNull<Slot>>,
}

// SAFETY: the slots are kept by `Shared`, and touched under the rules above.
unsafe impl Send for List {}

impl List {
    /// # Safety
    /// The slot must be alive, in no list, and the caller's to touch.
    unsafe fn push(&mut self, slot: NonNull<Slot>) {
        // SAFETY: by contract; the tail is in this list, which the caller has by `&mut`.
        unsafe {
            slot.as_ref().next.with_mut(|next| *next = None);
            match self.tail {
                Some(tail) => tail.as_ref().next.with_mut(|next| *next = Some(slot)),
                None => self.head = Some(slot),
            }
        }
        self.tail = Some(slot);
    }

    fn pop(&mut self) -> Option<NonNull<Slot>> {
        let slot = self.head?;
        // SAFETY: listed slots are alive, and the list's.
        self.head = unsafe { slot.as_ref() }.next.with(|next| unsafe { *next });
        if self.head.is_none() {
            self.tail = None;
        }
        Some(slot)
    }
}

/// The set's side.
pub(super) struct Entries {
    shared: Option<NonNull<Shared>>,
    /// References to `shared` taken in advance.
    spare_refs: usize,
    /// Free slots; the last one freed is the first one used.
    free: Option<NonNull<Slot>>,
    /// Slots of tasks that are done, taken from the shared list.
    ready: List,
    len: usize,
    slots: usize,
}

// SAFETY: join handles may be sent if the output may, which is for the user of `Entries` to say (`JoinSet<T>` has
// the bound); everything shared with other threads is atomic or behind the lock.
unsafe impl Send for Entries {}
// SAFETY: `&Entries` gives the length, nothing else.
unsafe impl Sync for Entries {}

impl Entries {
    pub(super) const fn new() -> Entries {
        Entries {
            shared: None,
            spare_refs: 0,
            free: None,
            ready: List { head: None, tail: None },
            len: 0,
            slots: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a task whose join handle was never polled.
    pub(super) fn insert<T>(&mut self, mut handle: JoinHandle<T>) {
        if self.free.is_none() {
            self.grow();
        }
        if self.spare_refs == 0 {
            self.take_refs();
        }
        let Some(slot) = self.free else { unreachable!("slots were just made") };
        // SAFETY: free slots are alive and ours.
        self.free = unsafe { slot.as_ref().next.with(|next| *next) };
        self.len += 1;
        // One of the spare references goes to the waker.
        self.spare_refs -= 1;
        // SAFETY: the vtable's functions fit slots, and the reference keeps the slot alive.
        let waker = unsafe { Waker::new(slot.as_ptr().cast_const().cast(), &VTABLE) };
        if let Err(waker) = handle.watch(waker) {
            // Done already; the reference is a spare one again.
            mem::forget(waker);
            self.spare_refs += 1;
            // SAFETY: without a waker the slot is ours.
            unsafe { self.ready.push(slot) };
        }
        // SAFETY: this field is ours, whatever the waker does.
        unsafe { *slot.as_ref().task.get() = Some(handle.into_raw()) };
    }

    /// Makes slots.
    #[cold]
    fn grow(&mut self) {
        let shared = *self.shared.get_or_insert_with(|| {
            NonNull::from(Box::leak(Box::new(Shared {
                refs: AtomicUsize::new(1),
                ready: Mutex::new(Ready::default()),
                chunks: StdUnsafeCell::new(Vec::new()),
            })))
        });
        let n = self.slots.clamp(FIRST_CHUNK, LARGEST_CHUNK);
        let chunk: Box<[Slot]> = (0..n)
            .map(|_| Slot { set: shared, next: UnsafeCell::new(None), task: StdUnsafeCell::new(None) })
            .collect();
        let chunk: &'static [Slot] = Box::leak(chunk);
        for slot in chunk.iter().rev() {
            // SAFETY: new, so ours.
            slot.next.with_mut(|next| unsafe { *next = self.free });
            self.free = Some(NonNull::from(slot));
        }
        // SAFETY: our reference keeps it alive, and only the `Entries` touch the chunks.
        unsafe { (*shared.as_ref().chunks.get()).push(NonNull::from(chunk)) };
        self.slots += n;
    }

    /// Takes references in advance.
    #[cold]
    fn take_refs(&mut self) {
        let Some(shared) = self.shared else { return };
        // Relaxed: made from our own reference, as when an `Arc` is cloned.
        // SAFETY: our reference keeps it alive.
        unsafe { shared.as_ref() }.refs.fetch_add(self.slots, Ordering::Relaxed);
        self.spare_refs += self.slots;
    }

    /// Whether a task is done. If not, the waker is woken when one is.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ready.head.is_some() {
            return Poll::Ready(());
        }
        match self.look(cx.waker(), &mut None) {
            Look::Ready => Poll::Ready(()),
            Look::Waiting => Poll::Pending,
            Look::WakerNeeded => {
                // Cloned and dropped outside the lock: both are foreign code.
                let mut waker = Some(cx.waker().clone());
                match self.look(cx.waker(), &mut waker) {
                    Look::Ready => Poll::Ready(()),
                    Look::Waiting | Look::WakerNeeded => Poll::Pending,
                }
            }
        }
    }

    /// Takes the tasks that are done from the shared list. If there are none, leaves `clone` there, unless a
    /// waker that wakes the same is there already.
    fn look(&mut self, waker: &Waker, clone: &mut Option<Waker>) -> Look {
        let Some(shared) = self.shared else { return Look::Waiting };
        // SAFETY: our reference keeps it alive.
        let mut ready = unsafe { shared.as_ref() }.ready.lock();
        if ready.list.head.is_some() {
            self.ready = mem::take(&mut ready.list);
            return Look::Ready;
        }
        if ready.waker.as_ref().is_some_and(|present| present.will_wake(waker)) {
            return Look::Waiting;
        }
        if clone.is_none() {
            return Look::WakerNeeded;
        }
        mem::swap(&mut ready.waker, clone);
        Look::Waiting
    }

    /// Whether a task is done, without waiting.
    pub(super) fn is_ready(&mut self) -> bool {
        if self.ready.head.is_none() {
            if let Some(shared) = self.shared {
                // SAFETY: our reference keeps it alive.
                self.ready = mem::take(&mut unsafe { shared.as_ref() }.ready.lock().list);
            }
        }
        self.ready.head.is_some()
    }

    /// Takes out the task that was done first, of those that [`is_ready`](Self::is_ready) or
    /// [`poll_ready`](Self::poll_ready) told of.
    ///
    /// # Safety
    /// All tasks must have been inserted with output type `T`.
    pub(super) unsafe fn take_ready<T>(&mut self) -> Option<JoinHandle<T>> {
        let slot = self.ready.pop()?;
        // SAFETY: its task has woken it, so it is ours again.
        let task = unsafe {
            slot.as_ref().next.with_mut(|next| *next = self.free);
            (*slot.as_ref().task.get()).take()
        };
        self.free = Some(slot);
        self.len -= 1;
        // SAFETY: it was put there by `insert`, out of a handle of that type, by contract.
        task.map(|task| unsafe { JoinHandle::from_raw(task) })
    }

    /// Visits all tasks.
    ///
    /// # Safety
    /// `f` must not come back here.
    unsafe fn for_each(shared: NonNull<Shared>, mut f: impl FnMut(&mut Option<NonNull<Header>>)) {
        // SAFETY: called with a reference held; chunks and tasks are the `Entries`' alone.
        unsafe {
            for chunk in &*shared.as_ref().chunks.get() {
                for slot in chunk.as_ref() {
                    f(&mut *slot.task.get());
                }
            }
        }
    }

    /// Aborts all tasks, and keeps them.
    pub(super) fn abort_all(&mut self) {
        let Some(shared) = self.shared else { return };
        // SAFETY: we hold a reference; aborting a task at the most schedules it.
        unsafe {
            Self::for_each(shared, |task| {
                if let Some(task) = *task {
                    // The handle stays in the slot.
                    mem::ManuallyDrop::new(JoinHandle::<()>::from_raw(task)).abort();
                }
            });
        }
    }

    /// Lets go of all tasks, aborted if `abort`.
    pub(super) fn clear(&mut self, abort: bool) {
        let Some(shared) = self.shared.take() else { return };
        // Dropped last, also by a panic.
        let _references = References(shared, mem::take(&mut self.spare_refs) + 1);
        (self.free, self.ready) = (None, List::default());
        (self.len, self.slots) = (0, 0);
        // SAFETY: we hold a reference. What is dropped may be foreign, but cannot reach these slots: `self` has
        // none any more. A handle may be dropped without its output's type.
        unsafe {
            Self::for_each(shared, |task| {
                if let Some(task) = task.take() {
                    let handle = JoinHandle::<()>::from_raw(task);
                    if abort {
                        handle.abort();
                    }
                }
            });
        }
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        self.clear(true);
    }
}

enum Look {
    Ready,
    Waiting,
    WakerNeeded,
}

/// References to a [`Shared`], given back when dropped.
struct References(NonNull<Shared>, usize);

impl Drop for References {
    fn drop(&mut self) {
        // SAFETY: we own the references.
        unsafe {
            // AcqRel: whoever frees comes after all that others did with theirs.
            if self.0.as_ref().refs.fetch_sub(self.1, Ordering::AcqRel) != self.1 {
                return;
            }
            let shared = Box::from_raw(self.0.as_ptr());
            for chunk in &*shared.chunks.get() {
                drop(Box::from_raw(chunk.as_ptr()));
            }
        }
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// # Safety
/// `data` must be what `insert` or `clone` put into a waker that is alive.
unsafe fn slot<'a>(data: *const ()) -> &'a Slot {
    // SAFETY: the waker's reference keeps the slot alive.
    unsafe { &*data.cast::<Slot>() }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // Relaxed: made from another reference, as when an `Arc` is cloned.
    // SAFETY: called through a waker.
    unsafe { slot(data).set.as_ref() }.refs.fetch_add(1, Ordering::Relaxed);
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: called through a waker, whose reference is consumed.
    unsafe {
        let _reference = References(slot(data).set, 1);
        wake_by_ref(data);
    }
}

/// The slot's task is done. Called once, by the task that completes.
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: called through a waker, which keeps slot and set alive; until the slot is taken it belongs to the list.
    let waker = unsafe {
        let slot = slot(data);
        let mut ready = slot.set.as_ref().ready.lock();
        ready.list.push(NonNull::from(slot));
        ready.waker.take()
    };
    if let Some(waker) = waker {
        waker.wake();
    }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: called through a waker, whose reference is consumed.
    drop(unsafe { References(slot(data).set, 1) });
}
