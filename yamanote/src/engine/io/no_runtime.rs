//! Stands in for the runtime where its feature is off: sockets can be named, not made.

use std::convert::Infallible;

use crate::engine::io::IoDriver;

/// See [`crate::runtime::Handle`].
pub(crate) struct Handle {
    pub(crate) shared: Shared,
}

/// Of which there is none.
pub(crate) struct Shared(Infallible);

pub(crate) struct Driver {
    pub(crate) io: IoDriver,
}

impl Handle {
    #[track_caller]
    pub(crate) fn current() -> Handle {
        panic!("there is no reactor running, must be called from the context of a Tokio 1.x runtime")
    }
}

impl Shared {
    pub(crate) fn home(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn is_home(&self, _worker: usize) -> bool {
        match self.0 {}
    }

    pub(crate) fn driver(&self, _worker: usize) -> &Driver {
        match self.0 {}
    }
}
