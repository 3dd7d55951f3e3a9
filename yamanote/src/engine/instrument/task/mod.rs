//! Spans of tasks.

#[cfg(feature = "tracing")]
mod on;
#[cfg(feature = "tracing")]
pub(crate) use on::*;

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(not(feature = "tracing"))]
pub(crate) use off::*;

/// What is done with a task's waker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WakerOperation {
    Clone,
    Wake,
    WakeByRef,
    Drop,
}
