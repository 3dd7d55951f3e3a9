//! What is counted: futures, threads, descriptors, children, bytes, and panics nobody planned.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What planned panics say.
pub const PLANNED: &str = "planned";

/// How long what ends in the background may take.
const PATIENCE: Duration = Duration::from_secs(60);

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with the bytes counted.
pub struct Counting;

// SAFETY: all is the system allocator's; the count touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

pub fn live_bytes() -> usize {
    LIVE.load(Relaxed)
}

/// What the actors of a round share.
pub struct Stage {
    pub stop: AtomicBool,
    pub operations: AtomicU64,
    alive: AtomicUsize,
}

impl Stage {
    pub fn new() -> Arc<Stage> {
        Arc::new(Stage {
            stop: AtomicBool::new(false),
            operations: AtomicU64::new(0),
            alive: AtomicUsize::new(0),
        })
    }

    pub fn is_over(&self) -> bool {
        self.stop.load(SeqCst)
    }

    /// To be kept in a future: it must be dropped in the end.
    pub fn guard(self: &Arc<Self>) -> Guard {
        self.alive.fetch_add(1, SeqCst);
        Guard(Arc::clone(self))
    }

    pub fn wait_until_empty(&self) {
        let start = Instant::now();
        while self.alive.load(SeqCst) > 0 {
            let left = self.alive.load(SeqCst);
            assert!(start.elapsed() < PATIENCE, "{left} futures outlive their runtime");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

pub struct Guard(Arc<Stage>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, SeqCst);
    }
}

fn entries(directory: &str) -> usize {
    std::fs::read_dir(directory).map_or(usize::MAX, |entries| entries.count())
}

/// Open descriptors, the one for looking included.
pub fn descriptors() -> usize {
    entries("/proc/self/fd")
}

fn children() -> usize {
    child_ids().len()
}

fn child_ids() -> Vec<String> {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let lists = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// What the process has.
#[derive(Clone, Copy, Debug)]
pub struct Census {
    threads: usize,
    descriptors: usize,
    children: usize,
    bytes: usize,
}

impl Census {
    fn now() -> Census {
        Census {
            threads: entries("/proc/self/task"),
            descriptors: descriptors(),
            children: children(),
            bytes: live_bytes(),
        }
    }

    fn exceeds(&self, before: &Census) -> bool {
        self.threads > before.threads
            || self.descriptors > before.descriptors
            || self.children > before.children
    }

    /// When what ends in the background has ended: as `before`, or as nothing changes any more.
    pub fn settled(before: Option<&Census>) -> Census {
        let start = Instant::now();
        let mut census = Census::now();
        let mut since = Instant::now();
        loop {
            std::thread::sleep(Duration::from_millis(2));
            let next = Census::now();
            let quiet = !next.exceeds(&census) && !census.exceeds(&next);
            census = next;
            if !quiet {
                since = Instant::now();
            }
            let done = match before {
                Some(before) => !census.exceeds(before),
                None => since.elapsed() > Duration::from_secs(2),
            };
            if census.children > before.map_or(usize::MAX, |before| before.children) {
                crate::tidy_up();
            }
            if done || start.elapsed() > PATIENCE {
                return census;
            }
        }
    }

    pub fn compare(&self, after: &Census, slack_bytes: usize, round: &str) {
        assert!(
            !after.exceeds(self),
            "left behind: {after:?}, before: {self:?}; {round}\n{}",
            open_files()
        );
        assert!(after.bytes <= self.bytes + slack_bytes, "memory: {after:?}, before: {self:?}; {round}");
    }
}

fn open_files() -> String {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return String::new() };
    let names = entries.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let names = names.map(|name| format!("  {}\n", name.display()));
    let stats = child_ids().into_iter().map(|id| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        format!("  child {}\n", stat.chars().take(60).collect::<String>())
    });
    names.chain(stats).collect()
}

static UNPLANNED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The runtime is being dropped with work in it.
static ENDING: AtomicBool = AtomicBool::new(false);

pub fn begin_ending() {
    ENDING.store(true, SeqCst);
}

pub fn is_ending() -> bool {
    ENDING.load(SeqCst)
}

/// What those see that a dropped runtime leaves without an answer.
pub fn is_told_of_the_end(message: &str) -> bool {
    let words = [
        "Cancelled",
        "RuntimeShutdown",
        "SendError",
        "RecvError",
        "background task failed",
        "being shutdown",
    ];
    is_ending() && words.iter().any(|word| message.contains(word))
}

/// What a planned fault makes the runtime panic with.
pub fn is_planned(message: &str) -> bool {
    // The last is what a file operation says for want of a thread.
    let words = [PLANNED, "OS can't spawn worker thread", "background task failed"];
    words.iter().any(|word| message.contains(word))
}

pub fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Keeps what panics unplanned, on whatever thread.
pub fn watch_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = message(info.payload());
        if !is_planned(&message) && !is_told_of_the_end(&message) {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            UNPLANNED.lock().unwrap().push(format!("{place}: {message}"));
            default(info);
        }
    }));
}

pub fn expect_no_panics(round: &str) {
    let panics = std::mem::take(&mut *UNPLANNED.lock().unwrap());
    assert!(panics.is_empty(), "{round}: {panics:#?}");
}

static ROUND: Mutex<Option<(usize, Instant)>> = Mutex::new(None);
static WHAT: Mutex<String> = Mutex::new(String::new());

/// What the present round is doing, for when it hangs.
pub fn describe(what: String) {
    *WHAT.lock().unwrap() = what;
}

pub fn begin_round(round: usize) {
    ENDING.store(false, SeqCst);
    *ROUND.lock().unwrap() = Some((round, Instant::now()));
}

/// Ends the process when a round takes too long.
pub fn watch_for_hangs(seed: u64, limit: Duration) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let round = *ROUND.lock().unwrap();
            if let Some((round, _)) = round.filter(|(_, since)| since.elapsed() > limit) {
                let what = WHAT.lock().unwrap().clone();
                eprintln!(
                    "SOAK_SEED={seed}: round {round} hangs: {what}\nunder way: {}",
                    crate::load::under_way()
                );
                // Time to attach a debugger, if one asks for it.
                if std::env::var_os("SOAK_STAY").is_some() {
                    std::thread::sleep(Duration::from_secs(3600));
                }
                std::process::abort();
            }
        }
    });
}
