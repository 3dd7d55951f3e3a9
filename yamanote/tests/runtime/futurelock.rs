//! Permits that lie with a future which nobody polls: told of; and nothing told where all is well.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use yamanote::runtime::{Builder, FuturelockReport, Runtime};
use yamanote::sync::{Mutex, RwLock, Semaphore, oneshot};
use yamanote::time::sleep;

/// A runtime of each flavour, and what it tells.
fn each(limit: Duration, test: impl Fn(Runtime, mpsc::Receiver<FuturelockReport>)) {
    let mut multi = Builder::new_multi_thread();
    multi.worker_threads(2);
    for mut builder in [Builder::new_current_thread(), multi] {
        let (tell, told) = mpsc::channel();
        let rt = builder
            .enable_all()
            .futurelock_limit(limit)
            .on_futurelock(move |report| drop(tell.send(report.clone())))
            .build()
            .unwrap();
        test(rt, told);
    }
}

async fn waits_for_the_lock(lock: Arc<Mutex<()>>) {
    let _guard = lock.lock().await;
    yamanote::task::yield_now().await;
}

/// The scenario of Oxide's RFD 609: one future of a `select!` waits for a lock, the branch that wins asks for it too.
async fn locks_itself_out(lock: Arc<Mutex<()>>, passing: oneshot::Sender<()>) {
    let mut first = pin!(waits_for_the_lock(Arc::clone(&lock)));
    yamanote::select! {
        biased;
        () = &mut first => unreachable!("the lock is held"),
        () = yamanote::task::yield_now() => {
            passing.send(()).unwrap();
            waits_for_the_lock(lock).await;
        }
    }
}

#[test]
fn a_future_that_lost_a_select_holds_the_lock() {
    each(Duration::from_millis(5), |rt, told| {
        let lock = Arc::new(Mutex::new(()));
        let (tell, passing) = oneshot::channel();
        rt.block_on(async {
            let held = lock.lock().await;
            let line = line!() + 2;
            let builder = yamanote::task::Builder::new().name("victim");
            let task = builder.spawn(locks_itself_out(Arc::clone(&lock), tell)).unwrap();
            passing.await.unwrap();
            drop(held);
            let report = yamanote::task::spawn_blocking(move || told.recv().unwrap()).await.unwrap();
            assert_eq!(report.task(), Some(task.id()));
            assert_eq!(report.name(), Some("victim"));
            assert_eq!(report.spawned_at().unwrap().file(), file!());
            assert_eq!(report.spawned_at().unwrap().line(), line);
            assert!(report.held() >= Duration::from_millis(5));
            assert!(report.polls() >= 1);
            let place = report.waits_in().unwrap();
            assert!(place.contains("waits_for_the_lock"), "{place}\n{}", report.backtrace());
            let text = report.to_string();
            assert!(text.contains("'victim', spawned at") && text.contains(&place), "{text}");
            assert!(!task.is_finished(), "there is no way out");
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
    });
}

/// The same in the future of `block_on`.
#[test]
fn a_root_that_passes_a_permit_by() {
    each(Duration::from_millis(5), |rt, told| {
        let semaphore = Semaphore::new(0);
        rt.block_on(async {
            let mut first = Box::pin(semaphore.acquire());
            yamanote::select! {
                biased;
                _ = &mut first => unreachable!(),
                () = yamanote::task::yield_now() => {}
            }
            semaphore.add_permits(1);
            let report = loop {
                sleep(Duration::from_millis(1)).await;
                if let Ok(report) = told.try_recv() {
                    break report;
                }
            };
            assert_eq!((report.task(), report.spawned_at()), (None, None));
            // Told of once, however long it goes on.
            for _ in 0..200 {
                yamanote::task::yield_now().await;
            }
            sleep(Duration::from_millis(20)).await;
            assert!(told.try_recv().is_err());
            drop(first.await.unwrap());
            assert_eq!(semaphore.available_permits(), 1);
        });
    });
}

/// Without waiting for the time: a task that is polled again and again.
#[test]
fn a_permit_passed_by_many_times() {
    each(Duration::from_secs(3600), |rt, told| {
        let task = rt.spawn(async move {
            let (tx, _rx) = yamanote::sync::mpsc::channel::<u8>(1);
            let held = tx.reserve().await.unwrap();
            let mut first = Box::pin(tx.reserve());
            assert!(futures::poll!(&mut first).is_pending());
            drop(held);
            let report = loop {
                yamanote::task::yield_now().await;
                if let Ok(report) = told.try_recv() {
                    break report;
                }
            };
            assert!(report.polls() >= 64);
            assert_eq!(report.task(), Some(yamanote::task::id()));
        });
        rt.block_on(task).unwrap();
    });
}

/// Hundreds of tasks that wait for each other, are cancelled, and time out, all of them properly.
#[test]
fn nothing_is_told_of_those_who_come_for_their_permits() {
    // Whoever passes a permit by at all is told of at once.
    each(Duration::ZERO, |rt, told| {
        let mutex = Arc::new(Mutex::new(0_u32));
        let rwlock = Arc::new(RwLock::new(0_u32));
        let semaphore = Arc::new(Semaphore::new(3));
        let (tx, mut rx) = yamanote::sync::mpsc::channel(2);
        let sum = Arc::new(AtomicUsize::new(0));
        rt.block_on(async {
            let mut tasks = yamanote::task::JoinSet::new();
            for n in 0..60_u32 {
                let (mutex, rwlock) = (Arc::clone(&mutex), Arc::clone(&rwlock));
                let (semaphore, tx) = (Arc::clone(&semaphore), tx.clone());
                tasks.spawn(async move {
                    for round in 0..20 {
                        *mutex.lock().await += 1;
                        {
                            let _permits = semaphore.acquire_many(1 + n % 3).await.unwrap();
                            yamanote::task::yield_now().await;
                        }
                        if (n + round) % 7 == 0 {
                            *rwlock.write().await += 1;
                        } else {
                            let _guard = rwlock.read().await;
                            yamanote::task::yield_now().await;
                        }
                        // By value: what loses is dropped.
                        yamanote::select! {
                            guard = mutex.lock() => drop(guard),
                            () = yamanote::task::yield_now() => {}
                        }
                        let (a, b) = yamanote::join!(semaphore.acquire(), async {
                            let _guard = mutex.lock().await;
                            yamanote::task::yield_now().await;
                        });
                        drop((a, b));
                        tx.send(n).await.unwrap();
                    }
                });
            }
            drop(tx);
            let counter = Arc::clone(&sum);
            let receiver = yamanote::spawn(async move {
                while rx.recv().await.is_some() {
                    counter.fetch_add(1, SeqCst);
                }
            });
            let cancelled = yamanote::spawn({
                let mutex = Arc::clone(&mutex);
                async move {
                    loop {
                        drop(mutex.lock().await);
                        yamanote::task::yield_now().await;
                    }
                }
            });
            while let Some(task) = tasks.join_next().await {
                task.unwrap();
            }
            receiver.await.unwrap();
            cancelled.abort();
            let _ = cancelled.await;
        });
        assert_eq!(sum.load(SeqCst), 60 * 20);
        let report = told.try_recv();
        assert!(report.is_err(), "{}", report.unwrap());
    });
}
