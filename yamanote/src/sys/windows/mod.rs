//! What named pipes and processes need of Windows.

#[cfg(feature = "net")]
pub(crate) mod named_pipe;
#[cfg(feature = "process")]
pub(crate) mod wait;
