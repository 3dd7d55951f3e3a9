//! What calls a stuck worker is in, as the report of it tells.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use yamanote::runtime::dump::Backtrace;
use yamanote::runtime::{Builder, StallReport};
use yamanote::task::Id;

/// Runs `block` in a task, on each flavour, until a report of it has a backtrace with all `names` in it, each after the one
/// before, and gives what that says.
///
/// A thread that gets no processor may be asked in vain, or be reported before it has come to where it is meant to be
/// seen. What is told of it then is right, too, and is not cut short; and it will not happen every time.
fn seen_in(names: &[&str], block: fn(&AtomicBool)) -> Vec<String> {
    let mut multi = Builder::new_multi_thread();
    multi.worker_threads(2);
    let builders = [Builder::new_current_thread(), multi];
    let seen = builders.into_iter().map(|mut builder| {
        let mut last = None;
        for _ in 0..100 {
            let Some(backtrace) = see_in(&mut builder, block) else { continue };
            let text = backtrace.to_string();
            if backtrace.is_whole() && are_in_order(&text, names) {
                return text;
            }
            last = Some(text);
        }
        panic!("no {names:?} in it: {}", last.unwrap_or_default());
    });
    seen.collect()
}

/// Runs `block` in a task until that is reported.
fn see_in(builder: &mut Builder, block: fn(&AtomicBool)) -> Option<Backtrace> {
    let (tell, told) = mpsc::channel::<StallReport>();
    let reported = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&reported);
    let rt = builder
        .enable_all()
        .stall_limit(Duration::from_millis(3))
        .stall_backtrace(true)
        .on_stall(move |stall| {
            let _ = tell.send(stall.clone());
            flag.fetch_or(stall.task().is_some(), SeqCst);
        })
        .build()
        .unwrap();
    let task = rt.spawn(async move { block(&reported) });
    let id = task.id();
    rt.block_on(task).unwrap();
    of(id, &told).backtrace()
}

/// The report of a task. A worker that gets no processor for a while is reported as well, whatever it does.
fn of(task: Id, told: &mpsc::Receiver<StallReport>) -> StallReport {
    told.iter().find(|stall| stall.task() == Some(task)).unwrap()
}

fn are_in_order(text: &str, names: &[&str]) -> bool {
    let mut rest = text;
    names.iter().all(|name| {
        rest.split_once(name).is_some_and(|(_, after)| {
            rest = after;
            true
        })
    })
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
    for text in seen_in(&["nanosleep", "sleeps_until_told", "see_in"], sleeps_until_told) {
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
    let names = ["spins_deeper"; 6].into_iter().chain(["spins_until_told"]).collect::<Vec<_>>();
    seen_in(&names, spins_until_told);
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
        seen_in(&["allocates_until_told"], allocates_until_told);
    }
}

/// The time that was asked for passes although a signal comes in between.
#[test]
fn a_backtrace_does_not_cut_a_sleep_short() {
    let time = Duration::from_millis(100);
    let reported = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&reported);
    let rt = Builder::new_multi_thread()
        .worker_threads(1)
        .stall_limit(Duration::from_millis(3))
        .stall_backtrace(true)
        .on_stall(move |stall| {
            flag.fetch_or(stall.task().is_some(), SeqCst);
        })
        .build()
        .unwrap();
    let task = rt.spawn(async move {
        // Once, unless the machine is so busy that nobody looked in that time.
        while !reported.load(SeqCst) {
            let start = Instant::now();
            std::thread::sleep(time);
            assert!(start.elapsed() >= time);
        }
    });
    rt.block_on(task).unwrap();
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
    fn block_signals() {
        // SAFETY: a set that is filled in, and the thread's own mask.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
        }
    }
    let (tell, told) = mpsc::channel();
    let reported = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&reported);
    let rt = Builder::new_multi_thread()
        .worker_threads(1)
        .stall_backtrace(true)
        .on_thread_start(block_signals)
        .on_stall(move |stall| {
            tell.send(stall.clone()).unwrap();
            flag.fetch_or(stall.task().is_some(), SeqCst);
        })
        .build()
        .unwrap();
    let task = rt.spawn(async move {
        while !reported.load(SeqCst) {
            std::thread::yield_now();
        }
    });
    let id = task.id();
    rt.block_on(task).unwrap();
    assert!(of(id, &told).backtrace().is_none());
}
