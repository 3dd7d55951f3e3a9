//! The runtime itself, and leaving it for a thread that may block.

use crate::harness::{CT, Cell, Context, Metric, W2};

pub const CELLS: &[Cell] = &[
    Cell { name: "runtime/build_drop", flavours: &[CT, W2], run: build_drop },
    Cell { name: "runtime/block_on_ready", flavours: &[CT, W2], run: block_on_ready },
    Cell { name: "runtime/spawn_blocking", flavours: &[CT, W2], run: spawn_blocking },
    Cell { name: "runtime/spawn_blocking_beside_socket", flavours: &[CT, W2], run: beside_socket },
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

fn block_in_place(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                rt::task::block_in_place(|| {});
            }
            n
        })
        .both()
}
