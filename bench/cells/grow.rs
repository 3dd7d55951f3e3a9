//! The same operation among few and among many: tasks, timers, connections, workers.
//!
//! `SIDE grow` prints the series with their sizes, `SIDE grow NAME SIZE MILLISECONDS` measures one point.

use std::future::{Future, pending};
use std::time::Duration;

use rt::time::{sleep, timeout};

use crate::harness::{CT, Context, Flavour, Metric, Sample, W2, on, times};
use crate::{net, sync, task};

pub struct Series {
    pub name: &'static str,
    pub sizes: &'static [u64],
    run: fn(&Context, u64) -> Vec<Metric>,
    flavour: fn(u64) -> Flavour,
}

const MANY: &[u64] = &[10, 100, 1_000, 10_000, 100_000, 1_000_000];
const CONNECTIONS: &[u64] = &[1, 10, 100, 1_000, 9_000];
const WORKERS: &[u64] = &[1, 2, 4, 8, 16];

const fn series(
    name: &'static str,
    sizes: &'static [u64],
    flavour: fn(u64) -> Flavour,
    run: fn(&Context, u64) -> Vec<Metric>,
) -> Series {
    Series { name, sizes, run, flavour }
}

fn ct(_: u64) -> Flavour {
    CT
}

fn two(_: u64) -> Flavour {
    W2
}

fn size(size: u64) -> Flavour {
    Flavour::Workers(size as usize)
}

pub const SERIES: &[Series] = &[
    series("tasks/spawned_at_once/ct", MANY, ct, spawned_at_once),
    series("tasks/spawned_at_once/mt2", MANY, two, spawned_at_once),
    series("tasks/taking_turns/ct", MANY, ct, taking_turns),
    series("tasks/taking_turns/mt2", MANY, two, taking_turns),
    series("tasks/spawn_join_beside_idle/ct", MANY, ct, beside_idle),
    series("tasks/spawn_join_beside_idle/mt2", MANY, two, beside_idle),
    series("timers/timeout_among/ct", MANY, ct, timeout_among),
    series("timers/timeout_among/mt2", MANY, two, timeout_among),
    series("timers/firing/ct", MANY, ct, firing),
    series("timers/firing/mt2", MANY, two, firing),
    series("connections/all_busy/ct", CONNECTIONS, ct, net::echo),
    series("connections/all_busy/mt2", CONNECTIONS, two, net::echo),
    series("connections/one_busy/ct", CONNECTIONS, ct, one_busy),
    series("connections/one_busy/mt2", CONNECTIONS, two, one_busy),
    series("workers/echo_64", WORKERS, size, |c, _| net::echo(c, 64)),
    series("workers/taking_turns_1k", WORKERS, size, |c, _| taking_turns(c, 1_000)),
    series("workers/spawned_10k_at_once", WORKERS, size, |c, _| spawned_at_once(c, 10_000)),
    series("workers/ping_pong", WORKERS, size, |c, _| task::ping_pong(c)),
    series("workers/mpsc_8_1", WORKERS, size, |c, _| sync::mpsc_bounded(c, 8)),
    series("workers/remote_wake", WORKERS, size, |c, _| task::remote_wake(c)),
];

impl Series {
    pub fn measure(&self, size: u64, budget: Duration) -> Vec<Metric> {
        (self.run)(&Context { flavour: (self.flavour)(size), budget, counted: None }, size)
    }
}

/// Tasks that do nothing, all started before the first is waited for.
fn spawned_at_once(context: &Context, tasks: u64) -> Vec<Metric> {
    context
        .tasks(move |n| async move {
            let mut handles = Vec::with_capacity(tasks as usize);
            for _ in 0..times(n, tasks) {
                handles.extend((0..tasks).map(|_| rt::spawn(async {})));
                for handle in handles.drain(..) {
                    handle.await.unwrap();
                }
            }
            times(n, tasks) * tasks
        })
        .both()
}

/// So many tasks live, and all are always ready: one operation is one poll.
fn taking_turns(context: &Context, tasks: u64) -> Vec<Metric> {
    // What it takes to spawn and to join them is not the question, so each yields often.
    const TURNS: u64 = 16;
    context
        .tasks(move |n| async move {
            let turns = times(n, tasks).max(TURNS);
            let task = move || async move {
                for _ in 0..turns {
                    rt::task::yield_now().await;
                }
            };
            let handles: Vec<_> = (0..tasks).map(|_| rt::spawn(task())).collect();
            for handle in handles {
                handle.await.unwrap();
            }
            turns * tasks
        })
        .both()
}

/// Measures `batch` in a runtime in which `others` tasks of this kind wait.
fn beside<O, F>(
    context: &Context,
    others: u64,
    other: impl Fn(u64) -> O + Send + 'static,
    mut batch: impl FnMut(u64) -> F,
) -> Sample
where
    O: Future<Output = ()> + Send + 'static,
    F: Future<Output = u64> + Send + 'static,
{
    let runtime = context.runtime();
    on(&runtime, async move {
        for i in 0..others {
            rt::spawn(other(i));
        }
        // Until all have been polled: a task that is spawned behind them runs, on each worker.
        for _ in 0..100 {
            rt::spawn(async {}).await.unwrap();
            rt::task::yield_now().await;
        }
    });
    let sample = context.batches(|n| on(&runtime, batch(n)));
    drop(runtime);
    sample
}

fn beside_idle(context: &Context, others: u64) -> Vec<Metric> {
    let batch = |n| async move {
        for _ in 0..n {
            rt::spawn(async {}).await.unwrap();
        }
        n
    };
    beside(context, others, |_| pending(), batch).both()
}

fn timeout_among(context: &Context, others: u64) -> Vec<Metric> {
    const MINUTE: Duration = Duration::from_secs(60);
    let other = |i| sleep(MINUTE + Duration::from_millis(i % 30_000));
    let batch = |n| async move {
        for _ in 0..n {
            timeout(MINUTE, rt::task::yield_now()).await.unwrap();
        }
        n
    };
    beside(context, others, other, batch).both()
}

/// So many tasks sleep between 1 and 100 ms at once. Processor time: the rest is waiting.
fn firing(context: &Context, sleeps: u64) -> Vec<Metric> {
    context
        .tasks(move |n| async move {
            for _ in 0..times(n, sleeps) {
                let sleep = |i| sleep(Duration::from_millis(1 + i * 37 % 100));
                let handles: Vec<_> = (0..sleeps).map(|i| rt::spawn(sleep(i))).collect();
                for handle in handles {
                    handle.await.unwrap();
                }
            }
            times(n, sleeps) * sleeps
        })
        .cpu()
}

/// One connection is used, the others only wait.
fn one_busy(context: &Context, connections: u64) -> Vec<Metric> {
    let runtime = context.runtime();
    let mut clients = net::connected(&runtime, connections);
    let mut busy = clients.pop();
    let sample = context.batches(|n| {
        let client = busy.take().expect("the batch before gave it back");
        busy = Some(on(&runtime, net::exchange(client, n)));
        n
    });
    drop(clients);
    sample.both()
}
