//! What ends the process, as it does with any program in Rust: an overflowing stack, no memory.

use std::hint::black_box;
use std::process::Output;

use yamanote::runtime::Builder;

use crate::support::{role, run_child};

fn in_a_task(f: fn()) {
    let rt = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let _ = rt.block_on(rt.spawn(async move { f() }));
    println!("survived");
}

fn in_a_job(f: fn()) {
    let rt = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let _ = rt.block_on(rt.spawn_blocking(f));
    println!("survived");
}

/// By a signal where there are signals, and not by a panic that somebody could catch.
fn assert_died(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && !text.contains("survived"), "{output:?}");
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        let signal = output.status.signal();
        // A sanitizer ends the process in its own way.
        assert!(cfg!(sanitized) || matches!(signal, Some(libc::SIGSEGV | libc::SIGABRT)), "{output:?}");
    }
}

fn overflow() {
    #[allow(unconditional_recursion)]
    fn deeper(depth: &mut [u64; 64]) -> u64 {
        let mut next = [depth[0] + 1; 64];
        let below = deeper(black_box(&mut next));
        below + next[7]
    }
    black_box(deeper(&mut [0; 64]));
}

#[test]
fn a_stack_that_overflows_ends_the_process() {
    match role().as_deref() {
        Some("task") => in_a_task(overflow),
        Some("job") => in_a_job(overflow),
        _ => {
            for role in ["task", "job"] {
                let output = run_child("ends::a_stack_that_overflows_ends_the_process", role);
                assert_died(&output);
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(cfg!(sanitized) || said.contains("overflow"), "{output:?}");
            }
        }
    }
}

fn allocate() {
    // One is more than there are addresses, but with 32 bits: there two are.
    let all = [(); 3].map(|()| Vec::<u8>::with_capacity(isize::MAX as usize - 64));
    black_box(all);
}

#[test]
fn an_allocation_that_fails_ends_the_process() {
    match role().as_deref() {
        Some("task") => in_a_task(allocate),
        Some("job") => in_a_job(allocate),
        _ => {
            for role in ["task", "job"] {
                assert_died(&run_child("ends::an_allocation_that_fails_ends_the_process", role));
            }
        }
    }
}
