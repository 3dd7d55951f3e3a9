use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use yamanote::runtime::Builder;

#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Counter {
    fn up(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[cfg(feature = "rt-multi-thread")]
#[test]
fn threads_start_and_stop() {
    let (started, stopped) = (Counter::default(), Counter::default());
    let (a, b) = (started.clone(), stopped.clone());
    let rt = Builder::new_multi_thread()
        .worker_threads(3)
        .on_thread_start(move || a.up())
        .on_thread_stop(move || b.up())
        .build()
        .unwrap();
    rt.block_on(async { yamanote::task::spawn_blocking(|| ()).await.unwrap() });
    drop(rt);
    assert_eq!((started.get(), stopped.get()), (4, 4));
}

#[test]
fn tasks_are_announced() {
    let (spawned, ended, before, after) =
        (Counter::default(), Counter::default(), Counter::default(), Counter::default());
    let (a, b, c, d) = (spawned.clone(), ended.clone(), before.clone(), after.clone());
    let rt = Builder::new_current_thread()
        .on_task_spawn(move |_| a.up())
        .on_task_terminate(move |_| b.up())
        .on_before_task_poll(move |_| c.up())
        .on_after_task_poll(move |meta| {
            assert!(meta.spawned_at().file().ends_with("hooks.rs"));
            d.up();
        })
        .build()
        .unwrap();
    rt.block_on(async {
        yamanote::spawn(async { yamanote::task::yield_now().await }).await.unwrap();
    });
    drop(rt);
    assert_eq!((spawned.get(), ended.get(), before.get(), after.get()), (1, 1, 2, 2));
}

/// A hook that wakes something keeps the worker from parking.
#[test]
fn the_park_hook_may_spawn() {
    let rt = Builder::new_current_thread()
        .enable_all()
        .on_thread_park(|| {
            static ONCE: std::sync::Once = std::sync::Once::new();
            ONCE.call_once(|| {
                yamanote::spawn(async {});
            });
        })
        .build()
        .unwrap();
    rt.block_on(async { yamanote::time::sleep(std::time::Duration::from_millis(2)).await });
}
