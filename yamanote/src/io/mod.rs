//! TODO-DOC io

pub(crate) mod interest;
pub(crate) mod ready;
#[cfg(feature = "net")]
pub use interest::Interest;
#[cfg(feature = "net")]
pub use ready::Ready;
