//! Tasks and their wakers.

use std::task::Poll;

use yamanote::task::{self, LocalSet};

use crate::record::{Recorder, recorded};

#[test]
fn a_task_from_spawn_to_end() {
    recorded(|told| async move {
        yamanote::spawn(async {}).await.unwrap();
        told.check(
            "a: tokio::task runtime.spawn root kind=task task.name=
             > a
             < a
             > a
             < a
             end of a",
        );
    });
}

#[test]
fn all_that_is_done_with_a_waker() {
    recorded(|told| async move {
        let mut first = true;
        let waker = yamanote::spawn(std::future::poll_fn(move |cx| {
            let waker = cx.waker().clone();
            if std::mem::take(&mut first) {
                waker.wake_by_ref();
                waker.wake();
                return Poll::Pending;
            }
            Poll::Ready(waker)
        }));
        let waker = waker.await.unwrap();
        // The span is closed; the id still tells which it was.
        drop(waker);
        told.check(
            r#"a: tokio::task runtime.spawn root kind=task task.name=
               > a
               waker op="waker.clone" task.id='a'
               waker op="waker.wake_by_ref" task.id='a'
               waker op="waker.wake" task.id='a'
               < a
               > a
               waker op="waker.clone" task.id='a'
               < a
               > a
               < a
               end of a
               waker op="waker.drop" task.id='a'"#,
        );
    });
}

#[test]
fn who_yields_does_not_wake_itself() {
    recorded(|told| async move {
        yamanote::spawn(task::yield_now()).await.unwrap();
        told.check(
            r#"a: tokio::task runtime.spawn root kind=task task.name=
               > a
               waker op="waker.clone" task.id='a'
               < a
               waker op="waker.wake" task.id='a'
               > a
               < a
               > a
               < a
               end of a"#,
        );
    });
}

#[test]
fn kinds_and_names() {
    let spawns = |told: &Recorder| {
        let lines = told.take();
        let spawned = lines.into_iter().filter(|line| line.contains("runtime.spawn"));
        spawned
            .map(|line| line.split_once("runtime.spawn").unwrap().1.trim().to_owned())
            .collect::<Vec<_>>()
    };
    recorded(|told| async move {
        let named = || task::Builder::new().name("Fibonacci");
        named().spawn(async {}).unwrap().await.unwrap();
        assert_eq!(spawns(&told), ["root kind=task task.name=Fibonacci"]);

        let set = LocalSet::new();
        set.run_until(async { named().spawn_local(async {}).unwrap().await.unwrap() }).await;
        assert_eq!(spawns(&told), ["root kind=local task.name=Fibonacci"]);

        named().spawn_blocking(|| ()).unwrap().await.unwrap();
        let [blocking] = &spawns(&told)[..] else { panic!() };
        assert!(
            blocking.starts_with("kind=blocking task.name=Fibonacci fn=tracing::task::"),
            "{blocking}"
        );
    });
    let told = Recorder::default();
    tracing::subscriber::with_default(told.clone(), || {
        let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {});
        assert_eq!(spawns(&told), ["root kind=block_on task.name="]);
        runtime.handle().block_on(async {});
        assert_eq!(spawns(&told), ["root kind=block_on task.name="]);
    });
}

#[test]
fn a_cancelled_task_ends_inside_its_span() {
    recorded(|told| async move {
        let task = yamanote::spawn(std::future::pending::<()>());
        task::yield_now().await;
        told.mark("abort");
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        told.check(
            "a: tokio::task runtime.spawn root kind=task task.name=
             > a
             < a
             -- abort
             > a
             < a
             end of a",
        );
    });
}
