use super::*;
use crate::engine::block_on::park_until;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize as Count, Ordering::SeqCst};
use std::task::Wake;

struct OnWake<F>(Count, F);

impl<F: Fn() + Send + Sync + 'static> Wake for OnWake<F> {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
        (self.1)();
    }
}

fn on_wake<F: Fn() + Send + Sync + 'static>(f: F) -> Arc<OnWake<F>> {
    Arc::new(OnWake(Count::new(0), f))
}

fn ready<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn is_idle(notify: &Notify) -> bool {
    let lists = notify.lists.lock();
    lists.queue.is_empty()
        && lists.draining.is_empty()
        && notify.state.load(Relaxed) & (PERMIT | WAITERS) == 0
}

/// While `notify_waiters` wakes its batches, others see one event: all the old are notified, `notify_one`
/// does not waste itself on them, and new waiters are not woken.
#[test]
fn notify_waiters_is_one_event() {
    const N: usize = 100;
    let notify = Arc::new(Notify::new());
    let late = Arc::new(std::sync::Mutex::new(Vec::new()));
    let waker = {
        let (notify, late) = (notify.clone(), late.clone());
        on_wake(move || {
            let mut new = Box::pin(notify.clone().notified_owned());
            assert!(!ready(&mut new));
            late.lock().unwrap().push(new);
        })
    };
    let task_waker = Waker::from(waker.clone());
    let mut old: Vec<_> = (0..N).map(|_| Box::pin(notify.clone().notified_owned())).collect();
    for w in &mut old {
        assert!(w.as_mut().poll(&mut Context::from_waker(&task_waker)).is_pending());
    }
    notify.notify_waiters();
    assert_eq!(waker.0.load(SeqCst), N);
    assert!(old.iter_mut().all(ready));
    let mut late = std::mem::take(&mut *late.lock().unwrap());
    assert_eq!(late.len(), N);
    assert!(!late.iter_mut().any(ready));
    notify.notify_one();
    assert_eq!(late.iter_mut().map(ready).filter(|r| *r).count(), 1);
    drop((late, old));
    assert!(is_idle(&notify));
}

#[test]
fn old_waiters_can_be_polled_and_dropped_between_batches() {
    const N: usize = 100;
    let notify = Arc::new(Notify::new());
    let old = Arc::new(std::sync::Mutex::new(Vec::new()));
    let waker = {
        let (notify, old) = (notify.clone(), old.clone());
        on_wake(move || {
            // From the back, which is not woken yet: one is polled, one dropped.
            let mut old = old.lock().unwrap();
            if let Some(mut w) = old.pop() {
                assert!(ready(&mut w));
            }
            drop(old.pop());
            // Not for those who are notified already: becomes a permit.
            notify.notify_one();
        })
    };
    let task_waker = Waker::from(waker.clone());
    for _ in 0..N {
        let mut w = Box::pin(notify.clone().notified_owned());
        assert!(w.as_mut().poll(&mut Context::from_waker(&task_waker)).is_pending());
        old.lock().unwrap().push(w);
    }
    notify.notify_waiters();
    assert!(waker.0.load(SeqCst) < N, "who was polled or dropped in time is not woken");
    old.lock().unwrap().clear();
    assert!(ready(&mut Box::pin(notify.notified())), "the permit");
    assert!(is_idle(&notify));
}

#[test]
fn a_dropped_notification_goes_the_way_it_came() {
    let notify = Notify::new();
    let mut waiters: Vec<_> = (0..4).map(|_| Box::pin(notify.notified())).collect();
    for w in &mut waiters {
        assert!(!ready(w));
    }
    notify.notify_last();
    notify.notify_one();
    drop(waiters.pop());
    drop(waiters.remove(0));
    assert!(ready(&mut waiters[0]) && ready(&mut waiters[1]));
    assert!(is_idle(&notify));

    // Nobody left: a permit.
    let mut only = Box::pin(notify.notified());
    assert!(!only.as_mut().enable());
    notify.notify_one();
    drop(only);
    assert!(ready(&mut Box::pin(notify.notified())));
}

#[test]
fn panicking_wakers_keep_nobody_asleep() {
    const N: usize = 70;
    let notify = Notify::new();
    let (bad, good) = (on_wake(|| panic!("planned")), on_wake(|| {}));
    let mut waiters: Vec<_> = (0..N).map(|_| Box::pin(notify.notified())).collect();
    for (i, w) in waiters.iter_mut().enumerate() {
        let waker = if i == 2 { Waker::from(bad.clone()) } else { Waker::from(good.clone()) };
        assert!(w.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| notify.notify_waiters())).is_err());
    assert_eq!(good.0.load(SeqCst), N - 1);
    drop(waiters);
    assert!(is_idle(&notify));
}

#[test]
fn enable_keeps_the_waker() {
    let notify = Notify::new();
    let waker = on_wake(|| {});
    let task_waker = Waker::from(waker.clone());
    let mut notified = Box::pin(notify.notified());
    assert!(notified.as_mut().poll(&mut Context::from_waker(&task_waker)).is_pending());
    assert!(!notified.as_mut().enable());
    notify.notify_one();
    assert_eq!(waker.0.load(SeqCst), 1);
    assert!(notified.as_mut().enable());
    assert!(ready(&mut notified) && ready(&mut notified));
}

/// Tokens move between threads; each is announced by a notification, and waiters give up at random. A lost
/// notification hangs the test, a doubled one shows in the state at the end.
#[test]
fn stress_with_random_cancellation() {
    const TOKENS: usize = 20_000;
    let shared = Arc::new((Notify::new(), Count::new(0)));
    let taken = Arc::new(Count::new(0));
    let consumers: Vec<_> = (0..3u64)
        .map(|t| {
            let (shared, taken) = (shared.clone(), taken.clone());
            std::thread::spawn(move || {
                let mut rng = 0x9E37_79B9_7F4A_7C15 ^ (t + 1);
                while taken.load(SeqCst) < TOKENS {
                    let (next, random) = crate::util::rng::step(rng);
                    rng = next;
                    let mut notified = Box::pin(shared.0.notified());
                    // Enabled before the look, so that every token has its waiter.
                    let hit = notified.as_mut().enable();
                    let found = shared.1.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1)).is_ok();
                    if found {
                        if taken.fetch_add(1, SeqCst) + 1 == TOKENS {
                            shared.0.notify_waiters();
                        }
                        if hit {
                            // One notification may stand for several tokens.
                            shared.0.notify_one();
                        }
                        continue;
                    }
                    if taken.load(SeqCst) == TOKENS {
                        break;
                    }
                    if random & 3 == 0 {
                        std::thread::yield_now();
                        let _ = ready(&mut notified);
                        let was_notified = notified.as_mut().enable();
                        drop(notified);
                        if was_notified {
                            shared.0.notify_one();
                        }
                    } else {
                        park_until(notified);
                    }
                }
            })
        })
        .collect();
    for _ in 0..TOKENS {
        shared.1.fetch_add(1, SeqCst);
        shared.0.notify_one();
    }
    for c in consumers {
        c.join().unwrap();
    }
    assert_eq!(shared.1.load(SeqCst), 0);
    assert_eq!(taken.load(SeqCst), TOKENS);
    let lists = shared.0.lists.lock();
    assert!(lists.queue.is_empty() && lists.draining.is_empty());
}
