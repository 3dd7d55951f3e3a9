//! Nobody is told. What each is for, the other twin says.

use std::task::Poll;

use crate::engine::instrument::Resource;

#[derive(Clone, Debug)]
pub(crate) struct Acquiring;

impl Acquiring {
    #[inline(always)]
    pub(crate) fn new(_: &Resource, _: usize) -> Acquiring {
        Acquiring
    }

    #[inline(always)]
    pub(crate) fn poll<E>(
        &self,
        _: &Resource,
        poll: impl FnOnce() -> Poll<Result<(), E>>,
        _: impl FnOnce(),
    ) -> Poll<Result<(), E>> {
        poll()
    }

    #[inline(always)]
    pub(crate) fn took_all(&self, _: &Resource, _: usize, _: impl FnOnce()) {}

    #[inline(always)]
    pub(crate) fn took_some(&self, _: &Resource, _: usize) {}
}

pub(crate) struct Assigned;

impl Assigned {
    #[inline(always)]
    pub(crate) fn new() -> Assigned {
        Assigned
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, _: &Acquiring, _: usize) {}

    #[inline(always)]
    pub(crate) fn tell(&mut self) {}
}
