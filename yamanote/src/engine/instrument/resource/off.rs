//! Nobody is told. What each is for, the other twin says.

use std::marker::PhantomData;
use std::task::Poll;

use super::Inherits;

#[derive(Clone, Debug, Default)]
pub(crate) struct Resource;

impl Resource {
    #[inline(always)]
    pub(crate) const fn none() -> Resource {
        Resource
    }

    #[inline(always)]
    pub(crate) fn mutex<R>(make: impl FnOnce() -> R) -> (Resource, R) {
        (Resource, make())
    }

    #[inline(always)]
    pub(crate) fn rwlock<R>(_: u32, make: impl FnOnce() -> R) -> (Resource, R) {
        (Resource, make())
    }

    #[inline(always)]
    pub(crate) fn semaphore<R>(make: impl FnOnce() -> R) -> (Resource, R) {
        (Resource, make())
    }

    #[inline(always)]
    pub(crate) fn permits(_: usize) -> Resource {
        Resource
    }

    #[inline(always)]
    pub(crate) fn barrier(_: usize) -> Resource {
        Resource
    }

    #[inline(always)]
    pub(crate) fn oneshot() -> Resource {
        Resource
    }

    #[inline(always)]
    pub(crate) fn interval() -> Resource {
        Resource
    }

    #[inline(always)]
    pub(crate) fn as_ref(&self) -> ResourceRef<'_> {
        ResourceRef(PhantomData)
    }

    #[inline(always)]
    pub(crate) fn released(&self, _: usize) {}

    #[inline(always)]
    pub(crate) fn sent(&self) {}

    #[inline(always)]
    pub(crate) fn received(&self) {}

    #[inline(always)]
    pub(crate) fn sender_gone(&self) {}

    #[inline(always)]
    pub(crate) fn receiver_gone(&self) {}

    #[inline(always)]
    pub(crate) fn operation<F>(
        &self,
        _: &'static str,
        _: &'static str,
        _: Inherits,
        make: impl FnOnce() -> F,
    ) -> F {
        make()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct ResourceRef<'a>(PhantomData<&'a Resource>);

impl ResourceRef<'_> {
    #[inline(always)]
    pub(crate) fn locked(self, _: bool) {}

    #[inline(always)]
    pub(crate) fn entered(self, _: Role) {}

    #[inline(always)]
    pub(crate) fn left(self, _: Role) {}
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Role;

impl Role {
    pub(crate) const READER: Role = Role;
    pub(crate) const WRITER: Role = Role;
}

#[inline(always)]
pub(crate) fn arrived(_: bool) {}

#[derive(Clone, Debug)]
pub(crate) struct Receiving;

impl Receiving {
    #[inline(always)]
    pub(crate) fn new(_: &Resource) -> Receiving {
        Receiving
    }

    #[inline(always)]
    pub(crate) fn poll<T>(&self, _: &Resource, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        poll()
    }
}
