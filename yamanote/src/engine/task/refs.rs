//! One type for each kind of reference to a task.
//!
//! * [`TaskRef`]: the live set's, by which a task is found at shutdown.
//! * [`Runnable`]: a scheduled task's, on its way through the queues; running it consumes it.
//! * the join handle's ([`JoinHandle`](super::JoinHandle)) and the abort handle's;
//! * a waker's (`waker`).

use std::marker::PhantomData;
use std::mem;
use std::ptr::NonNull;

use super::Schedule;
use super::header::Header;
use super::id::Id;
use super::raw::{self, free};
use super::state::Wake;
use crate::runtime::TaskMeta;

/// # Safety
/// The caller must hold a reference.
pub(super) unsafe fn add_ref(task: NonNull<Header>) {
    // SAFETY: by contract.
    unsafe { task.as_ref() }.state.add_ref();
}

/// # Safety
/// The caller must own a reference, which is consumed.
pub(super) unsafe fn drop_ref(task: NonNull<Header>) {
    // SAFETY: the reference keeps the task alive until it is dropped; if it was the last, the memory is ours.
    unsafe {
        if task.as_ref().state.drop_refs(1) {
            free(task);
        }
    }
}

/// # Safety
/// The caller must own a reference, which goes to the scheduler.
unsafe fn schedule(task: NonNull<Header>) {
    // SAFETY: by contract; the vtable fits.
    unsafe { (task.as_ref().vtable.schedule)(task) }
}

/// # Safety
/// The caller must own a reference, which is consumed.
pub(super) unsafe fn wake_by_value(task: NonNull<Header>) {
    // SAFETY: by contract.
    unsafe {
        match task.as_ref().state.wake_by_value() {
            Wake::Nothing => {}
            // The waker's reference is the runnable's now.
            Wake::Schedule => schedule(task),
            Wake::Free => free(task),
        }
    }
}

/// # Safety
/// The caller must hold a reference.
pub(super) unsafe fn wake_by_ref(task: NonNull<Header>) {
    // SAFETY: by contract; `Schedule` comes with a reference for the runnable.
    unsafe {
        if task.as_ref().state.wake_by_ref() == Wake::Schedule {
            schedule(task);
        }
    }
}

/// Cancels the task: it drops its future when it is next run, which is soon.
///
/// # Safety
/// The caller must hold a reference.
pub(super) unsafe fn abort(task: NonNull<Header>) {
    // SAFETY: by contract; `Schedule` comes with a reference for the runnable.
    unsafe {
        if task.as_ref().state.abort() == Wake::Schedule {
            schedule(task);
        }
    }
}

/// A reference that keeps a task's memory, and nothing more.
pub(crate) struct TaskRef<S> {
    task: NonNull<Header>,
    _scheduler: PhantomData<S>,
}

// SAFETY: all that can be done through it is atomic, or done by whoever a transition of the state picked; the
// future is only dropped through it by `shutdown`, whose callers are where that may be (see `spawn_unchecked`).
unsafe impl<S: Send> Send for TaskRef<S> {}
// SAFETY: as above.
unsafe impl<S: Sync> Sync for TaskRef<S> {}

impl<S> TaskRef<S> {
    /// # Safety
    /// The caller must own a reference to a task with scheduler `S`, which the result takes over.
    pub(super) unsafe fn from_raw(task: NonNull<Header>) -> TaskRef<S> {
        TaskRef { task, _scheduler: PhantomData }
    }

    pub(crate) fn header(&self) -> &Header {
        // SAFETY: our reference keeps it alive.
        unsafe { self.task.as_ref() }
    }

    pub(super) fn into_raw(self) -> NonNull<Header> {
        let task = self.task;
        mem::forget(self);
        task
    }

    pub(super) fn as_raw(&self) -> NonNull<Header> {
        self.task
    }

    /// Cancels the task: if nobody polls it, its future is dropped here and now, else by whoever does, when
    /// the poll ends. For a reference that is in no live set any more.
    pub(crate) fn shutdown(self) {
        if self.header().state.shut_down() {
            let task = self.into_raw();
            // SAFETY: `RUNNING` is ours, and the reference.
            unsafe { (task.as_ref().vtable.cancel)(task) }
        }
    }
}

impl<S> Drop for TaskRef<S> {
    fn drop(&mut self) {
        // SAFETY: our reference.
        unsafe { drop_ref(self.task) }
    }
}

/// A task that was woken and waits to be polled.
pub(crate) struct Runnable<S> {
    task: NonNull<Header>,
    _scheduler: PhantomData<S>,
}

// SAFETY: running it polls the future, which the spawner promised may happen where the scheduler runs it.
unsafe impl<S: Send> Send for Runnable<S> {}

impl<S: Schedule> Runnable<S> {
    /// Polls the task once, or drops its future if it was cancelled.
    #[inline]
    pub(crate) fn run(self) {
        // SAFETY: the reference goes along.
        unsafe { raw::run::<S>(self.into_raw()) }
    }
}

impl<S> Runnable<S> {
    /// # Safety
    /// The caller must own a runnable's reference to a task with scheduler `S`, which the result takes
    /// over.
    pub(crate) unsafe fn from_raw(task: NonNull<Header>) -> Runnable<S> {
        Runnable { task, _scheduler: PhantomData }
    }

    pub(crate) fn into_raw(self) -> NonNull<Header> {
        let task = self.task;
        mem::forget(self);
        task
    }

    fn header(&self) -> &Header {
        // SAFETY: our reference keeps it alive.
        unsafe { self.task.as_ref() }
    }

    /// Where the task's scheduler is: good for as long as the task's memory.
    pub(crate) fn scheduler(&self) -> *const S {
        // SAFETY: alive, and of that scheduler.
        unsafe { raw::scheduler(self.task) }
    }

    pub(crate) fn set_home(&self, worker: u16) {
        self.header().set_home(worker);
    }

    /// What hooks are told; holds no reference.
    pub(crate) fn meta(&self) -> TaskMeta<'static> {
        TaskMeta::new(self.header().id, self.header().location)
    }

    /// Drops the future without polling it.
    pub(crate) fn shutdown(self) {
        let task = self.into_raw();
        // SAFETY: the runnable's reference is ours, and becomes the cancellation's or is dropped.
        unsafe {
            if task.as_ref().state.shut_down() {
                (task.as_ref().vtable.cancel)(task);
            } else {
                drop_ref(task);
            }
        }
    }
}

/// The worker that ran a queued task last.
///
/// # Safety
/// The caller must hold a reference.
pub(crate) unsafe fn home(task: NonNull<Header>) -> u16 {
    // SAFETY: by contract.
    unsafe { task.as_ref() }.home()
}

/// The id of a queued task.
///
/// # Safety
/// The caller must hold a reference.
pub(crate) unsafe fn id(task: NonNull<Header>) -> Id {
    // SAFETY: by contract.
    unsafe { task.as_ref() }.id
}

impl<S> Drop for Runnable<S> {
    fn drop(&mut self) {
        // SAFETY: our reference.
        unsafe { drop_ref(self.task) }
    }
}
