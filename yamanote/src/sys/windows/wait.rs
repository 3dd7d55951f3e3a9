//! Waiting for a handle to be signalled, in the thread of the system that waits for many.
//!
//! The system calls back with a number instead of a pointer: a call that comes after the wait was given up finds nothing
//! under it. So giving up never has to wait for a call under way, which may be running a waker that is doing just
//! that.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Threading::{
    INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE,
};

/// Who is woken. A waker is cloned, run and dropped without the lock.
#[derive(Debug)]
struct Waiter(Mutex<Option<Waker>>);

impl Waiter {
    fn replace(&self, waker: Option<Waker>) -> Option<Waker> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), waker)
    }
}

static WAITS: Mutex<BTreeMap<usize, Arc<Waiter>>> = Mutex::new(BTreeMap::new());

fn waits() -> MutexGuard<'static, BTreeMap<usize, Arc<Waiter>>> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes once, when the handle is signalled, unless dropped before.
#[derive(Debug)]
pub(crate) struct Wait {
    number: usize,
    waiter: Arc<Waiter>,
    /// The system's name for it: a [`HANDLE`] in all but its type, which is bound to no thread.
    registered: usize,
}

impl Wait {
    /// # Safety
    /// The handle must stay open until the wait is dropped.
    ///
    /// # Errors
    /// If the system refuses.
    pub(crate) unsafe fn new(handle: BorrowedHandle<'_>, waker: &Waker) -> io::Result<Wait> {
        static NEXT: AtomicUsize = AtomicUsize::new(1);

        // Relaxed: the numbers only have to differ.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let waiter = Arc::new(Waiter(Mutex::new(Some(waker.clone()))));
        waits().insert(number, Arc::clone(&waiter));
        let mut registered: HANDLE = ptr::null_mut();
        // SAFETY: the handle is open, by contract for as long as the wait is registered; the context is a number, which
        // `on_signalled` takes for no more than that.
        let ok = unsafe {
            RegisterWaitForSingleObject(
                &mut registered,
                handle.as_raw_handle(),
                Some(on_signalled),
                ptr::without_provenance::<c_void>(number),
                INFINITE,
                WT_EXECUTEINWAITTHREAD | WT_EXECUTEONLYONCE,
            )
        };
        if ok == 0 {
            let error = io::Error::last_os_error();
            let removed = waits().remove(&number);
            drop(removed);
            return Err(error);
        }
        Ok(Wait { number, waiter, registered: registered as usize })
    }

    /// Has another waker woken. What the wait is for may have come before.
    pub(crate) fn wake_by(&self, waker: &Waker) {
        let old = self.waiter.replace(Some(waker.clone()));
        drop(old);
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let removed = waits().remove(&self.number);
        drop(removed);
        // SAFETY: the system gave us the name, which is used here for the last time. Without an event to signal, the call does
        // not wait. If it finds a callback under way, then the handle was signalled and nobody waits for it any more;
        // otherwise nobody does from here on.
        unsafe { UnregisterWaitEx(self.registered as HANDLE, ptr::null_mut()) };
    }
}

unsafe extern "system" fn on_signalled(context: *mut c_void, _: bool) {
    let waiter = waits().get(&context.addr()).cloned();
    if let Some(waker) = waiter.and_then(|waiter| waiter.replace(None)) {
        // A panic must not unwind into the system; to whom it belongs is not known here.
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}
