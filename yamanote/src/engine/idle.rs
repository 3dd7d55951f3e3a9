//! Who sleeps, who searches, and whom to notify.
//!
//! ```text
//!             no work found                    bit set, nothing queued
//!   running ───────────────► searching ──────────────────────────────► asleep
//!      ▲                        │  ▲                                      │
//!      └──────── found work ────┘  └──────── bit cleared by a notifier ───┘
//! ```
//!
//! *Sleepers* are bits in an array of words: a worker sets its own bit before it parks; whoever clears it
//! has *claimed* the worker and must unpark it. *Searchers* are counted: while one is on its way, new work
//! needs no further one. A claimed worker starts as a searcher, on the claimer's account.
//!
//! Two protocols meet here, and no wake-up is lost because both put a sequentially consistent fence
//! between their write and their read:
//!
//! 1. *Post work*: make the task visible in a queue; fence; if nobody searches and somebody sleeps, claim
//!    one of them.
//! 2. *Fall asleep*: set the own bit and leave the searchers; fence; look at every queue once more; if there
//!    is work, take the bit back and search again.
//!
//! Of two fences one comes first. If the poster's does, the sleeper's last look sees the task. If the
//! sleeper's does, the poster sees the bit and that the sleeper is no longer searching. A searcher that
//! *finds* work and was the last one looks once more too ([`Idle::stop_searching`]), since posters relied
//! on it.

use crate::loom::sync::atomic::{AtomicUsize, Ordering, fence};
use crate::util::canary::canary;
use crate::util::{CachePadded, defaults};

const BITS: usize = usize::BITS as usize;

#[derive(Debug)]
pub(crate) struct Idle {
    /// Bit `i % BITS` of word `i / BITS`: worker `i` sleeps and nobody has claimed it.
    asleep: CachePadded<Box<[AtomicUsize]>>,
    /// Workers that look for work in other workers' queues.
    searching: CachePadded<AtomicUsize>,
    /// How many workers the runtime was built with; there are more slots, for spares.
    workers: usize,
}

/// How an attempt to fall asleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Sleep {
    /// The bit is set: park now.
    Asleep,
    /// There is work; the worker counts as a searcher again.
    Awake,
}

impl Idle {
    /// For `workers`, of which `slots` may be there at times.
    pub(crate) fn new(workers: usize, slots: usize) -> Self {
        Idle {
            asleep: CachePadded::new(defaults(slots.div_ceil(BITS))),
            searching: CachePadded::new(AtomicUsize::new(0)),
            workers,
        }
    }

    fn bit(worker: usize) -> (usize, usize) {
        (worker / BITS, 1 << (worker % BITS))
    }

    /// Whether somebody might have to be notified of work just queued: a hint without a fence, for the
    /// producer of a local ring, which looks properly when its poll is over.
    #[inline]
    pub(crate) fn may_notify(&self) -> bool {
        // Relaxed: a hint.
        self.asleep.iter().any(|word| word.load(Ordering::Relaxed) != 0)
            && self.searching.load(Ordering::Relaxed) == 0
    }

    /// Whether a worker looks for work, or was just woken to do so; a snapshot.
    pub(crate) fn has_searchers(&self) -> bool {
        self.searching.load(Ordering::Relaxed) != 0
    }

    /// Whether worker `i` sleeps; a snapshot.
    pub(crate) fn is_asleep(&self, worker: usize) -> bool {
        let (word, bit) = Idle::bit(worker);
        self.asleep[word].load(Ordering::Relaxed) & bit != 0
    }

    /// Protocol 1, after the work was made visible: the worker to unpark, if one is needed.
    #[must_use]
    pub(crate) fn notify_one(&self, first: usize) -> Option<usize> {
        // Partner: the fence in `fall_asleep`.
        if !canary!("post-without-fence") {
            fence(Ordering::SeqCst);
        }
        // Relaxed: ordered by the fences.
        if self.searching.load(Ordering::Relaxed) != 0 {
            return None;
        }
        self.claim_any(first)
    }

    /// Claims some sleeper, beginning at `first`, so that workers take turns.
    #[must_use]
    pub(crate) fn claim_any(&self, first: usize) -> Option<usize> {
        let words = self.asleep.len();
        let start = (first / BITS) % words;
        for i in 0..words {
            let word = (start + i) % words;
            loop {
                let asleep = self.asleep[word].load(Ordering::Relaxed);
                if asleep == 0 {
                    break;
                }
                // The first sleeper at or after `first`, else the lowest.
                let shift = if i == 0 { (first % BITS) as u32 } else { 0 };
                let at = (asleep.rotate_right(shift).trailing_zeros() + shift) as usize % BITS;
                let worker = word * BITS + at;
                if self.claim(worker) {
                    return Some(worker);
                }
            }
        }
        None
    }

    /// Claims worker `i` if it sleeps: it now counts as a searcher and the caller must unpark it.
    #[must_use]
    pub(crate) fn claim(&self, worker: usize) -> bool {
        let (word, bit) = Idle::bit(worker);
        if self.asleep[word].load(Ordering::Relaxed) & bit == 0 {
            return false;
        }
        // Counted before the bit goes, so that no moment shows neither sleeper nor searcher.
        self.searching.fetch_add(1, Ordering::SeqCst);
        if self.asleep[word].fetch_and(!bit, Ordering::SeqCst) & bit == 0 {
            self.searching.fetch_sub(1, Ordering::SeqCst);
            return false;
        }
        true
    }

    /// Becomes a searcher, unless half of the workers are already: more would only get in each other's
    /// way, and each of them found nothing is a wake-up wasted.
    #[must_use]
    pub(crate) fn start_searching(&self) -> bool {
        // Relaxed: a throttle, not a promise.
        if 2 * self.searching.load(Ordering::Relaxed) >= self.workers {
            return false;
        }
        self.searching.fetch_add(1, Ordering::SeqCst);
        true
    }

    /// Stops searching with work in hand. `true`: it was the last searcher, on which posters relied, so
    /// the caller must look whether more work waits and notify another worker.
    #[must_use]
    pub(crate) fn stop_searching(&self) -> bool {
        self.searching.fetch_sub(1, Ordering::SeqCst) == 1
    }

    /// Protocol 2. `has_work` looks at every queue.
    pub(crate) fn fall_asleep(
        &self,
        worker: usize,
        searching: bool,
        has_work: impl FnOnce() -> bool,
    ) -> Sleep {
        let (word, bit) = Idle::bit(worker);
        self.asleep[word].fetch_or(bit, Ordering::SeqCst);
        if searching {
            self.searching.fetch_sub(1, Ordering::SeqCst);
        }
        // Partner: the fence in `notify_one`.
        fence(Ordering::SeqCst);
        if canary!("asleep-without-a-last-look") || !has_work() {
            return Sleep::Asleep;
        }
        // Whoever has seen work searches for it, even if enough others do: the searcher that keeps us from it
        // may be a worker that was claimed and has no processor yet, and then we would look, be refused, and
        // look again, on the very processor it waits for.
        if !self.wake_up(worker) {
            self.searching.fetch_add(1, Ordering::SeqCst);
        }
        Sleep::Awake
    }

    /// Takes the own bit back after parking. `true`: somebody had claimed the worker, so it counts as a
    /// searcher.
    pub(crate) fn wake_up(&self, worker: usize) -> bool {
        let (word, bit) = Idle::bit(worker);
        self.asleep[word].fetch_and(!bit, Ordering::SeqCst) & bit == 0
    }

    /// How many workers sleep, for one who has made something visible that a worker looks at after it woke up: the
    /// worker is not among the sleepers, or sees it. Changes the words as [`wake_up`](Self::wake_up) does: of two changes
    /// of a word one takes over from the other.
    pub(crate) fn sleepers_in_order(&self) -> usize {
        // AcqRel: pairs with itself and with `wake_up`.
        let look = |word: &AtomicUsize| match canary!("doze-without-order") {
            true => word.load(Ordering::SeqCst),
            false => word.fetch_or(0, Ordering::AcqRel),
        };
        self.asleep.iter().map(|word| look(word).count_ones() as usize).sum()
    }

    /// How many workers sleep; a snapshot.
    pub(crate) fn sleepers(&self) -> usize {
        self.asleep.iter().map(|word| word.load(Ordering::Relaxed).count_ones() as usize).sum()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn claims_each_sleeper_once_and_in_turn() {
        let idle = Idle::new(130, 130);
        for i in [3, 64, 129] {
            assert_eq!(idle.fall_asleep(i, false, || false), Sleep::Asleep);
        }
        assert_eq!(idle.sleepers(), 3);
        assert_eq!(idle.claim_any(64), Some(64));
        assert_eq!(idle.claim_any(64), Some(129));
        assert_eq!(idle.claim_any(100), Some(3));
        assert_eq!(idle.claim_any(0), None);
        assert!(idle.wake_up(3), "claimed");
    }

    #[test]
    fn one_searcher_is_enough() {
        let idle = Idle::new(4, 4);
        let _ = idle.fall_asleep(1, false, || false);
        assert!(idle.start_searching());
        assert_eq!(idle.notify_one(0), None);
        assert!(idle.stop_searching(), "the last one has to look again");
        assert_eq!(idle.notify_one(0), Some(1));
    }

    #[test]
    fn searchers_are_half_at_most() {
        let idle = Idle::new(4, 4);
        assert!(idle.start_searching());
        assert!(idle.start_searching());
        assert!(!idle.start_searching());
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::Arc;
    use crate::loom::sync::atomic::AtomicBool;
    use crate::loom::thread;

    /// The queue of the model: how many tasks wait. Relaxed, as the real queues' lengths are.
    struct World {
        idle: Idle,
        queued: AtomicUsize,
        unparked: [AtomicBool; 2],
    }

    impl World {
        fn new(workers: usize) -> Arc<World> {
            Arc::new(World {
                idle: Idle::new(workers, workers),
                queued: AtomicUsize::new(0),
                unparked: [AtomicBool::new(false), AtomicBool::new(false)],
            })
        }

        fn post(&self) {
            self.queued.fetch_add(1, Ordering::Relaxed);
            if let Some(worker) = self.idle.notify_one(0) {
                self.unparked[worker].store(true, Ordering::SeqCst);
            }
        }

        fn take(&self) -> bool {
            self.queued.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok()
        }

        /// A worker's life until it is parked with nobody having unparked it.
        fn work(&self, me: usize, mut searching: bool) {
            loop {
                while self.take() {
                    if searching {
                        searching = false;
                        if self.idle.stop_searching() && self.queued.load(Ordering::Relaxed) > 0 {
                            if let Some(worker) = self.idle.notify_one(0) {
                                self.unparked[worker].store(true, Ordering::SeqCst);
                            }
                        }
                    }
                }
                if !searching {
                    searching = self.idle.start_searching();
                    if searching && self.queued.load(Ordering::Relaxed) > 0 {
                        continue;
                    }
                }
                let has_work = || self.queued.load(Ordering::Relaxed) > 0;
                match self.idle.fall_asleep(me, searching, has_work) {
                    Sleep::Awake => searching = true,
                    Sleep::Asleep => return,
                }
            }
        }
    }

    /// At the end either nothing is queued or somebody was unparked to fetch it.
    fn nothing_is_stranded(world: &World) {
        let unparked = world.unparked.iter().any(|u| u.load(Ordering::SeqCst));
        assert!(world.queued.load(Ordering::SeqCst) == 0 || unparked, "a task waits and all sleep");
    }

    #[test]
    fn a_post_meets_a_sleeper() {
        crate::loom::model(|| {
            let world = World::new(1);
            let other = Arc::clone(&world);
            let worker = thread::spawn(move || other.work(0, false));
            world.post();
            worker.join().unwrap();
            nothing_is_stranded(&world);
        });
    }

    #[test]
    fn two_posts_meet_a_sleeper_and_a_searcher() {
        crate::loom::model(|| {
            let world = World::new(2);
            let handles: Vec<_> = (0..2)
                .map(|me| {
                    let world = Arc::clone(&world);
                    thread::spawn(move || world.work(me, false))
                })
                .collect();
            world.post();
            world.post();
            for handle in handles {
                handle.join().unwrap();
            }
            nothing_is_stranded(&world);
        });
    }
}
