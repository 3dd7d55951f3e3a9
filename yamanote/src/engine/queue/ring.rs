//! A worker's local queue: a bounded ring that its owner fills and that anybody may take from.
//!
//! One producer (whoever holds the worker's core), any number of consumers. `tail` is written by the
//! producer only; `head` is advanced by compare-and-swap, by the owner for one task and by a stealer for
//! half of them. A stealer reads the slots *before* it claims them: if its claim succeeds, `head` has not
//! moved meanwhile, so nobody consumed those slots, so the producer cannot have reused them (it reuses
//! only what lies before `head`). If the claim fails, what it read is discarded. This is the scheme of
//! Go's run queues; the slots are atomics, so a read that loses the race is stale but not undefined.
//!
//! Positions are 32-bit counters that wrap. A stealer would have to sleep through 2^32 tasks between
//! reading `head` and its compare-and-swap to be fooled.

use std::ptr::{self, NonNull};

use crate::engine::limits::LOCAL_QUEUE_CAPACITY;
use crate::engine::task::Header;
use crate::loom::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use crate::util::CachePadded;
use crate::util::canary::canary;

const CAPACITY: u32 = LOCAL_QUEUE_CAPACITY as u32;
const MASK: u32 = CAPACITY - 1;
const _: () = assert!(CAPACITY.is_power_of_two());

/// A task pointer as the ring keeps it: one unit of the task's references travels with it.
pub(crate) type Raw = NonNull<Header>;

#[derive(Debug)]
pub(crate) struct Ring {
    /// Next position to consume. Apart from `tail`: stealers hammer it, the producer reads its own.
    head: CachePadded<AtomicU32>,
    /// Next position to fill; written by the producer only.
    tail: CachePadded<AtomicU32>,
    slots: Box<[AtomicPtr<Header>]>,
}

impl Ring {
    pub(crate) fn new() -> Self {
        Ring {
            head: CachePadded::new(AtomicU32::new(0)),
            tail: CachePadded::new(AtomicU32::new(0)),
            slots: (0..CAPACITY).map(|_| AtomicPtr::new(ptr::null_mut())).collect(),
        }
    }

    /// How many tasks wait. Exact for the producer when nobody steals, else a snapshot.
    pub(crate) fn len(&self) -> usize {
        // Acquire: only for a snapshot no older than what the caller has seen; nothing is read by it.
        let head = self.head.load(Ordering::Acquire);
        let tail = self.tail.load(Ordering::Acquire);
        // `head` may have been read before a steal that `tail` already saw.
        (tail.wrapping_sub(head) as usize).min(LOCAL_QUEUE_CAPACITY)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many tasks [`push`](Self::push) takes before it is full. For the producer.
    pub(crate) fn room(&self) -> usize {
        LOCAL_QUEUE_CAPACITY - self.len()
    }

    fn slot(&self, position: u32) -> &AtomicPtr<Header> {
        &self.slots[(position & MASK) as usize]
    }

    /// Adds a task, or gives it back when the ring is full. For the producer only.
    #[inline]
    pub(crate) fn push(&self, task: Raw) -> Result<(), Raw> {
        // Acquire pairs with the release of a consumer's compare-and-swap: its reads of the slots it
        // claimed happened before we overwrite them.
        let head = self.head.load(Ordering::Acquire);
        // Relaxed: we are the only writer.
        let tail = self.tail.load(Ordering::Relaxed);
        if tail.wrapping_sub(head) >= CAPACITY {
            return Err(task);
        }
        // Relaxed: published by the store below.
        self.slot(tail).store(task.as_ptr(), Ordering::Relaxed);
        // Release pairs with the acquire of `tail` in `steal_into`: who sees the position sees the slot
        // and the task behind it.
        let publish =
            if canary!("task-published-too-early") { Ordering::Relaxed } else { Ordering::Release };
        self.tail.store(tail.wrapping_add(1), publish);
        Ok(())
    }

    /// Takes the oldest task. For the owner.
    #[inline]
    pub(crate) fn pop(&self) -> Option<Raw> {
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            // Relaxed: the owner is the producer.
            let tail = self.tail.load(Ordering::Relaxed);
            if head == tail {
                return None;
            }
            let task = self.slot(head).load(Ordering::Relaxed);
            // Release on success pairs with `push`'s acquire; Acquire on failure orders the next read of the
            // slot after the stealer's claim.
            match self.head.compare_exchange_weak(
                head,
                head.wrapping_add(1),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return NonNull::new(task),
                Err(now) => head = now,
            }
        }
    }

    /// As [`pop`](Self::pop), for a ring that nobody steals from: no read-modify-write.
    #[inline]
    pub(crate) fn pop_unshared(&self) -> Option<Raw> {
        // Relaxed: producer and only consumer are one thread, or hand the core over with a lock.
        let head = self.head.load(Ordering::Relaxed);
        if head == self.tail.load(Ordering::Relaxed) {
            return None;
        }
        let task = self.slot(head).load(Ordering::Relaxed);
        self.head.store(head.wrapping_add(1), Ordering::Relaxed);
        NonNull::new(task)
    }

    /// Takes the older half out, oldest first, into `out`: how the owner makes room in a full ring. Fewer, or none, if
    /// stealers were faster.
    pub(crate) fn drain_half(&self, out: &mut impl FnMut(Raw)) -> usize {
        let mut taken = [ptr::null_mut(); LOCAL_QUEUE_CAPACITY / 2];
        let n = self.claim(&mut taken, |len| len / 2);
        for task in taken[..n].iter().filter_map(|&task| NonNull::new(task)) {
            out(task);
        }
        n
    }

    /// Takes all out, oldest first, into `out`. Anybody may.
    pub(crate) fn drain(&self, out: &mut impl FnMut(Raw)) {
        while !self.is_empty() {
            self.drain_half_or_one(out);
        }
    }

    /// Takes the older half, rounded up, out.
    fn drain_half_or_one(&self, out: &mut impl FnMut(Raw)) {
        let mut taken = [ptr::null_mut(); LOCAL_QUEUE_CAPACITY / 2];
        let n = self.claim(&mut taken, |len| len - len / 2);
        for task in taken[..n].iter().filter_map(|&task| NonNull::new(task)) {
            out(task);
        }
    }

    /// Claims some of the oldest tasks: `wanted` maps how many there are to how many to take.
    fn claim(&self, buffer: &mut [*mut Header], wanted: impl Fn(u32) -> u32) -> usize {
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            // Acquire pairs with `push`'s release: the slots up to here are filled.
            let tail = self.tail.load(Ordering::Acquire);
            let len = tail.wrapping_sub(head);
            if len > CAPACITY {
                // `head` is older than `tail`: read it again.
                head = self.head.load(Ordering::Acquire);
                continue;
            }
            let n = wanted(len).min(buffer.len() as u32);
            if n == 0 {
                return 0;
            }
            for i in 0..n {
                buffer[i as usize] = self.slot(head.wrapping_add(i)).load(Ordering::Relaxed);
            }
            // As in `pop`: success releases our reads of the slots to `push`.
            match self.head.compare_exchange(
                head,
                head.wrapping_add(n),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return n as usize,
                Err(now) => head = now,
            }
        }
    }

    /// Moves half of the tasks (rounded up) to `thief`, whose producer the caller must be, and gives the
    /// oldest back to be run. The number counts all that moved.
    pub(crate) fn steal_into(&self, thief: &Ring) -> Option<(Raw, usize)> {
        let mut buffer = [ptr::null_mut(); LOCAL_QUEUE_CAPACITY / 2];
        let room = thief.room() as u32 + 1;
        let n = self.claim(&mut buffer, |len| (len - len / 2).min(room));
        let mut stolen = buffer[..n].iter().filter_map(|&task| NonNull::new(task));
        let first = stolen.next()?;
        for task in stolen {
            let pushed = thief.push(task);
            // Only we push, and `room` was left for all of them.
            debug_assert!(pushed.is_ok());
        }
        Some((first, n))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn raw(n: usize) -> Raw {
        NonNull::new(ptr::without_provenance_mut(n * 64)).unwrap()
    }

    #[test]
    fn keeps_order_and_refuses_when_full() {
        let ring = Ring::new();
        for i in 1..=LOCAL_QUEUE_CAPACITY {
            ring.push(raw(i)).unwrap();
        }
        assert_eq!(ring.push(raw(999)), Err(raw(999)));
        let mut moved = Vec::new();
        assert_eq!(ring.drain_half(&mut |t| moved.push(t)), LOCAL_QUEUE_CAPACITY / 2);
        assert_eq!(moved[0], raw(1));
        assert_eq!(ring.pop(), Some(raw(LOCAL_QUEUE_CAPACITY / 2 + 1)));
        let thief = Ring::new();
        let (first, n) = ring.steal_into(&thief).unwrap();
        assert_eq!(first, raw(LOCAL_QUEUE_CAPACITY / 2 + 2));
        assert_eq!(n, LOCAL_QUEUE_CAPACITY / 4);
        assert_eq!(thief.len(), n - 1);
    }

    #[test]
    fn positions_wrap() {
        let ring = Ring::new();
        ring.head.store(u32::MAX - 1, Ordering::Relaxed);
        ring.tail.store(u32::MAX - 1, Ordering::Relaxed);
        for i in 1..=4 {
            ring.push(raw(i)).unwrap();
        }
        assert_eq!(ring.len(), 4);
        for i in 1..=4 {
            assert_eq!(ring.pop(), Some(raw(i)));
        }
        assert_eq!(ring.pop(), None);
    }

    /// Two stealers and an owner: each task is seen exactly once.
    #[test]
    fn nothing_is_lost_or_doubled() {
        use std::sync::atomic::{AtomicBool, AtomicU8};
        const TASKS: usize = 100_000;
        let ring = Ring::new();
        let seen: Vec<AtomicU8> = (0..=TASKS).map(|_| AtomicU8::new(0)).collect();
        let done = AtomicBool::new(false);
        let mark = |task: Raw| {
            assert_eq!(seen[task.as_ptr().addr() / 64].fetch_add(1, Ordering::Relaxed), 0);
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let own = Ring::new();
                    while !done.load(Ordering::Acquire) || !ring.is_empty() {
                        if let Some((first, _)) = ring.steal_into(&own) {
                            mark(first);
                        }
                        while let Some(task) = own.pop() {
                            mark(task);
                        }
                    }
                });
            }
            for i in 1..=TASKS {
                let mut task = raw(i);
                while let Err(back) = ring.push(task) {
                    task = back;
                    ring.drain_half(&mut |t| mark(t));
                }
                if i % 3 == 0 {
                    if let Some(task) = ring.pop() {
                        mark(task);
                    }
                }
            }
            while let Some(task) = ring.pop() {
                mark(task);
            }
            done.store(true, Ordering::Release);
        });
        assert!(seen[1..].iter().all(|n| n.load(Ordering::Relaxed) == 1));
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::Arc;
    use crate::loom::thread;

    fn raw(n: usize) -> Raw {
        NonNull::new(ptr::without_provenance_mut(n * 64)).unwrap()
    }

    fn sum(into: &mut usize, task: Raw) {
        *into += task.as_ptr().addr() / 64;
    }

    /// Push (past the capacity) and pop against one stealer.
    #[test]
    fn owner_and_stealer() {
        crate::loom::model(|| {
            let ring = Arc::new(Ring::new());
            let other = Arc::clone(&ring);
            let thief = thread::spawn(move || {
                let own = Ring::new();
                let mut got = 0;
                for _ in 0..2 {
                    if let Some((first, _)) = other.steal_into(&own) {
                        sum(&mut got, first);
                    }
                    while let Some(task) = own.pop() {
                        sum(&mut got, task);
                    }
                }
                got
            });
            let mut got = 0;
            for i in 1..=5 {
                let mut task = raw(i);
                while let Err(back) = ring.push(task) {
                    task = back;
                    ring.drain_half(&mut |t| sum(&mut got, t));
                }
                if i == 2 {
                    if let Some(task) = ring.pop() {
                        sum(&mut got, task);
                    }
                }
            }
            while let Some(task) = ring.pop() {
                sum(&mut got, task);
            }
            got += thief.join().unwrap();
            assert_eq!(got, 15);
        });
    }

    /// Two stealers claim from the same head.
    #[test]
    fn two_stealers() {
        crate::loom::model(|| {
            let ring = Arc::new(Ring::new());
            for i in 1..=3 {
                ring.push(raw(i)).unwrap();
            }
            let thieves: Vec<_> = (0..2)
                .map(|_| {
                    let ring = Arc::clone(&ring);
                    thread::spawn(move || {
                        let own = Ring::new();
                        let mut got = 0;
                        if let Some((first, _)) = ring.steal_into(&own) {
                            sum(&mut got, first);
                        }
                        while let Some(task) = own.pop() {
                            sum(&mut got, task);
                        }
                        got
                    })
                })
                .collect();
            let mut got: usize = thieves.into_iter().map(|t| t.join().unwrap()).sum();
            while let Some(task) = ring.pop() {
                sum(&mut got, task);
            }
            assert_eq!(got, 6);
        });
    }
}
