//! Thread-locals of simulated threads.

use std::cell::{Cell, RefCell};
use std::fmt;

use crate::world;

/// See the standard library's.
pub struct LocalKey<T: 'static> {
    init: fn() -> T,
}

/// See the standard library's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl std::error::Error for AccessError {}

/// The values that a thread has.
pub(crate) struct Locals {
    slots: RefCell<Vec<Slot>>,
    is_ending: Cell<bool>,
}

#[derive(Clone, Copy)]
struct Slot {
    key: usize,
    /// Null when it was destroyed.
    value: *mut (),
    needs_drop: bool,
    free: unsafe fn(*mut ()),
}

impl Locals {
    pub(crate) const fn new() -> Locals {
        Locals { slots: RefCell::new(Vec::new()), is_ending: Cell::new(false) }
    }

    fn find(&self, key: usize) -> Option<Slot> {
        self.slots.borrow().iter().find(|slot| slot.key == key).copied()
    }

    /// Drops what has to be dropped, latest first; the rest stays as long as the thread's record.
    pub(crate) fn destroy(&self) {
        loop {
            let slot = {
                let mut slots = self.slots.borrow_mut();
                let slot = slots.iter_mut().rev().find(|slot| slot.needs_drop && !slot.value.is_null());
                slot.map(|slot| {
                    let live = *slot;
                    slot.value = std::ptr::null_mut();
                    live
                })
            };
            let Some(Slot { value, free, .. }) = slot else { break };
            // SAFETY: made by `try_with` for this type, and taken out, so nobody frees it again.
            unsafe { free(value) };
        }
        self.is_ending.set(true);
    }
}

impl Drop for Locals {
    fn drop(&mut self) {
        for slot in self.slots.get_mut() {
            if !slot.needs_drop && !slot.value.is_null() {
                // SAFETY: as in `destroy`.
                unsafe { (slot.free)(slot.value) };
            }
        }
    }
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn new(init: fn() -> T) -> LocalKey<T> {
        LocalKey { init }
    }

    /// See the standard library's.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.try_with(f).expect("cannot access a Thread Local Storage value during or after destruction")
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If it was destroyed.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let key = std::ptr::from_ref(self).addr();
        let value = world::with_locals(|locals| locals.find(key));
        let value = match value {
            Some(slot) => slot.value,
            None => {
                unsafe fn free<T>(value: *mut ()) {
                    // SAFETY: by contract it is such a box.
                    drop(unsafe { Box::from_raw(value.cast::<T>()) });
                }

                let needs_drop = std::mem::needs_drop::<T>();
                if needs_drop && world::with_locals(|locals| locals.is_ending.get()) {
                    return Err(AccessError);
                }
                let value: *mut () = Box::into_raw(Box::new((self.init)())).cast();
                let slot = Slot { key, value, needs_drop, free: free::<T> };
                world::with_locals(|locals| locals.slots.borrow_mut().push(slot));
                value
            }
        };
        if value.is_null() {
            return Err(AccessError);
        }
        // SAFETY: a box of this type, which its thread keeps while it runs this.
        Ok(f(unsafe { &*value.cast::<T>() }))
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// See the standard library's.
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// See the standard library's.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// See the standard library's.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// See the standard library's.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// See the standard library's.
    pub fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| f(&cell.borrow()))
    }

    /// See the standard library's.
    pub fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// See the standard library's.
    pub fn set(&'static self, value: T) {
        self.with(|cell| *cell.borrow_mut() = value);
    }

    /// See the standard library's.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// See the standard library's.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// See the standard library's.
#[macro_export]
macro_rules! thread_local {
    () => {};
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = const $init:block; $($rest:tt)*) => {
        $(#[$attr])*
        $vis static $name: $crate::thread::LocalKey<$t> = $crate::thread::LocalKey::new(|| $init);
        $crate::thread_local!($($rest)*);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = const $init:block) => {
        $crate::thread_local!($(#[$attr])* $vis static $name: $t = const $init;);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = $init:expr; $($rest:tt)*) => {
        $(#[$attr])*
        $vis static $name: $crate::thread::LocalKey<$t> = $crate::thread::LocalKey::new(|| $init);
        $crate::thread_local!($($rest)*);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = $init:expr) => {
        $crate::thread_local!($(#[$attr])* $vis static $name: $t = $init;);
    };
}
