use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use yamanote::runtime::Builder;
use yamanote::task;
use yamanote::time::{self, Duration, Instant, sleep, timeout};

use crate::support::{ByHand, ms, paused, single};

#[test]
fn stands_still() {
    paused(async {
        let now = Instant::now();
        thread::sleep(ms(2));
        assert_eq!(Instant::now(), now);
        task::yield_now().await;
        assert_eq!(Instant::now(), now);
    });
}

#[test]
fn pauses_resumes_and_never_runs_backwards() {
    single().block_on(async {
        let start = Instant::now();
        time::pause();
        let frozen = Instant::now();
        assert!(frozen >= start);
        time::advance(Duration::from_secs(10)).await;
        assert_eq!(Instant::now(), frozen + Duration::from_secs(10));
        time::resume();
        let running = Instant::now();
        assert!(running >= frozen + Duration::from_secs(10));
        time::pause();
        time::advance(Duration::from_secs(10)).await;
        assert!(Instant::now() >= running + Duration::from_secs(10));
        time::resume();
        // Timers go on with the clock.
        let before = Instant::now();
        sleep(ms(5)).await;
        assert!(before.elapsed() >= ms(5));
    });
}

#[test]
fn another_runtime_is_not_affected() {
    let (stopped, other) = (single(), single());
    stopped.block_on(async { time::pause() });
    let before = other.block_on(async { Instant::now() });
    thread::sleep(ms(1));
    assert!(other.block_on(async { Instant::now() }) > before);
    // Nor is what runs outside.
    let before = Instant::now();
    thread::sleep(ms(1));
    assert!(Instant::now() > before);
}

#[test]
fn advance_moves_by_fractions_of_a_tick() {
    paused(async {
        for micros in [51_592, 1, 3_141_592, 3_123_456, 1_000] {
            let start = Instant::now();
            time::advance(Duration::from_micros(micros)).await;
            assert_eq!(start.elapsed(), Duration::from_micros(micros));
        }
    });
}

#[test]
fn advance_wakes_what_it_passes() {
    paused(async {
        let mut sleep = ByHand::pin(time::sleep(ms(1)));
        assert!(sleep.poll().is_pending());
        for _ in 0..3 {
            time::advance(Duration::from_micros(250)).await;
            assert!(sleep.poll().is_pending());
        }
        time::advance(Duration::from_micros(250)).await;
        assert_eq!(sleep.wakes(), 1);
        assert!(sleep.poll().is_ready());
        let mut all = [1, 70, 5_000, 400_000].map(|millis| ByHand::pin(time::sleep(ms(millis))));
        assert!(all.iter_mut().all(|sleep| sleep.poll().is_pending()));
        time::advance(ms(400_000)).await;
        assert!(all.iter().all(|sleep| sleep.wakes() == 1));
    });
}

#[test]
fn jumps_from_timer_to_timer() {
    let run = || {
        paused(async {
            let start = Instant::now();
            let count = Arc::new(AtomicUsize::new(0));
            let mut times = Vec::new();
            for i in 0..1_000u64 {
                let count = count.clone();
                task::spawn(async move {
                    sleep(ms(i * 37 % 501)).await;
                    count.fetch_add(1, Ordering::Relaxed);
                });
            }
            for i in 0..500 {
                sleep(Duration::from_micros(i * 731 % 1_999)).await;
                times.push((start.elapsed(), count.load(Ordering::Relaxed)));
            }
            times
        })
    };
    assert_eq!(run(), run());
}

#[test]
fn waits_for_blocking_jobs() {
    paused(async {
        let start = Instant::now();
        let job = task::spawn_blocking(|| thread::sleep(ms(20)));
        timeout(ms(1), job).await.expect("time must not jump").unwrap();
        assert_eq!(start.elapsed(), ms(0));
        // One that nobody waits for holds time only until it is over.
        let job = task::spawn_blocking(|| thread::sleep(ms(1)));
        sleep(Duration::from_secs(15)).await;
        assert!(job.is_finished());
        assert_eq!(start.elapsed(), Duration::from_secs(15));
        // One that panics too.
        let job = task::spawn_blocking(|| panic!("planned"));
        assert!(timeout(Duration::from_secs(15), job).await.unwrap().is_err());
    });
}

#[test]
fn wakes_from_other_threads_come_before_a_jump() {
    paused(async {
        let start = Instant::now();
        let (sender, receiver) = futures::channel::oneshot::channel();
        let job = task::spawn_blocking(move || {
            thread::sleep(ms(5));
            sender.send(()).unwrap();
            thread::sleep(ms(5));
        });
        timeout(ms(10), receiver).await.unwrap().unwrap();
        assert_eq!(start.elapsed(), ms(0));
        job.await.unwrap();
    });
}

#[test]
fn each_runtime_has_its_own_ticks() {
    let runtime = || Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let first = runtime();
    thread::sleep(ms(1));
    let second = runtime();
    let _guard = first.enter();
    let mut sleep = Box::pin(sleep(ms(1)));
    assert!(
        Future::poll(sleep.as_mut(), &mut std::task::Context::from_waker(std::task::Waker::noop()))
            .is_pending()
    );
    let deadline = sleep.deadline() + ms(1);
    second.block_on(async { sleep.as_mut().reset(deadline) });
    let start = Instant::now();
    first.block_on(sleep);
    assert_eq!(start.elapsed(), ms(2));
}

/// Whether what arrives wakes a task or the future of `block_on`, it comes before the jump.
#[cfg(unix)]
#[test]
fn events_come_before_a_jump() {
    use yamanote::net::UnixDatagram;

    async fn receive(socket: &UnixDatagram, start: Instant) {
        let mut buf = [0];
        socket.recv(&mut buf).await.unwrap();
        assert_eq!(start.elapsed(), ms(0));
    }

    paused(async {
        let start = Instant::now();
        let (near, far) = UnixDatagram::pair().unwrap();
        let send = async {
            near.send(&[1]).await.unwrap();
            sleep(ms(100)).await;
        };
        futures::join!(send, receive(&far, start));
        assert_eq!(start.elapsed(), ms(100));
    });
    paused(async {
        let start = Instant::now();
        let (near, far) = UnixDatagram::pair().unwrap();
        near.send(&[1]).await.unwrap();
        let task = task::spawn(async move { receive(&far, start).await });
        sleep(ms(100)).await;
        assert!(task.is_finished());
    });
}
