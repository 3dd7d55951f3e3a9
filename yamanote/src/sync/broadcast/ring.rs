//! What the senders and receivers of a broadcast channel share.
//!
//! * `tail`, behind a lock: the next position, how many receivers there are, whether somebody waits. Sending
//!   takes it, so that positions and the ring's content go together; receiving takes it only when there
//!   seems to be nothing.
//! * Each slot of the ring, behind a lock of its own: which position's value it holds, the value, and how
//!   many receivers have yet to get it. Cloning happens under it, one receiver at a time, since values need
//!   not be `Sync`.
//! * `waiting`: receivers that found nothing.
//!
//! Locks are taken in the order waiting → tail → slot, and never two of a kind. No value is dropped and no
//! waker run under any of them.
//!
//! A receiver that finds nothing takes a place in `waiting` and, under its lock, looks at the tail again;
//! if there is still nothing it leaves the note that somebody waits there. A sender finds the note under
//! the same lock, or the receiver finds the value.

use std::marker::PhantomData;

use super::Receiver;
use super::error::TryRecvError;
use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::{Arc, Mutex, MutexGuard};
use crate::util::CachePadded;
use crate::util::wait_list::{WaitList, WaitSet};

/// Receivers a channel may have: far from where counting them could overflow.
const MAX_RECEIVERS: usize = usize::MAX >> 2;

pub(super) struct Shared<T> {
    pub(super) ring: Box<[Mutex<Slot<T>>]>,
    pub(super) tail: CachePadded<Mutex<Tail>>,
    pub(super) waiting: WaitList,
    pub(super) senders: AtomicUsize,
    pub(super) weak_senders: AtomicUsize,
    /// Senders that wait for the receivers to go.
    pub(super) closed: WaitSet,
    /// A panicking `clone` may leave what values share in any state.
    _not_unwind_safe: PhantomData<dyn Send + Sync + Unpin>,
}

pub(super) struct Tail {
    /// Where the next value goes. 64 bits do not wrap.
    pub(super) position: u64,
    pub(super) receivers: usize,
    /// Somebody is in `waiting` who has to be woken by the next sender.
    pub(super) is_awaited: bool,
    /// All senders are gone.
    pub(super) closed: bool,
}

pub(super) struct Slot<T> {
    /// Which value it holds or held last.
    pub(super) position: u64,
    /// How many receivers have yet to get it. At 0 the value has been dropped.
    pub(super) owed: usize,
    pub(super) value: Option<T>,
}

impl<T> Shared<T> {
    #[track_caller]
    pub(super) fn new(capacity: usize) -> Arc<Shared<T>> {
        assert!(capacity > 0, "broadcast channel capacity cannot be zero");
        assert!(capacity <= usize::MAX >> 1, "broadcast channel capacity exceeded `usize::MAX / 2`");
        let capacity = capacity.next_power_of_two();
        // No receiver asks for these positions: they precede the first by a round.
        let ring = (0..capacity)
            .map(|i| {
                let position = (i as u64).wrapping_sub(capacity as u64);
                Mutex::new(Slot { position, owed: 0, value: None })
            })
            .collect();
        Arc::new(Shared {
            ring,
            tail: CachePadded::new(Mutex::new(Tail {
                position: 0,
                receivers: 0,
                is_awaited: false,
                closed: false,
            })),
            waiting: WaitList::new(),
            senders: AtomicUsize::new(1),
            weak_senders: AtomicUsize::new(0),
            closed: WaitSet::new(),
            _not_unwind_safe: PhantomData,
        })
    }

    #[inline]
    pub(super) fn slot(&self, position: u64) -> &Mutex<Slot<T>> {
        // The length is a power of two.
        &self.ring[position as usize & (self.ring.len() - 1)]
    }

    /// A receiver of what is sent from now on.
    #[track_caller]
    pub(super) fn subscribe(this: &Arc<Self>) -> Receiver<T> {
        let mut tail = this.tail.lock();
        let full = tail.receivers >= MAX_RECEIVERS;
        let next = tail.position;
        if !full {
            tail.receivers += 1;
        }
        drop(tail);
        assert!(!full, "max receivers");
        Receiver { shared: Arc::clone(this), next }
    }

    /// Moves on past the value at `next`, if it is there, handing it to `f`.
    #[inline]
    pub(super) fn take<R>(&self, next: &mut u64, f: impl FnOnce(&T) -> R) -> Option<R> {
        let slot = self.slot(*next).lock();
        if slot.position != *next {
            return None;
        }
        // Before foreign code runs: after a panic in it, the receiver goes on with the next value.
        *next += 1;
        let got = Got(Some(slot));
        match got.0.as_ref().and_then(|slot| slot.value.as_ref()) {
            Some(value) => Some(f(value)),
            None => unreachable!("a value stays until all have got it"),
        }
    }

    /// Why there is nothing at `next`; `None` if there is something by now.
    fn why_not(&self, next: &mut u64) -> Option<TryRecvError> {
        let tail = self.tail.lock();
        let kept = self.ring.len() as u64;
        let behind = tail.position - *next;
        if behind == 0 {
            Some(if tail.closed { TryRecvError::Closed } else { TryRecvError::Empty })
        } else if behind > kept {
            let lost = behind - kept;
            *next += lost;
            Some(TryRecvError::Lagged(lost))
        } else {
            None
        }
    }

    #[inline]
    pub(super) fn try_recv(&self, next: &mut u64) -> Result<T, TryRecvError>
    where
        T: Clone,
    {
        loop {
            if let Some(value) = self.take(next, T::clone) {
                return Ok(value);
            }
            if let Some(error) = self.why_not(next) {
                return Err(error);
            }
        }
    }
}

/// A slot whose value a receiver has got, or does not want. When this is dropped, also because cloning
/// the value panicked, one less is owed; the last one drops the value, outside the lock.
struct Got<'a, T>(Option<MutexGuard<'a, Slot<T>>>);

impl<T> Drop for Got<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let Some(mut slot) = self.0.take() else { return };
        slot.owed -= 1;
        let unneeded = if slot.owed == 0 { slot.value.take() } else { None };
        drop(slot);
        drop(unneeded);
    }
}
