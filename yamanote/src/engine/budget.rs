//! The cooperative budget: how many operations a task may complete before it has to let others run.
//!
//! The scheduler opens a budget around each poll ([`with_budget`]); every leaf operation that makes
//! progress takes one unit through [`poll_proceed`](crate::task::coop::poll_proceed). A task whose budget is
//! spent sees `Pending` from every leaf, with its waker woken, so it runs again after its peers.

use std::fmt;

use crate::engine::{context, trace};

/// Operations per poll. Upstream's number, on which its users' fairness expectations rest.
const OPERATIONS: u8 = 128;

/// What is left to the current poll: so many operations, or one of the two marks above them. One byte, to be taken and
/// put back at every operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget(u8);

/// No limit (outside tasks, or `unconstrained`).
const UNCONSTRAINED: Budget = Budget(u8::MAX);

/// Spent, and an operation was refused.
const REFUSED: Budget = Budget(u8::MAX - 1);

impl Budget {
    pub(crate) const fn initial() -> Self {
        Budget(OPERATIONS)
    }

    pub(crate) const fn unconstrained() -> Self {
        UNCONSTRAINED
    }

    pub(crate) fn has_remaining(self) -> bool {
        self.0 != 0 && self != REFUSED
    }

    #[inline]
    pub(crate) fn is_unconstrained(self) -> bool {
        self == UNCONSTRAINED
    }

    /// With one unit less, if there is one.
    #[inline]
    fn decrement(self) -> Option<Budget> {
        // One comparison for what is common: 0 and the marks wrap to what is no number of operations.
        if self.0.wrapping_sub(1) < OPERATIONS {
            Some(Budget(self.0 - 1))
        } else if self == UNCONSTRAINED {
            Some(self)
        } else {
            None
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            UNCONSTRAINED => f.write_str("unconstrained"),
            REFUSED => f.write_str("refused"),
            Budget(left) => left.fmt(f),
        }
    }
}

/// Runs `f` (one poll of a task) under a fresh budget.
#[inline]
pub(crate) fn with_budget<R>(f: impl FnOnce() -> R) -> R {
    trace::during_poll(|| with(Budget::initial(), f))
}

/// Runs `f` without a limit.
#[inline]
pub(crate) fn with_unconstrained<R>(f: impl FnOnce() -> R) -> R {
    with(Budget::unconstrained(), f)
}

#[inline]
fn with<R>(budget: Budget, f: impl FnOnce() -> R) -> R {
    context::with(|context| {
        let _before = context::Restore::replace(&context.budget, budget);
        f()
    })
}

/// The budget in force.
#[inline]
pub(crate) fn current() -> Budget {
    context::with(|c| c.budget.get())
}

/// Puts `budget` in force for good (a progress guard gives a unit back).
#[inline]
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
        c.budget.set(before.decrement()?);
        Some(before)
    })
}

/// An operation was refused. Whether it is the first in this poll.
pub(crate) fn note_refused() -> bool {
    context::with(|c| c.budget.replace(REFUSED) != REFUSED)
}
