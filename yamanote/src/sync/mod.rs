//! Synchronisation between tasks.
pub(crate) mod batch_semaphore;
