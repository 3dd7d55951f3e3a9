use std::task::Poll;

use yamanote::time::{self, Duration, Instant, Interval, MissedTickBehavior, interval, interval_at};

use crate::support::{ByHand, ms, paused};

impl ByHand<Interval> {
    /// Takes all ticks that are there, in milliseconds since `start`.
    fn ticks(&mut self, start: Instant) -> Vec<u128> {
        let mut ticks = Vec::new();
        while let Poll::Ready(tick) = self.enter(|interval, cx| interval.poll_tick(cx)) {
            ticks.push((tick - start).as_millis());
        }
        ticks
    }
}

/// The ticks of an interval of 300 ms that is looked at after each of some pauses.
fn ticks_after(behavior: MissedTickBehavior, pauses: &[u64]) -> Vec<Vec<u128>> {
    paused(async {
        let start = Instant::now();
        let mut interval = ByHand::new(interval_at(start, ms(300)));
        interval.inner.set_missed_tick_behavior(behavior);
        assert_eq!(interval.inner.missed_tick_behavior(), behavior);
        let mut ticks = vec![interval.ticks(start)];
        for &pause in pauses {
            time::advance(ms(pause)).await;
            ticks.push(interval.ticks(start));
        }
        ticks
    })
}

#[test]
fn bursts_make_up_for_what_was_missed() {
    let ticks = ticks_after(MissedTickBehavior::Burst, &[100, 200, 650, 200, 100]);
    assert_eq!(ticks, [vec![0], vec![], vec![300], vec![600, 900], vec![], vec![1200]]);
}

#[test]
fn delays_count_anew() {
    let ticks = ticks_after(MissedTickBehavior::Delay, &[300, 650, 250, 50, 300]);
    assert_eq!(ticks, [vec![0], vec![300], vec![600], vec![], vec![1250], vec![1550]]);
}

#[test]
fn skips_keep_the_rhythm() {
    let ticks = ticks_after(MissedTickBehavior::Skip, &[300, 650, 250, 300, 1000, 200]);
    assert_eq!(ticks, [vec![0], vec![300], vec![600], vec![1200], vec![1500], vec![1800], vec![2700]]);
}

#[test]
fn a_little_late_is_in_time() {
    let ticks = ticks_after(MissedTickBehavior::Delay, &[305, 295, 306, 299, 1]);
    assert_eq!(ticks, [vec![0], vec![300], vec![600], vec![900], vec![], vec![1206]]);
}

#[test]
fn resets() {
    paused(async {
        let start = Instant::now();
        let mut interval = ByHand::new(interval(ms(100)));
        assert_eq!(interval.inner.period(), ms(100));
        assert_eq!(interval.ticks(start), [0]);
        time::advance(ms(50)).await;
        interval.inner.reset();
        time::advance(ms(99)).await;
        assert_eq!(interval.ticks(start), [0; 0]);
        time::advance(ms(1)).await;
        assert_eq!(interval.ticks(start), [150]);
        interval.inner.reset_immediately();
        assert_eq!(interval.ticks(start), [150]);
        interval.inner.reset_after(ms(20));
        time::advance(ms(20)).await;
        assert_eq!(interval.ticks(start), [170]);
        interval.inner.reset_at(start + ms(1_000));
        time::advance(ms(500)).await;
        assert_eq!(interval.ticks(start), [0; 0]);
        time::advance(ms(330)).await;
        assert_eq!(interval.ticks(start), [1_000]);
        interval.inner.reset_at(start + ms(900));
        assert_eq!(interval.ticks(start), [900, 1_000]);
        time::advance(ms(100)).await;
        assert_eq!(interval.ticks(start), [1_100]);
    });
}

#[test]
fn a_reset_wakes_the_task_that_waits() {
    paused(async {
        let start = Instant::now();
        let mut interval = ByHand::new(interval(ms(1_000)));
        assert_eq!(interval.ticks(start), [0]);
        interval.inner.reset_after(ms(10));
        time::advance(ms(10)).await;
        assert_eq!(interval.wakes(), 1);
    });
}

#[test]
fn an_immediate_reset_while_a_tick_is_waited_for() {
    paused(async {
        let start = Instant::now();
        let mut interval = ByHand::new(interval(ms(300)));
        assert_eq!(interval.ticks(start), [0]);
        time::advance(ms(100)).await;
        assert_eq!(interval.ticks(start), [0; 0]);
        interval.inner.reset_immediately();
        assert_eq!((interval.wakes(), interval.ticks(start)), (1, vec![100]));
    });
}

#[test]
fn huge_periods() {
    paused(async {
        let mut interval = interval(Duration::MAX);
        let start = interval.tick().await;
        interval.reset();
        interval.reset_after(Duration::MAX);
        for behavior in [MissedTickBehavior::Skip, MissedTickBehavior::Delay, MissedTickBehavior::Burst]
        {
            interval.set_missed_tick_behavior(behavior);
            interval.reset_immediately();
            time::advance(ms(100)).await;
            assert!(interval.tick().await >= start);
        }
    });
}

#[test]
fn a_cancelled_tick_is_not_lost() {
    paused(async {
        let mut interval = interval(ms(10));
        let start = interval.tick().await;
        for _ in 0..3 {
            let cancelled = ByHand::pin(interval.tick()).poll();
            assert!(cancelled.is_pending());
        }
        assert_eq!(interval.tick().await, start + ms(10));
    });
}
