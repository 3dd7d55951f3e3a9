//! What is known of a task before it exists.

use std::panic::Location;

use super::id::Id;

/// Who a new task is, and where in the program it was spawned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) id: Id,
    /// As given to `task::Builder`.
    pub(crate) name: Option<&'a str>,
    pub(crate) location: &'static Location<'static>,
}

impl Origin<'static> {
    /// A new task of the caller's, without a name.
    #[inline]
    #[track_caller]
    pub(crate) fn here() -> Self {
        Origin { id: Id::next(), name: None, location: Location::caller() }
    }
}

impl Origin<'_> {
    #[inline]
    pub(crate) fn named(self, name: Option<&str>) -> Origin<'_> {
        Origin { name, ..self }
    }
}
