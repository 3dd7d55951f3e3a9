//! What expanded macros call. Not for direct use.

use std::pin::Pin;
use std::task::{Context, Poll};

pub use std::future::{Future, IntoFuture, poll_fn};
pub use yamanote_macros::{join_impl, select_impl};

use pin_project_lite::pin_project;

pub fn thread_rng_n(n: u32) -> u32 {
    crate::engine::context::thread_rng_n(n)
}

/// Gives a closure its argument, whose type the closure then need not name.
pub fn apply<T, R>(value: T, f: impl FnOnce(T) -> R) -> R {
    f(value)
}

/// Ready while the task's budget lasts; takes nothing from it.
#[inline]
pub fn poll_budget_available(cx: &mut Context<'_>) -> Poll<()> {
    match crate::task::coop::poll_proceed(cx) {
        // The guard gives the unit back.
        Poll::Ready(_guard) => Poll::Ready(()),
        Poll::Pending => Poll::Pending,
    }
}

pin_project! {
    /// A future, then its output, then nothing.
    #[project = MaybeDoneProj]
    #[project_replace = MaybeDoneReplace]
    pub enum MaybeDone<F: Future> {
        Future { #[pin] future: F },
        Done { output: F::Output },
        Gone,
    }
}

pub fn maybe_done<F: IntoFuture>(future: F) -> MaybeDone<F::IntoFuture> {
    MaybeDone::Future { future: future.into_future() }
}

impl<F: Future> MaybeDone<F> {
    pub fn output_mut(self: Pin<&mut Self>) -> Option<&mut F::Output> {
        match self.project() {
            MaybeDoneProj::Done { output } => Some(output),
            _ => None,
        }
    }

    pub fn take_output(self: Pin<&mut Self>) -> Option<F::Output> {
        if !matches!(*self, MaybeDone::Done { .. }) {
            return None;
        }
        match self.project_replace(MaybeDone::Gone) {
            MaybeDoneReplace::Done { output } => Some(output),
            _ => unreachable!("looked just before"),
        }
    }
}

impl<F: Future> Future for MaybeDone<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let output = match self.as_mut().project() {
            MaybeDoneProj::Future { future } => std::task::ready!(future.poll(cx)),
            MaybeDoneProj::Done { .. } => return Poll::Ready(()),
            MaybeDoneProj::Gone => panic!("polled after its output was taken"),
        };
        self.set(MaybeDone::Done { output });
        Poll::Ready(())
    }
}

/// As the method, but what is no result is told so.
pub fn is_err<T, E>(result: &Result<T, E>) -> bool {
    result.is_err()
}

/// The error of a result that is one, as a result of another type.
pub fn error_of<T, U, E>(result: Result<T, E>) -> Result<U, E> {
    match result {
        Err(error) => Err(error),
        Ok(_) => unreachable!("looked just before"),
    }
}
