//! A worker's I/O driver: the poller, or a condition variable when the runtime was built without I/O.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::io::PollerConfig;
use crate::engine::io::condvar::CondvarPark;
use crate::engine::io::place::{Place, Waits};
use crate::engine::io::poller::Poller;
use crate::engine::io::ring;
use crate::engine::io::source::Source;
use crate::engine::shared::Shared;

/// One per worker. Its owner waits in it; other workers may look in with [`try_turn`](Self::try_turn).
#[derive(Debug)]
pub(crate) struct IoDriver {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Disabled(CondvarPark),
    Enabled {
        place: Place<Poller>,
        /// Of those at the poller, this one counts for it.
        first: bool,
    },
}

impl IoDriver {
    /// The driver of worker `worker`, or one that only waits. It shares
    /// the poller of `neighbour`, if there is one.
    pub(crate) fn new(
        enabled: bool,
        worker: usize,
        config: PollerConfig,
        neighbour: Option<&IoDriver>,
    ) -> IoDriver {
        if !enabled {
            return IoDriver { kind: Kind::Disabled(CondvarPark::new()) };
        }
        let shared = neighbour.and_then(|neighbour| match &neighbour.kind {
            Kind::Enabled { place, .. } => Some(Arc::clone(place.poller())),
            Kind::Disabled(_) => None,
        });
        let first = shared.is_none();
        let poller = shared.unwrap_or_else(|| Arc::new(Poller::new(config)));
        IoDriver { kind: Kind::Enabled { place: Place::new(worker, poller), first } }
    }

    fn poller(&self) -> Option<&Poller> {
        match &self.kind {
            Kind::Enabled { place, .. } => Some(place.poller()),
            Kind::Disabled(_) => None,
        }
    }

    /// What is counted for the poller, where this driver is the one that tells.
    fn counted(&self, count: impl FnOnce(&Poller) -> u64) -> u64 {
        match &self.kind {
            Kind::Enabled { place, first: true } => count(place.poller()),
            _ => 0,
        }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.poller().is_some()
    }

    /// Waits for events (for ever without a timeout), dispatches them and wakes the tasks that waited for
    /// them; tells how many there were. For the owner. Returns early, possibly with 0, for an
    /// [`unpark`](Self::unpark), a signal, or no reason.
    pub(crate) fn turn(&self, timeout: Option<Duration>, max_events: usize) -> usize {
        if timeout == Some(Duration::ZERO) {
            return self.try_turn(max_events).unwrap_or(0);
        }
        match &self.kind {
            Kind::Enabled { place, .. } => {
                let poller = place.poller();
                let before = poller.turn_ring();
                // What is done there is not waited on top of.
                let timeout = if before > 0 { Some(Duration::ZERO) } else { poller.timeout(timeout) };
                before + place.wait(timeout, max_events) + poller.turn_ring()
            }
            Kind::Disabled(park) => {
                park.wait(timeout);
                0
            }
        }
    }

    /// Dispatches the events that are there, on behalf of the owner; `None` when somebody else is at it.
    pub(crate) fn try_turn(&self, max_events: usize) -> Option<usize> {
        match self.poller() {
            Some(poller) => {
                let before = poller.turn_ring();
                let count = poller.try_turn(max_events);
                let done = before + poller.turn_ring();
                if count.is_none() && done == 0 { None } else { Some(count.unwrap_or(0) + done) }
            }
            None => Some(0),
        }
    }

    /// If nobody waits for events, and the owner dozes, it shall.
    pub(crate) fn call_to_lead(&self) {
        if let Kind::Enabled { place, .. } = &self.kind {
            place.call_to_lead();
        }
    }

    /// For the owner: what ended its last wait was not worth looking for, see [`Doze`].
    pub(crate) fn regret_look(&self) {
        if let Kind::Enabled { place, .. } = &self.kind {
            place.regret_look();
        }
    }

    /// Makes the owner's turn return, or its next one that may wait.
    pub(crate) fn unpark(&self) {
        match &self.kind {
            Kind::Enabled { place, .. } => place.unpark(),
            Kind::Disabled(park) => park.unpark(),
        }
    }

    /// Wakes everybody who waits for I/O here; all operations that would wait fail from now on.
    pub(crate) fn shutdown(&self) {
        if let Some(poller) = self.poller() {
            poller.shutdown();
        }
    }

    /// All drivers are shut down: sees to what the system has not finished.
    pub(crate) fn finish(shared: &Arc<Shared>) {
        ring::finish(shared);
    }

    /// Whether a turn without waiting could bring an event.
    pub(crate) fn has_sources(&self) -> bool {
        self.poller().is_some_and(Waits::has_sources)
    }

    /// Whether an event waits to be taken, where this driver is the one that tells.
    #[cfg(all(test, yamanote_sim))]
    pub(crate) fn has_events(&self) -> bool {
        matches!(&self.kind, Kind::Enabled { place, first: true } if place.poller().has_events())
    }

    pub(crate) fn is_shutdown(&self) -> bool {
        self.poller().is_some_and(Poller::is_shutdown)
    }

    /// The ring for operations on files, made if there is none yet. `None` where there cannot be one.
    #[cfg(all(feature = "fs", feature = "io-uring"))]
    pub(crate) fn ring(&self) -> Option<&Arc<super::ring::Ring>> {
        match &self.kind {
            Kind::Enabled { place, .. } => place.poller().make_ring(|| place.note_source()),
            Kind::Disabled(_) => None,
        }
    }

    /// The ring, if operations are under way that have to be waited for.
    #[cfg(all(feature = "fs", feature = "io-uring"))]
    pub(crate) fn unfinished_ring(&self) -> Option<Arc<super::ring::Ring>> {
        match &self.kind {
            Kind::Enabled { place, first: true } => place.poller().ring().unfinished(),
            _ => None,
        }
    }

    /// Operations on files that went through the ring.
    #[cfg(all(feature = "fs", feature = "io-uring"))]
    pub(crate) fn ring_count(&self) -> u64 {
        self.counted(|poller| poller.ring().started())
    }

    /// Starts to report events to `source`. `attach` makes the system call.
    pub(crate) fn register(
        &self,
        source: &Arc<Source>,
        attach: impl FnOnce(&mio::Registry, mio::Token) -> io::Result<()>,
    ) -> io::Result<()> {
        match &self.kind {
            Kind::Enabled { place, .. } => {
                place.poller().register(source, attach)?;
                place.note_source();
                Ok(())
            }
            Kind::Disabled(_) => Err(io::Error::other(super::DISABLED)),
        }
    }

    /// Has `attach` tell the system something more of a source that is registered.
    pub(crate) fn again(
        &self,
        source: &Arc<Source>,
        attach: impl FnOnce(&mio::Registry, mio::Token) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.poller() {
            Some(poller) => poller.again(source, attach),
            None => Ok(()),
        }
    }

    /// Stops reporting events to `source`. `detach` makes the system call.
    pub(crate) fn deregister(
        &self,
        source: &Arc<Source>,
        detach: impl FnOnce(&mio::Registry) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.poller() {
            Some(poller) => poller.deregister(source, detach),
            None => Ok(()),
        }
    }

    /// File descriptors that began to be watched here (moves between workers do not count).
    pub(crate) fn fd_registered_count(&self) -> u64 {
        self.counted(|poller| poller.metrics.registered())
    }

    /// File descriptors that ceased to be watched here.
    pub(crate) fn fd_deregistered_count(&self) -> u64 {
        self.counted(|poller| poller.metrics.deregistered())
    }

    /// Events dispatched.
    pub(crate) fn ready_count(&self) -> u64 {
        self.counted(|poller| poller.metrics.ready())
    }

    pub(crate) fn count_registered(&self) {
        if let Some(poller) = self.poller() {
            poller.metrics.count_registered();
        }
    }

    pub(crate) fn count_deregistered(&self) {
        if let Some(poller) = self.poller() {
            poller.metrics.count_deregistered();
        }
    }
}
