//! The unit of a channel's storage: a run of slots with one word of state, linked to the next run.
//!
//! # Positions
//! Every value has a position, counted up from 0. Positions are kept doubled, since the channel's tail word
//! has a flag in its lowest bit: the next position is [`STEP`] further. They wrap, and are compared by
//! their distance.
//!
//! # State of a slot
//! Two bits of the block's word: `ready`, set by the sender that wrote the value, and `awaited`, set by the
//! receiver that found nothing and is about to sleep. Both are set by a read-modify-write that tells
//! what was there before: a sender that finds `awaited` wakes, a receiver that finds `ready` does not sleep.
//! Only the receiver waits, for one slot at a time: a sender that fills another slot has nobody to wake.
//!
//! # Who may touch what
//! * `start`: written while nobody else has the block, read by everybody after.
//! * a slot: the sender of its position until `ready`, then the receiver.
//! * `next`: set once, by whoever needs the next block first.
//! * `left_at`: see the list.

use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::loom::sync::atomic::{AtomicPtr, AtomicUsize};

/// Slots a block: as many as one word has state bits for. Models cross blocks early.
#[cfg(not(loom))]
pub(super) const SLOTS: usize = usize::BITS as usize / 2;
#[cfg(loom)]
pub(super) const SLOTS: usize = 2;

/// From one position to the next.
pub(super) const STEP: usize = 2;

/// All the `ready` bits.
const ALL_READY: usize = (1 << SLOTS) - 1;

/// See the module.
pub(super) struct Block<T> {
    /// The position of the first slot.
    start: UnsafeCell<usize>,
    next: AtomicPtr<Block<T>>,
    /// `ready` bits below, `awaited` bits above.
    state: AtomicUsize,
    /// 0 while new senders may come here; else the position, plus 1, from which on they do not.
    left_at: AtomicUsize,
    slots: [UnsafeCell<MaybeUninit<T>>; SLOTS],
}

/// The position of the first slot of the block that `position` is in.
#[inline]
pub(super) fn block_start(position: usize) -> usize {
    position & !(SLOTS * STEP - 1)
}

#[inline]
fn slot_index(position: usize) -> usize {
    (position / STEP) & (SLOTS - 1)
}

impl<T> Block<T> {
    pub(super) fn new(start: usize) -> Box<Block<T>> {
        let mut block = Box::<Block<T>>::new_uninit();
        let at = block.as_mut_ptr();
        // SAFETY: each field is written once, in place: a block with large values never is on the stack.
        // Then all of it is initialised.
        unsafe {
            (&raw mut (*at).start).write(UnsafeCell::new(start));
            (&raw mut (*at).next).write(AtomicPtr::new(ptr::null_mut()));
            (&raw mut (*at).state).write(AtomicUsize::new(0));
            (&raw mut (*at).left_at).write(AtomicUsize::new(0));
            for i in 0..SLOTS {
                (&raw mut (*at).slots[i]).write(UnsafeCell::new(MaybeUninit::uninit()));
            }
            block.assume_init()
        }
    }

    /// Makes a used block as good as new. Its values must have been taken.
    pub(super) fn reset(&mut self, start: usize) {
        // SAFETY: `&mut self`: nobody else has the block.
        unsafe { self.start.with_mut(|s| *s = start) };
        // Relaxed: whoever publishes the block does so with Release.
        self.next.store(ptr::null_mut(), Relaxed);
        self.state.store(0, Relaxed);
        self.left_at.store(0, Relaxed);
    }

    #[inline]
    pub(super) fn start(&self) -> usize {
        // SAFETY: not written while the block is shared.
        unsafe { self.start.with(|s| *s) }
    }

    /// Stores the value of `position` and announces it. `true` if the receiver waits for it.
    ///
    /// # Safety
    /// `position` must be in this block, and the caller's alone.
    #[inline]
    #[must_use]
    pub(super) unsafe fn write(&self, position: usize, value: T) -> bool {
        let i = slot_index(position);
        // SAFETY: the slot is the caller's until it is ready.
        unsafe { self.slots[i].with_mut(|slot| slot.write(MaybeUninit::new(value))) };
        // Release: the value, for the receiver's Acquire. Acquire: the waker, registered before `awaited`.
        let before = self.state.fetch_or(1 << i, AcqRel);
        before & (1 << (i + SLOTS)) != 0
    }

    /// Whether the value of `position` is there.
    #[inline]
    pub(super) fn is_ready(&self, position: usize) -> bool {
        // Acquire pairs with the Release in `write`.
        self.state.load(Acquire) & (1 << slot_index(position)) != 0
    }

    /// Announces that the receiver is about to wait for `position`; `true` if the value is there instead.
    pub(super) fn await_slot(&self, position: usize) -> bool {
        let i = slot_index(position);
        // Release: the registered waker, for the sender's Acquire in `write`. Acquire: the value.
        self.state.fetch_or(1 << (i + SLOTS), AcqRel) & (1 << i) != 0
    }

    /// Takes the value of `position` out.
    ///
    /// # Safety
    /// It must be ready, and not have been taken; to be called by the receiver.
    #[inline]
    pub(super) unsafe fn read(&self, position: usize) -> T {
        // SAFETY: a ready slot is initialised, and the receiver's.
        unsafe { self.slots[slot_index(position)].with_mut(|slot| slot.read().assume_init()) }
    }

    /// Whether all values of the block have been written: no sender has business here.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        // Acquire: what the senders did before is over for whoever leaves the block behind.
        self.state.load(Acquire) & ALL_READY == ALL_READY
    }

    #[inline]
    pub(super) fn next(&self) -> Option<NonNull<Block<T>>> {
        // Acquire pairs with the Release in `set_next`: the block's content.
        NonNull::new(self.next.load(Acquire))
    }

    /// Links the next block, or tells which one is linked already.
    pub(super) fn set_next(&self, block: NonNull<Block<T>>) -> Result<(), NonNull<Block<T>>> {
        // Release: the block's content. Acquire, on failure: that of the other one.
        match self.next.compare_exchange(ptr::null_mut(), block.as_ptr(), AcqRel, Acquire) {
            Ok(_) => Ok(()),
            Err(other) => match NonNull::new(other) {
                Some(other) => Err(other),
                None => unreachable!("the exchange fails on a linked block only"),
            },
        }
    }

    /// Notes that senders of `position` and later do not come here.
    pub(super) fn leave(&self, position: usize) {
        // Release: all that was done to find the next block, for the receiver that recycles this one.
        self.left_at.store(position | 1, Release);
    }

    /// The position from which on senders do not come here, if that is settled.
    pub(super) fn left_at(&self) -> Option<usize> {
        // Acquire pairs with the Release in `leave`.
        match self.left_at.load(Acquire) {
            0 => None,
            position => Some(position & !1),
        }
    }
}
