//! A task's life in one atomic word: six flags and the reference count.
//!
//! | flag | set | means |
//! |---|---|---|
//! | `RUNNING` | when a poll or a cancellation begins; cleared when a poll ends pending | whoever set it has the future to itself |
//! | `COMPLETE` | together with clearing `RUNNING`, for good | the future is gone, the output is there or was dropped |
//! | `NOTIFIED` | by a wake; cleared when the poll begins | a [`Runnable`](super::Runnable) exists, or will when the poll ends |
//! | `JOIN_INTEREST` | from the start; cleared when the join handle is dropped | the output is the join handle's |
//! | `JOIN_WAKER` | by the join handle, after it stored its waker; cleared by it, or by the completer when it leaves | nobody writes to the waker's slot, and the completer takes the waker; while it is clear and the task is not complete, the slot is the join handle's |
//! | `CANCELLED` | by an abort or a shutdown, for good | the next poll drops the future instead |
//!
//! Above the flags stand the references: one for the runnable or the poll, one for the join handle, one for each
//! waker and abort handle, and, once the task has been suspended, one for the set of live tasks.
//!
//! Every transition is a pure function from a [`Snapshot`] to the next one and an action that the caller has to
//! take; [`State`] applies it by compare-and-swap. All exchanges are `AcqRel`, so any two transitions of a
//! task are ordered, and what was written before one is seen after the next.

use crate::loom::sync::atomic::{AtomicUsize, Ordering};

const RUNNING: usize = 1;
const COMPLETE: usize = 1 << 1;
const NOTIFIED: usize = 1 << 2;
const JOIN_INTEREST: usize = 1 << 3;
const JOIN_WAKER: usize = 1 << 4;
const CANCELLED: usize = 1 << 5;
const REF_ONE: usize = 1 << 6;

/// A task as it is made: scheduled, with a runnable and a join handle.
const INITIAL: usize = (2 * REF_ONE) | JOIN_INTEREST | NOTIFIED;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot(usize);

/// What to do with a runnable that was taken from a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum StartPoll {
    /// Poll the future. If the task was not bound, a second reference is the caller's, for the live set.
    Poll,
    /// Drop the future: the task was cancelled.
    Cancel,
    /// Somebody else has the future or had it; the runnable's reference is dropped.
    Nothing,
    /// As `Nothing`, and it was the last reference.
    Free,
}

/// What to do after a poll that ended pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum EndPoll {
    /// Nothing: the poll's reference is dropped.
    Idle,
    /// As `Idle`, and it was the last reference.
    Free,
    /// Not in the live set yet, and about to be suspended: nothing was changed.
    Bind,
    /// Woken meanwhile: the poll's reference is the new runnable's; one for the live set is dropped.
    Reschedule,
    /// Cancelled meanwhile: drop the future. Still `RUNNING`, with all references.
    Cancel,
}

/// What a wake has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Wake {
    Nothing,
    /// Schedule a runnable, whose reference is there.
    Schedule,
    /// The waker's reference was the last one.
    Free,
}

/// What a join handle that is dropped has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct DropJoin {
    pub(crate) output: bool,
    pub(crate) waker: bool,
}

impl Snapshot {
    fn is(self, flag: usize) -> bool {
        self.0 & flag != 0
    }

    pub(crate) fn is_complete(self) -> bool {
        self.is(COMPLETE)
    }

    pub(crate) fn is_join_interested(self) -> bool {
        self.is(JOIN_INTEREST)
    }

    pub(crate) fn has_join_waker(self) -> bool {
        self.is(JOIN_WAKER)
    }

    pub(crate) fn refs(self) -> usize {
        self.0 / REF_ONE
    }

    fn with(self, flags: usize) -> Snapshot {
        Snapshot(self.0 | flags)
    }

    fn without(self, flags: usize) -> Snapshot {
        Snapshot(self.0 & !flags)
    }

    fn add_ref(self) -> Snapshot {
        assert!(self.0 <= isize::MAX as usize, "too many references to a task");
        Snapshot(self.0 + REF_ONE)
    }

    fn drop_ref(self) -> Snapshot {
        assert!(self.refs() > 0, "a task reference was dropped twice");
        Snapshot(self.0 - REF_ONE)
    }

    /// `bound`: the live set knows the task. If not, the poll takes a reference for it in advance: entered into
    /// the set, the task must not hang by the poll's own, since a shutdown may take it out and drop it at once.
    fn start_poll(self, bound: bool) -> (Snapshot, StartPoll) {
        assert!(self.is(NOTIFIED), "a runnable of a task that is not scheduled");
        if self.is(RUNNING | COMPLETE) {
            let next = self.drop_ref().without(NOTIFIED);
            return (next, if next.refs() == 0 { StartPoll::Free } else { StartPoll::Nothing });
        }
        let next = self.with(RUNNING).without(NOTIFIED);
        if self.is(CANCELLED) {
            (next, StartPoll::Cancel)
        } else {
            (if bound { next } else { next.add_ref() }, StartPoll::Poll)
        }
    }

    /// `bound`: the live set knows the task. If not, the poll has a reference for it, see `start_poll`.
    fn end_poll(self, bound: bool) -> (Snapshot, EndPoll) {
        assert!(self.is(RUNNING), "the end of a poll that did not begin");
        if self.is(CANCELLED) {
            return (self, EndPoll::Cancel);
        }
        let next = self.without(RUNNING);
        if next.is(NOTIFIED) {
            return (if bound { next } else { next.drop_ref() }, EndPoll::Reschedule);
        }
        if !bound {
            return (self, EndPoll::Bind);
        }
        let next = next.drop_ref();
        (next, if next.refs() == 0 { EndPoll::Free } else { EndPoll::Idle })
    }

    fn wake_by_value(self) -> (Snapshot, Wake) {
        if self.is(RUNNING) {
            // The poll holds a reference, so this one is not the last.
            return (self.with(NOTIFIED).drop_ref(), Wake::Nothing);
        }
        if self.is(COMPLETE | NOTIFIED) {
            let next = self.drop_ref();
            return (next, if next.refs() == 0 { Wake::Free } else { Wake::Nothing });
        }
        // The waker's reference becomes the runnable's.
        (self.with(NOTIFIED), Wake::Schedule)
    }

    fn wake_by_ref(self) -> (Snapshot, Wake) {
        if self.is(COMPLETE | NOTIFIED) {
            return (self, Wake::Nothing);
        }
        let next = self.with(NOTIFIED);
        if self.is(RUNNING) { (next, Wake::Nothing) } else { (next.add_ref(), Wake::Schedule) }
    }

    fn abort(self) -> (Snapshot, Wake) {
        if self.is(CANCELLED | COMPLETE) {
            return (self, Wake::Nothing);
        }
        let next = self.with(CANCELLED);
        if self.is(RUNNING) {
            // Whoever polls sees the flag at the end.
            return (next, Wake::Nothing);
        }
        if self.is(NOTIFIED) {
            return (next, Wake::Nothing);
        }
        (next.with(NOTIFIED).add_ref(), Wake::Schedule)
    }

    /// `true`: the caller has the future now and must drop it.
    fn shut_down(self) -> (Snapshot, bool) {
        let idle = !self.is(RUNNING | COMPLETE);
        (self.with(if idle { CANCELLED | RUNNING } else { CANCELLED }), idle)
    }

    fn drop_join(self) -> (Snapshot, DropJoin) {
        assert!(self.is(JOIN_INTEREST), "a join handle was dropped twice");
        let mut next = self.without(JOIN_INTEREST);
        if !self.is(COMPLETE) {
            // The task will not look at the waker any more.
            next = next.without(JOIN_WAKER);
        }
        // Once the task is complete the waker is the completer's, who has taken it or is about to.
        (next, DropJoin { output: self.is(COMPLETE), waker: !self.is(COMPLETE) })
    }
}

#[derive(Debug)]
pub(crate) struct State(AtomicUsize);

impl State {
    pub(crate) fn new() -> State {
        State(AtomicUsize::new(INITIAL))
    }

    pub(crate) fn load(&self) -> Snapshot {
        // Acquire pairs with the releases of all transitions.
        Snapshot(self.0.load(Ordering::Acquire))
    }

    #[inline]
    fn update<A>(&self, transition: impl Fn(Snapshot) -> (Snapshot, A)) -> A {
        let mut current = self.load();
        loop {
            let (next, action) = transition(current);
            match self.0.compare_exchange_weak(current.0, next.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return action,
                Err(now) => current = Snapshot(now),
            }
        }
    }

    #[inline]
    pub(crate) fn start_poll(&self, bound: bool) -> StartPoll {
        self.update(|s| s.start_poll(bound))
    }

    #[inline]
    pub(crate) fn end_poll(&self, bound: bool) -> EndPoll {
        self.update(|s| s.end_poll(bound))
    }

    pub(crate) fn wake_by_value(&self) -> Wake {
        self.update(Snapshot::wake_by_value)
    }

    /// Also when nothing changes the word is exchanged: the poll that is to come clears `NOTIFIED` with a
    /// read-modify-write that must see what the waking side wrote, so it has to read from ours.
    pub(crate) fn wake_by_ref(&self) -> Wake {
        self.update(Snapshot::wake_by_ref)
    }

    pub(crate) fn abort(&self) -> Wake {
        self.update(Snapshot::abort)
    }

    /// Cancels; `true`: the caller has the future now and must drop it.
    #[must_use]
    pub(crate) fn shut_down(&self) -> bool {
        self.update(Snapshot::shut_down)
    }

    /// The future is gone. The word as it is now.
    pub(crate) fn complete(&self) -> Snapshot {
        let before = Snapshot(self.0.fetch_xor(RUNNING | COMPLETE, Ordering::AcqRel));
        assert!(before.is(RUNNING) && !before.is(COMPLETE), "a task completed twice");
        Snapshot(before.0 ^ (RUNNING | COMPLETE))
    }

    /// Gives the waker's slot to the task. `Err`: the task is complete.
    pub(crate) fn set_join_waker(&self) -> Result<(), ()> {
        self.update(|s| {
            assert!(s.is(JOIN_INTEREST) && !s.is(JOIN_WAKER));
            if s.is(COMPLETE) { (s, Err(())) } else { (s.with(JOIN_WAKER), Ok(())) }
        })
    }

    /// Takes the waker's slot back. `Err`: the task is complete.
    pub(crate) fn unset_join_waker(&self) -> Result<(), ()> {
        self.update(|s| {
            assert!(s.is(JOIN_INTEREST));
            if s.is(COMPLETE) {
                (s, Err(()))
            } else {
                assert!(s.is(JOIN_WAKER));
                (s.without(JOIN_WAKER), Ok(()))
            }
        })
    }

    /// A join handle that was never polled is dropped before the task was: nothing but the count changes.
    pub(crate) fn drop_join_fast(&self) -> bool {
        // Relaxed: only to spare the exchange; the slow path loads again.
        if self.0.load(Ordering::Relaxed) != INITIAL {
            return false;
        }
        // Release pairs with the acquire of whoever drops the last reference. Relaxed on failure: the
        // slow path loads again.
        self.0
            .compare_exchange(
                INITIAL,
                (INITIAL - REF_ONE) & !JOIN_INTEREST,
                Ordering::Release,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    pub(crate) fn drop_join(&self) -> DropJoin {
        self.update(Snapshot::drop_join)
    }

    pub(crate) fn add_ref(&self) {
        // Relaxed: the reference it is made from keeps the task alive, and whoever hands the new one to
        // another thread does so with an order of its own.
        let before = Snapshot(self.0.fetch_add(REF_ONE, Ordering::Relaxed));
        if before.0 > isize::MAX as usize {
            // As `Arc` does: leaked references must not wrap.
            std::process::abort();
        }
    }

    /// The completer leaves: drops its references, and gives the waker's slot back if it had it. `true`: they
    /// were the last ones.
    #[must_use]
    pub(crate) fn drop_completer_refs(&self, n: usize, had_waker: bool) -> bool {
        let flag = if had_waker { JOIN_WAKER } else { 0 };
        // The flag is set, so the subtraction clears it and touches nothing else.
        let before = Snapshot(self.0.fetch_sub(n * REF_ONE + flag, Ordering::AcqRel));
        assert!(before.refs() >= n, "a task reference was dropped twice");
        debug_assert!(!had_waker || before.is(JOIN_WAKER));
        before.refs() == n
    }

    /// `true`: they were the last ones.
    #[must_use]
    pub(crate) fn drop_refs(&self, n: usize) -> bool {
        let before = Snapshot(self.0.fetch_sub(n * REF_ONE, Ordering::AcqRel));
        assert!(before.refs() >= n, "a task reference was dropped twice");
        before.refs() == n
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("running", &self.is(RUNNING))
            .field("complete", &self.is(COMPLETE))
            .field("notified", &self.is(NOTIFIED))
            .field("join_interest", &self.is(JOIN_INTEREST))
            .field("join_waker", &self.is(JOIN_WAKER))
            .field("cancelled", &self.is(CANCELLED))
            .field("refs", &self.refs())
            .finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Every combination of flags that can occur, with a few reference counts.
    fn all() -> impl Iterator<Item = Snapshot> {
        (0..REF_ONE).flat_map(|flags| (1..4).map(move |refs| Snapshot(flags | (refs * REF_ONE)))).filter(
            |s| {
                let impossible = (s.is(RUNNING) && s.is(COMPLETE))
                    || (s.is(JOIN_WAKER) && !s.is(JOIN_INTEREST) && !s.is(COMPLETE));
                !impossible
            },
        )
    }

    /// Flags that are set for good stay set, and the count moves by one at the most, as the action says.
    #[test]
    fn every_snapshot_in_every_transition() {
        for s in all() {
            let mut nexts = vec![s.abort().0, s.shut_down().0, s.wake_by_ref().0];
            if s.refs() > 1 || !s.is(RUNNING) {
                nexts.push(s.wake_by_value().0);
            }
            if s.is(NOTIFIED) {
                nexts.extend([s.start_poll(true).0, s.start_poll(false).0]);
            }
            if s.is(RUNNING) {
                nexts.push(s.end_poll(true).0);
                if s.refs() > 1 {
                    nexts.push(s.end_poll(false).0);
                }
            }
            if s.is(JOIN_INTEREST) {
                nexts.push(s.drop_join().0);
            }
            for next in nexts {
                for good in [COMPLETE, CANCELLED] {
                    assert!(!s.is(good) || next.is(good), "{s:?} -> {next:?}");
                }
                assert!(next.refs().abs_diff(s.refs()) <= 1, "{s:?} -> {next:?}");
                assert!(!(next.is(RUNNING) && next.is(COMPLETE)), "{s:?} -> {next:?}");
            }
        }
    }

    /// A wake always leads to a poll: unless the task is complete, afterwards it is scheduled, or will be
    /// when the poll under way ends.
    #[test]
    fn no_wake_is_lost() {
        for s in all().filter(|s| !s.is(COMPLETE)) {
            let (next, wake) = s.wake_by_ref();
            assert!(next.is(NOTIFIED));
            assert_eq!(wake == Wake::Schedule, !s.is(RUNNING) && !s.is(NOTIFIED));
            if s.is(RUNNING) && !s.is(CANCELLED) {
                assert_eq!(next.end_poll(true).1, EndPoll::Reschedule);
            }
        }
    }

    /// Cancelling an idle task takes its future or schedules it; a running one sees it at the end.
    #[test]
    fn no_cancellation_is_lost() {
        for s in all().filter(|s| !s.is(COMPLETE)) {
            let (next, action) = s.abort();
            if s.is(RUNNING) {
                assert_eq!(next.end_poll(true).1, EndPoll::Cancel);
            } else if !s.is(CANCELLED) {
                assert!(next.is(NOTIFIED));
                assert_eq!(action == Wake::Schedule, !s.is(NOTIFIED));
                assert_eq!(next.start_poll(true).1, StartPoll::Cancel);
            }
            let (next, mine) = s.shut_down();
            assert!(next.is(CANCELLED) && mine != s.is(RUNNING));
        }
    }
}
