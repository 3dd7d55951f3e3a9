//! A limit to how long a future may take.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::engine::budget;
use crate::time::error::Elapsed;
use crate::time::{Instant, Sleep, sleep_until};

/// Gives a future `duration` to complete.
///
/// If it completes in time its output is returned, else it is dropped and the result is an error. The future is
/// polled before the time is looked at: a future that is ready at once never times out,
/// and one that does not return from its poll in time may still succeed later than `duration`.
///
/// # Cancel safety
/// Dropping the timeout drops the future. Neither does more than that, so to be cancelled is as safe as it
/// is for the future itself. To keep the future when its time is up, pass a pinned reference to it.
///
/// # Panics
/// Outside a runtime, and in a runtime that was built without
/// [`enable_time`](crate::runtime::Builder::enable_time), already when it is called.
///
/// # Errors
/// [`Elapsed`] if the time is up first.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::time::{Duration, timeout};
///
/// let quick = timeout(Duration::from_secs(5), async { "done" }).await;
/// assert_eq!(quick, Ok("done"));
///
/// let never = std::future::pending::<()>();
/// assert!(timeout(Duration::from_millis(5), never).await.is_err());
/// # }
/// ```
#[track_caller]
pub fn timeout<F>(duration: Duration, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    Timeout { value: future.into_future(), delay: Sleep::after(duration) }
}

/// Gives a future until `deadline` to complete.
///
/// As [`timeout`], with a moment instead of a duration: several steps can share one limit.
///
/// # Cancel safety
/// As for [`timeout`].
///
/// # Panics
/// As for [`timeout`].
///
/// # Errors
/// [`Elapsed`] if the deadline comes first.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::time::{Duration, Instant, timeout_at};
///
/// let deadline = Instant::now() + Duration::from_millis(20);
/// assert_eq!(timeout_at(deadline, async { 1 }).await, Ok(1));
/// assert!(timeout_at(deadline, std::future::pending::<()>()).await.is_err());
/// # }
/// ```
#[track_caller]
pub fn timeout_at<F>(deadline: Instant, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    Timeout { value: future.into_future(), delay: sleep_until(deadline) }
}

pin_project! {
    /// The future behind [`timeout`] and [`timeout_at`].
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::{Timeout, timeout};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// /// A future that somebody else gives no more than a second.
    /// fn hurried<F: Future>(future: F) -> Timeout<F> {
    ///     timeout(Duration::from_secs(1), future)
    /// }
    ///
    /// assert_eq!(hurried(async { 1 }).await, Ok(1));
    /// # }
    /// ```
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    #[derive(Debug)]
    pub struct Timeout<T> {
        #[pin]
        value: T,
        #[pin]
        delay: Sleep,
    }
}

impl<T> Timeout<T> {
    /// The future that is given the time.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::timeout;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let limited = timeout(Duration::from_secs(1), std::future::ready(1));
    /// assert_eq!(limited.get_ref().clone().into_inner(), 1);
    /// # }
    /// ```
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The future that is given the time.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::timeout;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut limited = timeout(Duration::from_secs(1), std::future::ready(1));
    /// *limited.get_mut() = std::future::ready(2);
    /// assert_eq!(limited.await, Ok(2));
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// Takes the limit away.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::time::{sleep, timeout};
    ///
    /// # #[yamanote::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let limited = timeout(Duration::from_secs(1), sleep(Duration::from_secs(2)));
    /// limited.into_inner().await; // as long as it takes
    /// # }
    /// ```
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = budget::current().has_remaining();
        if let Poll::Ready(output) = this.value.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let elapsed = if had_budget && !budget::current().has_remaining() {
            // The future spent the task's whole budget. If it does so in every poll, the time would never
            // be looked at, and the limit never take effect.
            budget::with_unconstrained(|| this.delay.poll(cx))
        } else {
            this.delay.poll(cx)
        };
        elapsed.map(|()| Err(Elapsed::new()))
    }
}
