//! The flight recorder: the last events of each worker.
//!
//! Each slot has a ring that only the thread with the worker's core writes, so an event is a reading of the clock and
//! five stores. The clock is the processor's where that can be trusted; what it counts is made into time when a
//! recording ends. A poll is one event: it has ended when the worker begins something else. What happens on other
//! threads goes into one more ring, under a lock. Rings are made when their first event comes, and never emptied: a
//! recording takes those events that are younger than it is.
//!
//! A reader may come while an event is overwritten. The writer tells how many events it has written *before* it
//! touches the next place; the reader looks at that number again when it has read, and drops what may have been
//! written over meanwhile.

use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crate::engine::task::{Id, Origin};
use crate::sys::ticks;
use crate::util::{Counter, defaults};

/// Events a ring holds: half a mebibyte of them. Arbitrary; some ten milliseconds of the busiest worker, seconds
/// of a usual one.
pub(crate) const RING: usize = 1 << 14;

/// Who woke a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Task(Id),
    /// The worker's poller.
    Io,
    /// One of the worker's timers.
    Timer,
    /// Something that is no task of a runtime.
    Outside,
}

/// What happened, as a ring keeps it: the kind in the low byte, and above it what some kinds tell besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

/// Wakes, by [`Cause`], ready before there is one.
impl Word {
    pub(crate) const IO: Word = Word(7);
    pub(crate) const TIMER: Word = Word(8);
    pub(crate) const OUTSIDE: Word = Word(9);
    pub(crate) const AGAIN: Word = Word(14);

    #[inline]
    pub(crate) fn task(id: u64) -> Word {
        Word(10 | id << 8)
    }

    pub(crate) fn cause(self) -> Cause {
        match self.decode() {
            Some(What::Wake(cause)) => cause,
            _ => Cause::Outside,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Spawn,
    PollStart,
    /// What was polled is that no more; left out where something else begins at once.
    PollEnd,
    /// The future that a single-threaded runtime's `block_on` waits for is polled.
    Root,
    Wake(Cause),
    /// The task's poll is over, and it is queued again: it was woken meanwhile.
    Again,
    Park,
    Unpark,
    /// So many events came from the operating system.
    Io(u64),
    /// So many timers were due.
    Timers(u64),
    /// So many tasks were taken from another worker.
    Steal(u64),
    /// The monitor found the slot's worker stuck.
    Stall(u64),
}

/// What happened, to which task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) what: What,
    pub(crate) task: Option<Id>,
    pub(crate) location: Option<&'static Location<'static>>,
}

impl Event {
    pub(crate) fn of_worker(what: What) -> Event {
        Event { what, task: None, location: None }
    }

    pub(crate) fn spawn(origin: &Origin<'_>) -> Event {
        Event { what: What::Spawn, task: Some(origin.id), location: Some(origin.location) }
    }

    pub(crate) fn poll(what: What, id: Id, location: &'static Location<'static>) -> Event {
        Event { what, task: Some(id), location: Some(location) }
    }
}

impl From<What> for Word {
    #[inline(always)]
    fn from(what: What) -> Word {
        let (kind, detail) = match what {
            What::Spawn => (0, 0),
            What::PollStart => (1, 0),
            What::PollEnd => (2, 0),
            What::Park => (3, 0),
            What::Unpark => (4, 0),
            What::Steal(n) => (5, n),
            What::Stall(slot) => (6, slot),
            What::Wake(Cause::Io) => return Word::IO,
            What::Wake(Cause::Timer) => return Word::TIMER,
            What::Wake(Cause::Outside) => return Word::OUTSIDE,
            What::Wake(Cause::Task(id)) => return Word::task(id.as_u64()),
            What::Root => (11, 0),
            What::Io(n) => (12, n),
            What::Timers(n) => (13, n),
            What::Again => return Word::AGAIN,
        };
        Word(kind | detail << 8)
    }
}

impl Word {
    #[inline]
    fn decode(self) -> Option<What> {
        let detail = self.0 >> 8;
        Some(match self.0 & 0xFF {
            0 => What::Spawn,
            1 => What::PollStart,
            2 => What::PollEnd,
            3 => What::Park,
            4 => What::Unpark,
            5 => What::Steal(detail),
            6 => What::Stall(detail),
            7 => What::Wake(Cause::Io),
            8 => What::Wake(Cause::Timer),
            9 => What::Wake(Cause::Outside),
            10 => What::Wake(Cause::Task(Id::from_u64(detail)?)),
            11 => What::Root,
            12 => What::Io(detail),
            13 => What::Timers(detail),
            14 => What::Again,
            _ => return None,
        })
    }
}

#[derive(Default)]
struct Place {
    time: Counter,
    what: Counter,
    task: Counter,
    location: AtomicPtr<Location<'static>>,
}

/// An event as it is written.
#[derive(Clone, Copy)]
struct Words {
    what: Word,
    task: u64,
    location: *const Location<'static>,
}

impl From<Event> for Words {
    #[inline]
    fn from(event: Event) -> Words {
        Words {
            what: Word::from(event.what),
            task: event.task.map_or(0, Id::as_u64),
            location: event.location.map_or(ptr::null(), ptr::from_ref),
        }
    }
}

struct Ring {
    /// Of a length known to the compiler: no place needs a look whether it is one.
    places: Box<[Place; RING]>,
    /// Events ever written.
    written: AtomicUsize,
}

impl Ring {
    fn new() -> Ring {
        let places: Box<[Place]> = defaults(RING);
        let Ok(places) = places.try_into() else { unreachable!("it has that many") };
        Ring { places, written: AtomicUsize::new(0) }
    }

    /// For one thread at a time.
    #[inline]
    fn push(&self, time: u64, words: Words) {
        // Relaxed: ours.
        let written = self.written.load(Ordering::Relaxed);
        // The number as it is, before the place is overwritten. Partner: the fence in `read`.
        fence(Ordering::Release);
        let place = &self.places[written % RING];
        place.time.set(time);
        place.what.set(words.what.0);
        place.task.set(words.task);
        place.location.store(words.location.cast_mut(), Ordering::Relaxed);
        // Release pairs with the acquire in `read`.
        self.written.store(written.wrapping_add(1), Ordering::Release);
    }

    /// What is in it from `since` on, oldest first.
    #[inline]
    fn read(&self, since: u64) -> Vec<(u64, Event)> {
        // Acquire pairs with the release in `push`.
        let end = self.written.load(Ordering::Acquire);
        let start = end.saturating_sub(RING);
        let read = |at: usize| {
            let place = &self.places[at % RING];
            // SAFETY: nothing but `'static` references is stored, or null.
            let location = unsafe { place.location.load(Ordering::Relaxed).as_ref() };
            (
                at,
                place.time.get(),
                Word(place.what.get()).decode(),
                Id::from_u64(place.task.get()),
                location,
            )
        };
        let events: Vec<_> = (start..end).map(read).collect();
        // Whatever of a later event was read above, its writer's number is read here. Partner: the fence in `push`.
        fence(Ordering::Acquire);
        let now = self.written.load(Ordering::Relaxed);
        events
            .into_iter()
            // The place of the event that is being written now is that of the oldest.
            .filter(|&(at, time, ..)| at + RING > now && time >= since)
            .filter_map(|(_, time, what, task, location)| {
                Some((time, Event { what: what?, task, location }))
            })
            .collect()
    }
}

/// A moment, by the system's clock and as events have it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    at: Instant,
    time: u64,
}

impl Mark {
    /// Nanoseconds from here to `end`.
    pub(crate) fn ns_to(&self, end: &Mark) -> u64 {
        u64::try_from(end.at.saturating_duration_since(self.at).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Nanoseconds from here to an event's time, with the measure that `end` gives.
    pub(crate) fn ns_until(&self, time: u64, end: &Mark) -> u64 {
        let (part, whole) = (time.saturating_sub(self.time), end.time.saturating_sub(self.time).max(1));
        let ns = u128::from(part) * u128::from(self.ns_to(end)) / u128::from(whole);
        u64::try_from(ns).unwrap_or(u64::MAX)
    }
}

pub(crate) struct Recorder {
    epoch: Instant,
    /// One for each slot.
    rings: Box<[OnceLock<Ring>]>,
    /// Of threads that are no workers.
    outside: Mutex<Option<Ring>>,
    /// Recordings under way.
    pub(crate) users: Mutex<usize>,
}

impl Recorder {
    pub(crate) fn new(slots: usize) -> Recorder {
        Recorder {
            epoch: Instant::now(),
            rings: (0..slots).map(|_| OnceLock::new()).collect(),
            outside: Mutex::new(None),
            users: Mutex::new(0),
        }
    }

    /// The time, as events have it.
    #[inline]
    fn now(&self) -> u64 {
        ticks::now()
            .unwrap_or_else(|| u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// A moment, to begin or to end a recording.
    pub(crate) fn mark(&self) -> Mark {
        Mark { at: Instant::now(), time: self.now() }
    }

    /// `slot`: of the worker whose core the calling thread has.
    pub(crate) fn push(&self, slot: Option<usize>, event: Event) {
        match slot {
            Some(slot) => self.push_here(slot, event.into()),
            None => self.push_elsewhere(event.into()),
        }
    }

    fn push_elsewhere(&self, words: Words) {
        let time = self.now();
        let mut outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        outside.get_or_insert_with(Ring::new).push(time, words);
    }

    /// As [`push_wake`](Recorder::push_wake), by a thread that is no worker.
    #[cold]
    pub(crate) fn push_wake_elsewhere(&self, id: Id, what: Word) {
        self.push_elsewhere(Words { what, task: id.as_u64(), location: ptr::null() });
    }

    /// A task is made by the slot's worker, whose core the calling thread has.
    #[inline]
    pub(crate) fn push_spawn(&self, slot: usize, origin: &Origin<'_>) {
        self.push_here(slot, Event::spawn(origin).into());
    }

    /// A poll begins on the slot's worker, whose core the calling thread has.
    #[inline]
    pub(crate) fn push_poll(&self, slot: usize, id: Id, location: &'static Location<'static>) {
        self.push_here(slot, Event::poll(What::PollStart, id, location).into());
    }

    /// A task is queued by the slot's worker, whose core the calling thread has.
    #[inline]
    pub(crate) fn push_wake(&self, slot: usize, id: Id, what: Word) {
        self.push_here(slot, Words { what, task: id.as_u64(), location: ptr::null() });
    }

    /// The slot's worker, whose core the calling thread has, does something.
    #[inline]
    pub(crate) fn push_deed(&self, slot: usize, what: Word) {
        self.push_here(slot, Words { what, task: 0, location: ptr::null() });
    }

    /// As [`push_deed`](Recorder::push_deed), by a thread that has lost the core.
    #[cold]
    pub(crate) fn push_deed_elsewhere(&self, what: Word) {
        self.push_elsewhere(Words { what, task: 0, location: ptr::null() });
    }

    #[inline(always)]
    fn push_here(&self, slot: usize, words: Words) {
        // In one piece, and by words: what is rare costs what is not no more than the branch to it.
        #[cold]
        #[inline(never)]
        fn push_slowly(
            recorder: &Recorder,
            slot: usize,
            what: Word,
            task: u64,
            location: *const Location<'static>,
        ) {
            let ring = recorder.rings[slot].get_or_init(Ring::new);
            ring.push(recorder.now(), Words { what, task, location });
        }

        match (self.rings.get(slot).and_then(OnceLock::get), ticks::now()) {
            (Some(ring), Some(time)) => ring.push(time, words),
            _ => push_slowly(self, slot, words.what, words.task, words.location),
        }
    }

    /// The events of each slot, and at the end those of all other threads, from `since` on, by the recorder's own time.
    #[inline]
    pub(crate) fn read(&self, since: Mark) -> Vec<Vec<(u64, Event)>> {
        let of_slot =
            |ring: &OnceLock<Ring>| ring.get().map_or_else(Vec::new, |ring| ring.read(since.time));
        let mut all: Vec<_> = self.rings.iter().map(of_slot).collect();
        let outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(outside.as_ref().map_or_else(Vec::new, |ring| ring.read(since.time)));
        all
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn steal(n: u64) -> Event {
        Event::of_worker(What::Steal(n))
    }

    #[test]
    fn events_come_back_as_they_were() {
        let id = Id::next();
        let all = [
            What::Spawn,
            What::PollStart,
            What::PollEnd,
            What::Park,
            What::Unpark,
            What::Steal(7),
            What::Stall(3),
            What::Wake(Cause::Io),
            What::Wake(Cause::Timer),
            What::Wake(Cause::Outside),
            What::Wake(Cause::Task(id)),
            What::Root,
            What::Io(9),
            What::Timers(4),
            What::Again,
        ];
        all.iter().for_each(|&what| assert_eq!(Word::from(what).decode(), Some(what)));
        assert_eq!(Word(0xFF).decode(), None);
    }

    #[test]
    fn a_full_ring_keeps_the_latest() {
        let ring = Ring::new();
        (0..RING as u64 + 10).for_each(|n| ring.push(n, steal(n).into()));
        let events = ring.read(0);
        // The oldest place is the one that would be written next.
        assert_eq!(events.len(), RING - 1);
        assert_eq!(events[0].1.what, What::Steal(11));
        assert_eq!(events[RING - 2].1.what, What::Steal(RING as u64 + 9));
        assert_eq!(ring.read(RING as u64 + 8).len(), 2);
    }

    /// What is read while another thread writes is whole: its two numbers belong together.
    #[test]
    fn no_event_is_torn() {
        let ring = Ring::new();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (1..200_000).for_each(|n| ring.push(n, steal(n).into()));
                done.store(true, Ordering::SeqCst);
            });
            while !done.load(Ordering::SeqCst) {
                let events = ring.read(0);
                assert!(events.iter().all(|(time, event)| event.what == What::Steal(*time)));
                assert!(events.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
            }
        });
    }
}
