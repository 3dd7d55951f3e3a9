//! How often a busy worker looks away from its own queue: at the inbox, and at the driver.
//!
//! Counted in polls, because a clock read a poll would cost more than many polls do. What matters to a task
//! that waits in the inbox, or for an event, is time though: 61 polls are ten microseconds or a whole second.
//! So the worker measures how long its polls take on average, once a round from one look at the inbox to the
//! next, and makes the intervals shorter when polls are long. A user who sets an interval gets that one.

use std::time::{Duration, Instant};

use crate::engine::limits::{INBOX_TARGET, MAX_INBOX_INTERVAL, MIN_INBOX_INTERVAL, TURN_TARGET};

/// What the builder says about intervals, in polls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intervals {
    /// Between two looks at the inbox.
    pub(crate) inbox: u32,
    /// The former adapts to how long polls take.
    pub(crate) inbox_adapts: bool,
    /// Between two turns of the driver; the longest if it adapts.
    pub(crate) turn: u32,
    /// The latter gets shorter when polls take long.
    pub(crate) turn_adapts: bool,
}

#[derive(Debug)]
pub(crate) struct Pace {
    intervals: Intervals,
    /// Polls until the next look at the inbox.
    until_inbox: u32,
    /// Polls in the present round.
    round: u32,
    /// When the round began.
    since: Instant,
    /// A moving average of a poll's duration; 0 before the first round.
    mean_ns: u64,
    /// What follows from it: the polls of a round, and those between two turns of the driver.
    next_round: u32,
    turn: u32,
}

impl Pace {
    pub(crate) fn new(intervals: Intervals) -> Self {
        Pace {
            intervals,
            until_inbox: intervals.inbox,
            round: intervals.inbox,
            since: Instant::now(),
            mean_ns: 0,
            next_round: intervals.inbox,
            turn: intervals.turn,
        }
    }

    /// Counts a poll; `true` when it is the inbox's turn.
    #[inline]
    pub(crate) fn tick(&mut self) -> bool {
        self.until_inbox = self.until_inbox.saturating_sub(1);
        if self.until_inbox > 0 {
            return false;
        }
        self.next_round();
        true
    }

    #[cold]
    fn next_round(&mut self) {
        if self.intervals.inbox_adapts || self.intervals.turn_adapts {
            let now = Instant::now();
            self.learn(now.duration_since(self.since));
            self.since = now;
        }
        self.begin_round();
    }

    /// A round took `elapsed`.
    fn learn(&mut self, elapsed: Duration) {
        let ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let mean = (ns / u64::from(self.round)).max(1);
        // Half a weight: a round is an average of many polls already, and a change should be felt soon.
        self.mean_ns = if self.mean_ns == 0 { mean } else { self.mean_ns / 2 + mean / 2 };
        // Here, once a round: a division costs as much as a short poll.
        if self.intervals.inbox_adapts {
            let polls = polls_in(INBOX_TARGET, self.mean_ns);
            self.next_round = polls.clamp(MIN_INBOX_INTERVAL, MAX_INBOX_INTERVAL);
        }
        if self.intervals.turn_adapts {
            self.turn = polls_in(TURN_TARGET, self.mean_ns).clamp(1, self.intervals.turn);
        }
    }

    fn begin_round(&mut self) {
        self.round = self.next_round;
        self.until_inbox = self.round;
    }

    /// The worker was away: its queues are empty or others', and the time does not count.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.since = now;
        self.begin_round();
    }

    /// Polls until the driver gets its turn.
    #[inline]
    pub(crate) fn turn_interval(&self) -> u32 {
        self.turn
    }
}

/// How many polls of `mean_ns` fit into `target`.
#[inline]
fn polls_in(target: Duration, mean_ns: u64) -> u32 {
    u32::try_from(target.as_nanos() as u64 / mean_ns.max(1)).unwrap_or(u32::MAX)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn pace(inbox_adapts: bool, turn_adapts: bool) -> Pace {
        Pace::new(Intervals { inbox: 31, inbox_adapts, turn: 61, turn_adapts })
    }

    /// Rounds in which each poll takes `poll`, until the average has settled.
    fn settle(pace: &mut Pace, poll: Duration) {
        for _ in 0..64 {
            pace.learn(poll * pace.round);
            pace.begin_round();
        }
    }

    #[test]
    fn long_polls_make_intervals_short_and_short_ones_long() {
        let mut pace = pace(true, true);
        settle(&mut pace, Duration::from_micros(50));
        assert!((3..=4).contains(&pace.round), "{}", pace.round);
        assert!((19..=21).contains(&pace.turn_interval()), "{}", pace.turn_interval());
        settle(&mut pace, Duration::from_millis(20));
        assert_eq!((pace.round, pace.turn_interval()), (MIN_INBOX_INTERVAL, 1));
        settle(&mut pace, Duration::from_nanos(80));
        assert_eq!((pace.round, pace.turn_interval()), (MAX_INBOX_INTERVAL, 61));
    }

    #[test]
    fn what_the_user_set_stays() {
        let mut pace = pace(false, false);
        settle(&mut pace, Duration::from_millis(20));
        assert_eq!((pace.round, pace.turn_interval()), (31, 61));
    }

    #[test]
    fn a_round_has_as_many_polls_as_it_says() {
        let mut pace = pace(false, true);
        for _ in 0..3 {
            assert_eq!((0..31).filter(|_| pace.tick()).count(), 1);
        }
        pace.tick();
        pace.restart(Instant::now());
        assert!((0..30).all(|_| !pace.tick()) && pace.tick());
    }
}
