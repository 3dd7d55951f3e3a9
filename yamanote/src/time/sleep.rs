//! Waiting for a moment.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::engine::instrument::{self, Sleeping};
use crate::engine::timer::Timer;
use crate::task::coop::poll_proceed;
use crate::time::Instant;

/// Waits until `deadline`.
///
/// The timer has a granularity of a millisecond and never fires early; do not use it for what needs a finer one.
/// A deadline that is past completes at the first poll.
///
/// # Cancel safety
/// Dropping the future cancels the timer. Nothing else happens.
///
/// # Panics
/// Outside a runtime, and in a runtime that was built without
/// [`enable_time`](crate::runtime::Builder::enable_time), already when it is called.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::time::{Duration, Instant, sleep_until};
///
/// let deadline = Instant::now() + Duration::from_millis(10);
/// sleep_until(deadline).await;
/// assert!(Instant::now() >= deadline);
/// # }
/// ```
#[doc(alias = "delay_until")]
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline, start: Start::Unknown, timer: Timer::new(), spans: Sleeping::new() }
}

/// Waits until `duration` has passed.
///
/// As [`sleep_until`] with a deadline counted from the call, not from the first poll. A duration that is too long
/// to be represented waits for some thirty years; one of zero lets other tasks run, as
/// [`yield_now`](crate::task::yield_now) does. For something to be done every so
/// often, see [`interval`](crate::time::interval).
///
/// # Cancel safety
/// Dropping the future cancels the timer. Nothing else happens.
///
/// # Panics
/// Outside a runtime, and in a runtime that was built without
/// [`enable_time`](crate::runtime::Builder::enable_time), already when it is called: `sleep` has to be called
/// inside `async` code, or inside [`Handle::enter`](crate::runtime::Handle::enter).
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::time::{Duration, sleep};
///
/// sleep(Duration::from_millis(10)).await;
/// println!("ten milliseconds later");
/// # }
/// ```
#[doc(alias = "delay_for")]
#[doc(alias = "wait")]
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let mut sleep = Sleep::after(duration);
    if duration.is_zero() {
        sleep.start = Start::Yielding;
    }
    sleep
}

/// What is known of the deadline before the first poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// When it was set, it lay ahead.
    Ahead,
    /// Nothing.
    Unknown,
    /// It is passed, but others run first.
    Yielding,
}

impl Start {
    fn new(is_ahead: bool) -> Start {
        if is_ahead { Start::Ahead } else { Start::Unknown }
    }
}

pin_project! {
    /// The future behind [`sleep`] and [`sleep_until`].
    ///
    /// It does not implement [`Unpin`]: to poll it more than once, as in a loop around [`select!`](crate::select),
    /// pin it with [`pin!`](std::pin::pin) or [`Box::pin`]. [`reset`](Sleep::reset) makes a pinned one wait anew,
    /// which is cheaper than making another.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::pin::pin;
    /// use yamanote::time::{Duration, Instant, sleep};
    ///
    /// let mut idle = pin!(sleep(Duration::from_millis(5)));
    /// for _ in 0..3 {
    ///     idle.as_mut().await;
    ///     assert!(idle.is_elapsed());
    ///     idle.as_mut().reset(Instant::now() + Duration::from_millis(5));
    /// }
    /// # }
    /// ```
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep {
        deadline: Instant,
        start: Start,
        #[pin]
        timer: Timer,
        spans: Sleeping,
    }
}

impl Sleep {
    /// Waits for `duration` from now.
    #[track_caller]
    #[inline]
    pub(crate) fn after(duration: Duration) -> Sleep {
        let timer = Timer::new();
        let deadline = Instant::after(timer.now(), duration);
        Sleep { deadline, start: Start::new(!duration.is_zero()), timer, spans: Sleeping::new() }
    }

    /// The moment it waits for.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use yamanote::time::{Duration, Instant, sleep_until};
    ///
    /// let deadline = Instant::now() + Duration::from_secs(1);
    /// assert_eq!(sleep_until(deadline).deadline(), deadline);
    /// # }
    /// ```
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the deadline has passed *and* the timer has noticed, by firing or by being polled after it.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::pin::pin;
    /// use yamanote::time::{Duration, sleep};
    ///
    /// let mut sleep = pin!(sleep(Duration::from_millis(1)));
    /// assert!(!sleep.is_elapsed());
    /// sleep.as_mut().await;
    /// assert!(sleep.is_elapsed());
    /// # }
    /// ```
    pub fn is_elapsed(&self) -> bool {
        self.timer.is_elapsed()
    }

    /// Waits for another deadline, whether or not the last one has passed.
    ///
    /// A task that has polled the future and waits for it is woken at the new deadline. To move the deadline
    /// back, as one does with a connection's idle timeout, costs a few nanoseconds.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::pin::pin;
    /// use yamanote::time::{Duration, Instant, sleep};
    ///
    /// let mut sleep = pin!(sleep(Duration::from_secs(60)));
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// sleep.as_mut().reset(soon);
    /// sleep.await;
    /// assert!(Instant::now() >= soon);
    /// # }
    /// ```
    pub fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.as_mut().reset_to(deadline, false);
        let this = self.project();
        this.spans.reset(|| deadline.into_std().saturating_duration_since(this.timer.now()));
    }

    /// As `reset`; `ahead` says that the deadline is known to lie ahead.
    pub(crate) fn reset_to(self: Pin<&mut Self>, deadline: Instant, ahead: bool) {
        let this = self.project();
        *this.deadline = deadline;
        *this.start = Start::new(ahead);
        this.timer.reset(deadline.into_std());
    }

    /// The time of the runtime it belongs to.
    pub(crate) fn now(&self) -> std::time::Instant {
        self.timer.now()
    }
}

impl Future for Sleep {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let _spans = this.spans.enter();
        let coop = ready!(instrument::elapsed(poll_proceed(cx)));
        if *this.start == Start::Yielding {
            *this.start = Start::Unknown;
            instrument::yielded(cx.waker());
            return instrument::elapsed(Poll::Pending);
        }
        let deadline = this.deadline.into_std();
        instrument::armed(|| this.timer.will_wait(deadline));
        ready!(instrument::elapsed(this.timer.poll(cx, deadline, *this.start == Start::Ahead)));
        coop.made_progress();
        Poll::Ready(())
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline)
            .field("is_elapsed", &self.is_elapsed())
            .finish()
    }
}
