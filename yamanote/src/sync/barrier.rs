//! `Barrier`: a meeting point for a fixed number of tasks, again and again.
//!
//! The count and the round are behind a lock. The last to arrive starts the next round and notifies all;
//! the others wait until the round is not theirs any more, which tells a notification for them from one
//! that was late for an earlier round.

use std::fmt;
use std::marker::PhantomData;

use super::Notify;
use crate::engine::instrument::{self, Inherits, Resource};
use crate::loom::sync::Mutex;

/// A point at which `n` tasks wait for each other.
///
/// Once all have come they go on together, one of them as the leader, and the barrier can be used again.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::sync::Arc;
/// use yamanote::sync::Barrier;
///
/// let start = Arc::new(Barrier::new(3));
/// let runners: Vec<_> = (0..3)
///     .map(|_| {
///         let start = start.clone();
///         yamanote::spawn(async move { start.wait().await.is_leader() })
///     })
///     .collect();
/// let mut leaders = 0;
/// for runner in runners {
///     leaders += u32::from(runner.await.unwrap());
/// }
/// assert_eq!(leaders, 1);
/// # }
/// ```
pub struct Barrier {
    n: usize,
    state: Mutex<State>,
    complete: Notify,
    resource: Resource,
    /// Tasks that have met rely on each other having come this far, which a caught panic could fake.
    _not_unwind_safe: PhantomData<dyn Send + Sync + Unpin>,
}

struct State {
    /// How many have come in this round; less than `n`.
    arrived: usize,
    round: u64,
}

/// Whether the task was the leader of its round.
///
/// From [`Barrier::wait`].
#[derive(Debug, Clone)]
pub struct BarrierWaitResult(bool);

impl Barrier {
    /// A barrier for `n` tasks. One for 0 does not hold up anybody, as one for 1.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Barrier;
    ///
    /// let barrier = Barrier::new(3); // the third that waits opens it
    /// # let _ = barrier;
    /// ```
    #[track_caller]
    pub fn new(n: usize) -> Barrier {
        let n = n.max(1);
        Barrier {
            n,
            state: Mutex::new(State { arrived: 0, round: 0 }),
            complete: Notify::new(),
            resource: Resource::barrier(n),
            _not_unwind_safe: PhantomData,
        }
    }

    /// Waits until `n` tasks have come here. For one of them, the result says that it is the
    /// [leader](BarrierWaitResult::is_leader).
    ///
    /// # Cancel safety
    /// Not cancel safe: who has come is counted, also if it does not stay.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::sync::Barrier;
    ///
    /// assert!(Barrier::new(1).wait().await.is_leader());
    /// # }
    /// ```
    pub async fn wait(&self) -> BarrierWaitResult {
        self.resource.operation("Barrier::wait", "poll", Inherits::No, || self.meet()).await
    }

    async fn meet(&self) -> BarrierWaitResult {
        let Some(round) = self.arrive() else {
            self.complete.notify_waiters();
            instrument::arrived(true);
            return BarrierWaitResult(true);
        };
        instrument::arrived(false);
        loop {
            // Created before the look: if the round ends after the look, it is notified.
            let complete = self.complete.notified();
            if self.state.lock().round != round {
                return BarrierWaitResult(false);
            }
            complete.await;
        }
    }

    /// Counts the caller in. The round it has to wait for, or `None` if it completed it.
    fn arrive(&self) -> Option<u64> {
        let mut state = self.state.lock();
        state.arrived += 1;
        if state.arrived < self.n {
            return Some(state.round);
        }
        state.arrived = 0;
        state.round += 1;
        None
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("n", &self.n).finish_non_exhaustive()
    }
}

impl BarrierWaitResult {
    /// Whether this task is the leader: one of those that met is.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::Barrier;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let barrier = Barrier::new(2);
    /// let (one, other) = yamanote::join!(barrier.wait(), barrier.wait());
    /// // Exactly one of those that were released together.
    /// assert_ne!(one.is_leader(), other.is_leader());
    /// # }
    /// ```
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::cell::UnsafeCell;
    use crate::loom::sync::Arc;
    use crate::loom::{model, thread};
    use loom::future::block_on;

    /// Two tasks meet twice: one leader a round, nobody passes early, nobody stays behind.
    #[test]
    fn two_rounds() {
        model(|| {
            let cells = [UnsafeCell::new(0), UnsafeCell::new(0)];
            let shared = Arc::new((Barrier::new(2), cells));
            // Each writes before one of the rounds what both read after it.
            let run = |(barrier, cells): &(Barrier, [UnsafeCell<u32>; 2]), me: usize| {
                let round = |n: usize| {
                    if n == me {
                        // SAFETY: the other one reads after this round only.
                        cells[n].with_mut(|v| unsafe { *v = 1 });
                    }
                    let leader = block_on(barrier.wait()).is_leader();
                    // SAFETY: nobody writes after this round.
                    cells[n].with(|v| assert_eq!(unsafe { *v }, 1));
                    leader
                };
                (round(0), round(1))
            };
            let other = {
                let shared = shared.clone();
                thread::spawn(move || run(&shared, 1))
            };
            let here = run(&shared, 0);
            let there = other.join().unwrap();
            assert!(here.0 != there.0 && here.1 != there.1);
        });
    }
}
