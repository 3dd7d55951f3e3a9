//! A poller: waits for the operating system's events and hands them to the sources.
//!
//! # Who waits
//! A few neighbouring workers share one. Of those that have nothing to do, one leads: it waits here for all of
//! them, and the others doze until they are notified. With a poller for each, a load that one worker could carry
//! would wake them all in turn, each for a handful of events; with one for all, every event of a large machine
//! would pass through it. Nobody leads while a worker that has nothing else to do is yet to park, and each
//! tries to before it dozes: so whenever all of them wait, one waits here.
//!
//! # Tokens
//! The token of a registration is the address of its [`Source`]. While a source is watched, the poller's
//! list owns a reference to it. When it ceases to be, an event for it may still be in the buffer of a turn
//! that another thread is in the middle of; so its reference goes to `released`, which the next turn
//! empties while its buffer is empty. When the system refuses to forget a registration (the descriptor was
//! closed behind our back, while a duplicate lives on), events may come at any time and the reference is
//! kept for as long as the poller lives.
//!
//! # Locks
//! `turn` is held for a whole turn, including the wait, and only tried by foreign workers. `sources` is
//! held for list operations. `making` is held while the system's part is made. None is held while wakers run, nor
//! is one taken inside the other, except `sources` inside `turn` and, while nobody can wait under it yet, `turn`
//! inside `making`.
//!
//! # When there is one
//! The operating system's part is made when the first source registers: many runtimes never have one, and of
//! those that have, not every worker. Until then all of them doze.

use std::fmt;
use std::io;
use std::sync::atomic::AtomicU64 as Counter;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::engine::io::PollerConfig;
use crate::engine::io::lead::Lead;
use crate::engine::io::look::Look;
use crate::engine::io::place::Waits;
use crate::engine::io::ring::RingSlot;
use crate::engine::io::source::{Source, WakeBatch, Watched};
use crate::engine::io::wait;
use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use crate::sys;
use crate::util::LinkedList;
use crate::util::canary::canary;

/// No source lives at address 0.
const UNPARK: mio::Token = mio::Token(0);

/// Nor at address 1.
const RING: mio::Token = mio::Token(1);

/// Released sources that may pile up while the leader waits. Arbitrary: some 16 KiB.
const MAX_RELEASED: usize = 128;

/// Event buffers, from the full size down by a factor of 8 each, so that a turn can take fewer events than
/// the full size.
const BUFFERS: usize = 4;
const BUFFER_STEP: usize = 8;

pub(crate) struct Poller {
    turn: Mutex<Turn>,
    /// Set under `making`, after the poll in `turn`.
    system: OnceLock<System>,
    making: Mutex<()>,
    lead: Lead,
    sources: Mutex<Sources>,
    /// Whether `released` holds anything, to spare turns the lock.
    has_released: AtomicBool,
    is_shutdown: AtomicBool,
    /// How many sources are watched: an idle poller need not be asked.
    watching: AtomicUsize,
    /// Where the builder asked for it.
    look: Option<Look>,
    /// Operations on files, which end as events do.
    ring: RingSlot,
    pub(crate) metrics: Metrics,
}

/// What there is of the operating system's besides the poll itself.
struct System {
    registry: mio::Registry,
    waker: mio::Waker,
}

struct Turn {
    poll: Option<mio::Poll>,
    capacity: usize,
    buffers: [Option<mio::Events>; BUFFERS],
    /// Its allocation goes from turn to turn.
    wakers: WakeBatch,
}

/// What a turn brought.
#[derive(Default)]
pub(super) struct Collected {
    /// Events of sources.
    pub(super) count: usize,
    /// What ends the leader's wait.
    pub(super) unpark: bool,
}

struct Sources {
    /// Owns a reference (`Arc::into_raw`) to each source in it.
    watched: LinkedList<Watched>,
    released: Vec<Arc<Source>>,
    /// Sources the system may report for ever.
    stuck: Vec<Arc<Source>>,
}

impl Poller {
    pub(crate) fn new(config: PollerConfig) -> Poller {
        Poller {
            turn: Mutex::new(Turn {
                poll: None,
                capacity: config.events.max(1),
                buffers: [const { None }; BUFFERS],
                wakers: WakeBatch::new(),
            }),
            system: OnceLock::new(),
            making: Mutex::new(()),
            lead: Lead::new(),
            sources: Mutex::new(Sources {
                watched: LinkedList::new(),
                released: Vec::new(),
                stuck: Vec::new(),
            }),
            has_released: AtomicBool::new(false),
            is_shutdown: AtomicBool::new(false),
            watching: AtomicUsize::new(0),
            look: config.busy_poll.map(Look::new),
            ring: RingSlot::new(),
            metrics: Metrics::default(),
        }
    }

    /// The operating system's part, made if it is not there yet.
    fn system(&self) -> io::Result<&System> {
        if let Some(system) = self.system.get() {
            return Ok(system);
        }
        // A lock of its own: who comes second must not queue for `turn`, where the leader may wait by now.
        let _making = self.making.lock();
        if let Some(system) = self.system.get() {
            return Ok(system);
        }
        let poll = mio::Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = mio::Waker::new(&registry, UNPARK)?;
        // Nobody waits under this lock before a source is registered.
        self.turn.lock().poll = Some(poll);
        Ok(self.system.get_or_init(|| System { registry, waker }))
    }

    /// Takes the events that are there; `None` when somebody else is at it, or waits for them.
    pub(crate) fn try_turn(&self, max_events: usize) -> Option<usize> {
        let mut turn = self.turn.try_lock()?;
        let Collected { count, unpark } = self.collect(&mut turn, Some(Duration::ZERO), max_events);
        // It was for the leader's wait, which is yet to begin, since we have the lock. Relaxed: the leader was there
        // before the event was sent.
        if unpark && self.lead.is_taken() && !canary!("unpark-swallowed") {
            self.end_wait();
        }
        let mut wakers = turn.wakers.take();
        drop(turn);
        self.wake(&mut wakers);
        Some(count)
    }

    fn wake(&self, wakers: &mut WakeBatch) {
        if wakers.is_empty() {
            return;
        }
        wakers.wake_all();
        if !wakers.has_room() {
            return;
        }
        if let Some(mut turn) = self.turn.try_lock() {
            if turn.wakers.is_empty() {
                // Either is empty, so no waker is dropped under the lock.
                std::mem::swap(&mut turn.wakers, wakers);
            }
        }
    }

    /// Waits, and hands the events to their sources. Leaves the wakers in `turn`.
    fn collect(&self, turn: &mut Turn, timeout: Option<Duration>, max_events: usize) -> Collected {
        // Acquire: pairs with the release in `deregister`. The lock would do; this only says when to take it.
        if self.has_released.load(Ordering::Acquire) {
            let mut sources = self.sources.lock();
            // Relaxed: written under the lock only.
            self.has_released.store(false, Ordering::Relaxed);
            let released = std::mem::take(&mut sources.released);
            drop(sources);
            // No buffer holds an event for any of them now, and no waker is left in them.
            drop(released);
        }

        let Turn { poll, capacity, buffers, wakers } = turn;
        let mut collected = Collected::default();
        let Some(poll) = poll else { return collected };
        let (mut index, mut size) = (0, *capacity);
        while size > max_events && index + 1 < BUFFERS {
            index += 1;
            size = (size / BUFFER_STEP).max(1);
        }
        let events = buffers[index].get_or_insert_with(|| mio::Events::with_capacity(size));
        match wait::wait(poll, events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return collected,
            Err(error) => panic!("the I/O driver failed to wait for events: {error}"),
        }
        // What a source was made with reached us through the system, of which the language's memory model knows
        // nothing. Acquire: pairs with the release in `register`, which comes before the system knows the source.
        self.watching.load(Ordering::Acquire);

        for event in events.iter() {
            let token = event.token();
            if token == UNPARK {
                // It only had to end a wait. Whose, and why, is known elsewhere.
                collected.unpark = true;
                continue;
            }
            if token == RING {
                // Whoever turns looks at it afterwards, and next time before it waits.
                continue;
            }
            let source: *const Source = std::ptr::with_exposed_provenance(token.0);
            // SAFETY: the token is the address of a source that was registered here. It is alive: it is
            // in `watched` or `stuck`, or it was moved to `released` after this turn emptied that list
            // (an older release would have kept the system from reporting it), and the next turn, which
            // empties it again, waits for our lock.
            let source = unsafe { &*source };
            source.set_ready(sys::poll::ready(event), wakers);
            collected.count += 1;
        }
        self.metrics.count_ready(collected.count as u64);
        collected
    }

    pub(crate) fn register(
        &self,
        source: &Arc<Source>,
        attach: impl FnOnce(&mio::Registry, mio::Token) -> io::Result<()>,
    ) -> io::Result<()> {
        let system = self.system()?;
        {
            let mut sources = self.sources.lock();
            // Relaxed: written under the lock.
            if self.is_shutdown.load(Ordering::Relaxed) {
                return Err(super::shutdown_error());
            }
            let node = Arc::into_raw(Arc::clone(source)).cast_mut();
            // SAFETY: not null; in no list, since the caller registers a source once at a time; kept
            // alive by the reference that has just become the list's.
            unsafe { sources.watched.push_back(std::ptr::NonNull::new_unchecked(node)) };
            // Release: whoever sees the source sees what it is registered with; pairs with the acquire in
            // `has_sources`.
            self.watching.fetch_add(1, Ordering::Release);
        }
        attach(&system.registry, token(source)).inspect_err(|_| {
            // The system does not know the token, so nothing need be waited for.
            let reference = self.unlink(&mut self.sources.lock(), source);
            drop(reference);
        })?;
        self.after_change();
        Ok(())
    }

    /// The system was told of a change. With mio's `poll(2)` backend that ends the leader's wait for a moment, and takes
    /// a wake-up with it that comes from elsewhere just then. So there is another one, for the leader to look.
    fn after_change(&self) {
        if sys::poll::REPORTS_ONCE {
            // Whoever had the lost one sent saw the leader; so do we. Partner: the fence in `Doze::interrupt`.
            fence(Ordering::SeqCst);
            if self.lead.is_taken() {
                self.end_wait();
            }
        }
    }

    /// Has `attach` tell the system something more of a source that is registered.
    pub(crate) fn again(
        &self,
        source: &Arc<Source>,
        attach: impl FnOnce(&mio::Registry, mio::Token) -> io::Result<()>,
    ) -> io::Result<()> {
        let result = attach(&self.system()?.registry, token(source));
        self.after_change();
        result
    }

    pub(crate) fn deregister(
        &self,
        source: &Arc<Source>,
        detach: impl FnOnce(&mio::Registry) -> io::Result<()>,
    ) -> io::Result<()> {
        let result = detach(&self.system()?.registry);
        self.after_change();
        let mut sources = self.sources.lock();
        let reference = self.unlink(&mut sources, source);
        if result.is_ok() {
            sources.released.extend(reference);
            // Release: pairs with the acquire in `collect`.
            self.has_released.store(true, Ordering::Release);
            let too_many = sources.released.len() == MAX_RELEASED;
            drop(sources);
            if too_many {
                self.end_wait();
            }
        } else {
            sources.stuck.extend(reference);
        }
        result
    }

    /// Takes a source out of the list; the list's reference comes with it.
    fn unlink(&self, sources: &mut Sources, source: &Arc<Source>) -> Option<Arc<Source>> {
        let node = Arc::as_ptr(source).cast_mut();
        // SAFETY: not null, alive, and linked in this poller's list or in none: the caller registers a
        // source with one poller at a time and deregisters it there.
        let linked = unsafe { sources.watched.remove(std::ptr::NonNull::new_unchecked(node)) };
        if linked {
            self.watching.fetch_sub(1, Ordering::Relaxed);
        }
        // SAFETY: the reference that `register` gave to the list with `Arc::into_raw`.
        linked.then(|| unsafe { Arc::from_raw(node) })
    }

    /// Hands over what is to be done with files, and takes what is done; how many operations that were. To be called
    /// before events are waited for, and after.
    #[inline]
    pub(crate) fn turn_ring(&self) -> usize {
        if self.ring.is_made() { self.turn_made_ring() } else { 0 }
    }

    #[inline(never)]
    fn turn_made_ring(&self) -> usize {
        let mut wakers = WakeBatch::new();
        let count = self.ring.turn(&mut wakers);
        wakers.wake_all();
        count
    }

    /// For how long to wait, where `timeout` is wished.
    #[inline]
    pub(crate) fn timeout(&self, timeout: Option<Duration>) -> Option<Duration> {
        self.ring.shorten(timeout)
    }

    #[allow(dead_code)] // Where there are rings.
    pub(crate) fn ring(&self) -> &RingSlot {
        &self.ring
    }

    /// The ring, made if there is none yet; `note` is called if so.
    #[cfg(all(feature = "fs", feature = "io-uring"))]
    pub(crate) fn make_ring(&self, note: impl FnOnce()) -> Option<&Arc<super::ring::Ring>> {
        self.ring.get_or_make(|queue| {
            let system = self.system()?;
            let handle = sys::poll::PollHandle::of(queue);
            handle.register(&system.registry, RING, crate::io::interest::Interest::READABLE)?;
            // It counts as a source, for good. Release: as in `register`.
            self.watching.fetch_add(1, Ordering::Release);
            note();
            Ok(())
        })
    }

    pub(crate) fn shutdown(&self) {
        let mut all = Vec::new();
        {
            let sources = self.sources.lock();
            // Release: pairs with the acquire in `is_shutdown`.
            self.is_shutdown.store(true, Ordering::Release);
            sources.watched.for_each(|node| {
                // SAFETY: the list owns a reference to each node, which makes the pointer one of
                // `Arc::into_raw`; the count goes up for the one that is made here.
                all.push(unsafe {
                    Arc::increment_strong_count(node.as_ptr());
                    Arc::from_raw(node.as_ptr())
                });
            });
        }
        // They stay in the list: the system still knows their tokens.
        let mut wakers = WakeBatch::new();
        self.ring.shutdown(&mut wakers);
        for source in &all {
            source.shut_down(&mut wakers);
        }
        wakers.wake_all();
    }

    /// Whether an event of a source waits to be taken (or an unpark for a leader that is gone).
    #[cfg(all(test, yamanote_sim))]
    pub(crate) fn has_events(&self) -> bool {
        self.has_sources() && self.system.get().is_some_and(|system| wait::is_ready(&system.registry))
    }

    pub(crate) fn is_shutdown(&self) -> bool {
        // Acquire: pairs with the release in `shutdown`.
        self.is_shutdown.load(Ordering::Acquire)
    }
}

impl Waits for Poller {
    fn lead(&self) -> &Lead {
        &self.lead
    }

    /// Whether a turn could bring an event. What another thread registers here meanwhile is seen by the next
    /// look, or ends the next wait.
    fn has_sources(&self) -> bool {
        // Acquire: pairs with the release in `register`.
        self.watching.load(Ordering::Acquire) != 0
    }

    /// Whether waiting here is of use: a source is watched, or one that was is to be freed by a turn.
    fn wants_turns(&self) -> bool {
        // Relaxed: a hint, and whoever releases a source without being seen is awake.
        self.has_sources() || self.has_released.load(Ordering::Relaxed)
    }

    fn wait(&self, timeout: Option<Duration>, max_events: usize) -> usize {
        let mut turn = self.turn.lock();
        let mut collect = |timeout| self.collect(&mut turn, timeout, max_events);
        let Collected { count, .. } = match &self.look {
            None => collect(timeout),
            Some(look) => look.before(timeout, collect),
        };
        let mut wakers = turn.wakers.take();
        self.lead.give_up();
        drop(turn);
        self.wake(&mut wakers);
        count
    }

    fn end_wait(&self) {
        // If there is nothing to wait in, nobody does.
        if let Some(system) = self.system.get() {
            system.waker.wake().expect("the I/O driver cannot be woken");
        }
    }
}

/// What the system calls a source by.
fn token(source: &Arc<Source>) -> mio::Token {
    mio::Token(Arc::as_ptr(source).expose_provenance())
}

impl Drop for Poller {
    fn drop(&mut self) {
        let sources = self.sources.get_mut();
        while let Some(node) = sources.watched.pop_front() {
            // SAFETY: the list's reference. No turn can follow.
            drop(unsafe { Arc::from_raw(node.as_ptr()) });
        }
    }
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").field("is_shutdown", &self.is_shutdown()).finish_non_exhaustive()
    }
}

/// Counts, for the runtime's metrics. Relaxed throughout: nothing depends on them.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    registered: Counter,
    deregistered: Counter,
    ready: Counter,
}

impl Metrics {
    pub(crate) fn registered(&self) -> u64 {
        self.registered.load(std::sync::atomic::Ordering::Relaxed)
    }

    pub(crate) fn deregistered(&self) -> u64 {
        self.deregistered.load(std::sync::atomic::Ordering::Relaxed)
    }

    pub(crate) fn ready(&self) -> u64 {
        self.ready.load(std::sync::atomic::Ordering::Relaxed)
    }

    pub(crate) fn count_registered(&self) {
        self.registered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    pub(crate) fn count_deregistered(&self) {
        self.deregistered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn count_ready(&self, n: u64) {
        // Only the turn's holder writes, so no read-modify-write is needed.
        self.ready.store(self.ready() + n, std::sync::atomic::Ordering::Relaxed);
    }
}

#[cfg(all(test, unix, not(loom)))]
mod tests {
    use super::*;
    use crate::engine::io::source::Direction;
    use crate::io::interest::Interest;
    use crate::io::ready::Ready;
    use crate::sys::poll::PollHandle;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::task::{Context, Wake, Waker};
    use std::time::Instant;

    const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

    fn turn(poller: &Poller, timeout: Option<Duration>, max_events: usize) -> usize {
        if timeout == Some(Duration::ZERO) {
            return poller.try_turn(max_events).unwrap();
        }
        assert!(poller.lead.try_take(0));
        poller.wait(timeout, max_events)
    }

    /// As the place of `worker` does.
    fn interrupt(poller: &Poller, worker: usize) {
        if poller.lead.is_with(worker) {
            poller.end_wait();
        }
    }

    struct Watch {
        poller: Poller,
        source: Arc<Source>,
        ours: UnixStream,
        theirs: UnixStream,
    }

    fn watch() -> Watch {
        let poller = Poller::new(PollerConfig { events: 64, busy_poll: None });
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let source = Arc::new(Source::new(Ready::EMPTY, false));
        let handle = PollHandle::of(&ours);
        poller.register(&source, |r, token| handle.register(r, token, BOTH)).unwrap();
        source.set_registered();
        Watch { poller, source, ours, theirs }
    }

    #[test]
    fn events_reach_the_source_and_its_waiters() {
        struct Flag(AtomicBool);
        impl Wake for Flag {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::SeqCst);
            }
        }

        let mut w = watch();
        assert_eq!(turn(&w.poller, None, 64), 1);
        let writable = w.source.word().event(Direction::Write.mask()).unwrap();
        assert_eq!(writable.ready, Ready::WRITABLE);

        let flag = Arc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut cx = Context::from_waker(&waker);
        assert!(w.source.poll_ready(&mut cx, Direction::Read).is_pending());
        w.theirs.write_all(b"x").unwrap();
        assert_eq!(w.poller.try_turn(64), Some(1));
        assert!(flag.0.load(Ordering::SeqCst));
        assert!(w.source.poll_ready(&mut cx, Direction::Read).is_ready());
        assert_eq!(w.ours.read(&mut [0; 8]).unwrap(), 1);

        drop(w.theirs);
        turn(&w.poller, None, 64);
        assert!(w.source.word().event(Direction::Read.mask()).unwrap().ready.is_read_closed());
        assert!(w.poller.metrics.ready() >= 3);
    }

    #[test]
    fn released_sources_live_until_the_next_turn() {
        let w = watch();
        let handle = PollHandle::of(&w.ours);
        w.poller.deregister(&w.source, |r| handle.deregister(r)).unwrap();
        assert_eq!(Arc::strong_count(&w.source), 2);
        assert_eq!(turn(&w.poller, Some(Duration::ZERO), 64), 0);
        assert_eq!(Arc::strong_count(&w.source), 1);
        // And it may come back.
        w.poller.register(&w.source, |r, token| handle.register(r, token, BOTH)).unwrap();
        assert_eq!(turn(&w.poller, None, 64), 1);
        drop(w.poller);
        assert_eq!(Arc::strong_count(&w.source), 1);
    }

    #[test]
    fn a_registration_the_system_keeps_is_not_freed() {
        let mut w = watch();
        let handle = PollHandle::of(&w.ours);
        let duplicate = w.ours.try_clone().unwrap();
        drop(w.ours);
        // The descriptor is gone, its registration is not.
        w.poller.deregister(&w.source, |r| handle.deregister(r)).unwrap_err();
        let source = Arc::downgrade(&w.source);
        drop(w.source);
        w.theirs.write_all(b"x").unwrap();
        turn(&w.poller, Some(Duration::ZERO), 64);
        turn(&w.poller, Some(Duration::ZERO), 64);
        assert!(source.upgrade().is_some());
        drop(duplicate);
        drop(w.poller);
        assert!(source.upgrade().is_none());
    }

    #[test]
    fn a_failed_registration_leaves_nothing_behind() {
        let poller = Poller::new(PollerConfig { events: 64, busy_poll: None });
        let source = Arc::new(Source::new(Ready::EMPTY, false));
        poller.register(&source, |_, _| Err(io::ErrorKind::Other.into())).unwrap_err();
        assert_eq!(Arc::strong_count(&source), 1);
    }

    #[test]
    fn only_the_leader_is_interrupted() {
        let w = watch();
        turn(&w.poller, None, 64);
        assert!(w.poller.lead.try_take(1));
        assert!(!w.poller.lead.try_take(2));
        interrupt(&w.poller, 2);
        let start = Instant::now();
        assert_eq!(w.poller.wait(Some(Duration::from_millis(3)), 64), 0);
        assert!(start.elapsed() >= Duration::from_millis(3));
        assert!(!w.poller.lead.is_taken());
        assert!(w.poller.lead.try_take(2));
        interrupt(&w.poller, 2);
        // Would hang.
        assert_eq!(w.poller.wait(None, 64), 0);
    }

    #[test]
    fn a_turn_leaves_the_leader_what_ends_its_wait() {
        let w = watch();
        turn(&w.poller, None, 64);
        assert!(w.poller.lead.try_take(1));
        interrupt(&w.poller, 1);
        // Another worker comes to the lock first.
        assert_eq!(w.poller.try_turn(64), Some(0));
        // Would hang.
        assert_eq!(w.poller.wait(None, 64), 0);
    }

    #[test]
    fn a_turn_takes_no_more_than_it_may() {
        let poller = Poller::new(PollerConfig { events: 64, busy_poll: None });
        let mut all = Vec::new();
        for _ in 0..20 {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let source = Arc::new(Source::new(Ready::EMPTY, false));
            let handle = PollHandle::of(&ours);
            poller.register(&source, |r, token| handle.register(r, token, BOTH)).unwrap();
            all.push((ours, theirs, source));
        }
        assert_eq!(turn(&poller, None, 10), 8);
        assert_eq!(turn(&poller, None, 0), 1);
        assert_eq!(turn(&poller, None, 64), 11);
    }

    /// The second of the two must not wait for what the leader holds as soon as the first is done.
    #[test]
    fn two_register_first_and_a_leader_waits() {
        for _ in 0..if cfg!(debug_assertions) { 1000 } else { 5000 } {
            let poller = Poller::new(PollerConfig { events: 64, busy_poll: None });
            let together = std::sync::Barrier::new(3);
            let left = AtomicUsize::new(2);
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let (ours, _theirs) = UnixStream::pair().unwrap();
                        let source = Arc::new(Source::new(Ready::EMPTY, false));
                        let handle = PollHandle::of(&ours);
                        together.wait();
                        let attach =
                            |r: &mio::Registry, token| handle.register(r, token, Interest::READABLE);
                        poller.register(&source, attach).unwrap();
                        if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                            // Would not get here.
                            poller.end_wait();
                        }
                        together.wait();
                        poller.deregister(&source, |r| handle.deregister(r)).unwrap();
                    });
                }
                together.wait();
                while !poller.has_sources() {
                    std::hint::spin_loop();
                }
                assert!(poller.lead.try_take(0));
                poller.wait(None, 64);
                together.wait();
            });
        }
    }

    #[test]
    fn shutdown_reaches_sources_once_and_for_all() {
        let w = watch();
        w.poller.shutdown();
        assert!(w.source.word().is_shutdown());
        let late = Arc::new(Source::new(Ready::EMPTY, false));
        let handle = PollHandle::of(&w.theirs);
        let error = w.poller.register(&late, |r, token| handle.register(r, token, BOTH)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Other);
        assert!(crate::runtime::is_rt_shutdown_err(&error));
        // A turn that comes late is harmless.
        turn(&w.poller, Some(Duration::ZERO), 64);
    }

    #[test]
    fn deregistering_races_with_turns() {
        let poller = Arc::new(Poller::new(PollerConfig { events: 64, busy_poll: None }));
        let stop = Arc::new(AtomicBool::new(false));
        let owner = {
            let (poller, stop) = (Arc::clone(&poller), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    turn(&poller, None, 64);
                }
            })
        };
        for _ in 0..2_000 {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            let source = Arc::new(Source::new(Ready::EMPTY, false));
            let handle = PollHandle::of(&ours);
            poller.register(&source, |r, token| handle.register(r, token, BOTH)).unwrap();
            theirs.write_all(b"x").unwrap();
            poller.deregister(&source, |r| handle.deregister(r)).unwrap();
        }
        stop.store(true, Ordering::SeqCst);
        while !owner.is_finished() {
            interrupt(&poller, 0);
            std::thread::yield_now();
        }
        owner.join().unwrap();
    }
}
