//! The thread's tracer, and the two ends of what it sees: roots and leaves.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::task::{Context, Poll, Waker};

use crate::runtime::dump::{Root, Trace, TraceMeta};

/// What is told of each leaf.
type Tracer<'a> = dyn FnMut(&TraceMeta) + 'a;

thread_local! {
    /// The tracer in force; taken out while it runs.
    static TRACER: Cell<Option<*mut Tracer<'static>>> = const { Cell::new(None) };
    /// The function that polls the innermost root.
    static ROOT: Cell<Option<*const c_void>> = const { Cell::new(None) };
    /// Polls by a runtime that are under way, one inside the other.
    static POLLS: Cell<usize> = const { Cell::new(0) };
    /// Those to wake when the outermost of them is over.
    static LATE: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// Sets a thread-local until dropped, also by a panic.
struct Restore<T: Copy + 'static>(&'static std::thread::LocalKey<Cell<T>>, T);

impl<T: Copy> Restore<T> {
    fn replace(key: &'static std::thread::LocalKey<Cell<T>>, value: T) -> Self {
        Restore(key, key.replace(value))
    }
}

impl<T: Copy> Drop for Restore<T> {
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}

/// Runs `f` with `tracer` told of each leaf that is reached meanwhile.
pub(crate) fn with_tracer<R>(tracer: &mut Tracer<'_>, f: impl FnOnce() -> R) -> R {
    let tracer: *mut Tracer<'_> = tracer;
    // SAFETY: only the lifetime differs; the pointer is taken out again before this function returns or unwinds,
    // so it is not used after the borrow.
    let tracer = unsafe { std::mem::transmute::<*mut Tracer<'_>, *mut Tracer<'static>>(tracer) };
    let _tracer = Restore::replace(&TRACER, Some(tracer));
    f()
}

/// Runs `f` below a root that is polled by the function at `address`.
#[inline]
pub(crate) fn with_root<R>(address: *const c_void, f: impl FnOnce() -> R) -> R {
    let _root = Restore::replace(&ROOT, Some(address));
    f()
}

pub(crate) fn is_tracing() -> bool {
    TRACER.get().is_some()
}

/// To be asked first by every operation that may wait. `Pending` while the thread traces.
#[inline]
pub(crate) fn leaf(cx: &mut Context<'_>) -> Poll<()> {
    match TRACER.get() {
        None => Poll::Ready(()),
        Some(tracer) => {
            report(tracer, cx);
            Poll::Pending
        }
    }
}

/// Not inlined: its address marks where in the stack the runtime begins.
#[cold]
#[inline(never)]
fn report(tracer: *mut Tracer<'static>, cx: &mut Context<'_>) {
    let meta = TraceMeta { root_addr: ROOT.get(), trace_leaf_addr: report as *const c_void };
    {
        // What the tracer itself may await is not traced.
        let _none = Restore::replace(&TRACER, None);
        // SAFETY: `with_tracer` is further up this stack, and its borrow lasts; it is exclusive, since the pointer
        // is taken out while we use it.
        unsafe { (*tracer)(&meta) }
    }
    // The operation was not tried, and has not left a waker.
    wake_late(cx.waker());
}

/// A future that polls others and is woken in the middle of that may well poll them again at once, and again: what a
/// trace wakes is woken when the runtime's poll is over.
fn wake_late(waker: &Waker) {
    if POLLS.get() == 0 {
        waker.wake_by_ref();
    } else {
        LATE.with_borrow_mut(|late| late.push(waker.clone()));
    }
}

/// Runs `f`, a poll by the runtime.
#[inline]
pub(crate) fn during_poll<R>(f: impl FnOnce() -> R) -> R {
    struct Leave;

    impl Drop for Leave {
        fn drop(&mut self) {
            POLLS.set(POLLS.get() - 1);
            if POLLS.get() == 0 && LATE.with_borrow(|late| !late.is_empty()) {
                wake_all();
            }
        }
    }

    POLLS.set(POLLS.get() + 1);
    let _leave = Leave;
    f()
}

#[cold]
fn wake_all() {
    LATE.take().into_iter().for_each(Waker::wake);
}

/// What a future is spawned as.
pub(crate) fn root<F: Future>(future: F) -> Root<F> {
    Trace::root(future)
}

/// Whether `a` and `b` are the same function, as far as its address tells.
pub(crate) fn same(a: *const c_void, b: *const c_void) -> bool {
    ptr::eq(a, b)
}
