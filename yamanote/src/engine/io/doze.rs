//! How a worker waits that does not wait in a poller: on a condition variable.
//!
//! To wait in the poller costs the waker a write to an event, and the worker two system calls. While there is no
//! source, or another worker leads, no event can come, and a condition variable does for less. Two things end
//! such a wait: an unpark, and a source that another thread registers. Both make themselves visible (a flag, a count)
//! and then look whether the worker dozes; the worker says that it dozes and then looks at flag and count. Between each
//! write and the read after it stands a sequentially consistent fence, so one of the two sees the other.
//!
//! Before it blocks, here or in the poller, the worker may look for an unpark for a moment ([`Spinner`]). An interrupt
//! that finds it at that need do nothing: the worker looks once more before it blocks.

use std::time::Duration;

use crate::engine::io::condvar::CondvarPark;
use crate::engine::spin::Spinner;
use crate::loom::sync::atomic::{AtomicU32, Ordering, fence};

/// The worker is not here: it works, or waits in the poller.
const AWAY: u32 = 0;
/// It looks, and will look again before it blocks.
const LOOKING: u32 = 1;
/// It blocks, or is about to.
const BLOCKED: u32 = 2;

#[derive(Debug)]
pub(crate) struct Doze {
    /// Set by the worker only.
    state: AtomicU32,
    park: CondvarPark,
    spinner: Spinner,
}

impl Doze {
    pub(crate) fn new() -> Doze {
        Doze { state: AtomicU32::new(AWAY), park: CondvarPark::new(), spinner: Spinner::new() }
    }

    /// Waits for an [`interrupt`](Self::interrupt), at most for `timeout`, unless it was `unparked` already or is
    /// `wanted` elsewhere. May return early for no reason.
    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        unparked: impl Fn() -> bool,
        wanted: impl Fn() -> bool,
    ) {
        if !self.look(timeout, &unparked) {
            self.block(timeout, || unparked() || wanted());
        }
        // Relaxed: an interrupt that still finds it set makes the next wait return early, no more.
        self.state.store(AWAY, Ordering::Relaxed);
    }

    /// Looks a moment longer, if that promises to pay.
    fn look(&self, timeout: Option<Duration>, unparked: impl Fn() -> bool) -> bool {
        if !self.spinner.should() {
            return false;
        }
        // Relaxed: whoever misses it does more than it need.
        self.state.store(LOOKING, Ordering::Relaxed);
        self.spinner.spin(timeout, unparked)
    }

    /// For a worker that is about to wait in its poller, where to be woken is dearer still: looks if that paid of
    /// late. Whether it was `unparked` has to be looked at once more after it.
    pub(crate) fn leave(&self, timeout: Option<Duration>, unparked: impl Fn() -> bool) {
        if self.spinner.has_credit() {
            // Relaxed: whoever misses it does more than it need.
            self.state.store(LOOKING, Ordering::Relaxed);
            self.spinner.spin(timeout, unparked);
            self.state.store(AWAY, Ordering::Relaxed);
        }
        // Partner: the fence in `interrupt`. If that found us looking, or found no poller to wake us from, we see
        // what it came for.
        fence(Ordering::SeqCst);
    }

    /// The worker was woken out of its poller's wait, and not by an event: once in a while, try a look.
    pub(crate) fn note_woken_elsewhere(&self) {
        if self.spinner.probe() {
            self.spinner.give_credit();
        }
    }

    /// What ended the last wait was not worth a look.
    pub(crate) fn regret(&self) {
        self.spinner.regret();
    }

    fn block(&self, timeout: Option<Duration>, wanted: impl Fn() -> bool) {
        // Relaxed: ordered by the fence. Partner: the fence in `interrupt`.
        self.state.store(BLOCKED, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !wanted() {
            self.park.wait(timeout);
        }
    }

    /// Ends the worker's wait, after what it looks at was made visible. `false`: it is not here.
    pub(crate) fn interrupt(&self) -> bool {
        // Partner: the fence in `block`.
        fence(Ordering::SeqCst);
        // Relaxed: ordered by the fence.
        let state = self.state.load(Ordering::Relaxed);
        if state == BLOCKED {
            self.park.unpark();
        }
        state != AWAY
    }
}
