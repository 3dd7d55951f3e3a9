//! Panics of foreign code on threads that have other work to do.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs foreign code whose panic has nobody to go to: the panic hook has reported it, and the thread goes on. `None`
/// if it panicked.
pub(crate) fn contain<R>(f: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => Some(result),
        Err(payload) => {
            drop_payload(payload);
            None
        }
    }
}

/// The payload is foreign too. If its drop panics, what that panicked with is better leaked than asked again.
#[cold]
fn drop_payload(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::contain;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Bomb);
        }
    }

    #[test]
    fn what_panics_ends_here() {
        assert_eq!(contain(|| 1), Some(1));
        assert_eq!(contain(|| panic!("planned")), None::<()>);
        // Its payload panics when dropped, with one that would again.
        assert_eq!(contain(|| std::panic::panic_any(Bomb)), None::<()>);
    }
}
