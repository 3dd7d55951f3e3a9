//! Timers.

use yamanote::time::{self, Duration, Instant};

use crate::record::recorded;

#[test]
fn a_sleep() {
    recorded(|told| async move {
        time::pause();
        time::sleep(Duration::from_millis(7)).await;
        told.check(
            r#"a: tokio::time::sleep runtime.resource root concrete_type="Sleep" kind="timer"
               b: tokio::time::sleep runtime.resource.async_op in a source="Sleep::new_timeout"
               c: tokio::time::sleep runtime.resource.async_op.poll in b
               > a
               > b
               > c
               poll_op op_name="poll_elapsed" is_ready=true
               state_update duration=7 duration.unit="ms" duration.op="override"
               poll_op op_name="poll_elapsed" is_ready=false
               < c
               < b
               < a
               > a
               > b
               > c
               poll_op op_name="poll_elapsed" is_ready=true
               poll_op op_name="poll_elapsed" is_ready=true
               < c
               < b
               < a
               end of b
               end of c
               end of a"#,
        );
    });
}

#[test]
fn a_sleep_that_begins_anew() {
    recorded(|told| async move {
        time::pause();
        let mut sleep = Box::pin(time::sleep(Duration::from_millis(7)));
        told.take();
        sleep.as_mut().reset(Instant::now() + Duration::from_millis(20));
        told.check(
            r#"> a
               d: tokio::time::sleep runtime.resource.async_op source="Sleep::reset"
               end of b
               > d
               e: tokio::time::sleep runtime.resource.async_op.poll
               end of c
               state_update duration=20 duration.unit="ms" duration.op="override"
               < d
               < a"#,
        );
    });
}

#[test]
fn ticks() {
    recorded(|told| async move {
        time::pause();
        let mut interval = time::interval(Duration::from_millis(3));
        interval.tick().await;
        let lines = told.take();
        assert_eq!(
            lines[0],
            r#"a: tokio::time::interval runtime.resource root concrete_type="Interval" kind="timer""#
        );
        let tick = lines.iter().find(|line| line.contains("Interval::tick")).unwrap();
        assert!(tick.ends_with(
            r#"runtime.resource.async_op source="Interval::tick" inherits_child_attrs=false"#
        ));
        assert!(lines.contains(&r#"poll_op op_name="poll_tick" is_ready=true"#.to_owned()));
    });
}
