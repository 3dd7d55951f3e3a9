//! The queue of an mpsc channel: an endless row of slots, in linked blocks, without a lock.
//!
//! # Sending
//! A sender takes a position by adding to `tail`, finds the block of that position from `block_tail`
//! onward, linking new blocks where the row ends, writes the value and sets the slot's `ready` bit. Two
//! read-modify-writes, however many senders there are; none waits for another.
//!
//! # Receiving
//! The one receiver reads the slots in order. Values behind one that is being written wait for it.
//!
//! # Closing
//! The lowest bit of `tail` is `CLOSED`. The step that sets it fixes where the row ends: a sender that
//! takes a position after it knows that from the same word, keeps its value, and the position is never
//! looked at. Closed by the receiver, the end is noted there (`closed_at`), since late senders may still
//! move `tail`; closed because the last sender went, there is nobody left to move it.
//!
//! # Recycling blocks
//! A sender may be slow between taking its position and using the block it found, so a block must not be
//! reused as soon as its values have been read. `block_tail` moves past a block when all its slots are
//! ready. Whoever moves it then reads `tail` with a read-modify-write, and notes the position in the
//! block it left (`left_at`). Senders of that position or later took it after that step, so they see the
//! moved `block_tail` and never the block. Senders of earlier positions are through with all blocks once
//! their slot is ready. So **when the receiver has read everything before `left_at`, the block is its own**.
//! It keeps one in `spare` for the next sender that needs one and frees the others.

use std::ptr::{self, NonNull};

use super::block::{Block, SLOTS, STEP, block_start};
use crate::loom::hint;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::loom::sync::atomic::{AtomicPtr, AtomicUsize};

const CLOSED: usize = 1;

/// The senders' side; shared.
pub(super) struct Tail<T> {
    /// The next free position, and `CLOSED`.
    tail: AtomicUsize,
    /// A block at or before that of the next free position.
    block_tail: AtomicPtr<Block<T>>,
    /// A block that nobody uses, or null.
    spare: AtomicPtr<Block<T>>,
}

/// The receiver's side.
pub(super) struct Head<T> {
    /// The block of `position`, or, at the start of a block that may not exist yet, the one before.
    block: NonNull<Block<T>>,
    /// The oldest block of the row.
    oldest: NonNull<Block<T>>,
    /// What is read next.
    position: usize,
    /// Where the receiver ended the row.
    closed_at: Option<usize>,
}

/// What the receiver finds.
pub(super) enum Pop<T> {
    Value(T),
    /// Nothing was sent.
    Empty,
    /// Something is being sent.
    Busy,
    /// Nothing was sent and nothing will be.
    Closed,
}

/// A row without values.
pub(super) fn new<T>() -> (Tail<T>, Head<T>) {
    let block = NonNull::from(Box::leak(Block::new(0)));
    (
        Tail {
            tail: AtomicUsize::new(0),
            block_tail: AtomicPtr::new(block.as_ptr()),
            spare: AtomicPtr::new(ptr::null_mut()),
        },
        Head { block, oldest: block, position: 0, closed_at: None },
    )
}

impl<T> Tail<T> {
    /// Appends a value. `true` if the receiver waits for it and has to be woken; the value comes back if
    /// the row is closed.
    #[inline]
    pub(super) fn push(&self, value: T) -> Result<bool, T> {
        // Without this look, senders would go on moving the tail of a closed row. Relaxed: the step below
        // decides.
        if self.tail.load(Relaxed) & CLOSED != 0 {
            // What the closer did before is to be seen by who learns of it.
            self.is_closed();
            return Err(value);
        }
        // Acquire: see the module, on recycling. Release: what was done before, for whoever closes.
        let position = self.tail.fetch_add(STEP, AcqRel);
        if position & CLOSED != 0 {
            return Err(value);
        }
        let block = self.find(position);
        // SAFETY: the block is in use until our slot is ready, see the module.
        let block = unsafe { block.as_ref() };
        // SAFETY: it is the block of our position, which nobody else has.
        Ok(unsafe { block.write(position, value) })
    }

    /// The block of `position`, which must be the caller's and not ready.
    #[inline]
    fn find(&self, position: usize) -> NonNull<Block<T>> {
        let start = block_start(position);
        // Acquire pairs with the Release in `advance` and with those that linked the block.
        let at = self.block_tail.load(Acquire);
        // SAFETY: never null.
        let at = unsafe { NonNull::new_unchecked(at) };
        // SAFETY: a block that `block_tail` named after our position was taken is in use until our slot is
        // ready, see the module.
        if unsafe { at.as_ref() }.start() == start { at } else { self.walk(at, start) }
    }

    #[cold]
    fn walk(&self, mut at: NonNull<Block<T>>, start: usize) -> NonNull<Block<T>> {
        let mut leave = true;
        loop {
            // SAFETY: as in `find`; blocks further on are left later.
            let block = unsafe { at.as_ref() };
            if block.start() == start {
                return at;
            }
            let next = block.next().unwrap_or_else(|| self.grow(block));
            leave = leave && block.is_full() && self.advance(at, next);
            at = next;
        }
    }

    /// Moves `block_tail` from a full block to the next one.
    fn advance(&self, full: NonNull<Block<T>>, next: NonNull<Block<T>>) -> bool {
        // Release: the next block's content, for the Acquire in `find`.
        let moved =
            self.block_tail.compare_exchange(full.as_ptr(), next.as_ptr(), Release, Relaxed).is_ok();
        if moved {
            // A read-modify-write, so that senders of later positions read from it: their Acquire pairs with
            // this Release, and they see the step above.
            let position = self.tail.fetch_or(0, AcqRel) & !CLOSED;
            // SAFETY: the caller's own slot is not ready yet, see the module.
            unsafe { full.as_ref() }.leave(position);
        }
        moved
    }

    /// The block after `last`, linked now if it has to be.
    fn grow(&self, last: &Block<T>) -> NonNull<Block<T>> {
        let start = last.start().wrapping_add(SLOTS * STEP);
        // Acquire pairs with the Release in `recycle`: nobody else has the block.
        let spare = self.spare.swap(ptr::null_mut(), Acquire);
        let block = if spare.is_null() {
            Block::new(start)
        } else {
            // SAFETY: it was put there by `recycle`, and taken out by us alone.
            let mut block = unsafe { Box::from_raw(spare) };
            block.reset(start);
            block
        };
        let block = NonNull::from(Box::leak(block));
        match last.set_next(block) {
            Ok(()) => block,
            Err(other) => {
                // SAFETY: it was not linked.
                unsafe { self.recycle(block) };
                other
            }
        }
    }

    /// Keeps a block for later, or frees it.
    ///
    /// # Safety
    /// The block must be the caller's alone, without values.
    unsafe fn recycle(&self, block: NonNull<Block<T>>) {
        // Release: all that was done to the block.
        let kept =
            self.spare.compare_exchange(ptr::null_mut(), block.as_ptr(), Release, Relaxed).is_ok();
        if !kept {
            // SAFETY: the caller's alone, and made by `Block::new`.
            drop(unsafe { Box::from_raw(block.as_ptr()) });
        }
    }

    /// Ends the row, and tells where.
    pub(super) fn close(&self) -> usize {
        // Acquire: all that was sent before. Release: what was done before closing.
        self.tail.fetch_or(CLOSED, AcqRel) & !CLOSED
    }

    pub(super) fn is_closed(&self) -> bool {
        // Acquire pairs with the Release in `close`.
        self.tail.load(Acquire) & CLOSED != 0
    }
}

impl<T> Head<T> {
    /// Takes the next value.
    #[inline]
    pub(super) fn pop(&mut self, tail: &Tail<T>) -> Pop<T> {
        if self.step_into(tail) && self.current().is_ready(self.position) {
            return Pop::Value(self.read());
        }
        self.pop_slow(tail)
    }

    #[cold]
    fn pop_slow(&mut self, tail: &Tail<T>) -> Pop<T> {
        // Acquire: if it is closed, all that was sent; see `close`.
        let word = tail.tail.load(Acquire);
        let closed = word & CLOSED != 0;
        let end = self.closed_at.unwrap_or(word & !CLOSED);
        if end == self.position {
            return if closed { Pop::Closed } else { Pop::Empty };
        }
        // Something was sent since the first look, or is being sent.
        if self.step_into(tail) && self.current().is_ready(self.position) {
            Pop::Value(self.read())
        } else {
            Pop::Busy
        }
    }

    /// As [`pop`](Self::pop), and sits out the moment in which a sender is writing: what is behind that
    /// value has been sent, so the channel is not empty. Never [`Pop::Busy`].
    pub(super) fn pop_complete(&mut self, tail: &Tail<T>) -> Pop<T> {
        let mut rounds = 0u32;
        loop {
            match self.pop(tail) {
                Pop::Busy if rounds < 64 => {
                    rounds += 1;
                    hint::spin_loop();
                }
                // Its thread has been taken off the processor in between.
                Pop::Busy => crate::loom::thread::yield_now(),
                other => return other,
            }
        }
    }

    /// Announces that the receiver, whose waker is registered, is about to wait for the next value. `true`
    /// if that is there instead.
    pub(super) fn await_next(&mut self, tail: &Tail<T>) -> bool {
        if !self.step_into(tail) {
            let next = tail.grow(self.current());
            self.block = next;
        }
        self.current().await_slot(self.position)
    }

    /// Refuses what is sent from now on.
    pub(super) fn close(&mut self, tail: &Tail<T>) {
        if self.closed_at.is_none() {
            self.closed_at = Some(tail.close());
        }
    }

    /// How many values were sent and not read.
    pub(super) fn len(&self, tail: &Tail<T>) -> usize {
        // Acquire: what was sent is there for who counts it, but for those being written.
        let end = self.closed_at.unwrap_or_else(|| tail.tail.load(Acquire) & !CLOSED);
        end.wrapping_sub(self.position) / STEP
    }

    fn current(&self) -> &Block<T> {
        // SAFETY: the receiver's block is not recycled before the receiver leaves it.
        unsafe { self.block.as_ref() }
    }

    /// Makes `block` that of `position`; `false` if that does not exist yet.
    #[inline]
    fn step_into(&mut self, tail: &Tail<T>) -> bool {
        self.current().start() == block_start(self.position) || self.next_block(tail)
    }

    #[cold]
    fn next_block(&mut self, tail: &Tail<T>) -> bool {
        let Some(next) = self.current().next() else { return false };
        self.block = next;
        while self.oldest != self.block {
            // SAFETY: between `oldest` and `block`, so not recycled.
            let oldest = unsafe { self.oldest.as_ref() };
            let Some(left_at) = oldest.left_at() else { break };
            if (self.position.wrapping_sub(left_at) as isize) < 0 {
                break;
            }
            let Some(next) = oldest.next() else { break };
            let unused = std::mem::replace(&mut self.oldest, next);
            // SAFETY: read to the end, and no sender will come, see the module.
            unsafe { tail.recycle(unused) };
        }
        true
    }

    /// The value at `position`, which must be ready.
    #[inline]
    fn read(&mut self) -> T {
        // SAFETY: ready, and not taken, as `position` moves on here.
        let value = unsafe { self.current().read(self.position) };
        self.position = self.position.wrapping_add(STEP);
        value
    }

    /// Frees the blocks. Values that were not taken out are leaked.
    ///
    /// # Safety
    /// Nobody may use the row any more.
    pub(super) unsafe fn free(&mut self, tail: &mut Tail<T>) {
        // Acquire: with those that let go of the channel.
        let spare = tail.spare.swap(ptr::null_mut(), Acquire);
        let mut at = Some(self.oldest);
        while let Some(block) = at {
            // SAFETY: linked, so alive; nobody else uses it.
            at = unsafe { block.as_ref() }.next();
            // SAFETY: made by `Block::new`, and out of the row.
            drop(unsafe { Box::from_raw(block.as_ptr()) });
        }
        if !spare.is_null() {
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(spare) });
        }
    }
}
