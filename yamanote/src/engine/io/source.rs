//! One I/O resource as its pollers and its waiters see it.
//!
//! Comes after [`registration`](super::registration), which owns the operating system's side; the
//! [`poller`](super::poller) feeds it events.
//!
//! # The word
//! | bits | meaning |
//! |---|---|
//! | `Ready` | what events have reported and no operation has refuted |
//! | `TRY_READ`, `TRY_WRITE` | nobody knows yet: the operation itself is the cheapest way to find out |
//! | `REGISTERED` | a poller reports events; without it nothing will ever set a bit |
//! | `SHUTDOWN` | the runtime is gone; set once, never cleared |
//! | tick | counts events |
//!
//! An operation takes a snapshot (a [`ReadyEvent`]), tries, and on `WouldBlock` clears the bits it relied
//! on, *unless the tick has moved*: an event that arrived between the try and the clear stays. Bits that
//! say "closed" are never cleared, for they never become wrong.
//!
//! # Waiters
//! Two slots for the `poll_*` functions, which keep only their last caller, and a list of nodes inside
//! [`Readiness`] futures, any number. A waiter stores its waker under the lock and then reads the word
//! once more; a setter changes the word and then takes the lock. Whichever locks second sees the other,
//! so no wake-up is lost. Wakers are cloned before and run or dropped after the lock is held.

use std::cell::UnsafeCell;
use std::future::Future;
use std::marker::PhantomPinned;
use std::mem;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use crate::io::interest::Interest;
use crate::io::ready::Ready;
use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::{AtomicUsize, Ordering};
use crate::util::LinkedList;
use crate::util::canary::canary;
use crate::util::contain::contain;
use crate::util::linked_list::{Link, Links};

const READY: usize = (1 << Ready::BITS) - 1;
const TRY_READ: usize = 1 << Ready::BITS;
const TRY_WRITE: usize = TRY_READ << 1;
const REGISTERED: usize = TRY_WRITE << 1;
const SHUTDOWN: usize = REGISTERED << 1;
/// One tick. The rest of the word counts; that it wraps matters only to an operation during which exactly
/// 2^22 (or, with 64 bits, 2^54) events arrive.
const TICK: usize = SHUTDOWN << 1;

/// Which half of a resource a `poll_*` function speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

impl Direction {
    #[inline]
    pub(crate) fn mask(self) -> Ready {
        match self {
            Direction::Read => Ready::READABLE | Ready::READ_CLOSED,
            Direction::Write => Ready::WRITABLE | Ready::WRITE_CLOSED,
        }
    }
}

/// What an operation relies on when it tries: the readiness seen, and the tick it was seen at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadyEvent {
    tick: usize,
    pub(crate) ready: Ready,
    pub(crate) is_shutdown: bool,
}

impl ReadyEvent {
    #[cfg(any(unix, test))]
    pub(crate) fn with_ready(self, ready: Ready) -> ReadyEvent {
        ReadyEvent { ready, ..self }
    }
}

/// A snapshot of the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(usize);

impl Word {
    #[inline]
    fn ready(self) -> Ready {
        Ready::from_bits_truncate((self.0 & READY) as u8)
    }

    #[inline]
    fn tick(self) -> usize {
        self.0 & !(TICK - 1)
    }

    #[inline]
    pub(crate) fn is_registered(self) -> bool {
        self.0 & REGISTERED != 0
    }

    #[inline]
    pub(crate) fn is_shutdown(self) -> bool {
        self.0 & SHUTDOWN != 0
    }

    /// What of `interest` is not reported, if anything.
    pub(crate) fn unreported(self, interest: Interest) -> Option<Interest> {
        interest.unmet_by(self.ready())
    }

    #[inline]
    pub(crate) fn saw_priority(self) -> bool {
        self.ready().saw_priority()
    }

    #[inline]
    fn event_of(self, mask: Ready) -> ReadyEvent {
        ReadyEvent {
            tick: self.tick(),
            ready: if self.is_shutdown() { mask } else { self.ready() & mask },
            is_shutdown: self.is_shutdown(),
        }
    }

    /// The event a waiter for `mask` waits for, if it is there.
    #[inline]
    pub(crate) fn event(self, mask: Ready) -> Option<ReadyEvent> {
        let event = self.event_of(mask);
        (!event.ready.is_empty()).then_some(event)
    }

    /// As [`event`](Self::event), but also when the state is unknown, so that an operation is tried.
    #[inline]
    pub(crate) fn attempt(self, mask: Ready) -> Option<ReadyEvent> {
        self.event(mask).or_else(|| {
            let unknown = self.0 & try_bits(mask) != 0;
            unknown.then_some(ReadyEvent { tick: self.tick(), ready: mask, is_shutdown: false })
        })
    }

    /// As [`attempt`](Self::attempt), for a caller that will not wait: without a poller the word cannot
    /// know better than the operation.
    #[inline]
    pub(crate) fn attempt_now(self, mask: Ready) -> Option<ReadyEvent> {
        match self.attempt(mask) {
            None if !self.is_registered() => {
                Some(ReadyEvent { tick: self.tick(), ready: mask, is_shutdown: false })
            }
            event => event,
        }
    }

    #[inline]
    fn after_event(self, ready: Ready) -> Word {
        Word((self.0 | ready.bits() as usize).wrapping_add(TICK))
    }

    #[inline]
    fn after_clear(self, event: ReadyEvent) -> Option<Word> {
        let clear = event.ready - (Ready::READ_CLOSED | Ready::WRITE_CLOSED);
        let bits = clear.bits() as usize | try_bits(clear);
        let is_newest = self.tick() == event.tick || canary!("newer-event-cleared");
        (is_newest && self.0 & bits != 0).then_some(Word(self.0 & !bits))
    }

    fn after_register(self) -> Word {
        Word((self.0 | REGISTERED) & !(TRY_READ | TRY_WRITE))
    }

    fn after_deregister(self) -> Word {
        Word((self.0 | TRY_READ | TRY_WRITE) & !REGISTERED)
    }
}

#[inline]
fn try_bits(ready: Ready) -> usize {
    let mut bits = 0;
    if !(ready & Ready::READABLE).is_empty() {
        bits |= TRY_READ;
    }
    if !(ready & Ready::WRITABLE).is_empty() {
        bits |= TRY_WRITE;
    }
    bits
}

pub(crate) struct Source {
    word: AtomicUsize,
    waiters: Mutex<Waiters>,
    /// Belongs to the list of the poller the source is registered with; see [`super::poller`].
    links: UnsafeCell<Links<Source>>,
}

#[derive(Default)]
struct Waiters {
    reader: Option<Waker>,
    writer: Option<Waker>,
    list: LinkedList<Waiting>,
}

// SAFETY: `links` is touched only by the poller's list, under the poller's lock; the rest is `Sync`.
unsafe impl Sync for Source {}
// SAFETY: the links are plain pointers whose use is governed by that lock; the rest is `Send`.
unsafe impl Send for Source {}

/// The list of sources a poller watches.
pub(crate) struct Watched;

// SAFETY: `links` is a field of the source, found at the same place each time; a source sits in an `Arc`, so
// it does not move, and the list owns a reference to each source in it.
unsafe impl Link for Watched {
    type Node = Source;

    unsafe fn links(node: NonNull<Source>) -> NonNull<Links<Source>> {
        // SAFETY: `node` is alive by contract; the pointer into a live `UnsafeCell` is not null.
        unsafe { NonNull::new_unchecked((*node.as_ptr()).links.get()) }
    }
}

impl Source {
    /// A source nobody watches yet. `assumed` is reported as ready until an operation refutes it; with
    /// `optimistic`, operations are tried although nothing is known.
    pub(crate) fn new(assumed: Ready, optimistic: bool) -> Source {
        let unknown = if optimistic { TRY_READ | TRY_WRITE } else { 0 };
        Source {
            word: AtomicUsize::new(assumed.bits() as usize | unknown),
            waiters: Mutex::new(Waiters::default()),
            links: UnsafeCell::new(Links::new()),
        }
    }

    #[inline]
    pub(crate) fn word(&self) -> Word {
        // Acquire: pairs with the release in `update`, so that who sees an event also sees what its
        // dispatcher did before.
        Word(self.word.load(Ordering::Acquire))
    }

    #[inline]
    fn update(&self, mut f: impl FnMut(Word) -> Option<Word>) {
        // AcqRel: the release pairs with the acquire in `word`; the acquire orders the change after the
        // ones it builds on.
        let _ = self
            .word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| f(Word(word)).map(|word| word.0));
    }

    /// An event arrived: records it and hands out the wakers of those who waited for it.
    pub(crate) fn set_ready(&self, ready: Ready, wakers: &mut WakeBatch) {
        self.update(|word| Some(word.after_event(ready)));
        self.take_waiters(ready, wakers);
    }

    /// The runtime goes: everybody is to be woken, now and forever.
    pub(crate) fn shut_down(&self, wakers: &mut WakeBatch) {
        // Release, acquire: as in `update`.
        self.word.fetch_or(SHUTDOWN, Ordering::AcqRel);
        self.take_waiters(Ready::ALL, wakers);
    }

    /// An operation found that `event` no longer holds.
    pub(crate) fn clear(&self, event: ReadyEvent) {
        self.update(|word| word.after_clear(event));
    }

    /// From now on a poller reports events.
    pub(crate) fn set_registered(&self) {
        self.update(|word| Some(word.after_register()));
    }

    /// No poller reports events any more. Whoever waits is woken, since nothing else would.
    pub(crate) fn set_deregistered(&self, wakers: &mut WakeBatch) {
        self.update(|word| Some(word.after_deregister()));
        self.take_waiters(Ready::ALL, wakers);
    }

    /// Forgets the wakers of the `poll_*` slots; the caller drops them.
    pub(crate) fn take_slots(&self) -> (Option<Waker>, Option<Waker>) {
        let mut waiters = self.waiters.lock();
        (waiters.reader.take(), waiters.writer.take())
    }

    fn take_waiters(&self, ready: Ready, wakers: &mut WakeBatch) {
        let mut waiters = self.waiters.lock();
        if ready.is_readable() {
            wakers.extend(waiters.reader.take());
        }
        if ready.is_writable() {
            wakers.extend(waiters.writer.take());
        }
        if waiters.list.is_empty() {
            return;
        }
        let mut rest = waiters.list.take();
        while let Some(node) = rest.pop_front() {
            // SAFETY: a node is in the list only while its future is alive (its drop takes it out under
            // this lock), and its fields are accessed under this lock alone. Putting it back keeps that.
            unsafe {
                if ((*node.as_ptr()).mask & ready).is_empty() {
                    waiters.list.push_back(node);
                } else {
                    (*node.as_ptr()).is_woken = true;
                    wakers.extend((*node.as_ptr()).waker.take());
                }
            }
        }
    }

    /// Waits for readiness in one direction. Only the last caller of a direction is woken.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<ReadyEvent> {
        match self.word().event(direction.mask()) {
            Some(event) => Poll::Ready(event),
            None => self.poll_wait(cx, direction),
        }
    }

    /// As [`poll_ready`](Self::poll_ready), for who has just seen that there is nothing.
    pub(crate) fn poll_wait(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<ReadyEvent> {
        let mask = direction.mask();
        let waker = cx.waker().clone();
        let mut waiters = self.waiters.lock();
        let slot = match direction {
            Direction::Read => &mut waiters.reader,
            Direction::Write => &mut waiters.writer,
        };
        let previous = slot.replace(waker);
        // The look that makes the wait safe: see the header.
        let event = if canary!("source-without-second-look") { None } else { self.word().event(mask) };
        let unneeded = event.and_then(|_| slot.take());
        drop(waiters);
        drop((previous, unneeded));
        event.map_or(Poll::Pending, Poll::Ready)
    }

    /// Waits for `interest`; any number of tasks may.
    pub(crate) fn readiness(&self, interest: Interest) -> Readiness<'_> {
        Readiness {
            source: self,
            state: State::Init,
            waiter: UnsafeCell::new(Waiter {
                links: Links::new(),
                waker: None,
                mask: interest.mask(),
                is_woken: false,
                _pin: PhantomPinned,
            }),
        }
    }
}

/// A node of the list of waiters.
///
/// `mask` never changes; the other fields belong to whoever holds the source's lock, from the moment the
/// node is linked.
struct Waiter {
    links: Links<Waiter>,
    waker: Option<Waker>,
    mask: Ready,
    /// Set when an event took the node out of the list.
    is_woken: bool,
    _pin: PhantomPinned,
}

// SAFETY: all access from other threads is under the source's lock.
unsafe impl Send for Waiter {}
// SAFETY: as above.
unsafe impl Sync for Waiter {}

struct Waiting;

// SAFETY: `links` is a field of the node, which sits in a pinned future and is unlinked by its drop.
unsafe impl Link for Waiting {
    type Node = Waiter;

    unsafe fn links(node: NonNull<Waiter>) -> NonNull<Links<Waiter>> {
        // SAFETY: `node` is alive by contract.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).links) }
    }
}

/// Waits for an event that matches an interest.
///
/// Once woken it completes, even if another task has consumed the readiness meanwhile: the event then has
/// an empty `ready`.
pub(crate) struct Readiness<'a> {
    source: &'a Source,
    state: State,
    waiter: UnsafeCell<Waiter>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not linked, never was.
    Init,
    /// Linked, or taken out by an event.
    Waiting,
    /// Not linked any more.
    Done,
}

// SAFETY: what other threads reach of it is the node, which is guarded by the source's lock.
unsafe impl Send for Readiness<'_> {}
// SAFETY: `&Readiness` gives access to nothing.
unsafe impl Sync for Readiness<'_> {}

impl Readiness<'_> {
    /// Whether it waits, or an event came that it is yet to tell.
    #[inline]
    pub(crate) fn is_begun(self: Pin<&Self>) -> bool {
        self.state == State::Waiting
    }

    /// Polls it, from the beginning if it had completed.
    pub(crate) fn poll_again(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ReadyEvent> {
        if self.state == State::Done {
            // SAFETY: nothing is moved. The node is in no list: it has never been, or an event took it out.
            let this = unsafe { self.as_mut().get_unchecked_mut() };
            this.state = State::Init;
            // SAFETY: in no list, so it is ours.
            unsafe { (*this.waiter.get()).is_woken = false };
        }
        self.poll(cx)
    }

    fn node(&self) -> NonNull<Waiter> {
        // SAFETY: a pointer into a live cell is not null.
        unsafe { NonNull::new_unchecked(self.waiter.get()) }
    }
}

impl Future for Readiness<'_> {
    type Output = ReadyEvent;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ReadyEvent> {
        // SAFETY: nothing is moved out; the node, which must stay in place, is reached by pointer only.
        let this = unsafe { self.get_unchecked_mut() };
        let node = this.node();
        // SAFETY: `mask` is written before the node is shared and never again.
        let mask = unsafe { (*node.as_ptr()).mask };
        match this.state {
            State::Init => {
                if let Some(event) = this.source.word().event(mask) {
                    this.state = State::Done;
                    return Poll::Ready(event);
                }
                let waker = cx.waker().clone();
                let mut waiters = this.source.waiters.lock();
                // The look that makes the wait safe: see the header.
                if let Some(event) = this.source.word().event(mask) {
                    drop(waiters);
                    this.state = State::Done;
                    return Poll::Ready(event);
                }
                // SAFETY: the node is not linked yet, so it is ours; from here on it stays in place
                // (the future is pinned) and is unlinked by an event or by the drop.
                unsafe {
                    (*node.as_ptr()).waker = Some(waker);
                    waiters.list.push_back(node);
                }
                drop(waiters);
                this.state = State::Waiting;
                Poll::Pending
            }
            State::Waiting => {
                let mut fresh = None;
                loop {
                    let waiters = this.source.waiters.lock();
                    // SAFETY: the lock is held, so the node's fields are ours.
                    let waiter = unsafe { &mut (*node.as_ptr()).waker };
                    // SAFETY: as above.
                    if unsafe { (*node.as_ptr()).is_woken } {
                        let unneeded = waiter.take();
                        drop(waiters);
                        drop(unneeded);
                        this.state = State::Done;
                        return Poll::Ready(this.source.word().event_of(mask));
                    }
                    if waiter.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                        drop(waiters);
                        return Poll::Pending;
                    }
                    // Another task polls us now. Its waker is cloned without the lock, then all is
                    // looked at again.
                    if let Some(waker) = fresh.take() {
                        let previous = waiter.replace(waker);
                        drop(waiters);
                        drop(previous);
                        return Poll::Pending;
                    }
                    drop(waiters);
                    fresh = Some(cx.waker().clone());
                }
            }
            State::Done => panic!("a readiness future was polled after it had completed"),
        }
    }
}

impl Drop for Readiness<'_> {
    fn drop(&mut self) {
        if self.state != State::Waiting {
            return;
        }
        let node = self.node();
        let mut waiters = self.source.waiters.lock();
        // SAFETY: the lock is held; the node is in this list, or in none after an event took it.
        let waker = unsafe {
            waiters.list.remove(node);
            (*node.as_ptr()).waker.take()
        };
        drop(waiters);
        drop(waker);
    }
}

/// Wakers to run once no lock is held.
#[derive(Default)]
pub(crate) struct WakeBatch {
    /// Most batches are of one. `None`: there are no others either.
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl WakeBatch {
    pub(crate) const fn new() -> WakeBatch {
        WakeBatch { first: None, others: Vec::new() }
    }

    #[inline]
    pub(crate) fn extend(&mut self, waker: Option<Waker>) {
        if self.first.is_none() {
            self.first = waker;
        } else {
            self.others.extend(waker);
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Whether it has memory that is worth keeping.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.others.capacity() > 0
    }

    pub(crate) fn take(&mut self) -> WakeBatch {
        mem::take(self)
    }

    /// Wakes all, in order; a waker that panics does not keep the others from running.
    #[inline]
    pub(crate) fn wake_all(&mut self) {
        if let Some(first) = self.first.take() {
            if self.others.is_empty() {
                first.wake();
            } else {
                self.wake_many(first);
            }
        }
    }

    fn wake_many(&mut self, first: Waker) {
        struct Rest<'a>(std::vec::Drain<'a, Waker>);

        impl Drop for Rest<'_> {
            fn drop(&mut self) {
                for waker in self.0.by_ref() {
                    // Unwinding already: a second panic would end the process.
                    contain(|| waker.wake());
                }
            }
        }

        let mut rest = Rest(self.others.drain(..));
        first.wake();
        for waker in rest.0.by_ref() {
            waker.wake();
        }
    }
}

impl Drop for WakeBatch {
    fn drop(&mut self) {
        if !self.is_empty() {
            // Whoever unwinds while it holds a batch must not leave tasks asleep.
            contain(|| self.wake_all());
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(std::sync::atomic::AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Count {
        fn get(&self) -> usize {
            self.0.load(Ordering::SeqCst)
        }
    }

    fn set(source: &Source, ready: Ready) {
        let mut wakers = WakeBatch::new();
        source.set_ready(ready, &mut wakers);
        wakers.wake_all();
    }

    fn registered() -> Source {
        let source = Source::new(Ready::EMPTY, true);
        source.set_registered();
        source
    }

    fn all_words() -> impl Iterator<Item = Word> {
        (0..TICK).flat_map(|low| [low, low | TICK, low | (usize::MAX & !(TICK - 1))]).map(Word)
    }

    #[test]
    fn transitions_keep_what_they_must() {
        for word in all_words() {
            for bits in 0..=READY as u8 {
                let ready = Ready::from_bits_truncate(bits);
                let after = word.after_event(ready);
                assert_ne!(after.tick(), word.tick());
                assert_eq!(after.ready(), word.ready() | ready);
                assert_eq!(after.is_shutdown(), word.is_shutdown());
                assert_eq!(after.is_registered(), word.is_registered());

                let event = word.event_of(Ready::ALL).with_ready(ready);
                // An event in between makes the clear void.
                assert_eq!(after.after_clear(event), None);
                if let Some(cleared) = word.after_clear(event) {
                    assert_eq!(cleared.tick(), word.tick());
                    assert_eq!(cleared.is_shutdown(), word.is_shutdown());
                    assert_eq!(cleared.is_registered(), word.is_registered());
                    assert_eq!(cleared.ready().is_read_closed(), word.ready().is_read_closed());
                    assert_eq!(cleared.ready().is_write_closed(), word.ready().is_write_closed());
                }
                // A shutdown is an event for everybody.
                if word.is_shutdown() && !ready.is_empty() {
                    assert!(word.event(ready).is_some_and(|event| event.is_shutdown));
                }
            }
            assert!(word.after_register().is_registered());
            assert!(!word.after_deregister().is_registered());
            // Without a poller there is always something to do but wait.
            assert!(word.is_registered() || word.attempt_now(Direction::Read.mask()).is_some());
        }
    }

    #[test]
    fn unknown_is_tried_but_not_reported() {
        let source = Source::new(Ready::EMPTY, true);
        let mask = Direction::Read.mask();
        assert!(source.word().event(mask).is_none());
        let event = source.word().attempt(mask).unwrap();
        source.clear(event);
        assert!(source.word().attempt(mask).is_none());
        assert!(source.word().attempt_now(mask).is_some());
        // The other half is still unknown.
        assert!(source.word().attempt(Direction::Write.mask()).is_some());
        source.set_registered();
        assert!(source.word().attempt(Direction::Write.mask()).is_none());
        assert!(source.word().attempt_now(mask).is_none());
    }

    #[test]
    fn what_is_not_reported_is_asked_for() {
        let source = registered();
        let both = Interest::READABLE | Interest::WRITABLE;
        assert_eq!(source.word().unreported(both), Some(both));
        set(&source, Ready::WRITABLE | Ready::READ_CLOSED);
        assert_eq!(source.word().unreported(both), Some(Interest::READABLE));
        set(&source, Ready::READABLE);
        assert_eq!(source.word().unreported(both), None);
        source.clear(source.word().event(Direction::Write.mask()).unwrap());
        assert_eq!(source.word().unreported(both), Some(Interest::WRITABLE));
        assert_eq!(
            source.word().unreported(Interest::READABLE | Interest::ERROR),
            Some(Interest::ERROR)
        );
    }

    #[test]
    fn an_event_during_the_attempt_survives_the_clear() {
        let source = registered();
        set(&source, Ready::READABLE);
        let event = source.word().event(Ready::READABLE).unwrap();
        set(&source, Ready::READABLE);
        source.clear(event);
        let event = source.word().event(Ready::READABLE).unwrap();
        source.clear(event);
        assert!(source.word().event(Ready::READABLE).is_none());
    }

    #[test]
    fn slots_keep_the_last_caller_and_do_not_mix() {
        let source = registered();
        let (first, second, writer) = <(Arc<Count>, Arc<Count>, Arc<Count>)>::default();
        for (count, direction) in
            [(&first, Direction::Read), (&second, Direction::Read), (&writer, Direction::Write)]
        {
            let waker = Waker::from(Arc::clone(count));
            assert!(source.poll_ready(&mut Context::from_waker(&waker), direction).is_pending());
        }
        set(&source, Ready::READABLE);
        assert_eq!((first.get(), second.get(), writer.get()), (0, 1, 0));
        set(&source, Ready::READ_CLOSED | Ready::WRITE_CLOSED);
        assert_eq!((first.get(), second.get(), writer.get()), (0, 1, 1));
        drop(source);
        assert_eq!(Arc::strong_count(&first), 1);
    }

    #[test]
    fn a_wait_can_be_repeated() {
        let source = registered();
        let count = <Arc<Count>>::default();
        let waker = Waker::from(Arc::clone(&count));
        let cx = &mut Context::from_waker(&waker);
        let mut waiting = pin!(source.readiness(Interest::READABLE));
        for round in 1..4 {
            assert!(!waiting.as_ref().is_begun());
            assert!(waiting.as_mut().poll_again(cx).is_pending());
            assert!(waiting.as_ref().is_begun());
            assert!(waiting.as_mut().poll_again(cx).is_pending());
            set(&source, Ready::READABLE);
            assert_eq!(count.get(), round);
            let Poll::Ready(event) = waiting.as_mut().poll_again(cx) else { panic!("must be ready") };
            source.clear(event);
        }
        // What is there already need not be waited for.
        set(&source, Ready::READABLE);
        assert!(waiting.as_mut().poll_again(cx).is_ready());
        assert_eq!(count.get(), 3);
    }

    #[test]
    fn waiters_are_woken_by_interest_and_leave_on_drop() {
        let source = registered();
        let (reader, writer, gone) = <(Arc<Count>, Arc<Count>, Arc<Count>)>::default();
        let mut read = pin!(source.readiness(Interest::READABLE));
        let mut write = pin!(source.readiness(Interest::WRITABLE));
        let poll = |future: Pin<&mut Readiness<'_>>, count: &Arc<Count>| {
            let waker = Waker::from(Arc::clone(count));
            future.poll(&mut Context::from_waker(&waker))
        };
        assert!(poll(read.as_mut(), &gone).is_pending());
        // Another task takes over.
        assert!(poll(read.as_mut(), &reader).is_pending());
        assert!(poll(write.as_mut(), &writer).is_pending());
        {
            let mut cancelled = Box::pin(source.readiness(Interest::READABLE | Interest::WRITABLE));
            assert!(poll(cancelled.as_mut(), &gone).is_pending());
        }
        set(&source, Ready::READABLE);
        assert_eq!((reader.get(), writer.get(), gone.get()), (1, 0, 0));
        assert_eq!(Arc::strong_count(&gone), 1);
        // Consumed by somebody else: completes all the same.
        source.clear(source.word().event(Ready::READABLE).unwrap());
        let Poll::Ready(event) = poll(read.as_mut(), &reader) else { panic!("must be ready") };
        assert!(event.ready.is_empty());
        assert!(poll(write.as_mut(), &writer).is_pending());
        let mut wakers = WakeBatch::new();
        source.shut_down(&mut wakers);
        drop(wakers);
        let Poll::Ready(event) = poll(write.as_mut(), &writer) else { panic!("must be ready") };
        assert!(event.is_shutdown);
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::Arc;
    use crate::loom::sync::atomic::AtomicUsize;
    use crate::loom::{model, thread};
    use ::loom::future::block_on;
    use std::future::poll_fn;

    fn set(source: &Source, ready: Ready) {
        let mut wakers = WakeBatch::new();
        source.set_ready(ready, &mut wakers);
        wakers.wake_all();
    }

    /// A stand-in for a socket: `sent` counts what the kernel has got, an event follows each arrival.
    fn send(kernel: &AtomicUsize, source: &Source) {
        kernel.fetch_add(1, Ordering::SeqCst);
        set(source, Ready::READABLE);
    }

    fn recv(kernel: &AtomicUsize) -> bool {
        kernel.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
    }

    #[test]
    fn polling_reader_loses_no_event() {
        model(|| {
            let source = Arc::new(Source::new(Ready::EMPTY, true));
            source.set_registered();
            let kernel = Arc::new(AtomicUsize::new(0));
            let writer = {
                let (source, kernel) = (source.clone(), kernel.clone());
                thread::spawn(move || {
                    send(&kernel, &source);
                    send(&kernel, &source);
                })
            };
            for _ in 0..2 {
                block_on(poll_fn(|cx| {
                    loop {
                        let event = match source.poll_ready(cx, Direction::Read) {
                            Poll::Ready(event) => event,
                            Poll::Pending => return Poll::Pending,
                        };
                        if recv(&kernel) {
                            return Poll::Ready(());
                        }
                        source.clear(event);
                    }
                }));
            }
            writer.join().unwrap();
        });
    }

    #[test]
    fn waiting_reader_loses_no_event() {
        model(|| {
            let source = Arc::new(Source::new(Ready::EMPTY, true));
            source.set_registered();
            let kernel = Arc::new(AtomicUsize::new(0));
            let writer = {
                let (source, kernel) = (source.clone(), kernel.clone());
                thread::spawn(move || send(&kernel, &source))
            };
            block_on(async {
                loop {
                    let event = source.readiness(Interest::READABLE).await;
                    if recv(&kernel) {
                        break;
                    }
                    source.clear(event);
                }
            });
            writer.join().unwrap();
        });
    }

    /// A kernel that reports arrivals once it was told to watch, and what is there when it is told.
    struct Socket {
        kernel: Mutex<(usize, bool)>,
        source: Source,
    }

    impl Socket {
        fn send(&self) {
            let mut kernel = self.kernel.lock();
            kernel.0 += 1;
            let watched = kernel.1;
            drop(kernel);
            if watched {
                set(&self.source, Ready::READABLE);
            }
        }

        fn recv(&self) -> bool {
            let mut kernel = self.kernel.lock();
            let there = kernel.0 > 0;
            kernel.0 -= usize::from(there);
            there
        }

        fn register(&self) {
            let mut kernel = self.kernel.lock();
            let there = kernel.0 > 0;
            let first = !std::mem::replace(&mut kernel.1, true);
            drop(kernel);
            if first && there {
                set(&self.source, Ready::READABLE);
            }
            if first {
                self.source.set_registered();
            }
        }
    }

    /// A reader that tries first and registers when it must, while another thread registers for the other
    /// half and data arrives.
    #[test]
    fn trying_before_registering_loses_no_event() {
        model(|| {
            let socket = Arc::new(Socket {
                kernel: Mutex::new((0, false)),
                source: Source::new(Ready::READABLE, true),
            });
            let other = {
                let socket = socket.clone();
                thread::spawn(move || {
                    socket.send();
                    socket.register();
                })
            };
            block_on(poll_fn(|cx| {
                let mask = Direction::Read.mask();
                loop {
                    let event = match socket.source.word().attempt(mask) {
                        Some(event) => event,
                        None => {
                            if !socket.source.word().is_registered() {
                                socket.register();
                            }
                            match socket.source.poll_ready(cx, Direction::Read) {
                                Poll::Ready(event) => event,
                                Poll::Pending => return Poll::Pending,
                            }
                        }
                    };
                    if socket.recv() {
                        return Poll::Ready(());
                    }
                    socket.source.clear(event);
                }
            }));
            other.join().unwrap();
        });
    }

    #[test]
    fn shutdown_reaches_every_waiter() {
        model(|| {
            let source = Arc::new(Source::new(Ready::EMPTY, false));
            source.set_registered();
            let other = {
                let source = source.clone();
                thread::spawn(move || {
                    let mut wakers = WakeBatch::new();
                    source.shut_down(&mut wakers);
                    wakers.wake_all();
                })
            };
            let event = block_on(async {
                let event = source.readiness(Interest::READABLE).await;
                assert!(event.is_shutdown);
                poll_fn(|cx| source.poll_ready(cx, Direction::Write)).await
            });
            assert!(event.is_shutdown);
            other.join().unwrap();
        });
    }

    #[test]
    fn cancelled_waiter_races_with_event() {
        model(|| {
            let source = Arc::new(Source::new(Ready::EMPTY, false));
            source.set_registered();
            let other = {
                let source = source.clone();
                thread::spawn(move || set(&source, Ready::READABLE))
            };
            block_on(async {
                let mut first = Box::pin(source.readiness(Interest::READABLE));
                poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_ready())).await;
                drop(first);
                source.readiness(Interest::READABLE).await;
            });
            other.join().unwrap();
        });
    }
}
