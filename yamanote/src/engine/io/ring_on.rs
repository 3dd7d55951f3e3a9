//! Operations on files that end as events do: through a ring of the kernel's.
//!
//! ```text
//!            start                    flush                  (the kernel)                 reap
//!  Request ────────► slot + pending ────────► submission queue ─ ─ ─ ─ ─► completion queue ────► slot ──► Op's future
//! ```
//!
//! # Where it lives
//! Each poller has one, made when its first operation starts. The ring's descriptor is watched by the poller: workers wait for
//! completions where they wait for everything else.
//!
//! # Submitting
//! What a worker starts is written down, and handed to the kernel in its next turn, several at once with one system call:
//! no worker waits, nor turns its poller, without that. (If it is stuck, the monitor turns its poller.) Other threads,
//! which have no turns, and spare workers, which may go without one, hand over at once.
//!
//! # Who owns what
//! A slot owns the [`Request`], with all the memory and the files that the kernel uses for it, from the start to the completion. The
//! future that waits, an [`Op`], is but the slot's name. If it is dropped, the slot stays, and what came of the
//! operation is thrown away when it is known: a file that was opened for nobody is closed. What merely would find out
//! something is called off as well. So nothing is freed before the kernel is done with it, whatever happens to futures.
//!
//! # When the kernel refuses
//! No ring, or one without all the operations that are needed: the pool does everything. If it refuses later on (a process
//! may forbid itself system calls), what it has not taken comes back to its futures as refused, and they turn to the pool;
//! the same goes for operations that were called off because the thread that submitted them has ended.
//!
//! # Shutdown
//! Nothing starts any more, and what changes nothing is called off. What is then still under way, a thread of the blocking pool
//! waits for: as with the pool's own jobs, the runtime's end waits for them as long as its caller wishes.
//!
//! # Locks
//! `submit` is held while entries are handed over, and `slots` inside of it for the moment it takes to move them; `slots`
//! is what starting, polling, dropping and reaping take. No waker runs, and nothing is dropped, under either.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::{Arc, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::engine::blocking::Mandatory;
use crate::engine::io::source::WakeBatch;
use crate::engine::task::Origin;
use crate::engine::{context, shared::Shared};
use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::runtime::Handle;
use crate::sys::uring::{Answer, CALLED_OFF, Complete, Entry, Queue, Refusal, Request, Submit};
use crate::util::canary::canary;
use crate::util::contain::contain;

/// Entries that are written down before a worker hands them over without waiting for its turn. Arbitrary: half of what
/// fits at once.
const MAX_PENDING: usize = 64;

/// How long to wait before the kernel is asked again, when it was short of something.
const RETRY: Duration = Duration::from_millis(1);

/// Names no operation: that of entries which only call others off.
const NOBODY: u64 = u64::MAX;

/// A poller's ring, once there is one.
pub(crate) struct RingSlot {
    ring: OnceLock<Arc<Ring>>,
    /// Held while it is made; whether none is to be made any more.
    making: Mutex<bool>,
}

pub(crate) struct Ring {
    queue: Queue,
    /// `None` once the kernel has refused for good. What was pushed then stays in the queue, and must never be handed
    /// over: the requests are gone.
    submit: Mutex<Option<Submit>>,
    slots: Mutex<Slots>,
    /// Something is to be handed over. Written under `slots`.
    has_pending: AtomicBool,
    /// Operations that have not completed. Written under `slots`.
    active: AtomicUsize,
    /// No operation may start: the kernel has refused, or the runtime shuts down.
    is_closed: AtomicBool,
    started: std::sync::atomic::AtomicU64,
}

struct Slots {
    complete: Complete,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// To be handed over.
    pending: VecDeque<(u64, Entry)>,
    /// Pushed, and not taken by the kernel yet, in order.
    pushed: VecDeque<u64>,
}

struct Slot {
    /// Tells those apart that have used the slot one after another.
    generation: u32,
    state: State,
}

enum State {
    Free,
    /// The kernel may use what the request owns.
    Active(Request, Option<Waker>),
    /// The same, and nobody waits for it; what it changes is to be changed all the same, by the pool of this runtime if it
    /// must be.
    Abandoned(Request, Option<Arc<Shared>>),
    Completed(Request, i32),
}

/// What a future finds.
enum Look {
    Completed(Request, i32),
    /// Its waker is there.
    Waits,
    /// It has to bring a waker.
    WantsWaker,
}

impl Slots {
    fn free_slot(&mut self, name: u64) {
        let slot = &mut self.slots[name as u32 as usize];
        slot.generation = slot.generation.wrapping_add(1);
        slot.state = State::Free;
        self.free.push(name as u32);
    }

    /// For the operation's future: what has become of it. Puts `brought` in place of the slot's waker, and the other way round.
    fn look(&mut self, name: u64, waker: &Waker, brought: &mut Option<Waker>) -> Look {
        match &mut self.slots[name as u32 as usize].state {
            State::Active(_, slot) => {
                if brought.is_some() {
                    mem::swap(slot, brought);
                } else if !slot.as_ref().is_some_and(|slot| slot.will_wake(waker)) {
                    return Look::WantsWaker;
                }
                return Look::Waits;
            }
            State::Completed(..) => {}
            State::Free | State::Abandoned(..) => unreachable!("it is the future's until it was ready"),
        }
        let slot = &mut self.slots[name as u32 as usize];
        let State::Completed(request, result) = mem::replace(&mut slot.state, State::Free) else {
            unreachable!("looked at above")
        };
        self.free_slot(name);
        Look::Completed(request, result)
    }
}

/// What nobody waits for any more, to be dropped once the locks are given back; or, if it was called off, to be done.
type Garbage = Vec<(Request, i32, Option<Arc<Shared>>)>;

fn name_of(index: u32, generation: u32) -> u64 {
    u64::from(generation) << 32 | u64::from(index)
}

impl RingSlot {
    pub(crate) fn new() -> RingSlot {
        RingSlot { ring: OnceLock::new(), making: Mutex::new(false) }
    }

    /// The ring, made if there is none; `attach` has the poller watch it. `None` where there cannot be one, at least now.
    pub(crate) fn get_or_make(
        &self,
        attach: impl FnOnce(&Queue) -> std::io::Result<()>,
    ) -> Option<&Arc<Ring>> {
        if let Some(ring) = self.ring.get() {
            return Some(ring);
        }
        let too_late = self.making.lock();
        if *too_late || self.ring.get().is_some() {
            return self.ring.get();
        }
        let (queue, submit, complete) = Queue::new()?;
        attach(&queue).ok()?;
        Some(self.ring.get_or_init(|| Arc::new(Ring::new(queue, submit, complete))))
    }

    #[inline]
    pub(crate) fn is_made(&self) -> bool {
        self.ring.get().is_some()
    }

    /// Hands over what is pending, and takes the completions that are there; how many there were.
    #[inline]
    pub(crate) fn turn(&self, wakers: &mut WakeBatch) -> usize {
        match self.ring.get() {
            Some(ring) => ring.turn(wakers),
            None => 0,
        }
    }

    /// No longer than until it is time to ask the kernel again.
    #[inline]
    pub(crate) fn shorten(&self, timeout: Option<Duration>) -> Option<Duration> {
        match self.ring.get() {
            // Relaxed: for who has just turned.
            Some(ring) if ring.has_pending.load(Ordering::Relaxed) => {
                Some(timeout.map_or(RETRY, |timeout| timeout.min(RETRY)))
            }
            _ => timeout,
        }
    }

    pub(crate) fn shutdown(&self, wakers: &mut WakeBatch) {
        *self.making.lock() = true;
        if let Some(ring) = self.ring.get() {
            ring.close(wakers);
        }
    }

    /// The ring, if operations are under way that have to be waited for.
    pub(crate) fn unfinished(&self) -> Option<Arc<Ring>> {
        self.ring.get().filter(|ring| ring.is_active()).cloned()
    }

    /// Operations that were started.
    pub(crate) fn started(&self) -> u64 {
        self.ring.get().map_or(0, |ring| ring.started.load(std::sync::atomic::Ordering::Relaxed))
    }
}

impl Ring {
    fn new(queue: Queue, submit: Submit, complete: Complete) -> Ring {
        Ring {
            queue,
            submit: Mutex::new(Some(submit)),
            slots: Mutex::new(Slots {
                complete,
                slots: Vec::new(),
                free: Vec::new(),
                pending: VecDeque::new(),
                pushed: VecDeque::new(),
            }),
            has_pending: AtomicBool::new(false),
            active: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            started: std::sync::atomic::AtomicU64::new(0),
        }
    }

    fn is_active(&self) -> bool {
        // Relaxed: a hint to others than those who start operations, which turn afterwards.
        self.active.load(Ordering::Relaxed) != 0
    }

    /// Writes an operation down, and whom to wake when it has ended; gives the request back if none may start.
    fn start(&self, mut request: Request, waker: Waker) -> Result<(u64, usize), Request> {
        let mut slots = self.slots.lock();
        // Relaxed: written under the lock.
        if self.is_closed.load(Ordering::Relaxed) {
            drop(slots);
            drop(waker);
            return Err(request);
        }
        let index = slots.free.pop().unwrap_or_else(|| {
            slots.slots.push(Slot { generation: 0, state: State::Free });
            (slots.slots.len() - 1) as u32
        });
        let slot = &mut slots.slots[index as usize];
        let name = name_of(index, slot.generation);
        let entry = request.entry(name);
        slot.state = State::Active(request, Some(waker));
        slots.pending.push_back((name, entry));
        let pending = slots.pending.len();
        self.has_pending.store(true, Ordering::Relaxed);
        // Relaxed: the lock orders it.
        self.active.store(self.active.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        drop(slots);
        self.started.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok((name, pending))
    }

    /// Nobody waits for an operation any more. Tells whether it is to be called off, which is then to be handed over.
    fn abandon(&self, name: u64, shared: Option<&Arc<Shared>>) -> bool {
        let mut garbage = Garbage::new();
        let mut waker = None;
        let mut calls_off = false;
        {
            let slots = &mut *self.slots.lock();
            let slot = &mut slots.slots[name as u32 as usize];
            match mem::replace(&mut slot.state, State::Free) {
                State::Active(request, old) => {
                    waker = old;
                    calls_off = request.is_idle_wish();
                    let shared = shared.filter(|_| !calls_off).cloned();
                    if canary!("request-dropped-when-abandoned") {
                        drop(request);
                        slots.free_slot(name);
                        return false;
                    }
                    slot.state = State::Abandoned(request, shared);
                    if calls_off {
                        slots.pending.push_back((NOBODY, Entry::cancel(name, NOBODY)));
                        self.has_pending.store(true, Ordering::Relaxed);
                    }
                }
                State::Completed(request, result) => {
                    let shared = shared.filter(|_| !request.is_idle_wish()).cloned();
                    slots.free_slot(name);
                    garbage.push((request, result, shared));
                }
                State::Free | State::Abandoned(..) => {
                    unreachable!("it is the future's until it was ready")
                }
            }
        }
        drop(waker);
        discard(garbage);
        calls_off
    }

    /// Hands over what is pending. What the kernel refuses to take, it is asked again about later; if it will never, it
    /// is given back. How many operations have ended by that.
    fn flush(&self, wakers: &mut WakeBatch) -> usize {
        // Relaxed: who has written something down looks here afterwards, or leaves it to a thread that it wakes.
        if !self.has_pending.load(Ordering::Relaxed) {
            return 0;
        }
        let mut garbage = Garbage::new();
        let ended = self.hand_over(wakers, &mut garbage);
        discard(garbage);
        ended
    }

    fn hand_over(&self, wakers: &mut WakeBatch, garbage: &mut Garbage) -> usize {
        let mut right = self.submit.lock();
        let Some(submit) = &mut *right else {
            return self.give_back(&mut self.slots.lock(), wakers, garbage);
        };
        loop {
            let more = {
                let slots = &mut *self.slots.lock();
                let room = self.queue.room(submit).min(slots.pending.len());
                for (name, entry) in slots.pending.drain(..room) {
                    // SAFETY: the slot keeps the request, which nobody touches, until it is completed.
                    unsafe { self.queue.push(submit, &entry) };
                    slots.pushed.push_back(name);
                }
                if !canary!("pending-forgotten") {
                    self.has_pending.store(!slots.pending.is_empty(), Ordering::Relaxed);
                }
                !slots.pending.is_empty()
            };
            let entered = self.queue.enter(submit);
            if canary!("pending-forgotten") && !more {
                self.has_pending.store(false, Ordering::Relaxed);
            }
            let slots = &mut *self.slots.lock();
            match entered {
                Ok(n) => {
                    slots.pushed.drain(..n.min(slots.pushed.len()));
                    if !more && slots.pushed.is_empty() {
                        return 0;
                    }
                    if n == 0 {
                        self.has_pending.store(true, Ordering::Relaxed);
                        return 0;
                    }
                }
                Err(Refusal::Busy) => {
                    self.has_pending.store(true, Ordering::Relaxed);
                    return 0;
                }
                Err(Refusal::Never) => {
                    *right = None;
                    return self.give_back(slots, wakers, garbage);
                }
            }
        }
    }

    /// Nothing is handed over any more: what the kernel has not taken has ended.
    fn give_back(&self, slots: &mut Slots, wakers: &mut WakeBatch, garbage: &mut Garbage) -> usize {
        self.is_closed.store(true, Ordering::Relaxed);
        self.has_pending.store(false, Ordering::Relaxed);
        let pending = mem::take(&mut slots.pending).into_iter().map(|(name, _)| name);
        let untaken: Vec<u64> = mem::take(&mut slots.pushed).into_iter().chain(pending).collect();
        let mut ended = 0;
        for name in untaken {
            ended += usize::from(self.complete(slots, name, CALLED_OFF, wakers, garbage));
        }
        ended
    }

    /// The kernel is done with an operation; `false` if it was none.
    fn complete(
        &self,
        slots: &mut Slots,
        name: u64,
        result: i32,
        wakers: &mut WakeBatch,
        garbage: &mut Garbage,
    ) -> bool {
        if name == NOBODY {
            return false;
        }
        let index = name as u32;
        let slot = &mut slots.slots[index as usize];
        debug_assert_eq!(name_of(index, slot.generation), name, "an operation completes once");
        match mem::replace(&mut slot.state, State::Free) {
            State::Active(request, waker) => {
                slot.state = State::Completed(request, result);
                wakers.extend(waker);
            }
            State::Abandoned(request, shared) => {
                slots.free_slot(name);
                garbage.push((request, result, shared));
            }
            State::Free | State::Completed(..) => unreachable!("an operation completes once"),
        }
        // Relaxed: the lock orders it.
        self.active.store(self.active.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
        true
    }

    /// Takes the completions that are there; how many operations have ended.
    fn reap(&self, wakers: &mut WakeBatch) -> usize {
        if !self.is_active() {
            return 0;
        }
        let mut garbage = Garbage::new();
        let mut count = 0;
        {
            let slots = &mut *self.slots.lock();
            let mut completions = Vec::new();
            self.queue.reap(&mut slots.complete, |name, result| completions.push((name, result)));
            for (name, result) in completions {
                count += usize::from(self.complete(slots, name, result, wakers, &mut garbage));
            }
        }
        discard(garbage);
        count
    }

    fn turn(&self, wakers: &mut WakeBatch) -> usize {
        self.flush(wakers) + self.reap(wakers)
    }

    /// For a thread that has no turns. What is completed by that is for the poller to find.
    fn flush_now(&self) {
        let mut wakers = WakeBatch::new();
        self.flush(&mut wakers);
        wakers.wake_all();
    }

    fn turn_now(&self) {
        let mut wakers = WakeBatch::new();
        self.turn(&mut wakers);
        wakers.wake_all();
    }

    /// Lets nothing start any more and calls off what changes nothing.
    fn close(&self, wakers: &mut WakeBatch) {
        {
            let slots = &mut *self.slots.lock();
            self.is_closed.store(true, Ordering::Relaxed);
            for (index, slot) in slots.slots.iter().enumerate() {
                match &slot.state {
                    State::Active(request, _) | State::Abandoned(request, _)
                        if request.is_idle_wish() =>
                    {
                        let name = name_of(index as u32, slot.generation);
                        slots.pending.push_back((NOBODY, Entry::cancel(name, NOBODY)));
                        self.has_pending.store(true, Ordering::Relaxed);
                    }
                    _ => {}
                }
            }
        }
        self.turn(wakers);
    }

    /// Waits until nothing is under way. For a thread that may block, when nobody turns the ring any more.
    pub(crate) fn drain(&self) {
        while self.is_active() {
            contain(|| self.turn_now());
            if self.is_active() {
                let retry = self.has_pending.load(Ordering::Relaxed);
                self.queue.wait(if retry { RETRY } else { Duration::from_secs(1) });
            }
        }
    }
}

/// Has a thread of the blocking pool wait for what is under way, when nobody turns the rings any more.
pub(crate) fn finish(shared: &Arc<Shared>) {
    let unfinished = shared.remotes.iter().filter_map(|remote| remote.driver.io.unfinished_ring());
    let rings: Arc<[Arc<Ring>]> = unfinished.collect();
    if rings.is_empty() {
        return;
    }
    let handle = Handle { shared: Arc::clone(shared) };
    let drain = {
        let rings = Arc::clone(&rings);
        move || rings.iter().for_each(|ring| ring.drain())
    };
    let (_, spawned) = shared.pool.try_spawn(&handle, drain, Mandatory::Yes, Origin::here());
    if spawned.is_err() {
        rings.iter().for_each(|ring| ring.drain());
    }
}

/// Whether this thread is a worker that turns the poller of worker `home` before it waits. A spare is not: once it is relieved, it
/// goes as it is, and the worker that it stood in for may wait already.
fn turns_by_itself(shared: &Arc<Shared>, home: usize) -> bool {
    let worker = context::worker_index(shared);
    worker.is_some() && worker == context::driver_index(shared) && shared.is_near(home)
}

/// Whether what this thread starts is handed over, and its completion looked for, by this thread, whatever others do.
pub(crate) fn is_turned_here(shared: &Arc<Shared>) -> bool {
    turns_by_itself(shared, shared.home())
}

/// Drops what nobody waits for: closes what was opened. What changes something, and was called off, the pool does.
fn discard(garbage: Garbage) {
    for (request, result, shared) in garbage {
        // SAFETY: it has completed with that result.
        let (Err(request), Some(shared)) = (unsafe { request.answer(result) }, shared) else { continue };
        let left = Arc::new(std::sync::Mutex::new(Some(request)));
        let perform = {
            let left = Arc::clone(&left);
            move || {
                let request = left.lock().unwrap_or_else(PoisonError::into_inner).take();
                request.into_iter().for_each(Request::perform);
            }
        };
        let handle = Handle { shared: Arc::clone(&shared) };
        let job = perform.clone();
        let mut taken = false;
        // Contained: whoever watches tasks start is foreign code.
        contain(|| {
            taken = shared.pool.try_spawn(&handle, job, Mandatory::Yes, Origin::here()).1.is_ok();
        });
        if !taken {
            perform();
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // The kernel may still use what is under way, at any later time: that is never freed. A runtime's end leaves nothing
        // under way; this is for one that never ends.
        if self.is_active() {
            mem::forget(mem::take(&mut self.slots.get_mut().slots));
        }
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("active", &self.is_active()).finish_non_exhaustive()
    }
}

impl fmt::Debug for RingSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RingSlot").field(&self.ring.get()).finish()
    }
}

/// An operation that was started: a future of what came of it, or of the request, if it was refused.
pub(crate) struct Op {
    ring: Arc<Ring>,
    name: u64,
    /// The worker whose poller watches the ring.
    home: usize,
    /// Its clock stands still for the operation. `None` when it is over.
    shared: Option<Arc<Shared>>,
}

impl Op {
    /// Starts an operation on the current runtime, as if it was polled for the first time and is not ready; gives it back
    /// if there is no ring, or none that takes it.
    pub(crate) fn start(request: Request, cx: &Context<'_>) -> Result<Op, Request> {
        let Ok(shared) = context::with_handle(|handle| Arc::clone(&handle.shared)) else {
            return Err(request);
        };
        let home = shared.home();
        let io = &shared.driver(home).io;
        let Some(ring) = io.ring() else { return Err(request) };
        let ring = Arc::clone(ring);
        let (name, pending) = ring.start(request, cx.waker().clone())?;
        // A paused clock must not jump while an operation that may be waited for is under way.
        shared.clock.inhibit_auto_advance();
        if !turns_by_itself(&shared, home) || pending >= MAX_PENDING {
            ring.flush_now();
        }
        Ok(Op { ring, name, home, shared: Some(shared) })
    }

    /// # Panics
    /// If it was ready before.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Request>> {
        assert!(self.shared.is_some(), "polled after it was ready");
        let mut waker = None;
        loop {
            let look = self.ring.slots.lock().look(self.name, cx.waker(), &mut waker);
            match look {
                Look::Waits => return Poll::Pending,
                // Not under the lock: it is foreign code.
                Look::WantsWaker => waker = Some(cx.waker().clone()),
                Look::Completed(request, result) => {
                    self.note_over();
                    // SAFETY: it has completed with that result.
                    return Poll::Ready(unsafe { request.answer(result) });
                }
            }
        }
    }

    fn note_over(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.clock.allow_auto_advance();
            if shared.clock.is_paused() {
                shared.unpark(0);
            }
        }
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        let Some(shared) = self.shared.clone() else { return };
        let calls_off = self.ring.abandon(self.name, Some(&shared));
        // A worker hands over in its next turn.
        if calls_off && !turns_by_itself(&shared, self.home) {
            self.ring.flush_now();
        }
        self.note_over();
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Op").finish_non_exhaustive()
    }
}

#[cfg(all(test, loom, unix))]
mod models {
    use std::sync::atomic::{AtomicUsize as Count, Ordering::SeqCst};
    use std::task::Wake;

    use super::*;
    use crate::loom::{model, thread};
    use crate::sys::uring::{Fate, Kernel};

    fn ring() -> (Arc<Ring>, Arc<Kernel>) {
        let (kernel, queue, submit, complete) = Queue::model();
        (Arc::new(Ring::new(queue, submit, complete)), kernel)
    }

    fn start(ring: &Ring, is_idle_wish: bool, waker: Waker) -> (Option<u64>, Arc<Fate>) {
        let (request, fate) = Request::model(is_idle_wish);
        (ring.start(request, waker).ok().map(|(name, _)| name), fate)
    }

    /// As a worker's next turns would. Nothing may be left after that.
    fn finish(ring: &Ring, kernel: &Kernel) {
        kernel.work();
        ring.turn_now();
        assert!(!ring.is_active());
        assert!(!ring.has_pending.load(Ordering::Relaxed) && !kernel.has_untaken());
    }

    #[derive(Default)]
    struct Woken(Count);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    /// Two threads without turns hand over at once. What either has written down has then reached the kernel.
    #[test]
    fn what_is_written_down_is_handed_over() {
        model(|| {
            let (ring, kernel) = ring();
            let hand_over = |ring: &Ring| {
                let (name, fate) = start(ring, true, Waker::noop().clone());
                ring.flush_now();
                (name.unwrap(), fate)
            };
            let other = {
                let ring = Arc::clone(&ring);
                thread::spawn(move || hand_over(&ring))
            };
            let (name, fate) = hand_over(&ring);
            let (other, others_fate) = other.join().unwrap();
            assert!(!ring.has_pending.load(Ordering::Relaxed) && ring.slots.lock().pending.is_empty());
            finish(&ring, &kernel);
            for name in [name, other] {
                let look = ring.slots.lock().look(name, Waker::noop(), &mut None);
                assert!(matches!(look, Look::Completed(..)));
            }
            assert_eq!((fate.dropped.load(SeqCst), others_fate.dropped.load(SeqCst)), (1, 1));
        });
    }

    /// A future looks, and waits, while its operation completes: it finds that, or is woken.
    #[test]
    fn a_completion_is_seen_or_wakes() {
        model(|| {
            let (ring, kernel) = ring();
            let woken = Arc::new(Woken::default());
            let name = start(&ring, true, Waker::noop().clone()).0.unwrap();
            ring.flush_now();
            let turns = {
                let (ring, kernel) = (Arc::clone(&ring), Arc::clone(&kernel));
                thread::spawn(move || {
                    kernel.work();
                    ring.turn_now();
                })
            };
            let waker = Waker::from(Arc::clone(&woken));
            let mut brought = Some(waker.clone());
            let look = ring.slots.lock().look(name, &waker, &mut brought);
            drop(brought);
            turns.join().unwrap();
            match look {
                Look::Completed(..) => assert_eq!(woken.0.load(SeqCst), 0),
                Look::Waits => assert_eq!(woken.0.load(SeqCst), 1),
                Look::WantsWaker => unreachable!("it has brought one"),
            }
            assert!(!ring.is_active());
        });
    }

    /// A future is dropped while its operation is under way or completes: what the kernel uses stays until it is done,
    /// and then goes.
    #[test]
    fn what_the_kernel_uses_outlives_the_future() {
        for is_idle_wish in [true, false] {
            model(move || {
                let (ring, kernel) = ring();
                let (name, fate) = start(&ring, is_idle_wish, Waker::noop().clone());
                ring.flush_now();
                let turns = {
                    let (ring, kernel) = (Arc::clone(&ring), Arc::clone(&kernel));
                    thread::spawn(move || {
                        kernel.work();
                        ring.turn_now();
                    })
                };
                let calls_off = ring.abandon(name.unwrap(), None);
                if calls_off {
                    assert!(is_idle_wish);
                    ring.flush_now();
                }
                turns.join().unwrap();
                finish(&ring, &kernel);
                assert_eq!(fate.dropped.load(SeqCst), 1);
                let slots = ring.slots.lock();
                assert_eq!((slots.slots.len(), slots.free.len()), (1, 1));
            });
        }
    }

    /// The runtime shuts down while an operation starts: it is refused, or ends.
    #[test]
    fn what_starts_before_the_end_ends() {
        model(|| {
            let (ring, kernel) = ring();
            let other = {
                let ring = Arc::clone(&ring);
                thread::spawn(move || {
                    let (name, fate) = start(&ring, true, Waker::noop().clone());
                    if let Some(name) = name {
                        ring.flush_now();
                        if ring.abandon(name, None) {
                            ring.flush_now();
                        }
                    }
                    fate
                })
            };
            let mut wakers = WakeBatch::new();
            ring.close(&mut wakers);
            let fate = other.join().unwrap();
            ring.flush_now();
            finish(&ring, &kernel);
            assert_eq!(fate.dropped.load(SeqCst), 1);
            assert!(start(&ring, true, Waker::noop().clone()).0.is_none());
        });
    }

    /// The kernel forbids what it has allowed, at any moment: each operation is done or given back.
    #[test]
    fn what_the_kernel_refuses_comes_back() {
        model(|| {
            let (ring, kernel) = ring();
            let forbids = {
                let kernel = Arc::clone(&kernel);
                thread::spawn(move || kernel.forbid())
            };
            let woken = Arc::new(Woken::default());
            let first = start(&ring, false, Waker::from(Arc::clone(&woken))).0;
            let second = start(&ring, false, Waker::from(Arc::clone(&woken))).0;
            ring.flush_now();
            forbids.join().unwrap();
            kernel.work();
            ring.turn_now();
            assert!(!ring.is_active());
            let names: Vec<_> = first.into_iter().chain(second).collect();
            assert_eq!(woken.0.load(SeqCst), names.len());
            for name in names {
                let look = ring.slots.lock().look(name, Waker::noop(), &mut None);
                assert!(matches!(look, Look::Completed(..)));
            }
        });
    }
}
