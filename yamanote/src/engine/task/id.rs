//! Numbers for tasks.

use std::fmt;
use std::num::NonZeroU64;

/// Identifies a task among all that are alive.
///
/// Ids are given in no promised order and say nothing about what a task does. An id may come back when its
/// task is long gone, in principle.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = yamanote::spawn(async { yamanote::task::id() });
/// let id = task.id();
/// assert_eq!(task.await.unwrap(), id);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub(crate) NonZeroU64);

/// Ids a thread takes at once: spawning threads would otherwise fight for one counter's cache line.
const BLOCK: u64 = 256;

impl Id {
    pub(crate) fn next() -> Id {
        use std::cell::Cell;

        thread_local! {
            /// The next id and how many are left in the thread's block.
            static IDS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
        }

        let number = IDS.with(|ids| {
            let (mut next, mut left) = ids.get();
            if left == 0 {
                (next, left) = (next_block(), BLOCK);
            }
            ids.set((next + 1, left - 1));
            next
        });
        Id(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
    }

    pub(crate) fn from_u64(number: u64) -> Option<Id> {
        NonZeroU64::new(number).map(Id)
    }

    pub(crate) fn as_u64(self) -> u64 {
        self.0.get()
    }
}

#[cfg(target_has_atomic = "64")]
fn next_block() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};

    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Relaxed: only has to differ.
    NEXT.fetch_add(BLOCK, Ordering::Relaxed)
}

#[cfg(not(target_has_atomic = "64"))]
fn next_block() -> u64 {
    use std::sync::Mutex;

    static NEXT: Mutex<u64> = Mutex::new(1);
    let mut next = NEXT.lock().unwrap_or_else(|e| e.into_inner());
    let block = *next;
    *next = block.wrapping_add(BLOCK);
    block
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of the task that the calling code is part of.
///
/// # Panics
/// Outside a task; [`block_on`](crate::runtime::Runtime::block_on)'s future is none.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// yamanote::spawn(async { println!("I am task {}", yamanote::task::id()) }).await.unwrap();
/// # }
/// ```
#[track_caller]
pub fn id() -> Id {
    try_id().expect("Can't get a task id when not inside a task")
}

/// The id of the task that the calling code is part of, if it is part of one.
///
/// # Examples
/// ```
/// assert!(yamanote::task::try_id().is_none());
/// ```
pub fn try_id() -> Option<Id> {
    Id::from_u64(crate::engine::context::with(|context| context.task_id.get()))
}

/// Makes `id` the current task's until dropped.
pub(crate) struct CurrentId(u64);

impl CurrentId {
    #[inline]
    pub(crate) fn set(id: Id) -> CurrentId {
        CurrentId(crate::engine::context::with(|context| context.task_id.replace(id.as_u64())))
    }
}

impl Drop for CurrentId {
    #[inline]
    fn drop(&mut self) {
        crate::engine::context::with(|context| context.task_id.set(self.0));
    }
}
