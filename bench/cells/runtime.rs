//! The runtime itself, and leaving it for a thread that may block.

use crate::harness::{CT, Cell, Context, Metric, W2, on, times};

pub const CELLS: &[Cell] = &[
    Cell { name: "runtime/build_drop", flavours: &[CT, W2], run: build_drop },
    Cell { name: "runtime/first_task", flavours: &[CT, W2], run: first_task },
    Cell { name: "runtime/drop_with_10k_tasks", flavours: &[CT, W2], run: drop_with_tasks },
    Cell { name: "runtime/block_on_ready", flavours: &[CT, W2], run: block_on_ready },
    Cell { name: "runtime/spawn_blocking", flavours: &[CT, W2], run: spawn_blocking },
    Cell { name: "runtime/spawn_blocking_beside_socket", flavours: &[CT, W2], run: beside_socket },
    Cell { name: "runtime/spawn_blocking_100_at_once", flavours: &[CT, W2], run: blocking_at_once },
    Cell { name: "runtime/block_in_place", flavours: &[W2], run: block_in_place },
];

fn build_drop(context: &Context) -> Vec<Metric> {
    context
        .batches(|n| {
            for _ in 0..n {
                drop(context.runtime());
            }
            n
        })
        .both()
}

/// From nothing to the end of a first task, and back to nothing.
fn first_task(context: &Context) -> Vec<Metric> {
    context
        .batches(|n| {
            for _ in 0..n {
                let runtime = context.runtime();
                on(&runtime, async {});
            }
            n
        })
        .both()
}

/// Ending a runtime in which ten thousand tasks wait; an operation is one of them. What is timed has their start in it,
/// as a batch has.
fn drop_with_tasks(context: &Context) -> Vec<Metric> {
    const TASKS: u64 = 10_000;
    context
        .batches(|n| {
            for _ in 0..times(n, TASKS) {
                let runtime = context.runtime();
                on(&runtime, async {
                    for _ in 0..TASKS {
                        rt::spawn(std::future::pending::<()>());
                    }
                    rt::task::yield_now().await;
                });
            }
            times(n, TASKS) * TASKS
        })
        .both()
}

fn block_on_ready(context: &Context) -> Vec<Metric> {
    let runtime = context.runtime();
    context
        .batches(|n| {
            for _ in 0..n {
                runtime.block_on(async {});
            }
            n
        })
        .wall()
}

fn spawn_blocking(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                rt::task::spawn_blocking(|| {}).await.unwrap();
            }
            n
        })
        .both()
}

/// The same where a worker also waits for a socket, as a server's does.
fn beside_socket(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let socket = rt::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let waits = rt::spawn(async move { socket.recv(&mut [0]).await });
            for _ in 0..n {
                rt::task::spawn_blocking(|| {}).await.unwrap();
            }
            waits.abort();
            n
        })
        .both()
}

fn blocking_at_once(context: &Context) -> Vec<Metric> {
    const JOBS: u64 = 100;
    context
        .tasks(|n| async move {
            for _ in 0..times(n, JOBS) {
                let jobs: Vec<_> = (0..JOBS).map(|_| rt::task::spawn_blocking(|| {})).collect();
                for job in jobs {
                    job.await.unwrap();
                }
            }
            times(n, JOBS) * JOBS
        })
        .both()
}

fn block_in_place(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                rt::task::block_in_place(|| {});
                // A second one in the same poll would find the worker given away, and cost nothing.
                rt::task::yield_now().await;
            }
            n
        })
        .both()
}
