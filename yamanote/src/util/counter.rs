//! A counter that one thread writes and any thread reads.

use std::sync::atomic::Ordering::Relaxed;

/// 64 bits where the platform has them in an atomic; where it has not, it wraps at the word size.
#[cfg(target_has_atomic = "64")]
type Word = std::sync::atomic::AtomicU64;
#[cfg(not(target_has_atomic = "64"))]
type Word = std::sync::atomic::AtomicUsize;

/// Relaxed throughout: the number orders nothing.
#[derive(Debug, Default)]
pub(crate) struct Counter(Word);

impl Counter {
    pub(crate) const fn new() -> Self {
        Counter(Word::new(0))
    }

    /// Adds, for the only writer: a load and a store, not a read-modify-write.
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(n as _), Relaxed);
    }

    #[inline]
    pub(crate) fn set(&self, n: u64) {
        self.0.store(n as _, Relaxed);
    }

    /// Adds, for any number of writers.
    #[inline]
    pub(crate) fn add_shared(&self, n: u64) {
        self.0.fetch_add(n as _, Relaxed);
    }

    #[inline]
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed) as u64
    }
}
