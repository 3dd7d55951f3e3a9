//! A recording's JSON, held against Chrome's trace event format line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, Recording, Runtime};

use crate::each_flavor;

/// What a recording says, after each event has been found to be what the format knows.
#[derive(Default)]
struct Trace {
    threads: BTreeMap<u64, String>,
    /// Row, start and end in nanoseconds, name.
    slices: Vec<(u64, u64, u64, String)>,
    marks: Vec<(u64, u64, String, Value)>,
    /// Start and end of each arrow: row and nanoseconds.
    arrows: BTreeMap<u64, [Option<(u64, u64)>; 2]>,
}

/// Exactly these members, no more.
fn assert_members(event: &Value, required: &[&str], optional: &[&str]) {
    let members: BTreeSet<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
    let required: BTreeSet<&str> = required.iter().copied().collect();
    assert!(required.is_subset(&members), "{required:?} in {event}");
    assert!(members.iter().all(|m| required.contains(m) || optional.contains(m)), "{event}");
}

/// Microseconds with three decimals.
fn ns(value: &Value) -> u64 {
    let us = value.as_f64().unwrap();
    assert!(us >= 0.0 && us.is_finite());
    (us * 1000.0).round() as u64
}

fn parse(recording: &Recording) -> Trace {
    let mut json = Vec::new();
    recording.write_chrome_trace(&mut json).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_members(&json, &["traceEvents", "displayTimeUnit"], &[]);
    assert!(["ms", "ns"].contains(&json["displayTimeUnit"].as_str().unwrap()));
    let mut trace = Trace::default();
    let mut named = BTreeSet::new();
    for event in json["traceEvents"].as_array().unwrap() {
        let (name, tid) = (event["name"].as_str().unwrap(), event["tid"].as_u64().unwrap());
        assert_eq!(event["pid"].as_u64(), Some(1), "one process: {event}");
        match event["ph"].as_str().unwrap() {
            "M" => {
                assert_members(event, &["name", "ph", "pid", "tid", "args"], &[]);
                let args = &event["args"];
                match name {
                    "process_name" => assert_members(args, &["name"], &[]),
                    "thread_name" => {
                        assert_members(args, &["name"], &[]);
                        let thread = args["name"].as_str().unwrap().to_owned();
                        assert_eq!(trace.threads.insert(tid, thread), None, "named twice: {event}");
                    }
                    "thread_sort_index" => assert!(args["sort_index"].is_u64(), "{event}"),
                    _ => panic!("not known: {event}"),
                }
                named.insert(name.to_owned());
            }
            "X" => {
                assert_members(event, &["name", "cat", "ph", "pid", "tid", "ts", "dur"], &["args"]);
                let start = ns(&event["ts"]);
                trace.slices.push((tid, start, start + ns(&event["dur"]), name.to_owned()));
            }
            "i" => {
                assert_members(event, &["name", "cat", "ph", "s", "pid", "tid", "ts", "args"], &[]);
                assert_eq!(event["s"], "t", "it concerns its thread");
                trace.marks.push((tid, ns(&event["ts"]), name.to_owned(), event["args"].clone()));
            }
            phase @ ("s" | "f") => {
                let binding: &[&str] = if phase == "f" { &["bp"] } else { &[] };
                assert_members(event, &["name", "cat", "ph", "id", "pid", "tid", "ts"], binding);
                assert_eq!((name, event["cat"].as_str()), ("wake", Some("wake")), "both ends alike");
                if phase == "f" {
                    assert_eq!(event["bp"], "e", "to the bar that encloses it");
                }
                let end = &mut trace.arrows.entry(event["id"].as_u64().unwrap()).or_default()
                    [usize::from(phase == "f")];
                assert_eq!(end.replace((tid, ns(&event["ts"]))), None, "an end too many: {event}");
            }
            _ => panic!("no such phase: {event}"),
        }
    }
    assert!(named.contains("process_name") || trace.threads.is_empty());
    let end = recording.duration().as_nanos() as u64;
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    for (tid, from, to, name) in &trace.slices {
        assert!(trace.threads.contains_key(tid) && *to <= end, "{name}");
        // Beside each other, in order.
        let free = last.insert(*tid, *to).unwrap_or(0);
        assert!(free <= *from, "{name} at {from} begins before {free}");
    }
    for (tid, at, name, _) in &trace.marks {
        assert!(trace.threads.contains_key(tid) && *at <= end, "{name}");
    }
    for (number, ends) in &trace.arrows {
        let [Some((woken_on, woken)), Some((polled_on, polled))] = *ends else {
            panic!("arrow {number} has one end");
        };
        assert!(woken <= polled);
        let at = |row, time| {
            trace
                .slices
                .iter()
                .find(move |&&(tid, from, to, _)| tid == row && from <= time && time <= to)
        };
        assert!(at(woken_on, woken).is_some(), "arrow {number} comes from nowhere");
        assert!(
            trace.slices.iter().any(|&(tid, from, ..)| tid == polled_on && from == polled),
            "arrow {number} leads to no poll"
        );
    }
    trace
}

fn record(rt: &Runtime, work: impl Future<Output = ()> + Send + 'static) -> Recording {
    let recorder = rt.handle().start_recording();
    rt.block_on(async { yamanote::spawn(work).await.unwrap() });
    recorder.finish()
}

async fn echoes_and_timers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = yamanote::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut byte = [0];
        while socket.read(&mut byte).await.unwrap() == 1 {
            socket.write_all(&byte).await.unwrap();
        }
    });
    let mut socket = TcpStream::connect(address).await.unwrap();
    for i in 0..20 {
        socket.write_all(&[i]).await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), i);
        yamanote::time::sleep(Duration::from_millis(1)).await;
        yamanote::task::yield_now().await;
    }
    drop(socket);
    server.await.unwrap();
}

#[test]
fn a_recording_keeps_to_the_format() {
    each_flavor(|rt| {
        let trace = parse(&record(&rt, echoes_and_timers()));
        let marks = |name: &str| trace.marks.iter().filter(|mark| mark.2 == name).collect::<Vec<_>>();
        let sum = |name: &str, of: &str| -> u64 {
            let number = |args: &Value| args[of].as_str().unwrap().parse::<u64>().unwrap();
            marks(name).into_iter().map(|mark| number(&mark.3)).sum()
        };
        // A timer each, and an event at the least: they are told of by themselves, and by those they wake.
        assert!(sum("timers", "fired") >= 20);
        assert!(sum("I/O", "events") >= 20);
        let woken_by = |what: &str| marks("wake").iter().filter(|mark| mark.3["from"] == what).count();
        assert!(woken_by("a timer") >= 20);
        assert!(woken_by("an I/O event") >= 20);
        // Each yield is a wake out of the task's own poll; what wakes others is told of with its place.
        assert!(woken_by("its own poll") >= 20);
        let by_task = |mark: &&&(u64, u64, String, Value)| {
            let from = mark.3["from"].as_str().unwrap();
            from.starts_with("task ") && from.contains(&format!(", spawned at {}:", file!()))
        };
        assert!(marks("wake").iter().filter(by_task).count() >= 1);
        assert!(trace.arrows.len() >= 20);
        assert!(trace.slices.iter().any(|slice| slice.3 == "parked"));
    });
}

/// A poll that takes long is a bar that is long, whatever follows it, and a stall is marked on its worker's row.
#[test]
fn a_long_poll_is_a_long_bar() {
    for workers in [1, 2] {
        // On a busy machine the monitor comes late, and notices other polls too.
        let seen = (0..9).any(|n| a_stall_in_a_bar(workers, Duration::from_millis(30 << n)));
        assert!(seen, "no stall in the bar, with {workers} workers");
    }
}

/// Blocks a worker for so long; whether a stall of its own is in the bar of that.
fn a_stall_in_a_bar(workers: usize, long: Duration) -> bool {
    let rt = Builder::new_multi_thread()
        .worker_threads(workers)
        .stall_limit(Duration::from_millis(2))
        .build()
        .unwrap();
    let recorder = rt.handle().start_recording();
    let (tell, told) = mpsc::channel();
    let line = line!() + 1;
    let task = rt.spawn(async move {
        std::thread::sleep(long);
        tell.send(()).unwrap();
    });
    rt.block_on(task).unwrap();
    told.recv().unwrap();
    // Whoever begins something else ends the bar.
    rt.block_on(rt.spawn(async {})).unwrap();
    let trace = parse(&recorder.finish());
    let place = format!("{}:{line}:", file!());
    let bar = trace.slices.iter().find(|slice| slice.3.starts_with(&place)).unwrap();
    assert!(bar.2 - bar.1 >= long.as_nanos() as u64);
    let mut stalls = trace.marks.iter().filter(|mark| mark.2 == "stall");
    stalls.any(|stall| stall.0 == bar.0 && bar.1 <= stall.1 && stall.1 <= bar.2)
}

/// The future of `block_on` has bars of its own, where it shares the thread with tasks.
#[test]
fn the_root_is_shown() {
    let rt = Builder::new_current_thread().build().unwrap();
    let recorder = rt.handle().start_recording();
    rt.block_on(async {
        for _ in 0..3 {
            yamanote::task::yield_now().await;
        }
    });
    let trace = parse(&recorder.finish());
    assert!(trace.slices.iter().filter(|slice| slice.3 == "block_on").count() >= 4);
}
