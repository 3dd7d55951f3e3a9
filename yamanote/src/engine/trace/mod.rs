//! Tracing polls: where in its code a suspended future waits.
//!
//! While a thread traces, every leaf operation, instead of being tried, tells the tracer that it was reached, wakes the
//! task, so that nothing is missed, and is pending. The stack at that moment is the chain of futures that wait for
//! each other.

#[cfg(feature = "taskdump")]
mod on;
#[cfg(feature = "taskdump")]
pub(crate) use on::*;

#[cfg(not(feature = "taskdump"))]
mod off;
#[cfg(not(feature = "taskdump"))]
pub(crate) use off::*;

#[cfg(feature = "taskdump")]
mod dumper;
#[cfg(feature = "taskdump")]
pub(crate) use dumper::Dumper;
