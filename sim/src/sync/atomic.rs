//! Atomics: each operation is a point where another thread may run.
//!
//! An atomic in a static starts anew in each simulation, so that one run does not depend on those before it.

use std::fmt;
use std::panic::RefUnwindSafe;
use std::sync::atomic::{self as real, AtomicU32 as RealU32};

pub use ::std::sync::atomic::{Ordering, compiler_fence};

use crate::world;

/// Another thread may run here; all operations are sequentially consistent anyway.
pub fn fence(order: Ordering) {
    assert!(order != Ordering::Relaxed, "there is no such thing as a relaxed fence");
    world::point("fence");
}

const SC: Ordering = Ordering::SeqCst;

macro_rules! common {
    ($name:ident, $real:ty, $value:ty $(, $generic:ident)?) => {
        impl$(<$generic>)? $name$(<$generic>)? {
            /// With an initial value.
            pub const fn new(value: $value) -> Self {
                $name { value: <$real>::new(value), initial: value, epoch: RealU32::new(0) }
            }

            /// The value, as left by this simulation.
            fn real(&self) -> &$real {
                let (now, then) = (world::epoch(), self.epoch.load(SC));
                if now != then && now != 0 {
                    if then != 0 {
                        self.value.store(self.initial, SC);
                    }
                    self.epoch.store(now, SC);
                }
                &self.value
            }

            /// See the standard library's.
            pub fn get_mut(&mut self) -> &mut $value {
                self.real();
                self.value.get_mut()
            }

            /// See the standard library's.
            pub fn into_inner(self) -> $value {
                self.real();
                self.value.into_inner()
            }

            /// See the standard library's.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                assert!(order != Ordering::Release && order != Ordering::AcqRel);
                world::point("load");
                self.real().load(SC)
            }

            /// See the standard library's.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                assert!(order != Ordering::Acquire && order != Ordering::AcqRel);
                world::point("store");
                self.real().store(value, SC);
            }

            /// See the standard library's.
            pub fn swap(&self, value: $value, _: Ordering) -> $value {
                world::point("swap");
                self.real().swap(value, SC)
            }

            /// See the standard library's.
            ///
            /// # Errors
            /// If the value was another.
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                _: Ordering,
                _: Ordering,
            ) -> Result<$value, $value> {
                world::point("compare_exchange");
                self.real().compare_exchange(current, new, SC, SC)
            }

            /// See the standard library's; fails without a reason at times.
            ///
            /// # Errors
            /// If the value was another, or by chance.
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                _: Ordering,
                _: Ordering,
            ) -> Result<$value, $value> {
                world::point("compare_exchange_weak");
                let real = self.real();
                if world::with(|world| world.chooser.is_spurious()) == Some(true) {
                    return Err(real.load(SC));
                }
                real.compare_exchange(current, new, SC, SC)
            }

            /// See the standard library's.
            ///
            /// # Errors
            /// If `f` gives none.
            pub fn fetch_update(
                &self,
                _: Ordering,
                _: Ordering,
                mut f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut current = self.load(SC);
                while let Some(new) = f(current) {
                    match self.compare_exchange_weak(current, new, SC, SC) {
                        Ok(old) => return Ok(old),
                        Err(other) => current = other,
                    }
                }
                Err(current)
            }
        }

        impl$(<$generic>)? From<$value> for $name$(<$generic>)? {
            fn from(value: $value) -> Self {
                $name::new(value)
            }
        }

        impl$(<$generic>)? fmt::Debug for $name$(<$generic>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.value.fmt(f)
            }
        }

        impl$(<$generic>)? RefUnwindSafe for $name$(<$generic>)? {}
    };
}

macro_rules! fetch {
    ($($method:ident($value:ty)),*) => {
        $(
            /// See the standard library's.
            pub fn $method(&self, value: $value, _: Ordering) -> $value {
                world::point(stringify!($method));
                self.real().$method(value, SC)
            }
        )*
    };
}

macro_rules! integer {
    ($($name:ident $value:ty;)*) => {
        $(
            /// See the standard library's.
            pub struct $name {
                value: real::$name,
                initial: $value,
                epoch: RealU32,
            }

            common!($name, real::$name, $value);

            impl $name {
                fetch!(
                    fetch_add($value), fetch_sub($value), fetch_and($value), fetch_or($value),
                    fetch_xor($value), fetch_max($value), fetch_min($value)
                );
            }

            impl Default for $name {
                fn default() -> Self {
                    $name::new(0)
                }
            }
        )*
    };
}

integer! {
    AtomicU8 u8;
    AtomicU16 u16;
    AtomicU32 u32;
    AtomicU64 u64;
    AtomicUsize usize;
    AtomicI32 i32;
    AtomicI64 i64;
    AtomicIsize isize;
}

/// See the standard library's.
pub struct AtomicBool {
    value: real::AtomicBool,
    initial: bool,
    epoch: RealU32,
}

common!(AtomicBool, real::AtomicBool, bool);

impl AtomicBool {
    fetch!(fetch_and(bool), fetch_or(bool), fetch_xor(bool));
}

impl Default for AtomicBool {
    fn default() -> Self {
        AtomicBool::new(false)
    }
}

/// See the standard library's.
pub struct AtomicPtr<T> {
    value: real::AtomicPtr<T>,
    initial: *mut T,
    epoch: RealU32,
}

common!(AtomicPtr, real::AtomicPtr<T>, *mut T, T);

// SAFETY: `initial` is a value, as the one inside, which is not looked into here.
unsafe impl<T> Send for AtomicPtr<T> {}
// SAFETY: as above; it is never written to.
unsafe impl<T> Sync for AtomicPtr<T> {}

impl<T> Default for AtomicPtr<T> {
    fn default() -> Self {
        AtomicPtr::new(std::ptr::null_mut())
    }
}
