//! The cooperative budget: how many operations a task may complete before it has to let others run.
//!
//! The scheduler opens a budget around each poll ([`with_budget`]); every leaf operation that makes
//! progress takes one unit through [`poll_proceed`](crate::task::coop::poll_proceed). A task whose budget is
//! spent sees `Pending` from every leaf, with its waker woken, so it runs again after its peers.

use crate::engine::{context, trace};

/// Operations per poll. Upstream's number, on which its users' fairness expectations rest.
const OPERATIONS: u8 = 128;

/// Units left when the budget is spent and an operation was refused.
const REFUSED: u8 = u8::MAX;

/// What is left to the current poll; `None` is unlimited (outside tasks, or `unconstrained`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget(Option<u8>);

impl Budget {
    pub(crate) const fn initial() -> Self {
        Budget(Some(OPERATIONS))
    }

    pub(crate) const fn unconstrained() -> Self {
        Budget(None)
    }

    pub(crate) fn has_remaining(self) -> bool {
        !matches!(self.0, Some(0 | REFUSED))
    }

    pub(crate) fn is_unconstrained(self) -> bool {
        self.0.is_none()
    }

    /// Takes one unit, if there is one.
    fn decrement(&mut self) -> bool {
        match &mut self.0 {
            None => true,
            Some(0 | REFUSED) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// Restores the budget that was in force when it was made.
pub(crate) struct ResetGuard(Budget);

impl Drop for ResetGuard {
    fn drop(&mut self) {
        context::with(|c| c.budget.set(self.0));
    }
}

/// Puts `budget` in force until the guard is dropped.
#[must_use]
pub(crate) fn set(budget: Budget) -> ResetGuard {
    ResetGuard(context::with(|c| c.budget.replace(budget)))
}

/// Runs `f` (one poll of a task) under a fresh budget.
#[inline]
pub(crate) fn with_budget<R>(f: impl FnOnce() -> R) -> R {
    trace::during_poll(|| {
        let _guard = set(Budget::initial());
        f()
    })
}

/// Runs `f` without a limit.
#[inline]
pub(crate) fn with_unconstrained<R>(f: impl FnOnce() -> R) -> R {
    let _guard = set(Budget::unconstrained());
    f()
}

/// The budget in force.
#[inline]
pub(crate) fn current() -> Budget {
    context::with(|c| c.budget.get())
}

/// Puts `budget` in force for good (a progress guard gives a unit back).
pub(crate) fn restore(budget: Budget) {
    context::with(|c| c.budget.set(budget));
}

/// Lifts the limit for the rest of the poll and tells what it was: a thread that turns into a blocking
/// one (`block_in_place`) must not be throttled.
pub(crate) fn stop() -> Budget {
    context::with(|c| c.budget.replace(Budget::unconstrained()))
}

/// Takes one unit: the budget before, or `None` when it is spent.
#[inline]
pub(crate) fn take() -> Option<Budget> {
    context::with(|c| {
        let before = c.budget.get();
        let mut budget = before;
        if budget.decrement() {
            c.budget.set(budget);
            Some(before)
        } else {
            None
        }
    })
}

/// An operation was refused. Whether it is the first in this poll.
pub(crate) fn note_refused() -> bool {
    context::with(|c| c.budget.replace(Budget(Some(REFUSED))) != Budget(Some(REFUSED)))
}
