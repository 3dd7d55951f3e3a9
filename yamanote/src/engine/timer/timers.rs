//! A worker's timers: its wheel behind a short lock.
//!
//! The owner of the wheel, the worker, advances it when it turns its driver; others may do that for a
//! worker that is stuck. Timers are linked by whoever polls them, mostly the worker itself. The lock is held
//! for a few pointer writes, and for moving a slot's entries when the wheel comes to it; never while a waker
//! runs, is cloned or dropped.
//!
//! `next` publishes when the wheel has to be looked at again, so that parking and turning take no lock.
//! It changes only under the lock. Whoever brings it forward from another thread unparks the worker *after* that: the
//! worker reads `next` before it parks, so either it reads the new value, or the unpark comes after that
//! reading and ends the park.
//!
//! `armed` spares most of these unparks: it is the tick at which whoever waits in the driver looks here again in any
//! case. The one who is about to wait writes it and reads `next` once more; the one who links writes `next` and reads
//! `armed` ([`is_armed_for`](Timers::is_armed_for)). A sequentially consistent fence stands between each write and the
//! read after it, so one of the two sees the other. Who links may lower it to a tick that it then unparks
//! the waiting worker for; who waits keeps to it, even if that timer is gone by then, so that the next of a row of
//! short-lived timers finds it armed.

use std::ptr::NonNull;
use std::task::Waker;

use super::entry::{CLOSED, Entry, FIRED, is_linked};
use super::tick::AtomicTick;
use super::wheel::Wheel;
use crate::loom::sync::atomic::{Ordering, fence};
use crate::loom::sync::{Mutex, MutexGuard};
use crate::util::WakeList;

/// `next` when there is no timer.
const NEVER: u64 = u64::MAX;

pub(crate) struct Timers {
    next: AtomicTick,
    armed: AtomicTick,
    wheel: Mutex<Guarded>,
}

struct Guarded {
    wheel: Wheel,
    closed: bool,
}

/// What became of an attempt to link an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Linked {
    /// It is linked. If its worker is parked, it has to be unparked when `first` is set: it would sleep
    /// too long.
    Yes { first: bool },
    /// It is not linked: its state says why.
    No,
}

impl Timers {
    pub(crate) fn new() -> Timers {
        Timers {
            next: AtomicTick::new(NEVER),
            armed: AtomicTick::new(NEVER),
            wheel: Mutex::new(Guarded { wheel: Wheel::new(), closed: false }),
        }
    }

    /// The tick at which the wheel has to be looked at: not after the first timer that is due.
    #[inline]
    pub(crate) fn next_expiration(&self) -> Option<u64> {
        // Acquire pairs with `publish`'s Release.
        let next = self.next.load(Ordering::Acquire);
        (next != NEVER).then_some(next)
    }

    /// For a worker that is about to wait: until which tick it may. `now` reads the present one.
    pub(crate) fn arm(&self, now: impl FnOnce() -> u64) -> Option<u64> {
        // Relaxed: who lowered it unparks us after that, so that we come by here once more.
        let promised = self.armed.load(Ordering::Relaxed);
        let promised = if promised == NEVER || promised > now() { promised } else { NEVER };
        loop {
            let until = self.next_expiration().unwrap_or(NEVER).min(promised);
            // Relaxed: ordered by the fence. Partner: the fence before `is_armed_for`.
            self.armed.store(until, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            if self.next_expiration().is_none_or(|next| next >= until) {
                return (until != NEVER).then_some(until);
            }
        }
    }

    /// For a worker that is about to wait for ever: every earlier timer has to unpark it. Before it reads
    /// [`next_expiration`](Self::next_expiration).
    pub(crate) fn disarm(&self) {
        // Relaxed: as in `arm`.
        self.armed.store(NEVER, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Whether whoever waits looks here at `tick` at the latest, or somebody is about to make it. For who has linked a
    /// timer and put a fence behind that. `false`: the caller has to unpark whoever waits, with a fence before it
    /// reads who that is.
    pub(crate) fn is_armed_for(&self, tick: u64) -> bool {
        // Relaxed, both: ordered by the fences. The two together need not be one step: another value written in
        // between is `arm`'s, which has seen the timer or is ended by the unpark, or one that comes with an unpark too.
        if self.armed.load(Ordering::Relaxed) <= tick {
            return true;
        }
        self.armed.store(tick, Ordering::Relaxed);
        false
    }

    /// How many timers are linked.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.wheel.lock().wheel.len()
    }

    /// Brings `next` up to date; whether it came forward. Under the lock.
    fn publish(&self, guarded: &Guarded) -> bool {
        let next = guarded.wheel.next().unwrap_or(NEVER);
        // Relaxed: only written under the lock.
        let before = self.next.load(Ordering::Relaxed);
        if next != before {
            // Release pairs with `next_expiration`'s Acquire.
            self.next.store(next, Ordering::Release);
        }
        next < before
    }

    /// Links an entry, to wake `waker` at `deadline`. If that is past, or the wheel is shut down, the entry's
    /// state tells so.
    ///
    /// # Safety
    /// For the owner of `entry`, which must be unlinked, and must stay in place and alive until it has left the wheel.
    #[inline]
    pub(super) unsafe fn link(&self, entry: &Entry, deadline: u64, waker: &Waker) -> Linked {
        let waker = waker.clone();
        // SAFETY: unlinked, so its waker cell is ours and owns nothing.
        unsafe { entry.put_waker(waker) };
        let mut guarded = self.wheel.lock();
        let state = if guarded.closed {
            CLOSED
        } else if deadline <= guarded.wheel.elapsed() {
            FIRED
        } else {
            entry.set_state(deadline);
            // SAFETY: by contract.
            unsafe { guarded.wheel.insert(NonNull::from(entry), deadline) };
            return Linked::Yes { first: self.publish(&guarded) };
        };
        drop(guarded);
        entry.set_state(state);
        // SAFETY: still unlinked; put there above.
        drop(unsafe { entry.take_waker() });
        Linked::No
    }

    /// Exchanges the waker of a linked entry; `false` if it has left the wheel meanwhile.
    ///
    /// # Safety
    /// For the owner of `entry`, which was linked here.
    pub(super) unsafe fn set_waker(&self, entry: &Entry, waker: &Waker) -> bool {
        let waker = waker.clone();
        let guarded = self.wheel.lock();
        let linked = is_linked(entry.state());
        let unused = if linked {
            // SAFETY: linked and under the lock: the cell is ours, and owns a waker.
            unsafe {
                let before = entry.take_waker();
                entry.put_waker(waker);
                before
            }
        } else {
            waker
        };
        drop(guarded);
        drop(unused);
        linked
    }

    /// Unlinks an entry, if it has not left the wheel by itself, and sets its state to `idle`.
    ///
    /// # Safety
    /// For the owner of `entry`, which was linked here.
    #[inline]
    pub(super) unsafe fn unlink(&self, entry: &Entry, idle: u64) {
        let mut guarded = self.wheel.lock();
        if !is_linked(entry.state()) {
            drop(guarded);
            return entry.set_state(idle);
        }
        entry.set_state(idle);
        // SAFETY: linked and under the lock.
        let waker = unsafe {
            guarded.wheel.remove(NonNull::from(entry));
            entry.take_waker()
        };
        self.publish(&guarded);
        drop(guarded);
        drop(waker);
    }

    /// Links a linked entry anew for another deadline, with the waker it has. If that is past, by the wheel or
    /// because the caller knows it (`due`), it fires at once.
    ///
    /// # Safety
    /// For the owner of `entry`, which was linked here.
    pub(super) unsafe fn relink(&self, entry: &Entry, deadline: u64, due: bool) -> Linked {
        let mut guarded = self.wheel.lock();
        if !is_linked(entry.state()) {
            return Linked::No;
        }
        // SAFETY: linked and under the lock.
        unsafe { guarded.wheel.remove(NonNull::from(entry)) };
        if !due && deadline > guarded.wheel.elapsed() {
            entry.set_state(deadline);
            // SAFETY: just unlinked; its owner keeps it in place, as before.
            unsafe { guarded.wheel.insert(NonNull::from(entry), deadline) };
            return Linked::Yes { first: self.publish(&guarded) };
        }
        entry.set_state(FIRED);
        // SAFETY: linked until now, under the lock.
        let waker = unsafe { entry.take_waker() };
        self.publish(&guarded);
        drop(guarded);
        waker.wake();
        Linked::No
    }

    /// Fires what is due at `now`; how many that were. Takes no lock if nothing is.
    pub(crate) fn fire_expired(&self, now: u64) -> usize {
        if self.next_expiration().is_none_or(|next| next > now) {
            return 0;
        }
        self.wake_each(|guarded| {
            loop {
                let entry = guarded.wheel.pop_due(now)?;
                // SAFETY: just unlinked, under the lock.
                match unsafe { Entry::try_fire(entry, guarded.wheel.elapsed()) } {
                    Ok(waker) => return Some(waker),
                    // SAFETY: it has not fired, so it is alive and in place; it was just unlinked.
                    Err(raised) => unsafe { guarded.wheel.insert(entry, raised) },
                }
            }
        })
    }

    /// Wakes everybody and links nothing any more.
    pub(crate) fn shutdown(&self) {
        self.wheel.lock().closed = true;
        self.wake_each(|guarded| {
            let entry = guarded.wheel.pop_any()?;
            // SAFETY: just unlinked, under the lock.
            Some(unsafe { Entry::close(entry) })
        });
    }

    /// Wakes what `take` takes out of the wheel, in batches outside the lock.
    fn wake_each(&self, mut take: impl FnMut(&mut MutexGuard<'_, Guarded>) -> Option<Waker>) -> usize {
        let mut wakers = WakeList::new();
        let mut woken = 0;
        let mut guarded = self.wheel.lock();
        loop {
            while wakers.can_push() {
                match take(&mut guarded) {
                    Some(waker) => wakers.push(waker),
                    None => {
                        self.publish(&guarded);
                        drop(guarded);
                        wakers.wake_all();
                        return woken;
                    }
                }
                woken += 1;
            }
            // A waker may panic: what is left must be found by the next turn.
            self.publish(&guarded);
            drop(guarded);
            wakers.wake_all();
            guarded = self.wheel.lock();
        }
    }
}

impl std::fmt::Debug for Timers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timers").field("next", &self.next_expiration()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::entry::IDLE;
    use super::*;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// An entry of a wheel, with the waker that counts.
    struct One<'a> {
        timers: &'a Timers,
        entry: Pin<Box<Entry>>,
        count: Arc<Count>,
    }

    impl<'a> One<'a> {
        fn new(timers: &'a Timers) -> Self {
            One { timers, entry: Box::pin(Entry::new()), count: Arc::default() }
        }

        fn link(&self, deadline: u64) -> Linked {
            // SAFETY: boxed; unlinked when dropped; the tests link only idle entries.
            unsafe { self.timers.link(&self.entry, deadline, &self.count.clone().into()) }
        }

        fn wakes(&self) -> usize {
            self.count.0.load(Ordering::Relaxed)
        }
    }

    impl Drop for One<'_> {
        fn drop(&mut self) {
            if is_linked(self.entry.state()) {
                // SAFETY: linked there.
                unsafe { self.timers.unlink(&self.entry, IDLE) };
            }
        }
    }

    #[test]
    fn fires_at_its_tick_and_once() {
        let timers = Timers::new();
        let one = One::new(&timers);
        assert_eq!(one.link(7), Linked::Yes { first: true });
        assert_eq!((timers.next_expiration(), timers.len()), (Some(7), 1));
        assert_eq!(timers.fire_expired(6), 0);
        assert_eq!(timers.fire_expired(7), 1);
        assert_eq!((one.wakes(), one.entry.state()), (1, FIRED));
        assert_eq!((timers.next_expiration(), timers.len()), (None, 0));
        assert_eq!(timers.fire_expired(8), 0);
    }

    #[test]
    fn cancelling_forgets_the_tick() {
        let timers = Timers::new();
        let (early, late) = (One::new(&timers), One::new(&timers));
        assert_eq!(late.link(60), Linked::Yes { first: true });
        assert_eq!(early.link(5), Linked::Yes { first: true });
        drop(early);
        assert_eq!(timers.next_expiration(), Some(60));
        assert_eq!(timers.fire_expired(59), 0);
        drop(late);
        assert_eq!(timers.next_expiration(), None);
    }

    #[test]
    fn a_row_of_short_lived_timers_unparks_once() {
        let timers = Timers::new();
        assert_eq!(timers.arm(|| 0), None);
        let unparks = (0..5).filter(|_| {
            let one = One::new(&timers);
            assert_eq!(one.link(60), Linked::Yes { first: true });
            let needed = !timers.is_armed_for(60);
            drop(one);
            // Too late for that one, and in time for the next.
            assert_eq!(timers.arm(|| 1), Some(60));
            needed
        });
        assert_eq!(unparks.count(), 1);
        // What was promised is kept, and then forgotten.
        assert_eq!(timers.arm(|| 60), None);
        let earlier = One::new(&timers);
        assert_eq!(earlier.link(70), Linked::Yes { first: true });
        assert!(!timers.is_armed_for(70) && timers.is_armed_for(70) && !timers.is_armed_for(69));
        timers.disarm();
        assert!(!timers.is_armed_for(1_000));
    }

    #[test]
    fn what_is_due_is_not_linked() {
        let timers = Timers::new();
        let (other, one) = (One::new(&timers), One::new(&timers));
        assert_eq!(other.link(10), Linked::Yes { first: true });
        timers.fire_expired(10);
        assert_eq!(one.link(10), Linked::No);
        assert_eq!((one.entry.state(), one.wakes(), Arc::strong_count(&one.count)), (FIRED, 0, 1));
    }

    #[test]
    fn a_raised_deadline_keeps_the_waker() {
        let timers = Timers::new();
        let one = One::new(&timers);
        assert_eq!(one.link(10), Linked::Yes { first: true });
        one.entry.raise(10, 500).unwrap();
        assert_eq!(timers.fire_expired(10), 0);
        assert_eq!(timers.fire_expired(499), 0);
        assert_eq!(one.wakes(), 0);
        assert_eq!(timers.fire_expired(500), 1);
        assert_eq!(one.wakes(), 1);
        assert_eq!(one.entry.raise(500, 600), Err(FIRED));
    }

    #[test]
    fn relinking_goes_forward_or_fires() {
        let timers = Timers::new();
        let (clock, one) = (One::new(&timers), One::new(&timers));
        assert_eq!(clock.link(20), Linked::Yes { first: true });
        assert_eq!(one.link(1_000), Linked::Yes { first: false });
        assert_eq!(timers.fire_expired(20), 1);
        // SAFETY: linked there.
        assert_eq!(unsafe { timers.relink(&one.entry, 30, false) }, Linked::Yes { first: true });
        assert_eq!(timers.next_expiration(), Some(30));
        // SAFETY: as above.
        assert_eq!(unsafe { timers.relink(&one.entry, 20, false) }, Linked::No);
        assert_eq!((one.wakes(), one.entry.state(), timers.len()), (1, FIRED, 0));
        one.entry.set_state(IDLE);
        assert_eq!(one.link(1_000), Linked::Yes { first: true });
        // SAFETY: as above.
        assert_eq!(unsafe { timers.relink(&one.entry, 40, true) }, Linked::No);
        assert_eq!((one.wakes(), timers.next_expiration()), (2, None));
    }

    #[test]
    fn wakers_are_compared_without_the_lock() {
        let timers = Timers::new();
        let one = One::new(&timers);
        let (own, other): (Waker, Waker) = (one.count.clone().into(), Arc::<Count>::default().into());
        assert_eq!(one.link(3), Linked::Yes { first: true });
        let held = timers.wheel.lock();
        // SAFETY: linked above.
        assert!(unsafe { one.entry.has_waker(&own) && !one.entry.has_waker(&other) });
        drop(held);
        // SAFETY: as above.
        assert!(unsafe { timers.set_waker(&one.entry, &other) });
        timers.fire_expired(3);
        assert_eq!(one.wakes(), 0);
        drop(own);
        assert_eq!(Arc::strong_count(&one.count), 1);
        // SAFETY: it was linked.
        assert!(!unsafe { timers.set_waker(&one.entry, &other) });
    }

    #[test]
    fn shutdown_wakes_all_and_links_no_more() {
        let timers = Timers::new();
        let all: Vec<_> = (0..100).map(|_| One::new(&timers)).collect();
        for (one, deadline) in all.iter().zip([5, 100, 10_000, 1 << 40].into_iter().cycle()) {
            assert!(matches!(one.link(deadline), Linked::Yes { .. }));
        }
        timers.shutdown();
        assert!(all.iter().all(|one| one.wakes() == 1 && one.entry.state() == CLOSED));
        assert_eq!((timers.len(), timers.next_expiration()), (0, None));
        let late = One::new(&timers);
        assert_eq!(late.link(5), Linked::No);
        assert_eq!(late.entry.state(), CLOSED);
    }

    /// Each waker that runs drops the entries that have not fired yet, as a user's may.
    #[test]
    fn a_waker_may_drop_timers_that_are_due() {
        use std::sync::Mutex;

        struct DropAll(Mutex<Vec<One<'static>>>);

        impl Wake for DropAll {
            fn wake(self: Arc<Self>) {
                let taken = std::mem::take(&mut *self.0.lock().unwrap());
                drop(taken);
            }
        }

        static TIMERS: std::sync::OnceLock<Timers> = std::sync::OnceLock::new();
        let timers = TIMERS.get_or_init(Timers::new);
        let all = Arc::new(DropAll(Mutex::default()));
        for _ in 0..100 {
            let one = One::new(timers);
            // SAFETY: boxed; unlinked when dropped.
            let linked = unsafe { timers.link(&one.entry, 10, &all.clone().into()) };
            assert!(matches!(linked, Linked::Yes { .. }));
            all.0.lock().unwrap().push(one);
        }
        assert!(timers.fire_expired(10) < 100);
        assert_eq!((timers.len(), Arc::strong_count(&all)), (0, 1));
    }

    /// A panicking waker leaves the others to the next turn.
    #[test]
    fn a_panicking_waker_does_not_strand_others() {
        struct Bomb;

        impl Wake for Bomb {
            fn wake(self: Arc<Self>) {
                panic!("planned");
            }
        }

        let timers = Timers::new();
        let (bomb, rest) = (One::new(&timers), [0; 100].map(|_| One::new(&timers)));
        // SAFETY: boxed; unlinked when dropped.
        let _ = unsafe { timers.link(&bomb.entry, 10, &Arc::new(Bomb).into()) };
        for one in &rest {
            assert!(matches!(one.link(10), Linked::Yes { .. }));
        }
        let turn = std::panic::AssertUnwindSafe(|| timers.fire_expired(10));
        assert!(std::panic::catch_unwind(turn).is_err());
        assert!(timers.next_expiration().is_some_and(|next| next <= 10));
        timers.fire_expired(10);
        assert!(rest.iter().all(|one| one.wakes() == 1));
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::super::entry::IDLE;
    use super::*;
    use crate::loom::sync::Arc;
    use crate::loom::sync::atomic::AtomicUsize;
    use crate::loom::thread;
    use std::pin::Pin;
    use std::task::Wake;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count() -> (std::sync::Arc<Count>, Waker) {
        let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
        (count.clone(), count.into())
    }

    fn wakes(count: &std::sync::Arc<Count>) -> usize {
        count.0.load(Ordering::Relaxed)
    }

    fn linked(timers: &Timers, deadline: u64, waker: &Waker) -> Pin<Box<Entry>> {
        let entry = Box::pin(Entry::new());
        // SAFETY: boxed; the models unlink it or see it fired before it is dropped.
        let linked = unsafe { timers.link(&entry, deadline, waker) };
        assert!(matches!(linked, Linked::Yes { .. }));
        entry
    }

    /// What a future's drop does.
    fn discard(timers: &Timers, entry: Pin<Box<Entry>>) {
        if is_linked(entry.state()) {
            // SAFETY: linked there.
            unsafe { timers.unlink(&entry, IDLE) };
        }
        // Freeing is writing, as far as races go.
        entry.set_slot(0);
        // SAFETY: it is unlinked, and has no waker.
        unsafe {
            entry.put_waker(Waker::noop().clone());
            drop(entry.take_waker());
        }
    }

    /// Runs what the owner of an entry does on a thread of its own, while this one turns the wheel. (The other
    /// way round loom does not see that the owner's look at the state comes into conflict with the firing: it
    /// keeps one access to an object only, and the turn itself looks before it fires.)
    fn race<R: 'static>(
        timers: &Arc<Timers>,
        entry: Pin<Box<Entry>>,
        now: u64,
        owner: impl FnOnce(&Timers, &Entry) -> R + 'static,
    ) -> (R, Pin<Box<Entry>>) {
        let owned = timers.clone();
        let thread = thread::spawn(move || (owner(&owned, &entry), entry));
        timers.fire_expired(now);
        thread.join().unwrap()
    }

    /// Dropped while it fires: freed by the owner without the lock if it has fired, and nobody touches it
    /// after that.
    #[test]
    fn dropped_while_it_fires() {
        crate::loom::model(|| {
            let timers = Arc::new(Timers::new());
            let (count, waker) = count();
            let entry = linked(&timers, 5, &waker);
            let owned = timers.clone();
            let owner = thread::spawn(move || discard(&owned, entry));
            let fired = timers.fire_expired(5);
            owner.join().unwrap();
            assert_eq!(fired, wakes(&count));
            assert_eq!(timers.len(), 0);
            drop(waker);
            assert_eq!(std::sync::Arc::strong_count(&count), 1);
        });
    }

    /// Polled with another waker while it fires: either that waker runs, or the poller sees it fired.
    #[test]
    fn polled_by_another_task_while_it_fires() {
        crate::loom::model(|| {
            let timers = Arc::new(Timers::new());
            let ((_, first), (second_count, second)) = (count(), count());
            let entry = linked(&timers, 5, &first);
            let (pending, entry) = race(&timers, entry, 5, move |timers, entry| {
                // SAFETY: owned here, linked above.
                unsafe {
                    is_linked(entry.state())
                        && !entry.has_waker(&second)
                        && timers.set_waker(entry, &second)
                }
            });
            assert_eq!(wakes(&second_count), usize::from(pending));
            discard(&timers, entry);
        });
    }

    /// Polled with the same waker while it fires: pending means that the waker runs.
    #[test]
    fn polled_by_the_same_task_while_it_fires() {
        crate::loom::model(|| {
            let timers = Arc::new(Timers::new());
            let (count, waker) = count();
            let entry = linked(&timers, 5, &waker);
            let ((), entry) = race(&timers, entry, 5, move |_, entry| {
                if is_linked(entry.state()) {
                    // SAFETY: owned here, linked above.
                    assert!(unsafe { entry.has_waker(&waker) });
                }
            });
            assert_eq!(wakes(&count), 1);
            discard(&timers, entry);
        });
    }

    /// Moved back while it fires: if the owner succeeds, it fires at the new deadline and not before.
    #[test]
    fn moved_back_while_it_fires() {
        crate::loom::model(|| {
            let timers = Arc::new(Timers::new());
            let (count, waker) = count();
            let entry = linked(&timers, 5, &waker);
            let (moved, entry) = race(&timers, entry, 5, |_, entry| entry.raise(5, 9).is_ok());
            // The turn may have come to the old deadline before; if after, it has linked it anew.
            assert_eq!(wakes(&count), usize::from(!moved));
            assert_eq!(is_linked(entry.state()), moved);
            if moved {
                assert!(timers.next_expiration().is_some_and(|next| next <= 9));
            }
            timers.fire_expired(9);
            assert_eq!(wakes(&count), 1);
            discard(&timers, entry);
        });
    }

    /// Fired, and at once linked again by its owner: the first firing has let go of it.
    #[test]
    fn linked_again_after_it_fired() {
        crate::loom::model(|| {
            let timers = Arc::new(Timers::new());
            let ((_, first), (second_count, second)) = (count(), count());
            let entry = linked(&timers, 5, &first);
            let (again, entry) = race(&timers, entry, 5, move |timers, entry| {
                if is_linked(entry.state()) {
                    return false;
                }
                entry.set_state(IDLE);
                // SAFETY: owned here, and unlinked.
                unsafe { timers.link(entry, 9, &second) != Linked::No }
            });
            timers.fire_expired(9);
            assert_eq!(wakes(&second_count), usize::from(again));
            assert_eq!(timers.len(), 0);
            discard(&timers, entry);
        });
    }

    /// Brought forward while the wheel turns: it fires once.
    #[test]
    fn brought_forward_while_the_wheel_turns() {
        crate::loom::model(|| {
            let timers = Arc::new(Timers::new());
            let (count, waker) = count();
            let entry = linked(&timers, 70, &waker);
            let (linked, entry) = race(&timers, entry, 64, |timers, entry| {
                // SAFETY: owned here, linked above.
                unsafe { timers.relink(entry, 10, false) }
            });
            if linked != Linked::No {
                timers.fire_expired(64);
            }
            assert_eq!((wakes(&count), timers.len()), (1, 0));
            assert_eq!(entry.state(), FIRED);
        });
    }

    /// Two threads turn the same wheel (its worker and the one that stands in for it): each timer fires once.
    #[test]
    fn turned_by_two() {
        crate::loom::model(|| {
            let timers = Arc::new(Timers::new());
            let ((one, waker), (two, other)) = (count(), count());
            let entries = [linked(&timers, 5, &waker), linked(&timers, 6, &other)];
            let other = timers.clone();
            let turning = thread::spawn(move || other.fire_expired(6));
            let fired = timers.fire_expired(5);
            assert_eq!(fired + turning.join().unwrap(), 2);
            assert_eq!((wakes(&one), wakes(&two)), (1, 1));
            drop(entries);
        });
    }

    /// Linked from another thread while its worker goes to sleep: the worker sees the deadline, or the one
    /// who links sees that it has to unpark.
    #[test]
    fn a_parking_worker_does_not_miss_an_earlier_deadline() {
        use crate::loom::sync::atomic::AtomicBool;

        crate::loom::model(|| {
            let timers = Arc::new(Timers::new());
            let unparked = Arc::new(AtomicBool::new(false));
            let (_, waker) = count();
            let late = linked(&timers, 60, &waker);
            let remote = (timers.clone(), unparked.clone());
            let linking = thread::spawn(move || {
                let (_, waker) = count();
                let entry = Box::pin(Entry::new());
                // SAFETY: boxed, and given back to be discarded.
                if let Linked::Yes { first: true } = unsafe { remote.0.link(&entry, 5, &waker) } {
                    remote.1.store(true, Ordering::Release);
                }
                entry
            });
            let before = unparked.load(Ordering::Acquire);
            let next = timers.next_expiration();
            let entry = linking.join().unwrap();
            // Slept past 5 only if the unpark was still to come.
            assert!(next == Some(5) || (!before && unparked.load(Ordering::Acquire)));
            discard(&timers, entry);
            discard(&timers, late);
        });
    }

    /// Linked from another thread while its worker arms anew, what it had promised having passed: the worker waits no
    /// longer than to the deadline, or is unparked after it armed. So too for a second timer, which may find
    /// the worker armed by the first.
    #[test]
    fn an_armed_worker_does_not_miss_an_earlier_deadline() {
        crate::loom::model(|| {
            let timers = Arc::new(Timers::new());
            assert!(!timers.is_armed_for(7));
            let unparks = Arc::new(AtomicUsize::new(0));
            let remote = (timers.clone(), unparks.clone());
            let link = move |tick| {
                let (_, waker) = count();
                let entry = Box::pin(Entry::new());
                // SAFETY: boxed, and discarded below.
                if let Linked::Yes { first: true } = unsafe { remote.0.link(&entry, tick, &waker) } {
                    fence(Ordering::SeqCst);
                    if !remote.0.is_armed_for(tick) {
                        remote.1.fetch_add(1, Ordering::AcqRel);
                    }
                }
                entry
            };
            let other = timers.clone();
            let linking = thread::spawn(move || {
                let entry = link(12);
                discard(&other, entry);
                link(9)
            });
            // Each unpark that comes while it arms has it arm once more.
            let (mut until, mut seen);
            loop {
                seen = unparks.load(Ordering::Acquire);
                until = timers.arm(|| 8);
                if seen == unparks.load(Ordering::Acquire) {
                    break;
                }
            }
            let entry = linking.join().unwrap();
            let woken = seen != unparks.load(Ordering::Acquire);
            assert!(woken || until.is_some_and(|until| until <= 9), "{until:?}");
            discard(&timers, entry);
        });
    }

    /// Shut down while it is dropped or polled.
    #[test]
    fn shut_down_while_it_is_dropped() {
        crate::loom::model(|| {
            let timers = Arc::new(Timers::new());
            let (count, waker) = count();
            let entry = linked(&timers, 5, &waker);
            let owned = timers.clone();
            let owner = thread::spawn(move || discard(&owned, entry));
            timers.shutdown();
            owner.join().unwrap();
            assert!(wakes(&count) <= 1);
            assert_eq!(timers.len(), 0);
            drop(waker);
            assert_eq!(std::sync::Arc::strong_count(&count), 1);
        });
    }
}
