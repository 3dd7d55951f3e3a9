//! Spans of what tasks wait for, of the operations that wait, and events for their state.

#[cfg(feature = "tracing")]
mod on;
#[cfg(feature = "tracing")]
pub(crate) use on::*;

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(not(feature = "tracing"))]
pub(crate) use off::*;

/// Whether what an operation's inner operations tell of themselves is also told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inherits {
    Yes,
    No,
}
