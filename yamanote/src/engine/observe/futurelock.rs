//! Permits that were handed to a future which its task does not poll any more.
//!
//! A fair lock hands its permit to whoever waited longest. If that is a future that its task has stopped polling (it lost
//! a `select!` by reference, say, and the task went on to something else), the permit is held by nobody who would
//! ever give it back; when the task then waits for the same lock in another place, it waits for itself. Oxide's RFD 609
//! describes the mistake under the name of futurelock.
//!
//! Where [`Builder::on_futurelock`](crate::runtime::Builder::on_futurelock) asks for it, each wait for permits is noted
//! when it gets its place in the queue, by the address of its waiter, which does not move; again when it is handed its
//! permits; and when it comes for them, or is dropped, it is forgotten. A task that was polled *anew* after the
//! hand-over, and is done with that poll without having come for the permits, has passed them by. A program that polls
//! what it has woken never does that, however slow it is. It is reported once that has been so for a while, or has
//! happened often.
//!
//! While no runtime asks, a wait that has to queue and a hand-over cost a load each, and nothing else does.

use std::backtrace::Backtrace;
use std::collections::HashMap;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::engine::context;
use crate::engine::shared::Shared;
use crate::engine::task::Id;
use crate::runtime::FuturelockReport;
use crate::util::ThreadMain;
use crate::util::contain::contain;

/// Polls that pass permits by, after which they are reported before the time is over. Arbitrary: more than a task makes
/// that is about to come to them.
const PASSED_BY: u32 = 64;

/// There is, or was, a runtime that wants to know. Never taken back, so that whatever was noted is forgotten in time.
static WANTED: AtomicBool = AtomicBool::new(false);

/// Permits that were handed over and not come for. Changed under the lock; a hint for those who look without.
static HANDED: AtomicUsize = AtomicUsize::new(0);

/// Counts hand-overs, to tell which polls began after one.
static HAND_OVERS: AtomicUsize = AtomicUsize::new(0);

static WAITS: Mutex<Waits> = Mutex::new(Waits { queued: None, handed: Vec::new(), reporter: false });

/// Something was passed by for the first time.
static PASSED: Condvar = Condvar::new();

/// Waits for permits, by their waiters' addresses.
struct Waits {
    /// Made by the first.
    queued: Option<HashMap<usize, Wait>>,
    /// Few at a time: all but forgotten ones are come for at once.
    handed: Vec<(usize, Handed)>,
    /// The thread that reports runs.
    reporter: bool,
}

/// Who polls futures: a task, or a thread its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Poller {
    Task(Id),
    Thread(usize),
}

impl Poller {
    fn current() -> Poller {
        crate::task::try_id().map_or_else(|| Poller::Thread(context::thread_number()), Poller::Task)
    }
}

struct Wait {
    runtime: Weak<Shared>,
    /// How long its permits may lie there.
    limit: Duration,
    poller: Poller,
    spawned_at: Option<&'static Location<'static>>,
    /// Where it was first polled.
    place: Arc<Backtrace>,
}

struct Handed {
    wait: Wait,
    since: Instant,
    /// The number of the hand-over.
    number: usize,
    passed_by: u32,
    reported: bool,
}

fn waits() -> MutexGuard<'static, Waits> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A runtime is made that wants to know.
pub(crate) fn want() {
    WANTED.store(true, Ordering::Relaxed);
}

#[inline]
pub(crate) fn is_wanted() -> bool {
    // Relaxed: what begins before it is seen is not watched.
    WANTED.load(Ordering::Relaxed)
}

/// The current task, or root, is about to queue with the waiter at this address.
#[cold]
pub(crate) fn note_waiting(waiter: usize) {
    let runtime = context::with_handle(|handle| {
        let shared = &handle.shared;
        let limit = shared.config.futurelock_limit;
        shared.config.hooks.futurelock.is_some().then(|| (Arc::downgrade(shared), limit))
    });
    let Ok(Some((runtime, limit))) = runtime else { return };
    let poller = Poller::current();
    let polled = context::with_any_worker(|worker| worker.shared.observer.current[worker.index].get());
    let spawned_at = polled.flatten().filter(|(id, _)| poller == Poller::Task(*id));
    let wait = Wait {
        runtime,
        limit,
        poller,
        spawned_at: spawned_at.map(|(_, location)| location),
        place: Arc::new(Backtrace::force_capture()),
    };
    let former = waits().queued.get_or_insert_default().insert(waiter, wait);
    drop(former);
}

/// The waiter has its permits. Called with its queue locked, and before it can know.
#[cold]
pub(crate) fn note_handed(waiter: usize) {
    let mut waits = waits();
    let wait = waits.queued.as_mut().and_then(|queued| queued.remove(&waiter));
    let Some(wait) = wait else { return };
    // SeqCst, as the load in `begin_poll`: a poll that the wake-up to come leads to sees it.
    let number = HAND_OVERS.fetch_add(1, Ordering::SeqCst) + 1;
    let handed = Handed { wait, since: Instant::now(), number, passed_by: 0, reported: false };
    waits.handed.push((waiter, handed));
    HANDED.store(waits.handed.len(), Ordering::Relaxed);
}

/// The waiter has come for its permits, or goes.
#[cold]
pub(crate) fn note_over(waiter: usize) {
    let (queued, handed) = {
        let mut waits = waits();
        let queued = waits.queued.as_mut().and_then(|queued| queued.remove(&waiter));
        let at = waits.handed.iter().position(|(other, _)| *other == waiter);
        let over = (queued, at.map(|at| waits.handed.swap_remove(at)));
        HANDED.store(waits.handed.len(), Ordering::Relaxed);
        over
    };
    // Outside the lock.
    drop((queued, handed));
}

/// A poll begins; to be given to [`end_poll`].
pub(crate) fn begin_poll() -> usize {
    HAND_OVERS.load(Ordering::SeqCst)
}

/// A poll by `poller` is over.
pub(crate) fn end_poll(poller: Poller, begun: usize) {
    // Relaxed: what was handed over before this poll began is seen, as its number is.
    if HANDED.load(Ordering::Relaxed) > 0 {
        note_passed_by(poller, begun);
    }
}

/// A poll of the future that the current thread waits for is over.
#[cold]
pub(crate) fn end_root_poll(begun: usize) {
    end_poll(Poller::Thread(context::thread_number()), begun);
}

#[cold]
fn note_passed_by(poller: Poller, begun: usize) {
    let mut waits = waits();
    let mut changed = false;
    for (_, handed) in &mut waits.handed {
        // Numbers may wrap around, some day.
        let before = begun.wrapping_sub(handed.number) as isize >= 0;
        if before && handed.wait.poller == poller && !handed.reported {
            handed.passed_by = handed.passed_by.saturating_add(1);
            changed |= handed.passed_by == 1 || handed.passed_by == PASSED_BY;
        }
    }
    if changed {
        let runs = waits.reporter;
        waits.reporter = runs || start_reporter();
        drop(waits);
        PASSED.notify_one();
    }
}

fn start_reporter() -> bool {
    // A system that cannot start one more thread goes without reports until the next occasion.
    std::thread::Builder::new()
        .name("yamanote-futurelock".into())
        .spawn(Box::new(report) as ThreadMain)
        .is_ok()
}

/// The thread that tells. It sleeps while nothing is passed by, and lives as long as the process.
fn report() {
    let mut waits = waits();
    loop {
        let now = Instant::now();
        let mut next: Option<Duration> = None;
        let mut due = None;
        let passed = |handed: &&mut Handed| handed.passed_by > 0 && !handed.reported;
        for handed in waits.handed.iter_mut().map(|(_, handed)| handed).filter(passed) {
            let age = now.saturating_duration_since(handed.since);
            let left = handed.wait.limit.saturating_sub(age);
            if due.is_none() && (left.is_zero() || handed.passed_by >= PASSED_BY) {
                handed.reported = true;
                due = Some((
                    Weak::clone(&handed.wait.runtime),
                    handed.wait.poller,
                    report_of(handed, age),
                ));
            } else {
                next = Some(next.map_or(left, |next| next.min(left)));
            }
        }
        if let Some((runtime, poller, report)) = due {
            drop(waits);
            if let Some(shared) = runtime.upgrade() {
                deliver(&shared, poller, report);
            }
            waits = self::waits();
            continue;
        }
        waits = match next {
            Some(left) => PASSED.wait_timeout(waits, left).unwrap_or_else(PoisonError::into_inner).0,
            None => PASSED.wait(waits).unwrap_or_else(PoisonError::into_inner),
        };
    }
}

fn deliver(shared: &Shared, poller: Poller, mut report: FuturelockReport) {
    if let Poller::Task(id) = poller {
        report.name = shared.observer.tasks.name(id);
    }
    if let Some(hook) = &shared.config.hooks.futurelock {
        contain(|| hook(&report));
    }
}

fn report_of(handed: &Handed, held: Duration) -> FuturelockReport {
    FuturelockReport {
        task: match handed.wait.poller {
            Poller::Task(id) => Some(id),
            Poller::Thread(_) => None,
        },
        name: None,
        spawned_at: handed.wait.spawned_at,
        held,
        polls: handed.passed_by,
        place: Arc::clone(&handed.wait.place),
    }
}
