//! One timer as its wheel and its owner see it.
//!
//! An entry lives inside the future that waits for it. Its **state** is one word:
//!
//! | value | meaning | set by |
//! |---|---|---|
//! | a tick | linked in a wheel, due at that tick | the owner |
//! | `IDLE` | in no wheel | the owner |
//! | `FIRED` | was due; in no wheel | the wheel, or the owner who found it due |
//! | `CLOSED` | its wheel was shut down; in no wheel | the wheel |
//!
//! Who may touch what:
//!
//! * `links` and `slot` belong to the wheel: only under its lock.
//! * The state leaves a tick for `FIRED` or `CLOSED` only under the wheel's lock, and with that the wheel
//!   lets go: the owner may free the entry without taking the lock. The owner may raise the tick without the lock
//!   (the wheel finds out when it comes to the old one, and links the entry anew), and lowers it or
//!   sets `IDLE` under the lock.
//! * The waker is written by the owner only, and while the entry is linked only under the lock. The wheel
//!   moves it out by copying its bytes, which stay as they are; so the owner may compare
//!   them with another waker at any time, without the lock. Whose the waker is (who drops it) goes by the state:
//!   the entry's while that is a tick, the wheel's once it has fired.

use std::marker::PhantomPinned;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::task::Waker;

use super::tick::{self, AtomicTick};
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::Ordering;
use crate::util::linked_list::{Link, Links};

pub(super) const IDLE: u64 = u64::MAX;
pub(super) const FIRED: u64 = u64::MAX - 1;
pub(super) const CLOSED: u64 = u64::MAX - 2;

/// Whether a state is a tick: the entry is linked.
#[inline]
pub(super) fn is_linked(state: u64) -> bool {
    state <= tick::MAX
}

pub(crate) struct Entry {
    pub(super) state: AtomicTick,
    // Not loom's cell: the list wants a plain pointer.
    links: std::cell::UnsafeCell<Links<Entry>>,
    waker: UnsafeCell<MaybeUninit<Waker>>,
    /// Which of the wheel's lists it is in.
    slot: UnsafeCell<u16>,
    _pin: PhantomPinned,
}

// SAFETY: the module's rules say who may touch each cell: the holder of the wheel's lock, or the owner of
// the entry, through whom `&mut` access goes. `Waker` itself may be sent and shared.
unsafe impl Send for Entry {}
// SAFETY: as above. Through `&Entry` outside this module only the state is read.
unsafe impl Sync for Entry {}

/// Entries linked through their `links`.
pub(super) struct ByLinks;

// SAFETY: `links` is a field that nobody but the lists touches, and entries are pinned while linked.
unsafe impl Link for ByLinks {
    type Node = Entry;

    unsafe fn links(node: NonNull<Entry>) -> NonNull<Links<Entry>> {
        // SAFETY: `node` is alive by contract; a cell's pointer is not null.
        unsafe {
            NonNull::new_unchecked(std::cell::UnsafeCell::raw_get(&raw const (*node.as_ptr()).links))
        }
    }
}

impl Entry {
    pub(super) fn new() -> Entry {
        Entry {
            state: AtomicTick::new(IDLE),
            links: std::cell::UnsafeCell::new(Links::new()),
            waker: UnsafeCell::new(MaybeUninit::uninit()),
            slot: UnsafeCell::new(0),
            _pin: PhantomPinned,
        }
    }

    /// The state for its owner. What the firing side did before is seen.
    #[inline]
    pub(super) fn state(&self) -> u64 {
        // Acquire pairs with the Release in `try_fire` and `close`.
        self.state.load(Ordering::Acquire)
    }

    /// Sets the state of an entry that is in no wheel, or under the wheel's lock.
    #[inline]
    pub(super) fn set_state(&self, state: u64) {
        // Relaxed: only the owner reads it without the lock.
        self.state.store(state, Ordering::Relaxed);
    }

    /// Whether the waker it was last armed with is this one.
    ///
    /// # Safety
    /// Only the owner may ask, and only of an entry that was seen linked since it was last idle.
    #[inline]
    pub(super) unsafe fn has_waker(&self, waker: &Waker) -> bool {
        self.waker.with(|slot| {
            // SAFETY: written before the entry was linked. Only the owner writes, and that is the caller.
            // If the wheel has moved the waker out meanwhile, the bytes are still those of a waker, and
            // comparing looks at nothing behind them.
            let own = unsafe { (*slot).assume_init_ref() };
            ptr::eq(own.data(), waker.data()) && own.vtable() == waker.vtable()
        })
    }

    /// Stores a waker.
    ///
    /// # Safety
    /// For the owner, of an unlinked entry or under the lock; the entry must own no waker, or its waker must
    /// have been taken.
    pub(super) unsafe fn put_waker(&self, waker: Waker) {
        self.waker.with_mut(|slot| {
            // SAFETY: exclusive by contract.
            unsafe { (*slot).write(waker) };
        });
    }

    /// Moves the waker out.
    ///
    /// # Safety
    /// Under the lock or of an unlinked entry; the entry must own a waker, which it then no longer does.
    pub(super) unsafe fn take_waker(&self) -> Waker {
        // SAFETY: owned by contract, so initialised; nobody writes it meanwhile.
        self.waker.with(|slot| unsafe { (*slot).assume_init_read() })
    }

    /// Under the lock, for a linked or just unlinked entry: which list it is in.
    pub(super) fn slot(&self) -> u16 {
        // SAFETY: the caller holds the lock, by this type's rules.
        self.slot.with(|slot| unsafe { *slot })
    }

    pub(super) fn set_slot(&self, new: u16) {
        // SAFETY: the caller holds the lock, by this type's rules.
        self.slot.with_mut(|slot| unsafe { *slot = new });
    }

    /// The tick at which it is due; may be raised at any time.
    pub(super) fn deadline(&self) -> u64 {
        // Relaxed: a hint, or followed by a compare-exchange.
        self.state.load(Ordering::Relaxed)
    }

    /// For the owner of a linked entry: moves its deadline back. Fails if it is no longer linked.
    pub(super) fn raise(&self, from: u64, to: u64) -> Result<(), u64> {
        debug_assert!(from <= to);
        // Relaxed on success: nothing but the number is told. Acquire pairs with `try_fire`'s Release.
        self.state.compare_exchange(from, to, Ordering::Relaxed, Ordering::Acquire).map(drop)
    }

    /// Fires an entry that was just unlinked, if it is due at `elapsed`: the waker to be woken, or else
    /// the deadline it was moved to.
    ///
    /// # Safety
    /// Under the lock. Once it has fired, the entry may be gone.
    pub(super) unsafe fn try_fire(entry: NonNull<Entry>, elapsed: u64) -> Result<Waker, u64> {
        // SAFETY: alive while it has not fired: its owner would have to take the lock to unlink it.
        let this = unsafe { entry.as_ref() };
        let mut deadline = this.deadline();
        loop {
            if deadline > elapsed {
                return Err(deadline);
            }
            // Copied first: after the exchange nothing of the entry may be touched.
            // SAFETY: nobody writes to it without the lock.
            let waker: MaybeUninit<Waker> = this.waker.with(|slot| unsafe { ptr::read(slot) });
            // Release pairs with the Acquire in `state` and `raise`: the copy comes before whatever the
            // owner does to the cell next.
            match this.state.compare_exchange(deadline, FIRED, Ordering::Release, Ordering::Relaxed) {
                // SAFETY: it was linked, so it owned a waker; now we do.
                Ok(_) => return Ok(unsafe { waker.assume_init() }),
                Err(raised) => deadline = raised,
            }
        }
    }

    /// As `try_fire`, whatever the deadline: the wheel is shut down.
    ///
    /// # Safety
    /// As for `try_fire`.
    pub(super) unsafe fn close(entry: NonNull<Entry>) -> Waker {
        // SAFETY: alive, as in `try_fire`.
        let this = unsafe { entry.as_ref() };
        // SAFETY: linked until now, under the lock.
        let waker = unsafe { this.take_waker() };
        // Release: as in `try_fire`. A raise of the deadline that comes in between changes nothing.
        this.state.store(CLOSED, Ordering::Release);
        waker
    }
}
