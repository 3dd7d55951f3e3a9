//! Where a worker's core lies while its thread runs something that may block.
//!
//! `block_in_place` does not know whether its closure will block, and most do so for a moment at most. So the
//! core is not handed to another thread at once: it is *lent*, put where another thread could take it. Its owner
//! takes it back when the closure returns, which costs two uncontended locks; the monitor, which looks at what is lent
//! every fraction of a millisecond while there is any, sends a thread for a core that it sees for the second time.
//!
//! ```text
//!   owner ──put──► lent ──take_back──► owner
//!                   │
//!                   └──claim (monitor, or the owner about to wait)──► a thread starts ──take──► it drives
//! ```
//!
//! *Claiming* decides who sends the thread; the core stays where it is until that thread runs, so an owner that
//! comes back before it simply has its core again, and a thread that cannot be started costs nobody anything.
//!
//! Each lending has a number, so that nobody takes a later one for the one it meant.

use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use crate::util::canary::canary;

#[derive(Debug)]
pub(crate) struct Lent<C> {
    state: Mutex<State<C>>,
    /// The number of the present lending, which is odd; even while there is none. Written under the lock.
    number: AtomicUsize,
}

#[derive(Debug)]
struct State<C> {
    core: Option<C>,
    /// Somebody sends a thread for it.
    claimed: bool,
}

impl<C> Lent<C> {
    pub(crate) fn new() -> Lent<C> {
        Lent { state: Mutex::new(State { core: None, claimed: false }), number: AtomicUsize::new(0) }
    }

    /// Lends the core; the number of the lending.
    pub(crate) fn put(&self, core: C) -> usize {
        let mut state = self.state.lock();
        debug_assert!(state.core.is_none(), "a worker has one core");
        *state = State { core: Some(core), claimed: false };
        let number = self.number.load(Ordering::Relaxed).wrapping_add(1);
        // Relaxed, here and below: a hint; whoever acts on it takes the lock.
        self.number.store(number, Ordering::Relaxed);
        number
    }

    /// The number of the present lending; a snapshot.
    pub(crate) fn number(&self) -> Option<usize> {
        let number = self.number.load(Ordering::Relaxed);
        (number % 2 == 1).then_some(number)
    }

    /// A number that differs after each lending and each taking back.
    pub(crate) fn snapshot(&self) -> usize {
        self.number.load(Ordering::Relaxed)
    }

    /// Whether the core is lent, and somebody comes for it.
    pub(crate) fn is_claimed(&self) -> bool {
        self.number().is_some() && self.state.lock().claimed
    }

    /// The core, if that lending still lasts.
    pub(crate) fn take(&self, number: usize) -> Option<C> {
        let mut state = self.state.lock();
        if self.number.load(Ordering::Relaxed) != number {
            return None;
        }
        self.number.store(number.wrapping_add(1), Ordering::Relaxed);
        state.core.take()
    }

    /// Whether the caller is the one to send a thread for that core.
    pub(crate) fn claim(&self, number: usize) -> bool {
        let mut state = self.state.lock();
        self.number.load(Ordering::Relaxed) == number && !std::mem::replace(&mut state.claimed, true)
    }

    /// The thread could not be sent.
    pub(crate) fn give_up(&self, number: usize) {
        let mut state = self.state.lock();
        if self.number.load(Ordering::Relaxed) == number {
            state.claimed = false;
        }
    }
}

/// Whether the monitor looks at what is lent, often; else whoever lends has to call it.
#[derive(Debug)]
pub(crate) struct Watch(AtomicBool);

impl Watch {
    pub(crate) fn new() -> Watch {
        Watch(AtomicBool::new(false))
    }

    /// After a core was lent: whether the monitor has to be called.
    #[inline]
    pub(crate) fn is_off_after_put(&self) -> bool {
        // Between the number and this look. Partner: the fence in `turn_off`.
        if !canary!("lent-without-fence") {
            fence(Ordering::SeqCst);
        }
        !self.is_on()
    }

    pub(crate) fn is_on(&self) -> bool {
        // Relaxed: see `is_off_after_put`; the monitor itself looks under its lock.
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn turn_on(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// The monitor would look elsewhere; not if something was lent after all.
    pub(crate) fn turn_off(&self, any_lent: impl FnOnce() -> bool) {
        self.0.store(false, Ordering::Relaxed);
        // Between the flag and the look at the numbers. Partner: the fence in `is_off_after_put`.
        fence(Ordering::SeqCst);
        if any_lent() {
            self.turn_on();
        }
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::Arc;
    use crate::loom::{model, thread};

    /// The owner comes back while the monitor's thread comes for the core: one of them has it.
    #[test]
    fn one_of_two_has_the_core() {
        model(|| {
            let lent = Arc::new(Lent::new());
            let number = lent.put(7);
            let other = Arc::clone(&lent);
            let sent = thread::spawn(move || match other.number() {
                Some(number) if other.claim(number) => other.take(number),
                _ => None,
            });
            let back = lent.take(number);
            // A later lending is nobody's but its own.
            let again = back.map(|core| lent.put(core));
            let taken = sent.join().unwrap();
            match again {
                Some(number) => {
                    assert_eq!(lent.take(number).or(taken), Some(7));
                }
                None => assert_eq!(taken, Some(7)),
            }
        });
    }

    /// Two who would send a thread: one does.
    #[test]
    fn one_thread_is_sent() {
        model(|| {
            let lent = Arc::new(Lent::new());
            let number = lent.put(());
            let other = Arc::clone(&lent);
            let monitor = thread::spawn(move || other.claim(number));
            let owner = lent.claim(number);
            assert!(owner ^ monitor.join().unwrap());
        });
    }

    /// A core lent while the monitor turns elsewhere is seen by it, or the owner calls it.
    #[test]
    fn no_lending_goes_unwatched() {
        model(|| {
            let lent = Arc::new(Lent::new());
            let watch = Arc::new(Watch::new());
            watch.turn_on();
            let (other_lent, other_watch) = (Arc::clone(&lent), Arc::clone(&watch));
            let monitor = thread::spawn(move || {
                other_watch.turn_off(|| other_lent.number().is_some());
                other_watch.is_on()
            });
            lent.put(());
            let calls = watch.is_off_after_put();
            let still_watches = monitor.join().unwrap();
            assert!(calls || still_watches);
        });
    }
}
