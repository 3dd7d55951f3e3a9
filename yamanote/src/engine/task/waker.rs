//! Wakers that lead to a task.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::header::Header;
use super::refs;
#[cfg(feature = "tracing")]
use crate::engine::instrument::SpanId;
use crate::engine::instrument::WakerOperation;

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

/// A waker without a reference of its own.
pub(super) struct Borrowed(ManuallyDrop<Waker>);

impl Deref for Borrowed {
    type Target = Waker;

    fn deref(&self) -> &Waker {
        &self.0
    }
}

/// The waker for a poll: the caller holds a reference for as long as it is used.
pub(super) fn borrowed(task: NonNull<Header>) -> Borrowed {
    // SAFETY: the vtable's functions fit task pointers; it is never dropped, so no reference is needed.
    Borrowed(ManuallyDrop::new(unsafe { Waker::new(task.as_ptr().cast(), &VTABLE) }))
}

/// A waker with a reference of its own.
///
/// # Safety
/// The task must be alive during the call.
#[cfg(feature = "taskdump")]
pub(super) unsafe fn owned(task: NonNull<Header>) -> Waker {
    // SAFETY: by contract; the new reference is the waker's.
    unsafe {
        refs::add_ref(task);
        Waker::new(task.as_ptr().cast(), &VTABLE)
    }
}

/// # Safety
/// `data` must be what `borrowed` or `clone` put into the waker: a task that is alive.
unsafe fn task(data: *const ()) -> NonNull<Header> {
    // SAFETY: it came from a `NonNull`.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

/// Tells what is done with a waker.
///
/// # Safety
/// As for [`task`].
unsafe fn note(data: *const (), operation: WakerOperation) {
    // SAFETY: by contract.
    unsafe { task(data).as_ref() }.span.note(operation);
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker's reference, or the poll's, keeps the task alive.
    unsafe {
        note(data, WakerOperation::Clone);
        refs::add_ref(task(data));
    }
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: the waker's own reference is consumed, by the second.
    unsafe {
        note(data, WakerOperation::Wake);
        refs::wake_by_value(task(data));
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker's reference, or the poll's, keeps the task alive.
    unsafe {
        note(data, WakerOperation::WakeByRef);
        refs::wake_by_ref(task(data));
    }
}

unsafe fn drop(data: *const ()) {
    // SAFETY: the waker's own reference is consumed, by the second.
    unsafe {
        note(data, WakerOperation::Drop);
        refs::drop_ref(task(data));
    }
}

/// Wakes the task that `waker` leads to without a note of it, and gives its span. `None`: it leads to no task.
#[cfg(feature = "tracing")]
pub(crate) fn wake_unnoted(waker: &Waker) -> Option<SpanId> {
    if !std::ptr::eq(waker.vtable(), &VTABLE) {
        return None;
    }
    // SAFETY: the vtable tells that it is one of our wakers, which keeps its task alive.
    unsafe {
        let task = task(waker.data());
        refs::wake_by_ref(task);
        Some(task.as_ref().span)
    }
}
