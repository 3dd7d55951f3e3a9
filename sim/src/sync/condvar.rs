//! A condition variable. A notification reaches any of those that wait; waits end for no reason at times.

use std::sync::LockResult;
use std::time::Duration;

use super::mutex::MutexGuard;
use crate::world;

/// See the standard library's.
#[derive(Debug, Default)]
pub struct Condvar {
    /// Its address is what threads wait at.
    place: u8,
}

/// See the standard library's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether time ran out.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// With nobody waiting.
    #[must_use]
    pub const fn new() -> Condvar {
        Condvar { place: 0 }
    }

    fn key(&self) -> usize {
        std::ptr::from_ref(&self.place).addr()
    }

    fn wait_until<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Option<Duration>,
    ) -> (LockResult<MutexGuard<'a, T>>, bool) {
        world::point("wait");
        let mutex = guard.mutex;
        guard.unlock();
        std::mem::forget(guard);
        let notified = world::with(|world| {
            if world.chooser.is_spurious() {
                // As if it had waited.
                world.relax(0);
                return true;
            }
            let until = timeout.map(|timeout| {
                let ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
                world.now.get().saturating_add(ns)
            });
            world.block("condvar", self.key(), until)
        });
        let notified = notified.expect("a wait that nobody will end");
        (mutex.lock_now(), !notified)
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If the lock is poisoned.
    pub fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_until(guard, None).0
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If the lock is poisoned.
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut *guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If the lock is poisoned.
    pub fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (guard, timed_out) = self.wait_until(guard, Some(timeout));
        let result = WaitTimeoutResult(timed_out);
        match guard {
            Ok(guard) => Ok((guard, result)),
            Err(poisoned) => Err(std::sync::PoisonError::new((poisoned.into_inner(), result))),
        }
    }

    /// See the standard library's.
    pub fn notify_one(&self) {
        world::point("notify_one");
        world::with(|world| world.notify_one(self.key()));
    }

    /// See the standard library's.
    pub fn notify_all(&self) {
        world::point("notify_all");
        world::with(|world| world.notify_all(self.key()));
    }
}
