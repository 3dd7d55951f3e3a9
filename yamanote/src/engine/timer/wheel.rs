//! The hierarchical timing wheel: which entries are due at which tick.
//!
//! Six levels of 64 slots each. A slot of level 0 is one tick, a slot of level n is 64ⁿ. An entry's level is
//! that of the highest digit (base 64) in which its deadline differs from the present, its slot that
//! digit; so inserting is a handful of instructions, and all entries of a level lie in slots after the
//! present one, before any entry of the level above. When the present reaches a slot of a level above 0, its
//! entries move to lower ones. What does not fit into 2³⁶ ticks (two years) waits in one more list until the
//! present enters its range.
//!
//! Pure: no lock, no clock, no wakers. [`Timers`](super::Timers) is the lock around it.
//!
//! (G. Varghese, A. Lauck: Hashed and Hierarchical Timing Wheels, 1987.)

use std::ptr::NonNull;

use super::entry::{ByLinks, Entry};
use crate::util::LinkedList;

/// 64: as many slots as a word has bits, so that one instruction finds the first occupied one.
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 6;
/// Beyond the top level.
const FAR: usize = LEVELS * SLOTS;
/// Due, and not taken by [`Wheel::pop_due`] yet.
const DUE: usize = FAR + 1;
const LISTS: usize = DUE + 1;

/// # Invariants
/// Outside `DUE` each entry was linked for a tick greater than `elapsed`, and its deadline is not less than
/// that tick. A slot's occupied bit is set exactly if its list is not empty. All lists are of live entries.
pub(super) struct Wheel {
    /// The present: all entries linked for a tick up to here were moved to `DUE`.
    elapsed: u64,
    occupied: [u64; LEVELS],
    lists: [LinkedList<ByLinks>; LISTS],
}

impl Wheel {
    pub(super) fn new() -> Wheel {
        Wheel { elapsed: 0, occupied: [0; LEVELS], lists: [const { LinkedList::new() }; LISTS] }
    }

    pub(super) fn elapsed(&self) -> u64 {
        self.elapsed
    }

    /// How many entries are linked.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let mut len = 0;
        self.lists.iter().for_each(|list| list.for_each(|_| len += 1));
        len
    }

    /// A tick that is not after the first one at which an entry is due.
    pub(super) fn next(&self) -> Option<u64> {
        if !self.lists[DUE].is_empty() {
            return Some(self.elapsed);
        }
        for level in 0..LEVELS {
            if self.occupied[level] != 0 {
                return Some(self.slot_start(level));
            }
        }
        // No overflow: a deadline with a greater prefix exists.
        let shift = BITS * LEVELS as u32;
        (!self.lists[FAR].is_empty()).then(|| ((self.elapsed >> shift) + 1) << shift)
    }

    /// When the first occupied slot of a level begins.
    fn slot_start(&self, level: usize) -> u64 {
        let slot = u64::from(self.occupied[level].trailing_zeros());
        let shift = BITS * level as u32;
        let above = shift + BITS;
        ((self.elapsed >> above) << above) | (slot << shift)
    }

    /// Links an entry.
    ///
    /// # Safety
    /// `entry` must be alive and unlinked, stay alive and in place until it is unlinked, and `deadline` must be
    /// greater than [`elapsed`](Self::elapsed).
    pub(super) unsafe fn insert(&mut self, entry: NonNull<Entry>, deadline: u64) {
        debug_assert!(deadline > self.elapsed);
        let digit = (63 - (deadline ^ self.elapsed).leading_zeros()) / BITS;
        let level = digit as usize;
        let list = if level < LEVELS {
            let slot = (deadline >> (BITS * digit)) as usize % SLOTS;
            self.occupied[level] |= 1 << slot;
            level * SLOTS + slot
        } else {
            FAR
        };
        // SAFETY: passed on.
        unsafe { self.link(entry, list) };
    }

    /// # Safety
    /// As for `insert`.
    unsafe fn link(&mut self, entry: NonNull<Entry>, list: usize) {
        // SAFETY: alive by contract.
        unsafe { entry.as_ref() }.set_slot(list as u16);
        // SAFETY: alive, unlinked and in place by contract.
        unsafe { self.lists[list].push_back(entry) };
    }

    /// Unlinks an entry.
    ///
    /// # Safety
    /// `entry` must be linked here.
    pub(super) unsafe fn remove(&mut self, entry: NonNull<Entry>) {
        // SAFETY: linked, so alive.
        let list = usize::from(unsafe { entry.as_ref() }.slot());
        // SAFETY: it was linked here, in the list it names.
        let was_linked = unsafe { self.lists[list].remove(entry) };
        debug_assert!(was_linked);
        if list < FAR && self.lists[list].is_empty() {
            self.occupied[list / SLOTS] &= !(1 << (list % SLOTS));
        }
    }

    /// Unlinks and returns an entry whose tick has come by `now`, in the order of the ticks; its deadline
    /// may have been moved back meanwhile.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<NonNull<Entry>> {
        loop {
            if let Some(entry) = self.lists[DUE].pop_front() {
                return Some(entry);
            }
            match self.next() {
                Some(next) if next <= now => self.advance_to(next),
                _ => {
                    // Two threads that turn the same wheel may have read the clock in the other order.
                    self.elapsed = self.elapsed.max(now);
                    return None;
                }
            }
        }
    }

    /// Moves on to the tick that `next` gave, and empties the slot that begins there.
    fn advance_to(&mut self, next: u64) {
        let list = match (0..LEVELS).find(|&level| self.occupied[level] != 0) {
            Some(level) => {
                let slot = self.occupied[level].trailing_zeros() as usize;
                self.occupied[level] &= !(1 << slot);
                level * SLOTS + slot
            }
            None => FAR,
        };
        self.elapsed = next;
        let mut entries = self.lists[list].take();
        while let Some(entry) = entries.pop_front() {
            // SAFETY: it was linked, so it is alive and in place.
            let deadline = unsafe { entry.as_ref() }.deadline();
            // SAFETY: as above, and it was just unlinked.
            unsafe {
                if deadline > next {
                    self.insert(entry, deadline);
                } else {
                    self.link(entry, DUE);
                }
            }
        }
    }

    /// Unlinks and returns any entry.
    pub(super) fn pop_any(&mut self) -> Option<NonNull<Entry>> {
        let mut lists = std::iter::once(DUE).chain(0..DUE);
        let entry = lists.find_map(|list| self.lists[list].front())?;
        // SAFETY: it is at the front of a list of ours.
        unsafe { self.remove(entry) };
        Some(entry)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::util::rng;
    use std::pin::Pin;

    fn entries(n: usize) -> Vec<Pin<Box<Entry>>> {
        (0..n).map(|_| Box::pin(Entry::new())).collect()
    }

    fn pointer(entry: &Pin<Box<Entry>>) -> NonNull<Entry> {
        NonNull::from(&**entry)
    }

    /// Links `entry`, or tells that it is due already.
    fn insert(wheel: &mut Wheel, entry: &Pin<Box<Entry>>, deadline: u64) -> bool {
        entry.set_state(deadline);
        if deadline > wheel.elapsed() {
            // SAFETY: the tests keep entries longer than they are linked.
            unsafe { wheel.insert(pointer(entry), deadline) };
        }
        deadline > wheel.elapsed()
    }

    #[test]
    fn every_distance_fires_at_its_tick() {
        for start in [0, 1, 63, 64, 4_095, 1 << 35, (1 << 36) - 1, 1 << 40] {
            let shifts = (0..48).map(|shift| 1 << shift);
            for distance in shifts.flat_map(|power: u64| [power - 1, power, power + 1]) {
                let entry = &entries(1)[0];
                let mut wheel = Wheel::new();
                assert!(wheel.pop_due(start).is_none());
                let deadline = start + distance;
                if !insert(&mut wheel, entry, deadline) {
                    continue;
                }
                assert!(wheel.pop_due(deadline - 1).is_none(), "{start} + {distance}");
                assert_eq!(wheel.pop_due(deadline), Some(pointer(entry)), "{start} + {distance}");
                assert_eq!((wheel.len(), wheel.next()), (0, None));
            }
        }
    }

    #[test]
    fn equal_deadlines_keep_their_order() {
        let entries = entries(4);
        let mut wheel = Wheel::new();
        for entry in &entries[..2] {
            insert(&mut wheel, entry, 5_000);
        }
        assert!(wheel.pop_due(4_999).is_none());
        for entry in &entries[2..] {
            insert(&mut wheel, entry, 5_000);
        }
        for entry in &entries {
            assert_eq!(wheel.pop_due(6_000), Some(pointer(entry)));
        }
    }

    #[test]
    fn a_raised_deadline_is_found_at_the_old_one() {
        let entry = &entries(1)[0];
        let mut wheel = Wheel::new();
        insert(&mut wheel, entry, 10);
        entry.raise(10, 1 << 50).unwrap();
        assert_eq!(wheel.next(), Some(10));
        assert!(wheel.pop_due((1 << 50) - 1).is_none());
        assert_eq!(wheel.pop_due(1 << 50), Some(pointer(entry)));
    }

    /// Random inserts, removals, raises and advances, against a sorted list that does the same.
    #[test]
    fn behaves_as_a_sorted_list() {
        for seed in 1..=40 {
            let entries = entries(64);
            let mut wheel = Wheel::new();
            // (deadline, entry) of those that are linked.
            let mut model: Vec<(u64, usize)> = Vec::new();
            let mut state = seed;
            let mut random = |n: u64| {
                let (next, high) = rng::step(state);
                let (next, low) = rng::step(next);
                state = next;
                (u64::from(high) << 32 | u64::from(low)) % n
            };
            let mut now = random(1 << 40);
            for _ in 0..4_000 {
                let which = random(entries.len() as u64) as usize;
                let linked = model.iter().position(|&(_, entry)| entry == which);
                // Short distances mostly, huge ones too.
                let range = 1 << (1 + random(45));
                let distance = random(range);
                match (random(4), linked) {
                    (0 | 1, None) => {
                        if insert(&mut wheel, &entries[which], now + distance) {
                            model.push((now + distance, which));
                        }
                    }
                    (0, Some(at)) => {
                        // SAFETY: the model says it is linked.
                        unsafe { wheel.remove(pointer(&entries[which])) };
                        model.remove(at);
                    }
                    (1, Some(at)) => {
                        let deadline = model[at].0;
                        entries[which].raise(deadline, deadline + distance).unwrap();
                        model[at].0 += distance;
                    }
                    _ => {
                        now += distance;
                        let mut fired = Vec::new();
                        while let Some(entry) = wheel.pop_due(now) {
                            // SAFETY: alive.
                            let deadline = unsafe { entry.as_ref() }.deadline();
                            if deadline > wheel.elapsed() {
                                // SAFETY: just unlinked.
                                unsafe { wheel.insert(entry, deadline) };
                                continue;
                            }
                            fired.push((
                                deadline,
                                entries.iter().position(|e| pointer(e) == entry).unwrap(),
                            ));
                        }
                        assert!(fired.is_sorted_by_key(|&(deadline, _)| deadline));
                        let (mut due, rest): (Vec<_>, Vec<_>) =
                            model.drain(..).partition(|&(deadline, _)| deadline <= now);
                        model = rest;
                        fired.sort_unstable();
                        due.sort_unstable();
                        assert_eq!(fired, due);
                    }
                }
                assert_eq!(wheel.len(), model.len());
                let first = model.iter().map(|&(deadline, _)| deadline).min();
                assert_eq!(wheel.next().is_some(), first.is_some());
                assert!(wheel.next() <= first);
                assert!(wheel.next().is_none_or(|next| next > wheel.elapsed()));
            }
            while let Some(entry) = wheel.pop_any() {
                let which = entries.iter().position(|e| pointer(e) == entry).unwrap();
                model.retain(|&(_, entry)| entry != which);
            }
            assert!(model.is_empty());
            assert_eq!(wheel.next(), None);
        }
    }
}
