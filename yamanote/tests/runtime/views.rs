//! What a runtime tells of its tasks: who is stuck, what all of them do, what happened.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use yamanote::runtime::{Builder, StallReport, TaskInfo, TaskKind, TaskState, WokenBy};
use yamanote::sync::oneshot;

/// Both flavours, the one with two workers.
fn each_builder(test: impl Fn(Builder)) {
    test(Builder::new_current_thread());
    let mut multi = Builder::new_multi_thread();
    multi.worker_threads(2);
    test(multi);
}

/// A task that blocks its worker until the runtime complains, and goes on with what it complained of.
#[test]
fn a_stuck_task_is_told_of() {
    each_builder(|mut builder| {
        let (tell, told) = mpsc::channel::<StallReport>();
        let limit = Duration::from_millis(3);
        let rt = builder
            .stall_limit(limit)
            .on_stall(move |stall| drop(tell.send(stall.clone())))
            .build()
            .unwrap();
        let line = line!() + 2;
        let task = rt.block_on(async {
            yamanote::task::Builder::new().name("culprit").spawn(async move {
                // A worker that loses its processor between two polls is told of too, but of no task.
                let report = told.iter().find(|report| report.task().is_some()).unwrap();
                (report, thread::current().id(), yamanote::runtime::worker_index())
            })
        });
        let task = task.unwrap();
        let id = task.id();
        let (report, thread, worker) = rt.block_on(task).unwrap();
        assert_eq!(report.task(), Some(id));
        assert_eq!(report.name(), Some("culprit"));
        assert_eq!(report.thread_id(), Some(thread));
        assert_eq!(Some(report.worker()), worker);
        assert!(report.duration() >= limit);
        assert_eq!(report.spawned_at().unwrap().file(), file!());
        assert!(report.spawned_at().unwrap().line() >= line);
        assert!(report.to_string().contains("'culprit', spawned at"), "{report}");
    });
}

/// One report for a poll, however long it takes; one for each poll that is too long; and a hook's panic stays there.
#[test]
fn each_stall_is_told_of_once() {
    each_builder(|mut builder| {
        let reports = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&reports);
        let rt = builder
            .stall_limit(Duration::from_millis(2))
            .on_stall(move |report| {
                // A worker that lost its processor between two polls is told of too, but of no task.
                if report.task().is_some() {
                    counter.fetch_add(1, SeqCst);
                }
                panic!("the hook's own");
            })
            .build()
            .unwrap();
        for n in 1..=2 {
            let reports = Arc::clone(&reports);
            let task = rt.spawn(async move {
                while reports.load(SeqCst) < n {
                    thread::yield_now();
                }
                // Many looks of the monitor.
                thread::sleep(Duration::from_millis(50));
                reports.load(SeqCst)
            });
            assert_eq!(rt.block_on(task).unwrap(), n);
        }
    });
}

fn find(tasks: &[TaskInfo], name: &str) -> TaskInfo {
    tasks.iter().find(|task| task.name() == Some(name)).unwrap_or_else(|| panic!("no {name}")).clone()
}

/// Waits for what must come about.
fn eventually(mut done: impl FnMut() -> bool) {
    while !done() {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn all_tasks_are_listed() {
    let rt = Builder::new_multi_thread().worker_threads(1).track_tasks(true).build().unwrap();
    let handle = rt.handle().clone();
    let (wake, woken) = oneshot::channel::<()>();
    let (go, gone) = mpsc::channel::<()>();
    let (stop, stopped) = mpsc::channel::<()>();
    let builder = yamanote::task::Builder::new;

    let idle = async move {
        woken.await.unwrap();
        pending::<()>().await
    };
    let idle_id = builder().name("idle").spawn_on(idle, &handle).unwrap().id();
    eventually(|| find(&handle.tasks(), "idle").state() == TaskState::Idle);
    let before = find(&handle.tasks(), "idle");
    assert_eq!((before.id(), before.polls(), before.kind()), (idle_id, 1, TaskKind::Async));
    assert_eq!(before.woken_by(), None);
    assert_eq!(before.spawned_at().file(), file!());
    assert!(before.since_poll().unwrap() <= before.age());

    // One runs, and one is queued behind it.
    let running = async move {
        wake.send(()).unwrap();
        yamanote::task::Builder::new().name("queued").spawn(async {}).unwrap();
        gone.recv().unwrap();
    };
    let running = builder().name("running").spawn_on(running, &handle).unwrap();
    let job = builder().name("job").spawn_blocking_on(move || stopped.recv().unwrap(), &handle).unwrap();
    eventually(|| {
        let tasks = handle.tasks();
        tasks.iter().any(|task| task.name() == Some("queued"))
            && find(&tasks, "job").state() == TaskState::Running
    });
    let tasks = handle.tasks();
    let task = find(&tasks, "running");
    assert_eq!((task.state(), task.polls(), task.since_poll()), (TaskState::Running, 1, None));
    assert_eq!(find(&tasks, "job").kind(), TaskKind::Blocking);
    // The stuck worker is relieved, so what was queued may run by now.
    let by = WokenBy::Task(running.id(), Some(task.spawned_at()));
    eventually(|| {
        let idle = find(&handle.tasks(), "idle");
        idle.state() == TaskState::Idle && idle.polls() == 2 && idle.woken_by() == Some(by)
    });

    go.send(()).unwrap();
    stop.send(()).unwrap();
    rt.block_on(running).unwrap();
    rt.block_on(job).unwrap();
    eventually(|| handle.tasks().len() == 1);
    assert_eq!(handle.tasks()[0].id(), idle_id);
    drop(rt);
    assert!(handle.tasks().is_empty(), "cancelled at shutdown");
}

/// With nobody to run it, a task stays queued; and its busy time is that of its polls.
#[test]
fn a_task_is_queued_until_it_is_polled() {
    let rt = Builder::new_current_thread().track_tasks(true).build().unwrap();
    let task = rt.spawn(async {
        thread::sleep(Duration::from_millis(5));
        yamanote::task::yield_now().await;
        pending::<()>().await
    });
    let seen = &rt.handle().tasks()[0];
    assert_eq!((seen.id(), seen.state(), seen.polls()), (task.id(), TaskState::Queued, 0));
    assert_eq!(seen.busy(), Duration::ZERO);
    rt.block_on(async {
        for _ in 0..4 {
            yamanote::task::yield_now().await;
        }
    });
    let seen = &rt.handle().tasks()[0];
    assert_eq!((seen.state(), seen.polls()), (TaskState::Idle, 2));
    assert!(seen.busy() >= Duration::from_millis(5));
    task.abort();
    rt.block_on(async { task.await.unwrap_err() });
    assert!(rt.handle().tasks().is_empty());
}

/// Those of a set are in the list of the runtime in which it is used.
#[test]
fn tasks_of_a_set_are_listed() {
    use yamanote::task::LocalSet;

    let rt = Builder::new_current_thread().track_tasks(true).build().unwrap();
    let other = Builder::new_current_thread().build().unwrap();
    let tasks = || rt.handle().tasks();
    let set = LocalSet::new();
    // Of one that is spawned outside of any runtime nobody knows until it is polled.
    let early = set.spawn_local(pending::<()>());
    assert!(tasks().is_empty());
    let (wake, woken) = oneshot::channel::<()>();
    let mut late = None;
    set.block_on(&rt, async {
        let builder = yamanote::task::Builder::new().name("late");
        late = Some(builder.spawn_local(async move { woken.await.unwrap() }).unwrap());
        assert_eq!(find(&tasks(), "late").state(), TaskState::Queued);
        yamanote::task::yield_now().await;
        assert_eq!(find(&tasks(), "late").state(), TaskState::Idle);
    });
    assert_eq!(tasks().len(), 2);
    assert!(tasks().iter().all(|task| task.kind() == TaskKind::Local && task.polls() == 1));
    assert!(tasks().iter().any(|task| task.id() == early.id()));
    // Woken by another thread, where there is no runtime.
    thread::scope(|scope| scope.spawn(|| wake.send(()).unwrap()).join().unwrap());
    let seen = find(&tasks(), "late");
    assert_eq!((seen.state(), seen.woken_by()), (TaskState::Queued, Some(WokenBy::Outside)));
    // It goes on being listed by the first.
    set.block_on(&other, async { late.unwrap().await.unwrap() });
    assert_eq!(tasks().len(), 1);
    drop(set);
    assert!(tasks().is_empty());
    assert!(other.handle().tasks().is_empty());
}

#[test]
fn nothing_is_listed_that_was_not_asked_for() {
    let rt = Builder::new_current_thread().build().unwrap();
    let _task = rt.spawn(pending::<()>());
    assert!(rt.handle().tasks().is_empty());
}

/// The recording's JSON is what a viewer expects: in each row, bars that lie beside or inside one another.
#[test]
fn a_recording_is_a_trace() {
    each_builder(|mut builder| {
        let rt = builder.enable_all().build().unwrap();
        let handle = rt.handle().clone();
        let recorder = handle.start_recording();
        let line = line!() + 4;
        rt.block_on(async {
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    yamanote::spawn(async {
                        for _ in 0..5 {
                            yamanote::task::yield_now().await;
                            yamanote::time::sleep(Duration::from_millis(1)).await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        let recording = recorder.finish();
        let place = format!("{}:{line}:", file!());
        let summary = recording.summary();
        assert!(summary.contains(&place), "{summary}");

        let mut json = Vec::new();
        recording.write_chrome_trace(&mut json).unwrap();
        let json: Value = serde_json::from_slice(&json).unwrap();
        let events = json["traceEvents"].as_array().unwrap();
        let ns = |value: &Value| (value.as_f64().unwrap() * 1000.0).round() as u64;
        let mut rows: HashMap<u64, Vec<(u64, u64)>> = HashMap::new();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for event in events {
            let name = event["name"].as_str().unwrap();
            *counts.entry(if name.starts_with(&place) { "poll" } else { name }).or_default() += 1;
            if event["ph"] == "X" {
                let start = ns(&event["ts"]);
                let end = start + ns(&event["dur"]);
                assert!(end <= recording.duration().as_nanos() as u64);
                rows.entry(event["tid"].as_u64().unwrap()).or_default().push((start, end));
            }
        }
        assert_eq!(counts["spawn"], 20);
        assert!(counts["poll"] >= 20 * 6, "{counts:?}");
        assert!(counts["wake"] >= 20 * 6, "{counts:?}");
        assert!(counts["parked"] >= 1, "{counts:?}");
        let timers = events.iter().filter(|event| event["args"]["from"] == "a timer").count();
        assert!(timers >= 20 * 5, "{timers}");
        for bars in rows.values_mut() {
            bars.sort();
            let mut open: Vec<u64> = Vec::new();
            for &(start, end) in bars.iter() {
                while open.last().is_some_and(|&outer| outer <= start) {
                    open.pop();
                }
                assert!(open.last().is_none_or(|&outer| end <= outer), "bars cross");
                open.push(end);
            }
        }
    });
}

/// Switched at run time; two at a time do not end each other; and off again, nothing is recorded.
#[test]
fn recordings_are_switched() {
    let rt = Builder::new_current_thread().enable_all().build().unwrap();
    let run = || rt.block_on(rt.spawn(async {})).unwrap();
    let outer = rt.handle().start_recording();
    run();
    let inner = rt.handle().start_recording();
    run();
    let inner = inner.finish();
    run();
    let outer = outer.finish();
    assert!(inner.event_count() > 0);
    assert!(outer.event_count() > inner.event_count());
    run();
    let later = rt.handle().start_recording().finish();
    assert_eq!(later.event_count(), 0);

    let recording = rt.block_on(async {
        let task = yamanote::spawn(async {
            loop {
                yamanote::task::yield_now().await;
            }
        });
        let recording = rt.handle().record(Duration::from_millis(20)).await;
        task.abort();
        recording
    });
    assert!(recording.duration() >= Duration::from_millis(20));
    assert!(recording.event_count() > 0);
}

/// A poll during which the core goes to another thread is told of on both sides.
#[test]
fn a_recording_of_block_in_place() {
    let rt = Builder::new_multi_thread().worker_threads(1).track_tasks(true).build().unwrap();
    let recorder = rt.handle().start_recording();
    let other = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&other);
    let task = rt.spawn(async move {
        let setter = Arc::clone(&seen);
        yamanote::spawn(async move { setter.store(true, SeqCst) });
        yamanote::task::block_in_place(|| eventually(|| seen.load(SeqCst)));
    });
    rt.block_on(task).unwrap();
    let recording = recorder.finish();
    let mut json = Vec::new();
    recording.write_chrome_trace(&mut json).unwrap();
    serde_json::from_slice::<Value>(&json).unwrap();
    assert!(other.load(SeqCst));
    assert!(!recording.is_truncated());
}
