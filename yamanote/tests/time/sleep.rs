use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use yamanote::time::{self, Duration, Instant, Sleep, sleep, sleep_until};

use crate::support::{ByHand, all_flavours, ms, paused};

#[test]
fn never_wakes_early() {
    for runtime in all_flavours() {
        runtime.block_on(async {
            for millis in [0, 1, 3, 20] {
                let start = Instant::now();
                sleep(ms(millis)).await;
                assert!(start.elapsed() >= ms(millis));
            }
        });
    }
}

#[test]
fn takes_as_long_as_asked_at_every_scale() {
    paused(async {
        for power in 0..40 {
            for millis in [1 << power, (1 << power) + 1, (2 << power) - 1] {
                let start = Instant::now();
                sleep(ms(millis)).await;
                assert_eq!(start.elapsed(), ms(millis));
            }
        }
    });
}

#[test]
fn a_fraction_of_a_tick_is_rounded_up() {
    paused(async {
        time::advance(Duration::from_micros(300)).await;
        for nanos in [1, 999_999, 1_000_000, 1_000_001] {
            let start = Instant::now();
            let deadline = start + Duration::from_nanos(nanos);
            sleep_until(deadline).await;
            assert!(Instant::now() >= deadline);
            assert!(Instant::now() < deadline + ms(1));
        }
    });
}

#[test]
fn a_past_deadline_completes_at_the_first_poll() {
    paused(async {
        time::advance(ms(10)).await;
        let mut sleep = ByHand::pin(sleep_until(Instant::now() - ms(5)));
        assert!(!sleep.inner.is_elapsed());
        assert!(sleep.poll().is_ready());
        assert!(sleep.inner.is_elapsed());
        // Passed between the making and the first poll.
        let mut late = ByHand::pin(time::sleep(ms(5)));
        time::advance(ms(5)).await;
        assert!(late.poll().is_ready());
        assert_eq!((sleep.wakes(), late.wakes()), (0, 0));
    });
}

#[test]
fn no_time_at_all_lets_others_run() {
    paused(async {
        let mut sleep = ByHand::pin(time::sleep(Duration::ZERO));
        assert!(sleep.poll().is_pending());
        assert_eq!(sleep.wakes(), 1);
        assert!(sleep.poll().is_ready());
        let other = yamanote::spawn(async {});
        time::sleep(Duration::ZERO).await;
        assert!(other.is_finished());
    });
}

#[test]
fn centuries_are_no_trouble() {
    paused(async {
        let start = Instant::now();
        let decade = Duration::from_secs(10 * 365 * 24 * 3600);
        sleep(decade).await;
        assert_eq!(start.elapsed(), decade);
        sleep(Duration::MAX).await;
        assert!(start.elapsed() >= 3 * decade);
        // A short one beside it is not disturbed.
        let mut forever = ByHand::pin(sleep(Duration::MAX));
        assert!(forever.poll().is_pending());
        let start = Instant::now();
        sleep(ms(10)).await;
        assert_eq!(start.elapsed(), ms(10));
        assert_eq!(forever.wakes(), 0);
    });
}

#[test]
fn fires_once_and_stays_elapsed() {
    paused(async {
        let mut sleep = ByHand::pin(sleep(ms(10)));
        assert!(sleep.poll().is_pending());
        assert!(sleep.poll().is_pending());
        time::advance(ms(9)).await;
        assert_eq!((sleep.wakes(), sleep.inner.is_elapsed()), (0, false));
        time::advance(ms(1)).await;
        assert_eq!((sleep.wakes(), sleep.inner.is_elapsed()), (1, true));
        assert!(sleep.poll().is_ready());
        assert!(sleep.poll().is_ready());
    });
}

#[test]
fn only_the_last_task_that_polled_is_woken() {
    paused(async {
        let mut first = ByHand::pin(sleep(ms(10)));
        assert!(first.poll().is_pending());
        let mut second = ByHand::new(());
        second.enter(|(), cx| {
            assert!(Future::poll(first.inner.as_mut(), cx).is_pending());
        });
        time::advance(ms(10)).await;
        assert_eq!((first.wakes(), second.wakes()), (0, 1));
    });
}

#[test]
fn reset_before_the_first_poll() {
    paused(async {
        let start = Instant::now();
        let mut sleep = pin!(sleep(ms(100)));
        sleep.as_mut().reset(start + ms(20));
        assert_eq!(sleep.deadline(), start + ms(20));
        sleep.await;
        assert_eq!(start.elapsed(), ms(20));
    });
}

#[test]
fn reset_back_and_forth_keeps_the_waker() {
    paused(async {
        let start = Instant::now();
        let mut sleep = ByHand::pin(sleep(ms(100)));
        assert!(sleep.poll().is_pending());
        // Back, twice, without a poll in between.
        sleep.inner.as_mut().reset(start + ms(5_000));
        sleep.inner.as_mut().reset(start + ms(6_000));
        time::advance(ms(5_999)).await;
        assert_eq!(sleep.wakes(), 0);
        time::advance(ms(1)).await;
        assert_eq!(sleep.wakes(), 1);
        assert!(sleep.poll().is_ready());
        // Forward.
        sleep.inner.as_mut().reset(start + ms(9_000));
        assert!(!sleep.inner.is_elapsed());
        assert!(sleep.poll().is_pending());
        sleep.inner.as_mut().reset(start + ms(7_000));
        time::advance(ms(1_000)).await;
        assert_eq!(sleep.wakes(), 2);
        assert!(sleep.poll().is_ready());
    });
}

#[test]
fn reset_into_the_past_wakes() {
    paused(async {
        let mut sleep = ByHand::pin(sleep(ms(100)));
        assert!(sleep.poll().is_pending());
        time::sleep(ms(50)).await;
        sleep.inner.as_mut().reset(Instant::now() - ms(10));
        assert!(sleep.poll().is_ready());
        assert_eq!(sleep.wakes(), 1);
    });
}

#[test]
fn reset_after_it_fired_waits_anew() {
    paused(async {
        let mut sleep = pin!(sleep(ms(1)));
        for _ in 0..10 {
            let start = Instant::now();
            sleep.as_mut().reset(start + ms(70));
            sleep.as_mut().await;
            assert_eq!(start.elapsed(), ms(70));
        }
    });
}

#[test]
fn what_is_dropped_does_not_wake() {
    paused(async {
        let mut dropped = ByHand::pin(sleep(ms(10)));
        assert!(dropped.poll().is_pending());
        let ByHand { inner, .. } = &mut dropped;
        inner.set(sleep(ms(1_000)));
        time::advance(ms(500)).await;
        assert_eq!(dropped.wakes(), 0);
    });
}

/// A cancelled timer must not make paused time jump to its deadline.
#[test]
fn what_is_dropped_does_not_move_time() {
    paused(async {
        let start = Instant::now();
        let mut hour = ByHand::pin(sleep(Duration::from_secs(3600)));
        assert!(hour.poll().is_pending());
        drop(hour);
        sleep(Duration::from_secs(7200)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(7200));
        let (mut near, far) = (ByHand::pin(sleep(ms(10))), sleep(ms(20)));
        assert!(near.poll().is_pending());
        let moved = yamanote::spawn(async move {
            far.await;
            Instant::now()
        });
        drop(near);
        assert_eq!(moved.await.unwrap(), start + Duration::from_secs(7200) + ms(20));
    });
}

#[test]
fn wakers_that_drop_timers() {
    #[derive(Default)]
    struct Clear(Mutex<Vec<Pin<Box<Sleep>>>>);

    impl Wake for Clear {
        fn wake(self: Arc<Self>) {
            let taken = std::mem::take(&mut *self.0.lock().unwrap());
            drop(taken);
        }
    }

    paused(async {
        let all = Arc::new(Clear::default());
        let waker = Waker::from(all.clone());
        for millis in (0..200).map(|i| 10 + i % 3) {
            let mut sleep = Box::pin(sleep(ms(millis)));
            assert!(Future::poll(sleep.as_mut(), &mut Context::from_waker(&waker)).is_pending());
            all.0.lock().unwrap().push(sleep);
        }
        sleep(ms(20)).await;
        assert!(all.0.lock().unwrap().is_empty());
    });
}

/// A waker whose drop drops another timer, dropped by each way a timer lets go of its waker.
#[test]
fn wakers_whose_drop_drops_timers() {
    struct Owner {
        _other: Pin<Box<Sleep>>,
    }

    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }

    fn linked(waker: &Waker) -> Pin<Box<Sleep>> {
        let mut sleep = Box::pin(sleep(ms(3_600_000)));
        assert!(Future::poll(sleep.as_mut(), &mut Context::from_waker(waker)).is_pending());
        sleep
    }

    let owner = || Waker::from(Arc::new(Owner { _other: linked(Waker::noop()) }));
    paused(async move {
        drop(linked(&owner()));
        let mut replaced = linked(&owner());
        assert!(Future::poll(replaced.as_mut(), &mut Context::from_waker(Waker::noop())).is_pending());
        let mut fired = linked(&owner());
        fired.as_mut().reset(Instant::now() + ms(1));
        sleep(ms(2)).await;
        assert!(fired.is_elapsed());
    });
}

#[test]
fn takes_part_in_cooperative_scheduling() {
    paused(async {
        let ready_in_a_row = async {
            let mut count = 0;
            std::future::poll_fn(|cx| {
                while Future::poll(pin!(sleep_until(Instant::now())), cx).is_ready() {
                    count += 1;
                }
                Poll::Ready(())
            })
            .await;
            count
        };
        // The budget of a task, as everywhere.
        assert_eq!(yamanote::spawn(ready_in_a_row).await.unwrap(), 128);
    });
}

#[test]
fn thousands_fire_in_order() {
    paused(async {
        let start = Instant::now();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for i in 0..5_000u64 {
            let millis = i * 7_919 % 10_007;
            let order = order.clone();
            tasks.push(yamanote::spawn(async move {
                sleep_until(start + ms(millis)).await;
                assert_eq!(start.elapsed(), ms(millis));
                order.lock().unwrap().push(millis);
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert!(order.lock().unwrap().is_sorted());
    });
}

// With the feature it has spans.
#[cfg(not(feature = "tracing"))]
#[test]
fn is_small() {
    assert!(size_of::<Sleep>() <= 88, "{}", size_of::<Sleep>());
}
