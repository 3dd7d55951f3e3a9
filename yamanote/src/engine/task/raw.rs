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

/// What is the same for every future of one scheduler.
#[repr(C)]
struct Front<S> {
    header: Header,
    scheduler: S,
    join_waker: JoinWaker,
}

#[repr(C)]
struct Cell<F: Future, S> {
    front: Front<S>,
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
        front: Front {
            header: Header::new(&const { vtable::<F, S>() }, id, location, span, stage::FUTURE),
            scheduler,
            join_waker: UnsafeCell::new(ManuallyDrop::new(None)),
        },
        stage: UnsafeCell::new(Stage { future: ManuallyDrop::new(future) }),
    });
    NonNull::from(Box::leak(cell)).cast()
}

const fn vtable<F: Future + 'static, S: Schedule>() -> Vtable {
    Vtable {
        poll: poll::<F, S>,
        drop_stage: drop_stage::<F, S>,
        store_panic: store_panic::<F, S>,
        take_output: take_output::<F, S>,
        deallocate: deallocate::<F, S>,
        schedule: schedule::<S>,
        cancel: cancel::<S>,
        join_waker: join_waker::<S>,
    }
}

// What knows the future's type. All of it is compiled once for each type of task, so it is as little as can be.

/// # Safety
/// `task` must point to a live `Cell<F, S>`; the reference must not outlive it. All vtable functions ask for
/// that, and it holds since the vtable is made for the types the cell was made with.
unsafe fn cell<'a, F: Future, S>(task: NonNull<Header>) -> &'a Cell<F, S> {
    // SAFETY: by contract; the header is the cell's first field's first.
    unsafe { task.cast().as_ref() }
}

/// Polls the future; when it is done, the future is dropped, the output is in its place, and `true` comes back.
///
/// # Safety
/// The caller must own the stage (rule 1), and it must hold the future.
unsafe fn poll<F: Future + 'static, S>(task: NonNull<Header>, cx: &mut Context<'_>) -> bool {
    /// Drops the future while its panic unwinds, as if it were a local of the code that polls it.
    struct DropOnUnwind(NonNull<Header>);

    impl Drop for DropOnUnwind {
        fn drop(&mut self) {
            // A second panic must not leave this destructor: that would end the process. The first
            // one's payload is the one to tell.
            // SAFETY: made where the stage is owned.
            let _ = catch_unwind(AssertUnwindSafe(|| unsafe { empty(self.0) }));
        }
    }

    // SAFETY: by contract.
    let cell = unsafe { cell::<F, S>(task) };
    debug_assert_eq!(tag(&cell.front.header), stage::FUTURE);
    let guard = DropOnUnwind(task);
    // SAFETY: the stage is ours and holds the future, which stays in place until it is dropped.
    let poll =
        cell.stage.with_mut(|stage| unsafe { Pin::new_unchecked(&mut *(*stage).future).poll(cx) });
    std::mem::forget(guard);
    let Poll::Ready(output) = poll else { return false };
    // If the drop of the future panics the tag says that nothing is left.
    set_tag(&cell.front.header, stage::EMPTY);
    // SAFETY: still ours.
    cell.stage.with_mut(|stage| unsafe {
        ManuallyDrop::drop(&mut (*stage).future);
        (*stage).output = ManuallyDrop::new(output);
    });
    set_tag(&cell.front.header, stage::OUTPUT);
    true
}

/// Drops what the stage holds, as the tag tells, which says by now that it is empty: see [`empty`].
///
/// # Safety
/// The caller must own the stage.
unsafe fn drop_stage<F: Future + 'static, S>(task: NonNull<Header>, tag: u8) {
    // SAFETY: the tag told what is in there, and nobody will look again.
    unsafe { cell::<F, S>(task) }.stage.with_mut(|stage| unsafe {
        match tag {
            stage::FUTURE => ManuallyDrop::drop(&mut (*stage).future),
            stage::OUTPUT => ManuallyDrop::drop(&mut (*stage).output),
            stage::PANICKED => ManuallyDrop::drop(&mut (*stage).panic),
            _ => {}
        }
    });
}

/// Puts a panic in place of an output.
///
/// # Safety
/// The caller must own the stage, and it must be empty.
unsafe fn store_panic<F: Future + 'static, S>(task: NonNull<Header>, payload: Payload) {
    // SAFETY: ours, and nothing is overwritten that would want a drop.
    unsafe {
        let stage = &cell::<F, S>(task).stage;
        stage.with_mut(|stage| (*stage).panic = ManuallyDrop::new(payload));
    }
}

/// Takes the output out, into the `Poll<Result<F::Output, JoinError>>` that `out` leads to.
///
/// # Safety
/// The caller must own the stage, and the task must be complete.
unsafe fn take_output<F: Future + 'static, S>(task: NonNull<Header>, out: *mut ()) {
    // SAFETY: by contract.
    let cell = unsafe { cell::<F, S>(task) };
    let header = &cell.front.header;
    let tag = tag(header);
    set_tag(header, stage::EMPTY);
    // SAFETY: the tag told what is in there, and nobody will look again.
    let output = cell.stage.with_mut(|stage| unsafe {
        match tag {
            stage::OUTPUT => Ok(ManuallyDrop::take(&mut (*stage).output)),
            stage::PANICKED => Err(Some(ManuallyDrop::take(&mut (*stage).panic))),
            _ => Err(None),
        }
    });
    let output = output.map_err(|payload| error_of(header, tag, payload));
    // SAFETY: by contract.
    unsafe { *out.cast::<Poll<Result<F::Output, JoinError>>>() = Poll::Ready(output) };
}

#[cold]
fn error_of(header: &Header, tag: u8, payload: Option<Payload>) -> JoinError {
    match (tag, payload) {
        (stage::CANCELLED, _) => JoinError::cancelled(header.id),
        (_, Some(payload)) => JoinError::panic(header.id, payload),
        _ => panic!("JoinHandle polled after completion"),
    }
}

/// # Safety
/// No reference may be left, and the stage must be empty.
unsafe fn deallocate<F: Future + 'static, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: allocated as this type by `allocate`; no reference is left, so it is ours alone.
    let cell = unsafe { Box::from_raw(task.cast::<Cell<F, S>>().as_ptr()) };
    cell.front.scheduler.give_back();
}

// What knows the scheduler.

/// # Safety
/// `task` must be alive and of scheduler `S`; the reference must not outlive it.
unsafe fn front<'a, S>(task: NonNull<Header>) -> &'a Front<S> {
    // SAFETY: by contract; every cell begins with it.
    unsafe { task.cast().as_ref() }
}

/// # Safety
/// `task` must be alive and of scheduler `S`.
pub(super) unsafe fn scheduler<S>(task: NonNull<Header>) -> *const S {
    // SAFETY: by contract.
    unsafe { &raw const front::<S>(task).scheduler }
}

/// Polls a task once, or drops its future if it was cancelled.
///
/// # Safety
/// The caller must own a runnable's reference to a task of scheduler `S`; it is consumed.
#[inline]
pub(super) unsafe fn run<S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps the cell alive for the call, or until it is consumed.
    let header = unsafe { task.as_ref() };
    let bound = header.is_bound();
    match header.state.start_poll(bound) {
        StartPoll::Poll => {}
        // SAFETY: `RUNNING` is ours, and so are the stage and the runnable's reference.
        StartPoll::Cancel => return unsafe { cancel::<S>(task) },
        StartPoll::Nothing => return,
        // SAFETY: the last reference was dropped.
        StartPoll::Free => return unsafe { free(task) },
    }
    let poll = {
        // A waker for the poll, without a reference of its own: ours outlives the poll.
        let waker = waker::borrowed(task);
        let mut cx = Context::from_waker(&waker);
        catch_unwind(AssertUnwindSafe(|| {
            let _id = CurrentId::set(header.id);
            // SAFETY: rule 1.
            unsafe { (header.vtable.poll)(task, &mut cx) }
        }))
    };
    // The runnable's reference, and one for the live set if that does not know the task yet.
    let refs = if bound { 1 } else { 2 };
    match poll {
        Ok(false) => match header.state.end_poll(bound) {
            EndPoll::Idle => {}
            // SAFETY: the poll's reference is the new runnable's.
            EndPoll::Reschedule => unsafe { yield_now::<S>(task) },
            // SAFETY: still `RUNNING`, by us, with our references.
            EndPoll::Bind => unsafe { bind::<S>(task) },
            // SAFETY: the last reference was dropped.
            EndPoll::Free => unsafe { free(task) },
            // SAFETY: still `RUNNING`, by us, with our references.
            EndPoll::Cancel => unsafe {
                cancel_future(task);
                complete::<S>(task, refs);
            },
        },
        // SAFETY: rule 1 still holds, and so many references are ours.
        Ok(true) => unsafe { complete::<S>(task, refs) },
        // SAFETY: as above; the stage is empty.
        Err(payload) => unsafe {
            note_panic(task, payload);
            front::<S>(task).scheduler.unhandled_panic();
            complete::<S>(task, refs);
        },
    }
}

/// # Safety
/// The caller must own a reference, which becomes a runnable's.
unsafe fn yield_now<S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the reference keeps the cell alive, until it goes to the runnable and with it into a queue.
    unsafe { S::yield_now(scheduler(task), Runnable::from_raw(task)) }
}

/// The end of a task's first poll that was not its last: it is about to be suspended, from now on only wakers lead to
/// it, so the live set has to know it.
///
/// # Safety
/// The caller must own the stage (rule 1) and two references, which are consumed.
unsafe fn bind<S: Schedule>(task: NonNull<Header>) {
    // SAFETY: our second reference keeps the cell alive; the first goes to the set.
    let (front, bound) = unsafe {
        let front = front::<S>(task);
        (front, front.scheduler.bind(TaskRef::from_raw(task)))
    };
    let (end, refs) = match bound {
        Ok(()) => (front.header.state.end_poll(true), 1),
        Err(reference) => {
            // The runtime shuts down.
            let _ = reference.into_raw();
            (EndPoll::Cancel, 2)
        }
    };
    match end {
        EndPoll::Idle => {}
        EndPoll::Bind => unreachable!("bound once"),
        // SAFETY: the last reference was dropped.
        EndPoll::Free => unsafe { free(task) },
        // SAFETY: the poll's reference is the new runnable's.
        EndPoll::Reschedule => unsafe { yield_now::<S>(task) },
        // SAFETY: still `RUNNING`, by us, with so many references.
        EndPoll::Cancel => unsafe {
            cancel_future(task);
            complete::<S>(task, refs);
        },
    }
}

/// The future is gone: tells the join handle, leaves the live set, and drops the caller's references.
///
/// # Safety
/// The caller must own the stage and `refs` references, which are consumed.
unsafe fn complete<S: Schedule>(task: NonNull<Header>, mut refs: usize) {
    // SAFETY: the caller's references.
    let front = unsafe { front::<S>(task) };
    let header = &front.header;
    let snapshot = header.state.complete();
    // What runs here is the user's: an output's drop, a waker. Its panics are not the worker's.
    if !snapshot.is_join_interested() {
        // SAFETY: rule 2: the join handle left before `COMPLETE`.
        unsafe { empty_quietly(task) };
    } else if snapshot.has_join_waker() {
        // SAFETY: rule 2 of the waker's slot; it is read this once, by whoever completed the task.
        let waker = front.join_waker.with(|waker| unsafe { ManuallyDrop::into_inner(waker.read()) });
        // By value: what the waker holds of its task goes to the queue with it, and need not be dropped after.
        let _ = catch_unwind(AssertUnwindSafe(|| waker.map(Waker::wake)));
    }
    if front.scheduler.has_terminate_hook() {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            front.scheduler.on_terminate(header.id, header.location);
        }));
    }
    // SAFETY: our reference keeps the task alive, and the borrowed `TaskRef` drops none.
    let borrowed = ManuallyDrop::new(unsafe { TaskRef::<S>::from_raw(task) });
    if front.scheduler.release(&borrowed) {
        refs += 1;
    }
    let had_waker = snapshot.is_join_interested() && snapshot.has_join_waker();
    if header.state.drop_completer_refs(refs, had_waker) {
        // SAFETY: those were the last.
        unsafe { free(task) };
    }
}

/// Hands a runnable, with its reference, to the scheduler.
///
/// # Safety
/// The caller must own a reference to a task of scheduler `S`, which becomes the runnable's.
unsafe fn schedule<S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps the cell alive, until it goes to the runnable and with it into a queue.
    unsafe { S::schedule(scheduler(task), Runnable::from_raw(task)) }
}

/// Drops the future after `State::shut_down` gave it to the caller.
///
/// # Safety
/// The caller must own `RUNNING` and a reference, which is consumed.
#[cold]
pub(super) unsafe fn cancel<S: Schedule>(task: NonNull<Header>) {
    // SAFETY: by contract.
    unsafe {
        cancel_future(task);
        complete::<S>(task, 1);
    }
}

unsafe fn join_waker<S>(task: NonNull<Header>) -> NonNull<JoinWaker> {
    // SAFETY: the caller's reference keeps the cell alive.
    NonNull::from(unsafe { &front::<S>(task).join_waker })
}

// What is the same for all tasks.

fn tag(header: &Header) -> u8 {
    // Relaxed: read by whoever owns the stage, who got it by a transition of the state.
    header.stage.load(Ordering::Relaxed)
}

fn set_tag(header: &Header, tag: u8) {
    // Relaxed: as in `tag`.
    header.stage.store(tag, Ordering::Relaxed);
}

/// Drops what the stage holds.
///
/// # Safety
/// The caller must own the stage.
unsafe fn empty(task: NonNull<Header>) {
    // SAFETY: alive, since the stage is owned.
    let header = unsafe { task.as_ref() };
    let tag = tag(header);
    // Before the drop, which may panic.
    set_tag(header, stage::EMPTY);
    // SAFETY: by contract; the vtable fits.
    unsafe { (header.vtable.drop_stage)(task, tag) }
}

/// As [`empty`], as the task, with a panic swallowed.
///
/// # Safety
/// As for `empty`.
unsafe fn empty_quietly(task: NonNull<Header>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: by contract.
        unsafe {
            let _id = CurrentId::set(task.as_ref().id);
            empty(task);
        }
    }));
}

/// Records a panic of the future in place of an output.
///
/// # Safety
/// The caller must own the stage, and it must be empty.
#[cold]
unsafe fn note_panic(task: NonNull<Header>, payload: Box<dyn std::any::Any + Send>) {
    // SAFETY: by contract; the vtable fits.
    unsafe {
        let header = task.as_ref();
        (header.vtable.store_panic)(task, Box::new(Mutex::new(payload)));
        set_tag(header, stage::PANICKED);
    }
}

/// Drops the future of a cancelled task.
///
/// # Safety
/// The caller must own the stage.
#[cold]
unsafe fn cancel_future(task: NonNull<Header>) {
    // SAFETY: alive, since the stage is owned.
    let header = unsafe { task.as_ref() };
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _id = CurrentId::set(header.id);
        // SAFETY: by contract.
        unsafe { empty(task) }
    }));
    match result {
        Ok(()) => set_tag(header, stage::CANCELLED),
        // SAFETY: ours, and emptied by the drop that panicked.
        Err(payload) => unsafe { note_panic(task, payload) },
    }
}

/// Frees a task's memory.
///
/// # Safety
/// No reference may be left.
pub(super) unsafe fn free(task: NonNull<Header>) {
    // SAFETY: no reference is left, so it is ours alone, by rule 3 with its stage; the vtable fits.
    unsafe {
        if tag(task.as_ref()) != stage::EMPTY {
            // A task whose every reference went before it was complete still has its future.
            empty_quietly(task);
        }
        (task.as_ref().vtable.deallocate)(task);
    }
}

/// Polls for the output, into the `Poll<Result<T, JoinError>>` that `out` leads to.
///
/// # Safety
/// Only for the join handle, and `out` must fit its output.
pub(super) unsafe fn poll_join(task: NonNull<Header>, out: *mut (), cx: &mut Context<'_>) {
    // SAFETY: the join handle's reference keeps the task alive, and the vtable fits. Complete, with the join handle's
    // interest: rule 2.
    unsafe {
        if is_ready(task, cx.waker()) {
            (task.as_ref().vtable.take_output)(task, out);
        }
    }
}

/// Whether the task is complete; if not, `waker` is woken when it is.
///
/// # Safety
/// Only for the join handle.
unsafe fn is_ready(task: NonNull<Header>, waker: &Waker) -> bool {
    // SAFETY: the join handle's reference keeps the task alive.
    let header = unsafe { task.as_ref() };
    let snapshot = header.state.load();
    if snapshot.is_complete() {
        return true;
    }
    // SAFETY: as above; the vtable fits.
    let slot = unsafe { (header.vtable.join_waker)(task).as_ref() };
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

/// Drops a join handle that the fast path could not.
///
/// # Safety
/// Only for the join handle, whose reference is consumed.
pub(super) unsafe fn drop_join(task: NonNull<Header>) {
    // SAFETY: the join handle's reference keeps the task alive.
    let header = unsafe { task.as_ref() };
    let snapshot = header.state.load();
    let action = if snapshot.is_complete() {
        // Nobody looks at the interest any more. The waker, if there was one, is the completer's.
        DropJoin { output: tag(header) != stage::EMPTY, waker: false }
    } else {
        header.state.drop_join()
    };
    // The output's and the waker's drops are the user's; whoever drops a handle does not expect their
    // panics, and upstream keeps them too.
    if action.output {
        // SAFETY: rule 2: complete while the join handle was interested.
        unsafe { empty_quietly(task) };
    }
    if action.waker {
        // SAFETY: rule 1 of the waker's slot; the vtable fits.
        let waker = unsafe {
            let slot = (header.vtable.join_waker)(task).as_ref();
            slot.with_mut(|waker| (*waker).take())
        };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(waker)));
    }
    if header.state.drop_refs(1) {
        // SAFETY: that was the last.
        unsafe { free(task) };
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
