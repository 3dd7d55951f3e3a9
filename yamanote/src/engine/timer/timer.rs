//! One timer as a future holds it: an entry, and the runtime it belongs to.
//!
//! It is bound to the runtime in which it was made, and to a worker's wheel at the first poll that finds
//! its deadline ahead. Until then, and when it was dropped or found due before that, it has touched nothing
//! that is shared.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use super::entry::{self, CLOSED, Entry, FIRED, IDLE};
use super::timers::{Linked, Timers};
use super::{Clock, freeze};
use crate::engine::context::{self, Lease};
use crate::engine::shared::Shared;
use crate::runtime::{RuntimeShutdown, TryCurrentError};

const DISABLED: &str = "A Tokio 1.x context was found, but timers are disabled. Call `enable_time` on \
                        the runtime builder to enable timers.";

pin_project! {
    pub(crate) struct Timer {
        handle: Lease,
        // Whose wheel it was last linked in.
        worker: u16,
        #[pin]
        entry: Entry,
    }

    impl PinnedDrop for Timer {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if entry::is_linked(this.entry.state()) {
                // SAFETY: ours, and linked in the wheel of that worker.
                unsafe { unlink(&this.handle.shared, *this.worker, &this.entry) };
            }
        }
    }
}

/// A worker's timers.
#[inline]
fn timers(shared: &Shared, worker: u16) -> &Timers {
    match &shared.driver(usize::from(worker)).timers {
        Some(timers) => timers,
        None => unreachable!("timers are made only where they are enabled"),
    }
}

/// Takes a timer that is dropped out of its wheel. Apart, so that to drop one that was never polled is a look.
///
/// # Safety
/// `entry` must be in no wheel but that of `worker`.
#[inline(never)]
unsafe fn unlink(shared: &Shared, worker: u16, entry: &Entry) {
    // SAFETY: by contract.
    unsafe { timers(shared, worker).unlink(entry, IDLE) };
}

impl Timer {
    /// A timer of the current runtime.
    ///
    /// # Panics
    /// Outside a runtime, and in one without timers.
    #[track_caller]
    #[inline]
    pub(crate) fn new() -> Timer {
        match context::lease(|handle| handle.shared.config.enable_time) {
            Ok(Some(handle)) => Timer { handle, worker: 0, entry: Entry::new() },
            Ok(None) => panic!("{DISABLED}"),
            Err(error) => panic!("{}", TryCurrentError::from(error)),
        }
    }

    /// What time it is in the runtime it belongs to.
    #[inline]
    pub(crate) fn now(&self) -> Instant {
        self.clock().now()
    }

    /// How long it is going to wait until `deadline`, if it does not wait or has waited for one yet.
    pub(crate) fn will_wait(&self, deadline: Instant) -> Option<Duration> {
        (self.entry.state() == IDLE).then(|| deadline.saturating_duration_since(self.now()))
    }

    fn clock(&self) -> &Clock {
        self.handle.shared.clock()
    }

    /// Whether it was polled or fired after its deadline.
    #[inline]
    pub(crate) fn is_elapsed(&self) -> bool {
        matches!(self.entry.state(), FIRED | CLOSED)
    }

    /// Waits for `deadline`, which is the one of the last poll or reset. `ahead` says that it is known to
    /// lie ahead, or at least did a moment ago: that spares reading the clock.
    ///
    /// # Panics
    /// If its runtime is shut down.
    #[inline]
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        deadline: Instant,
        ahead: bool,
    ) -> Poll<()> {
        match self.entry.state() {
            FIRED | CLOSED => Poll::Ready(()),
            IDLE => self.poll_idle(cx, deadline, ahead),
            _ => self.poll_linked(cx),
        }
    }

    fn poll_idle(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        deadline: Instant,
        ahead: bool,
    ) -> Poll<()> {
        // Where time can be frozen it may also jump, so that "a moment ago" says nothing.
        let ahead = ahead && !freeze::is_used();
        if !ahead && self.now() >= deadline {
            self.entry.set_state(FIRED);
            return Poll::Ready(());
        }
        let this = self.project();
        let (shared, entry) = (&this.handle.shared, this.entry.into_ref());
        let home = shared.home();
        *this.worker = home as u16;
        let tick = shared.clock().deadline_tick(deadline);
        // SAFETY: ours, idle, and pinned: it is unlinked before it is dropped.
        match unsafe { timers(shared, *this.worker).link(&entry, tick, cx.waker()) } {
            Linked::Yes { first } => {
                if first {
                    shared.note_earlier_timer(home, tick);
                }
                Poll::Pending
            }
            Linked::No => {
                if entry.state() == CLOSED {
                    // Not the state of one that was linked when its runtime went away.
                    entry.set_state(IDLE);
                    panic!("{RuntimeShutdown}");
                }
                Poll::Ready(())
            }
        }
    }

    fn poll_linked(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        // SAFETY: ours, and it was linked.
        if unsafe { this.entry.has_waker(cx.waker()) } {
            return Poll::Pending;
        }
        // SAFETY: as above, in the wheel of that worker.
        match unsafe { timers(&this.handle.shared, *this.worker).set_waker(&this.entry, cx.waker()) } {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }

    /// Moves the deadline. If it was polled and has not fired, the task that polled it will be woken at the
    /// new one; else the next poll starts it anew.
    pub(crate) fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        let entry = this.entry.into_ref();
        let state = entry.state();
        if state == IDLE {
            return;
        }
        if !entry::is_linked(state) {
            return entry.set_state(IDLE);
        }
        let shared = &this.handle.shared;
        let tick = shared.clock().deadline_tick(deadline);
        if tick >= state {
            if entry.raise(state, tick).is_err() {
                // Fired meanwhile, and the task is being woken: it will poll again.
                entry.set_state(IDLE);
            }
            return;
        }
        let worker = usize::from(*this.worker);
        // The wheel may not have been looked at for a while.
        let due = shared.clock().now() >= deadline;
        // SAFETY: ours, linked in the wheel of that worker.
        match unsafe { timers(shared, *this.worker).relink(&entry, tick, due) } {
            Linked::Yes { first } => {
                if first {
                    shared.note_earlier_timer(worker, tick);
                }
            }
            // Fired: just now, the new deadline being past, or before at the old one, which was later.
            Linked::No => {}
        }
    }
}

/// The time in the current runtime; the system's outside.
#[inline]
pub(crate) fn now() -> Instant {
    if freeze::is_used() {
        context::with_handle(|handle| handle.shared.clock().now()).unwrap_or_else(|_| Instant::now())
    } else {
        Instant::now()
    }
}
