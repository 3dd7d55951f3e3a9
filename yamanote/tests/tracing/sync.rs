//! Locks, permits and channels.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use yamanote::sync::{Barrier, Mutex, RwLock, Semaphore, oneshot};

use crate::record::recorded;

fn is_pending<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[test]
fn waiting_for_a_mutex() {
    recorded(|told| async move {
        let mutex = Mutex::new(());
        told.check(
            r#"a: tokio::sync::mutex runtime.resource root concrete_type="Mutex" kind="Sync"
               > a
               state_update locked=false
               b: tokio::sync::batch_semaphore runtime.resource root concrete_type="Semaphore" kind="Sync" is_internal=true
               > b
               state_update permits=1 permits.op="override"
               < b
               < a"#,
        );
        let guard = mutex.try_lock().unwrap();
        told.check("> a\nstate_update locked=true\n< a");

        let mut lock = pin!(mutex.lock());
        assert!(is_pending(lock.as_mut()));
        told.check(
            r#"> a
               c: tokio::util::trace runtime.resource.async_op source="Mutex::lock" inherits_child_attrs=false
               > c
               d: tokio::util::trace runtime.resource.async_op.poll
               < c
               < a
               > a
               > c
               > d
               > b
               e: tokio::sync::batch_semaphore runtime.resource.async_op source="Acquire::new"
               > e
               state_update permits_requested=1 permits.op="override"
               state_update permits_obtained=0 permits.op="override"
               f: tokio::sync::batch_semaphore runtime.resource.async_op.poll
               < e
               < b
               > b
               > e
               > f
               > b
               state_update permits=0 permits.op="sub"
               < b
               > e
               state_update permits_obtained=0 permits.op="add"
               < e
               poll_op op_name="poll_acquire" is_ready=false
               < f
               < e
               < b
               poll_op op_name="poll" is_ready=false
               < d
               < c
               < a"#,
        );
        drop(guard);
        // The permit goes to who waits, not back.
        told.check(
            r#"> e
               state_update permits_obtained=1 permits.op="add"
               < e
               > a
               state_update locked=false
               < a"#,
        );
        drop(lock.await);
        let lines = told.take();
        assert!(
            lines.ends_with(
                &[
                    "end of c",
                    "end of d",
                    "> a",
                    "state_update locked=true",
                    "< a",
                    "> b",
                    r#"state_update permits=1 permits.op="add""#,
                    "< b",
                    "> a",
                    "state_update locked=false",
                    "< a",
                ]
                .map(str::to_owned)
            )
        );
    });
}

#[test]
fn both_sides_of_a_rwlock() {
    recorded(|told| async move {
        // With one reader a writer takes no more than it.
        let lock = Arc::new(RwLock::with_max_readers((), 1));
        told.take();
        drop(lock.try_read().unwrap());
        told.check(
            r#"> a
               state_update current_readers=1 current_readers.op="add"
               < a
               > b
               state_update permits=1 permits.op="add"
               < b
               > a
               state_update current_readers=1 current_readers.op="sub"
               < a"#,
        );
        let guard = Arc::clone(&lock).try_write_owned().unwrap();
        told.check("> a\nstate_update write_locked=true write_locked.op=\"override\"\n< a");
        let guard = guard.downgrade();
        told.check(
            r#"> a
               state_update write_locked=false write_locked.op="override"
               < a
               > a
               state_update current_readers=1 current_readers.op="add"
               < a"#,
        );
        drop(guard);
        assert!(told.take()[4].contains(r#"current_readers=1 current_readers.op="sub""#));
    });
}

#[test]
fn permits_for_several_at_once() {
    recorded(|told| async move {
        let semaphore = Semaphore::new(0);
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(semaphore.acquire())).collect();
        assert!(waiting.iter_mut().all(|acquire| is_pending(acquire.as_mut())));
        told.take();
        semaphore.add_permits(5);
        let lines = told.take();
        let got =
            lines.iter().filter(|line| *line == r#"state_update permits_obtained=1 permits.op="add""#);
        assert_eq!(got.count(), 3, "{lines:?}");
        assert!(lines.contains(&r#"state_update permits=2 permits.op="add""#.to_owned()), "{lines:?}");
    });
}

#[test]
fn meeting_at_a_barrier() {
    recorded(|told| async move {
        let barrier = Barrier::new(2);
        let mut first = pin!(barrier.wait());
        assert!(is_pending(first.as_mut()));
        let states = |lines: Vec<String>| {
            lines.into_iter().filter(|line| line.contains("state_update")).collect::<Vec<_>>()
        };
        assert_eq!(
            states(told.take()),
            [
                "state_update size=2",
                "state_update arrived=0",
                r#"state_update arrived=1 arrived.op="add""#,
                "state_update arrived=true",
            ]
        );
        assert!(barrier.wait().await.is_leader());
        assert_eq!(
            states(told.take()),
            [
                r#"state_update arrived=1 arrived.op="add""#,
                "state_update arrived=true",
                "state_update is_leader=true",
            ]
        );
    });
}

#[test]
fn the_ends_of_a_oneshot_channel() {
    recorded(|told| async move {
        let (tx, mut rx) = oneshot::channel();
        told.take();
        assert!(is_pending(pin!(&mut rx)));
        told.check(
            r#"> a
               > b
               > c
               poll_op op_name="poll_recv" is_ready=false
               < c
               < b
               < a"#,
        );
        tx.send(1).unwrap();
        told.check("> a\nstate_update value_sent=true value_sent.op=\"override\"\n< a");
        drop(rx);
        told.check(
            r#"> a
               state_update rx_dropped=true rx_dropped.op="override"
               < a
               end of a
               end of b
               end of c"#,
        );
        let (tx, mut rx) = oneshot::channel::<()>();
        rx.close();
        told.take();
        // It comes back; the sender has done its work all the same.
        tx.send(()).unwrap_err();
        told.check("");
    });
}
