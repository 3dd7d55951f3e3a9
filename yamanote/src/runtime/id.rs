//! Numbers for runtimes.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Mutex;

/// Identifies a runtime among all that the process ever made.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::runtime::Handle;
///
/// assert_eq!(Handle::current().id(), Handle::current().id());
/// # }
/// ```
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct Id(NonZeroU64);

impl Id {
    pub(crate) fn next() -> Id {
        // A lock, not an atomic: 64-bit atomics are not everywhere and runtimes are few.
        static NEXT: Mutex<NonZeroU64> = Mutex::new(NonZeroU64::MIN);
        let mut next = NEXT.lock().unwrap_or_else(|e| e.into_inner());
        let id = *next;
        *next = next.saturating_add(1);
        Id(id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
