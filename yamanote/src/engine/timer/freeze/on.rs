//! The testing twin: the clock may be stopped and moved by hand.
//!
//! A frozen clock shows `base`. A clock that was thawed shows `base` and what has passed since, so time never
//! runs backwards nor jumps when it is thawed. As long as no clock of the process was ever
//! frozen, reading the time is reading the system's clock, after one relaxed load.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

static USED: AtomicBool = AtomicBool::new(false);

/// Whether some clock of the process was ever frozen.
#[inline(always)]
pub(crate) fn is_used() -> bool {
    // Relaxed: who freezes a clock sees it in program order, as do those it then speaks to; for anybody
    // else the order of "frozen" and "read" is undefined anyway.
    USED.load(Ordering::Relaxed)
}

pub(crate) struct Freeze {
    allowed: bool,
    state: Mutex<State>,
    /// Jobs that a jump of time must not overtake.
    inhibitors: AtomicUsize,
}

struct State {
    base: Instant,
    /// The system's time at which the clock showed `base`; `None` while it is frozen.
    running_since: Option<Instant>,
}

impl State {
    fn now(&self) -> Instant {
        match self.running_since {
            Some(since) => self.base + since.elapsed(),
            None => self.base,
        }
    }
}

impl Freeze {
    /// # Panics
    /// If it is to be frozen, and that is not allowed.
    pub(crate) fn new(start: Instant, allowed: bool, frozen: bool) -> Freeze {
        assert!(allowed || !frozen, "{NOT_ALLOWED}");
        if frozen {
            USED.store(true, Ordering::Relaxed);
        }
        let running_since = (!frozen).then_some(start);
        let state = Mutex::new(State { base: start, running_since });
        Freeze { allowed, state, inhibitors: AtomicUsize::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        if is_used() { self.now_slow() } else { Instant::now() }
    }

    #[cold]
    fn now_slow(&self) -> Instant {
        if self.allowed { self.lock().now() } else { Instant::now() }
    }

    #[inline]
    pub(crate) fn is_frozen(&self) -> bool {
        is_used() && self.allowed && self.lock().running_since.is_none()
    }

    pub(crate) fn can_auto_advance(&self) -> bool {
        // Acquire pairs with the Release in `allow_auto_advance`: what the job woke is seen.
        self.is_frozen() && self.inhibitors.load(Ordering::Acquire) == 0
    }

    /// Moves frozen time forward.
    pub(crate) fn move_to(&self, to: Instant) {
        let mut state = self.lock();
        if state.running_since.is_none() {
            state.base = state.base.max(to);
        }
    }

    #[inline]
    pub(crate) fn inhibit_auto_advance(&self) {
        if self.allowed {
            // Relaxed: the count orders nothing when it rises.
            self.inhibitors.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn allow_auto_advance(&self) {
        if self.allowed {
            // Release pairs with `can_auto_advance`'s Acquire.
            self.inhibitors.fetch_sub(1, Ordering::Release);
        }
    }

    pub(crate) fn freeze(&self) -> Result<(), &'static str> {
        if !self.allowed {
            return Err(NOT_ALLOWED);
        }
        let mut state = self.lock();
        if state.running_since.is_none() {
            return Err("time is already frozen");
        }
        state.base = state.now();
        state.running_since = None;
        USED.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn thaw(&self) -> Result<(), &'static str> {
        let mut state = self.lock();
        if state.running_since.is_some() {
            return Err("time is not frozen");
        }
        state.running_since = Some(Instant::now());
        Ok(())
    }

    pub(crate) fn advance(&self, by: Duration) -> Result<(), &'static str> {
        let mut state = self.lock();
        if state.running_since.is_some() {
            return Err("time is not frozen");
        }
        state.base = state.base.checked_add(by).ok_or("the clock cannot be advanced that far")?;
        Ok(())
    }
}

const NOT_ALLOWED: &str = "time can only be paused in a `current_thread` runtime";
