//! The stack of a worker that is stuck, for those who report it.

#[cfg(feature = "taskdump")]
mod on;
#[cfg(feature = "taskdump")]
pub(crate) use on::*;

#[cfg(not(feature = "taskdump"))]
mod off;
#[cfg(not(feature = "taskdump"))]
pub(crate) use off::*;
