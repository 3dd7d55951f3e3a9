//! A million tasks, a million timers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use yamanote::runtime::Builder;
use yamanote::sync::Notify;
use yamanote::time::{Instant, sleep_until, timeout};

use crate::support::many;

/// All there at once, each waiting with a limit of its own, so that as many timers are linked; then all are woken.
#[test]
fn a_million_tasks_and_their_timeouts() {
    let count = many(1_000_000);
    let rt = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let (arrived, woken) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (all_here, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let here = Arc::clone(&all_here);
    rt.block_on(async {
        // From a worker: as a server spawns.
        let spawner = {
            let (arrived, woken, go) = (Arc::clone(&arrived), Arc::clone(&woken), Arc::clone(&go));
            async move {
                for _ in 0..count {
                    let (arrived, woken) = (Arc::clone(&arrived), Arc::clone(&woken));
                    let (go, here) = (Arc::clone(&go), Arc::clone(&here));
                    yamanote::spawn(async move {
                        let notified = go.notified();
                        // Those that wait get the call from here on.
                        if arrived.fetch_add(1, SeqCst) + 1 == count {
                            here.notify_one();
                        }
                        timeout(Duration::from_secs(3_600), notified).await.unwrap();
                        woken.fetch_add(1, SeqCst);
                    });
                }
            }
        };
        yamanote::spawn(spawner).await.unwrap();
        all_here.notified().await;
        // The spawner told us of its end a moment before it is counted out.
        while rt.metrics().num_alive_tasks() > count {
            yamanote::task::yield_now().await;
        }
        assert_eq!(rt.metrics().num_alive_tasks(), count);
        go.notify_waiters();
        while rt.metrics().num_alive_tasks() > 0 {
            yamanote::task::yield_now().await;
        }
    });
    assert_eq!(woken.load(SeqCst), count);
}

/// Deadlines all over three hours, in no order; each fires when it is due, by a clock that stands still otherwise.
#[test]
fn a_million_timers_fire_when_they_are_due() {
    let count = many(1_000_000) as u64;
    let rt = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let fired = Arc::new(AtomicUsize::new(0));
    rt.block_on(async {
        let start = Instant::now();
        for i in 0..count {
            let fired = Arc::clone(&fired);
            // A walk through all residues of a prime.
            let millis = i.wrapping_mul(7_368_787) % 10_800_017;
            yamanote::spawn(async move {
                let deadline = start + Duration::from_millis(millis);
                sleep_until(deadline).await;
                let late = Instant::now() - deadline;
                assert!(Instant::now() >= deadline && late <= Duration::from_millis(2), "{late:?}");
                fired.fetch_add(1, SeqCst);
            });
        }
        yamanote::time::sleep(Duration::from_secs(11_000)).await;
    });
    assert_eq!(fired.load(SeqCst) as u64, count);
}

/// A task that is dropped with the runtime is dropped, also when there are a great many.
#[test]
fn a_runtime_goes_with_all_its_tasks() {
    struct Alive(Arc<AtomicUsize>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }
    let count = many(200_000);
    for workers in [0, 2] {
        let mut builder = match workers {
            0 => Builder::new_current_thread(),
            _ => Builder::new_multi_thread(),
        };
        let rt = builder.worker_threads(workers.max(1)).enable_time().build().unwrap();
        let alive = Arc::new(AtomicUsize::new(count));
        for i in 0..count {
            let guard = Alive(Arc::clone(&alive));
            rt.spawn(async move {
                let _guard = guard;
                if i % 2 == 0 {
                    yamanote::time::sleep(Duration::from_secs(3_600)).await;
                }
                std::future::pending::<()>().await;
            });
        }
        drop(rt);
        assert_eq!(alive.load(SeqCst), 0);
    }
}
