//! What calls a stuck worker is in, as the report of it tells.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use yamanote::runtime::{Builder, StallReport};

/// Runs `block` in a task, on each flavour, and gives the backtrace in the first report of it that has one: on a machine that
/// is busy, a thread may be asked in vain.
fn seen_in(block: fn(&AtomicBool)) -> Vec<String> {
    loop {
        if let Some(seen) = try_see_in(block) {
            return seen;
        }
    }
}

fn try_see_in(block: fn(&AtomicBool)) -> Option<Vec<String>> {
    let mut multi = Builder::new_multi_thread();
    multi.worker_threads(2);
    let builders = [Builder::new_current_thread(), multi];
    let seen = builders.into_iter().map(|mut builder| {
        let (tell, told) = mpsc::channel::<StallReport>();
        let reported = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&reported);
        let rt = builder
            .enable_all()
            .stall_limit(Duration::from_millis(3))
            .stall_backtrace(true)
            .on_stall(move |stall| {
                let _ = tell.send(stall.clone());
                flag.store(true, SeqCst);
            })
            .build()
            .unwrap();
        rt.block_on(rt.spawn(async move { block(&reported) })).unwrap();
        Some(told.recv().unwrap().backtrace()?.to_string())
    });
    seen.collect()
}

/// Each after the one before it.
fn assert_in_order(text: &str, names: &[&str]) {
    let mut rest = text;
    for name in names {
        let (_, after) =
            rest.split_once(name).unwrap_or_else(|| panic!("no {name} in its place:\n{text}"));
        rest = after;
    }
}

#[inline(never)]
fn sleeps_until_told(reported: &AtomicBool) {
    while !reported.load(SeqCst) {
        std::thread::sleep(Duration::from_secs(1));
    }
    black_box(());
}

#[test]
fn backtrace_of_a_thread_that_sleeps() {
    for text in seen_in(sleeps_until_told) {
        assert_in_order(&text, &["nanosleep", "sleeps_until_told", "see_in"]);
        // The runtime's own calls are not of interest.
        assert!(!text.contains("worker"), "{text}");
    }
}

#[inline(never)]
fn spins_until_told(reported: &AtomicBool) {
    #[inline(never)]
    fn spins_deeper(reported: &AtomicBool, depth: u32) {
        if depth > 0 {
            spins_deeper(reported, depth - 1);
        }
        while !reported.load(SeqCst) {
            std::hint::spin_loop();
        }
        black_box(());
    }
    spins_deeper(reported, 5);
    black_box(());
}

#[test]
fn backtrace_of_a_thread_that_spins() {
    for text in seen_in(spins_until_told) {
        let names = ["spins_deeper"; 6].into_iter().chain(["spins_until_told"]).collect::<Vec<_>>();
        assert_in_order(&text, &names);
    }
}

/// Interrupted in the allocator, with its locks held, again and again: nobody waits for anybody.
#[inline(never)]
fn allocates_until_told(reported: &AtomicBool) {
    while !reported.load(SeqCst) {
        let blocks: Vec<_> = (1..100).map(|n| black_box(vec![0_u8; n * 64])).collect();
        drop(black_box(blocks));
    }
    black_box(());
}

#[test]
fn backtrace_of_a_thread_that_allocates() {
    for _ in 0..20 {
        for text in seen_in(allocates_until_told) {
            assert_in_order(&text, &["allocates_until_told"]);
        }
    }
}

/// The time that was asked for passes although a signal comes in between.
#[test]
fn a_backtrace_does_not_cut_a_sleep_short() {
    let time = Duration::from_millis(100);
    let (tell, told) = mpsc::channel::<StallReport>();
    let rt = Builder::new_multi_thread()
        .worker_threads(1)
        .stall_limit(Duration::from_millis(3))
        .stall_backtrace(true)
        .on_stall(move |stall| drop(tell.send(stall.clone())))
        .build()
        .unwrap();
    let task = rt.spawn(async move {
        let start = Instant::now();
        std::thread::sleep(time);
        start.elapsed()
    });
    assert!(rt.block_on(task).unwrap() >= time);
    assert!(told.recv().is_ok());
}

/// Nor does a read that waits fail because of it.
#[test]
fn a_backtrace_does_not_end_a_read() {
    use std::io::{Read, Write};

    let (mut reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
    let (tell, told) = mpsc::channel::<StallReport>();
    let rt = Builder::new_current_thread()
        .stall_limit(Duration::from_millis(3))
        .stall_backtrace(true)
        .on_stall(move |stall| {
            tell.send(stall.clone()).unwrap();
            (&writer).write_all(b"x").unwrap();
        })
        .build();
    let rt = rt.unwrap();
    let read = rt.block_on(rt.spawn(async move {
        let mut byte = [0];
        // Once: what `read_exact` would try again, this does not.
        reader.read(&mut byte).map(|n| (n, byte))
    }));
    assert_eq!(read.unwrap().unwrap(), (1, *b"x"));
    assert!(told.recv().is_ok());
}

/// A thread that takes no signals is reported all the same.
#[test]
fn no_backtrace_of_a_thread_that_blocks_signals() {
    fn block(reported: &AtomicBool) {
        // SAFETY: a set that is filled in, and the thread's own mask.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
        }
        while !reported.load(SeqCst) {
            std::thread::yield_now();
        }
    }
    let (tell, told) = mpsc::channel::<StallReport>();
    let reported = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&reported);
    let rt = Builder::new_multi_thread()
        .worker_threads(1)
        .stall_backtrace(true)
        .on_stall(move |stall| {
            tell.send(stall.clone()).unwrap();
            flag.store(true, SeqCst);
        })
        .build()
        .unwrap();
    let task = rt.spawn(async move { block(&reported) });
    let id = task.id();
    rt.block_on(task).unwrap();
    let stall = told.recv().unwrap();
    assert_eq!(stall.task(), Some(id));
    assert!(stall.backtrace().is_none());
}
