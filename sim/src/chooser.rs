//! What happens next: everything that is left to chance, from one seed.

use std::cell::Cell;

/// What a thread does at a point where another could run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    GoOn,
    /// Another thread may run.
    Switch,
    /// It is held up for so many nanoseconds, as a thread is that lost its processor.
    Delay(u64),
}

/// How a run is scheduled; drawn anew for each seed, since different bugs need different schedules.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// At one point in so many another thread may run.
    switch_one_in: u32,
    /// The running thread is drawn by its rank, and keeps running until it blocks or its rank is drawn anew, which
    /// finds what needs few switches at the right places.
    ranked: bool,
    /// At one point in so many the thread is held up; 0 is never.
    delay_one_in: u32,
    longest_delay_ns: u64,
    /// One wait in so many ends for no reason; 0 is never.
    spurious_one_in: u32,
    /// What a step takes.
    step_ns: u64,
}

#[derive(Debug)]
pub(crate) struct Chooser {
    state: Cell<u64>,
    plan: Plan,
}

impl Chooser {
    pub(crate) fn new(seed: u64) -> Chooser {
        // Seeds are small numbers: spread them.
        let state = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut chooser = Chooser {
            state: Cell::new(state),
            plan: Plan {
                switch_one_in: 1,
                ranked: false,
                delay_one_in: 0,
                longest_delay_ns: 0,
                spurious_one_in: 0,
                step_ns: 0,
            },
        };
        (0..8).for_each(|_| _ = chooser.below(2));
        chooser.plan = Plan {
            switch_one_in: chooser.one_of(&[2, 5, 10, 30, 100, 400, 2_000]),
            ranked: chooser.below(2) == 0,
            delay_one_in: chooser.one_of(&[0, 0, 100, 1_000, 10_000]),
            longest_delay_ns: chooser.one_of(&[10_000, 1_000_000, 5_000_000, 40_000_000]),
            spurious_one_in: chooser.one_of(&[0, 0, 20, 200]),
            step_ns: chooser.one_of(&[10, 30, 200]),
        };
        chooser
    }

    pub(crate) fn next(&self) -> u64 {
        // Marsaglia's xorshift64*.
        let mut x = self.state.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.state.set(x);
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    fn one_of<T: Copy>(&self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    fn one_in(&self, n: u32) -> bool {
        n != 0 && self.below(u64::from(n)) == 0
    }

    pub(crate) fn step_ns(&self) -> u64 {
        self.plan.step_ns
    }

    pub(crate) fn longest_delay_ns(&self) -> u64 {
        if self.plan.delay_one_in == 0 { 0 } else { self.plan.longest_delay_ns }
    }

    pub(crate) fn is_even(&self) -> bool {
        !self.plan.ranked && self.plan.delay_one_in == 0 && self.plan.switch_one_in <= 30
    }

    /// Whether all ranks are drawn anew: none stays low for ever.
    pub(crate) fn reshuffles(&self) -> bool {
        self.one_in(8)
    }

    pub(crate) fn is_ranked(&self) -> bool {
        self.plan.ranked
    }

    pub(crate) fn at_point(&self) -> Choice {
        if self.one_in(self.plan.delay_one_in) {
            return Choice::Delay(self.below(self.plan.longest_delay_ns));
        }
        if self.one_in(self.plan.switch_one_in) { Choice::Switch } else { Choice::GoOn }
    }

    /// Whether a wait ends without a reason.
    pub(crate) fn is_spurious(&self) -> bool {
        self.one_in(self.plan.spurious_one_in)
    }

    pub(crate) fn describe(&self) -> String {
        format!("{:?}", self.plan)
    }
}
