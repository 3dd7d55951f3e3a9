//! The task cell: one allocation for header, scheduler, future and output. The only file that goes from a task
//! pointer to what is behind it.
//!
//! # Who may touch the stage
//! The stage is the future, then the output, then nothing; a tag in the header tells which.
//! 1. Whoever moved the state to `RUNNING` (by `start_poll` or `shut_down`) has it alone, until it moves the
//!    state to idle or `COMPLETE`.
//! 2. After `COMPLETE` it is the join handle's while `JOIN_INTEREST` is set. If that was cleared before
//!    `COMPLETE`, it is the completer's, who drops the output.
//! 3. Whoever drops the last reference has it alone.
//!
//! # Who may touch the join waker's slot
//! 1. While `JOIN_WAKER` is clear: the join handle.
//! 2. While it is set: nobody writes. The completer reads the waker, which is its own from then on; the join handle may
//!    still compare.
//! 3. Once the task is complete: nobody writes any more, and what is left in there belongs to nobody.
//!
//! So whoever is the slot's owner by rule 1 leaves nothing in it when it is done, unless it sets the flag.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use super::error::{JoinError, Payload};
use super::header::{Header, JoinWaker, Vtable};
use super::id::{CurrentId, Id};
use super::refs::{Runnable, TaskRef};
use super::state::{DropJoin, EndPoll, StartPoll};
use super::{Schedule, waker};
use crate::engine::instrument::SpanId;
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::Ordering;
use crate::util::canary::canary;

/// What the stage holds.
mod stage {
    pub(super) const FUTURE: u8 = 0;
    pub(super) const OUTPUT: u8 = 1;
    pub(super) const CANCELLED: u8 = 2;
    pub(super) const PANICKED: u8 = 3;
    pub(super) const EMPTY: u8 = 4;
}

union Stage<F: Future> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<F::Output>,
    panic: ManuallyDrop<Payload>,
}

#[repr(C)]
struct Cell<F: Future, S> {
    header: Header,
    scheduler: S,
    join_waker: JoinWaker,
    stage: UnsafeCell<Stage<F>>,
}

/// Makes a task on the heap, with one reference each for a [`Runnable`] and a join handle.
pub(super) fn allocate<F: Future + 'static, S: Schedule>(
    future: F,
    scheduler: S,
    id: Id,
    location: &'static Location<'static>,
    span: SpanId,
) -> NonNull<Header> {
    let cell = Box::new(Cell::<F, S> {
        header: Header::new(&const { vtable::<F, S>() }, id, location, span, stage::FUTURE),
        scheduler,
        join_waker: UnsafeCell::new(ManuallyDrop::new(None)),
        stage: UnsafeCell::new(Stage { future: ManuallyDrop::new(future) }),
    });
    NonNull::from(Box::leak(cell)).cast()
}

const fn vtable<F: Future + 'static, S: Schedule>() -> Vtable {
    Vtable {
        run: run::<F, S>,
        schedule: schedule::<F, S>,
        cancel: cancel::<F, S>,
        free: free::<F, S>,
        poll_join: poll_join::<F, S>,
        drop_join: drop_join::<F, S>,
        join_waker: join_waker::<F, S>,
    }
}

/// # Safety
/// `task` must point to a live `Cell<F, S>`; the reference must not outlive it. All vtable functions ask for
/// that, and it holds since the vtable is made for the types the cell was made with.
unsafe fn cell<'a, F: Future, S>(task: NonNull<Header>) -> &'a Cell<F, S> {
    // SAFETY: by contract; the header is the cell's first field.
    unsafe { task.cast().as_ref() }
}

impl<F: Future + 'static, S: Schedule> Cell<F, S> {
    fn tag(&self) -> u8 {
        // Relaxed: read by whoever owns the stage, who got it by a transition of the state.
        self.header.stage.load(Ordering::Relaxed)
    }

    fn set_tag(&self, tag: u8) {
        // Relaxed: as in `tag`.
        self.header.stage.store(tag, Ordering::Relaxed);
    }

    /// Polls the future; when it is done, the future is dropped and the output is in its place.
    ///
    /// # Safety
    /// The caller must own the stage (rule 1), and it must hold the future.
    unsafe fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        /// Drops the future while its panic unwinds, as if it were a local of the code that polls it.
        struct DropOnUnwind<'a, F: Future + 'static, S: Schedule>(&'a Cell<F, S>);

        impl<F: Future + 'static, S: Schedule> Drop for DropOnUnwind<'_, F, S> {
            fn drop(&mut self) {
                // A second panic must not leave this destructor: that would end the process. The first
                // one's payload is the one to tell.
                // SAFETY: made where the stage is owned.
                let _ = catch_unwind(AssertUnwindSafe(|| unsafe { self.0.drop_stage() }));
            }
        }

        debug_assert_eq!(self.tag(), stage::FUTURE);
        let _id = CurrentId::set(self.header.id);
        let guard = DropOnUnwind(self);
        // SAFETY: the stage is ours and holds the future, which stays in place until it is dropped.
        let poll =
            self.stage.with_mut(|stage| unsafe { Pin::new_unchecked(&mut *(*stage).future).poll(cx) });
        std::mem::forget(guard);
        let Poll::Ready(output) = poll else { return Poll::Pending };
        // SAFETY: still ours. If the drop of the future panics the tag says that nothing is left.
        unsafe {
            self.drop_stage();
            self.stage.with_mut(|stage| (*stage).output = ManuallyDrop::new(output));
        }
        self.set_tag(stage::OUTPUT);
        Poll::Ready(())
    }

    /// Drops what the stage holds.
    ///
    /// # Safety
    /// The caller must own the stage.
    unsafe fn drop_stage(&self) {
        let tag = self.tag();
        // Before the drop, which may panic.
        self.set_tag(stage::EMPTY);
        // SAFETY: the tag told what is in there, and nobody will look again.
        self.stage.with_mut(|stage| unsafe {
            match tag {
                stage::FUTURE => ManuallyDrop::drop(&mut (*stage).future),
                stage::OUTPUT => ManuallyDrop::drop(&mut (*stage).output),
                stage::PANICKED => ManuallyDrop::drop(&mut (*stage).panic),
                _ => {}
            }
        });
    }

    /// Records a panic of the future in place of an output.
    ///
    /// # Safety
    /// The caller must own the stage, and it must be empty.
    unsafe fn store_panic(&self, payload: Box<dyn std::any::Any + Send>) {
        let payload: Payload = Box::new(Mutex::new(payload));
        // SAFETY: ours, and nothing is overwritten that would want a drop.
        self.stage.with_mut(|stage| unsafe { (*stage).panic = ManuallyDrop::new(payload) });
        self.set_tag(stage::PANICKED);
    }

    /// Drops the future of a cancelled task.
    ///
    /// # Safety
    /// The caller must own the stage.
    unsafe fn cancel_future(&self) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            let _id = CurrentId::set(self.header.id);
            // SAFETY: by contract.
            unsafe { self.drop_stage() }
        }));
        match result {
            Ok(()) => self.set_tag(stage::CANCELLED),
            // SAFETY: ours, and emptied by the drop that panicked.
            Err(payload) => unsafe { self.store_panic(payload) },
        }
    }

    /// Takes the output out.
    ///
    /// # Safety
    /// The caller must own the stage, and the task must be complete.
    unsafe fn take_output(&self) -> Result<F::Output, JoinError> {
        let tag = self.tag();
        self.set_tag(stage::EMPTY);
        // SAFETY: the tag told what is in there, and nobody will look again.
        self.stage.with_mut(|stage| unsafe {
            match tag {
                stage::OUTPUT => Ok(ManuallyDrop::take(&mut (*stage).output)),
                stage::CANCELLED => Err(JoinError::cancelled(self.header.id)),
                stage::PANICKED => {
                    let payload = ManuallyDrop::take(&mut (*stage).panic);
                    Err(JoinError::panic(self.header.id, payload))
                }
                _ => panic!("JoinHandle polled after completion"),
            }
        })
    }

    /// The future is gone: tells the join handle, leaves the live set, and drops the caller's references.
    ///
    /// # Safety
    /// The caller must own the stage and `refs` references, which are consumed.
    unsafe fn complete(&self, task: NonNull<Header>, mut refs: usize) {
        let snapshot = self.header.state.complete();
        // What runs here is the user's: an output's drop, a waker. Its panics are not the worker's.
        if !snapshot.is_join_interested() {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let _id = CurrentId::set(self.header.id);
                // SAFETY: rule 2: the join handle left before `COMPLETE`.
                unsafe { self.drop_stage() };
            }));
        } else if snapshot.has_join_waker() {
            // SAFETY: rule 2 of the waker's slot; it is read this once, by whoever completed the task.
            let waker = self.join_waker.with(|waker| unsafe { ManuallyDrop::into_inner(waker.read()) });
            // By value: what the waker holds of its task goes to the queue with it, and need not be dropped after.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.map(Waker::wake)));
        }
        if self.scheduler.has_terminate_hook() {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                self.scheduler.on_terminate(self.header.id, self.header.location);
            }));
        }
        // SAFETY: our reference keeps the task alive, and the borrowed `TaskRef` drops none.
        let borrowed = ManuallyDrop::new(unsafe { TaskRef::<S>::from_raw(task) });
        if self.scheduler.release(&borrowed) {
            refs += 1;
        }
        let had_waker = snapshot.is_join_interested() && snapshot.has_join_waker();
        if self.header.state.drop_completer_refs(refs, had_waker) {
            // SAFETY: those were the last.
            unsafe { free::<F, S>(task) };
        }
    }
}

unsafe fn run<F: Future + 'static, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps the cell alive for the call, or until it is consumed.
    let cell = unsafe { cell::<F, S>(task) };
    let bound = cell.header.is_bound();
    match cell.header.state.start_poll(bound) {
        StartPoll::Poll => {}
        StartPoll::Cancel => {
            // SAFETY: `RUNNING` is ours, and so are the stage and the runnable's reference.
            unsafe {
                cell.cancel_future();
                cell.complete(task, 1);
            }
            return;
        }
        StartPoll::Nothing => return,
        // SAFETY: the last reference was dropped.
        StartPoll::Free => return unsafe { free::<F, S>(task) },
    }
    // The runnable's reference, and one for the live set if that does not know the task yet.
    let mut refs = if bound { 1 } else { 2 };
    let poll = {
        // A waker for the poll, without a reference of its own: ours outlives the poll.
        let waker = waker::borrowed(task);
        let mut cx = Context::from_waker(&waker);
        // SAFETY: rule 1.
        catch_unwind(AssertUnwindSafe(|| unsafe { cell.poll(&mut cx) }))
    };
    match poll {
        // SAFETY: rule 1 still holds, and so many references are ours.
        Ok(Poll::Ready(())) => unsafe { cell.complete(task, refs) },
        Ok(Poll::Pending) => {
            let mut end = cell.header.state.end_poll(bound);
            if end == EndPoll::Bind {
                // About to be suspended for the first time: from now on only wakers lead to the task, so
                // the live set has to know it.
                // SAFETY: one of our references goes to the set.
                end = match cell.scheduler.bind(unsafe { TaskRef::from_raw(task) }) {
                    Ok(()) => {
                        refs = 1;
                        cell.header.state.end_poll(true)
                    }
                    Err(reference) => {
                        // The runtime shuts down.
                        let _ = reference.into_raw();
                        EndPoll::Cancel
                    }
                };
            }
            match end {
                EndPoll::Idle => {}
                EndPoll::Bind => unreachable!("bound once"),
                // SAFETY: the last reference was dropped.
                EndPoll::Free => unsafe { free::<F, S>(task) },
                // SAFETY: the poll's reference is the new runnable's.
                EndPoll::Reschedule => unsafe {
                    S::yield_now(&raw const cell.scheduler, Runnable::from_raw(task));
                },
                // SAFETY: still `RUNNING`, by us, with our references.
                EndPoll::Cancel => unsafe {
                    cell.cancel_future();
                    cell.complete(task, refs);
                },
            }
        }
        Err(payload) => {
            // SAFETY: rule 1, and the stage is empty.
            unsafe { cell.store_panic(payload) };
            cell.scheduler.unhandled_panic();
            // SAFETY: rule 1, and so many references are ours.
            unsafe { cell.complete(task, refs) };
        }
    }
}

unsafe fn schedule<F: Future + 'static, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps the cell alive, until it goes to the runnable and with it into a queue.
    unsafe {
        let scheduler = &raw const cell::<F, S>(task).scheduler;
        S::schedule(scheduler, Runnable::from_raw(task));
    }
}

unsafe fn cancel<F: Future + 'static, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the caller owns `RUNNING` and a reference.
    unsafe {
        let cell = cell::<F, S>(task);
        cell.cancel_future();
        cell.complete(task, 1);
    }
}

unsafe fn free<F: Future + 'static, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: allocated as this type by `allocate`; no reference is left, so it is ours alone.
    let cell = unsafe { Box::from_raw(task.cast::<Cell<F, S>>().as_ptr()) };
    if cell.tag() != stage::EMPTY {
        // A task whose every reference went before it was complete still has its future.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _id = CurrentId::set(cell.header.id);
            // SAFETY: rule 3.
            unsafe { cell.drop_stage() };
        }));
    }
    drop(cell);
}

unsafe fn poll_join<F: Future + 'static, S: Schedule>(
    task: NonNull<Header>,
    out: *mut (),
    cx: &mut Context<'_>,
) {
    // SAFETY: the join handle's reference keeps the cell alive.
    let cell = unsafe { cell::<F, S>(task) };
    // SAFETY: only the join handle calls this.
    if unsafe { is_ready(&cell.header, &cell.join_waker, cx.waker()) } {
        let out = out.cast::<Poll<Result<F::Output, JoinError>>>();
        // SAFETY: complete, with the join handle's interest: rule 2. `out` leads to a value of that type.
        unsafe { *out = Poll::Ready(cell.take_output()) };
    }
}

/// Whether the task is complete; if not, `waker` is woken when it is.
///
/// # Safety
/// Only for the join handle.
unsafe fn is_ready(header: &Header, slot: &JoinWaker, waker: &Waker) -> bool {
    let snapshot = header.state.load();
    if snapshot.is_complete() {
        return true;
    }
    if snapshot.has_join_waker() {
        // SAFETY: nobody writes while the flag is set. The completer may have taken the waker, but what tells one
        // waker from another is still there.
        let same = slot.with(|slot| unsafe { (*slot).as_ref().is_some_and(|w| w.will_wake(waker)) });
        if same {
            return false;
        }
        if header.state.unset_join_waker().is_err() {
            return true;
        }
        // SAFETY: the flag is clear, so the slot is the join handle's.
        let old = slot.with_mut(|slot| unsafe { (*slot).take() });
        drop(old);
    }
    let waker = waker.clone();
    // SAFETY: the flag is clear, so the slot is the join handle's, and empty.
    slot.with_mut(|slot| unsafe { *slot = ManuallyDrop::new(Some(waker)) });
    let complete = header.state.set_join_waker().is_err() && !canary!("completion-overlooked");
    if complete {
        // SAFETY: the flag is still clear.
        let unused = slot.with_mut(|slot| unsafe { (*slot).take() });
        drop(unused);
    }
    complete
}

unsafe fn drop_join<F: Future + 'static, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the join handle's reference keeps the cell alive.
    let cell = unsafe { cell::<F, S>(task) };
    let snapshot = cell.header.state.load();
    let action = if snapshot.is_complete() {
        // Nobody looks at the interest any more. The waker, if there was one, is the completer's.
        DropJoin { output: cell.tag() != stage::EMPTY, waker: false }
    } else {
        cell.header.state.drop_join()
    };
    // The output's and the waker's drops are the user's; whoever drops a handle does not expect their
    // panics, and upstream keeps them too.
    if action.output {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _id = CurrentId::set(cell.header.id);
            // SAFETY: rule 2: complete while the join handle was interested.
            unsafe { cell.drop_stage() };
        }));
    }
    if action.waker {
        // SAFETY: rule 1 of the waker's slot.
        let waker = cell.join_waker.with_mut(|waker| unsafe { (*waker).take() });
        let _ = catch_unwind(AssertUnwindSafe(|| drop(waker)));
    }
    if cell.header.state.drop_refs(1) {
        // SAFETY: that was the last.
        unsafe { free::<F, S>(task) };
    }
}

/// Leaves a waker with a task whose join handle was never polled; gives it back if the task is complete.
///
/// # Safety
/// Only for the join handle, whose reference keeps the task alive.
pub(super) unsafe fn watch(task: NonNull<Header>, waker: Waker) -> Result<(), Waker> {
    // SAFETY: alive by contract; the vtable fits.
    let (header, slot) = unsafe {
        let header = task.as_ref();
        (header, (header.vtable.join_waker)(task).as_ref())
    };
    let snapshot = header.state.load();
    if snapshot.is_complete() {
        return Err(waker);
    }
    assert!(!snapshot.has_join_waker(), "a task is watched that was polled for");
    // SAFETY: the flag is clear, so the slot is the join handle's.
    slot.with_mut(|slot| unsafe { *slot = ManuallyDrop::new(Some(waker)) });
    if header.state.set_join_waker().is_ok() {
        return Ok(());
    }
    // SAFETY: the flag is still clear.
    match slot.with_mut(|slot| unsafe { (*slot).take() }) {
        Some(waker) => Err(waker),
        None => unreachable!("nobody else touches the slot"),
    }
}

unsafe fn join_waker<F: Future + 'static, S: Schedule>(task: NonNull<Header>) -> NonNull<JoinWaker> {
    // SAFETY: the caller's reference keeps the cell alive.
    NonNull::from(unsafe { &cell::<F, S>(task).join_waker })
}

#[cfg(all(test, not(loom), target_pointer_width = "64"))]
mod tests {
    use super::*;

    struct Nowhere(#[allow(dead_code)] usize);

    impl Schedule for Nowhere {
        unsafe fn schedule(_: *const Self, _: Runnable<Self>) {}
        fn bind(&self, _: TaskRef<Self>) -> Result<(), TaskRef<Self>> {
            Ok(())
        }
        fn release(&self, _: &TaskRef<Self>) -> bool {
            false
        }
    }

    fn size<F: Future>(_: F) -> usize {
        size_of::<Cell<F, Nowhere>>()
    }

    #[test]
    fn a_tiny_task_takes_96_bytes() {
        assert!(size(async { std::future::pending::<()>().await }) <= 96 + size_of::<SpanId>());
    }
}
