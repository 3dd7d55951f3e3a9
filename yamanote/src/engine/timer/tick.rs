//! Ticks: the unit of the wheels, one millisecond since the runtime's clock was made.

#[cfg(target_has_atomic = "64")]
pub(super) use crate::loom::sync::atomic::AtomicU64 as AtomicTick;
#[cfg(not(target_has_atomic = "64"))]
pub(super) use locked::AtomicTick;

/// The latest tick a timer may have; what lies above is for marks. Half a billion years.
pub(super) const MAX: u64 = u64::MAX - 8;

/// Where the platform has no 64-bit atomics.
#[cfg(not(target_has_atomic = "64"))]
mod locked {
    use crate::loom::sync::Mutex;
    use crate::loom::sync::atomic::Ordering;

    /// The lock orders more than any of the orderings asked for.
    #[derive(Debug)]
    pub(in crate::engine::timer) struct AtomicTick(Mutex<u64>);

    impl AtomicTick {
        pub(in crate::engine::timer) fn new(tick: u64) -> Self {
            AtomicTick(Mutex::new(tick))
        }

        pub(in crate::engine::timer) fn load(&self, _: Ordering) -> u64 {
            *self.0.lock()
        }

        pub(in crate::engine::timer) fn store(&self, tick: u64, _: Ordering) {
            *self.0.lock() = tick;
        }

        pub(in crate::engine::timer) fn compare_exchange(
            &self,
            current: u64,
            new: u64,
            _: Ordering,
            _: Ordering,
        ) -> Result<u64, u64> {
            let mut tick = self.0.lock();
            if *tick == current {
                *tick = new;
                Ok(current)
            } else {
                Err(*tick)
            }
        }
    }
}
