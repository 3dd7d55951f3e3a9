//! Macros, public and internal.

#[cfg(feature = "macros")]
mod join;
#[cfg(feature = "macros")]
mod select;

#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod support;

mod pin;
#[cfg(feature = "rt")]
mod task_local;
