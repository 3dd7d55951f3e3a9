//! Starting processes and waiting for their end.

use rt::process::Command;

use crate::harness::{CT, Cell, Context, Metric, W2, times};

pub const CELLS: &[Cell] = &[
    Cell { name: "process/spawn_wait", flavours: &[CT, W2], run: spawn_wait },
    Cell { name: "process/spawn_wait_16", flavours: &[CT, W2], run: spawn_wait_16 },
    Cell { name: "process/output", flavours: &[CT, W2], run: output },
];

fn spawn_wait(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                assert!(Command::new("true").status().await.unwrap().success());
            }
            n
        })
        .both()
}

/// Sixteen at a time.
fn spawn_wait_16(context: &Context) -> Vec<Metric> {
    const AT_ONCE: u64 = 16;
    context
        .tasks(|n| async move {
            for _ in 0..times(n, AT_ONCE) {
                let mut children: Vec<_> =
                    (0..AT_ONCE).map(|_| Command::new("true").spawn().unwrap()).collect();
                for child in &mut children {
                    assert!(child.wait().await.unwrap().success());
                }
            }
            times(n, AT_ONCE) * AT_ONCE
        })
        .both()
}

/// What it prints comes through pipes.
fn output(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                assert_eq!(Command::new("echo").arg("hello").output().await.unwrap().stdout, b"hello\n");
            }
            n
        })
        .both()
}
