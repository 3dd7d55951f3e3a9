use std::future::{pending, poll_fn, ready};
use std::io;
use std::pin::pin;
use std::task::Poll;

use yamanote::task::coop;
use yamanote::time::{self, Duration, Instant, error::Elapsed, sleep, timeout, timeout_at};

use crate::support::{ByHand, all_flavours, ms, paused};

#[test]
fn the_future_comes_first() {
    paused(async {
        assert_eq!(timeout(Duration::ZERO, ready(1)).await, Ok(1));
        time::advance(ms(10)).await;
        assert_eq!(timeout_at(Instant::now() - ms(5), ready(2)).await, Ok(2));
        // Both are due when it is polled.
        let mut both = ByHand::pin(timeout(ms(10), sleep(ms(10))));
        assert!(both.poll().is_pending());
        time::advance(ms(10)).await;
        assert_eq!(both.poll(), Poll::Ready(Ok(())));
    });
}

#[test]
fn elapses_at_the_deadline() {
    for runtime in all_flavours() {
        let start = Instant::now();
        assert!(runtime.block_on(async { timeout(ms(10), pending::<()>()).await }).is_err());
        assert!(start.elapsed() >= ms(10));
    }
    paused(async {
        let start = Instant::now();
        assert!(timeout(ms(300), pending::<()>()).await.is_err());
        assert_eq!(start.elapsed(), ms(300));
        assert!(timeout_at(start + ms(400), pending::<()>()).await.is_err());
        assert_eq!(start.elapsed(), ms(400));
        assert!(timeout_at(start, pending::<()>()).await.is_err());
        assert_eq!(start.elapsed(), ms(400));
    });
}

#[test]
fn too_long_means_for_ever() {
    paused(async {
        let mut future = ByHand::pin(timeout(Duration::MAX, pending::<()>()));
        assert!(future.poll().is_pending());
        time::advance(Duration::from_secs(10 * 365 * 24 * 3600)).await;
        assert!(future.poll().is_pending());
        assert_eq!(future.wakes(), 0);
    });
}

/// A future that spends the task's budget in every poll does not disable its own limit.
#[test]
fn a_greedy_future_times_out() {
    for runtime in all_flavours() {
        let greedy = async {
            loop {
                coop::consume_budget().await;
            }
        };
        assert!(runtime.block_on(async { timeout(ms(5), greedy).await }).is_err());
    }
}

/// Where the budget was spent before, the limit waits like everything else.
#[test]
fn a_spent_budget_holds_the_limit_too() {
    paused(async {
        let task = yamanote::spawn(async {
            let mut limit = pin!(timeout_at(Instant::now(), pending::<()>()));
            let mut first = true;
            poll_fn(|cx| {
                if std::mem::take(&mut first) {
                    while let Poll::Ready(unit) = coop::poll_proceed(cx) {
                        unit.made_progress();
                    }
                    assert!(Future::poll(limit.as_mut(), cx).is_pending());
                    return Poll::Pending;
                }
                Future::poll(limit.as_mut(), cx)
            })
            .await
        });
        assert!(task.await.unwrap().is_err());
    });
}

#[test]
fn gives_its_future_back() {
    paused(async {
        let mut limit = timeout(ms(1), ready(5));
        assert_eq!(limit.get_ref().clone().await, 5);
        *limit.get_mut() = ready(6);
        assert!(format!("{limit:?}").starts_with("Timeout"));
        assert_eq!(limit.into_inner().await, 6);
    });
}

#[test]
fn takes_what_converts_into_a_future() {
    struct Later;

    impl IntoFuture for Later {
        type Output = u8;
        type IntoFuture = std::future::Ready<u8>;

        fn into_future(self) -> Self::IntoFuture {
            ready(9)
        }
    }

    paused(async {
        assert_eq!(timeout(ms(1), Later).await, Ok(9));
    });
}

#[test]
fn its_error_converts() {
    paused(async {
        let elapsed: Elapsed = timeout(ms(1), pending::<()>()).await.unwrap_err();
        assert_eq!(elapsed.to_string(), "deadline has elapsed");
        let error = io::Error::from(elapsed);
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.get_ref().unwrap().is::<Elapsed>());
    });
}
