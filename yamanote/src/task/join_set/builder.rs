//! Tasks with options, in a set.

use std::fmt;
use std::future::Future;
use std::io;

use crate::runtime::Handle;
use crate::task::{self, AbortHandle, JoinSet, LocalSet};

/// Spawns a task with options into a [`JoinSet`]. Made by [`JoinSet::build_task`].
///
/// See [`task::Builder`] for what the options mean.
#[must_use = "builders do nothing unless used to spawn a task"]
pub struct Builder<'a, T> {
    set: &'a mut JoinSet<T>,
    builder: task::Builder<'a>,
}

impl<'a, T: 'static> Builder<'a, T> {
    pub(super) fn new(set: &'a mut JoinSet<T>) -> Self {
        Builder { set, builder: task::Builder::new() }
    }

    /// Names the task.
    pub fn name(self, name: &'a str) -> Self {
        Builder { builder: self.builder.name(name), ..self }
    }

    /// Spawns a task on the current runtime; see [`JoinSet::spawn`].
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Errors
    /// None so far.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let handle = self.builder.spawn(future)?;
        Ok(self.set.insert(handle))
    }

    /// Spawns a task on the given runtime; see [`JoinSet::spawn_on`].
    ///
    /// # Errors
    /// None so far.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let handle = self.builder.spawn_on(future, handle)?;
        Ok(self.set.insert(handle))
    }

    /// Runs a closure that blocks on a thread made for that; see [`JoinSet::spawn_blocking`].
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Errors
    /// If no thread can be had.
    #[track_caller]
    pub fn spawn_blocking<F>(self, f: F) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let handle = self.builder.spawn_blocking(f)?;
        Ok(self.set.insert(handle))
    }

    /// Runs a closure that blocks on a thread of the given runtime; see [`JoinSet::spawn_blocking_on`].
    ///
    /// # Errors
    /// If no thread can be had.
    #[track_caller]
    pub fn spawn_blocking_on<F>(self, f: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let handle = self.builder.spawn_blocking_on(f, handle)?;
        Ok(self.set.insert(handle))
    }

    /// Spawns a task that need not be `Send`; see [`JoinSet::spawn_local`].
    ///
    /// # Panics
    /// Outside a [`LocalSet`] and a [`LocalRuntime`](crate::runtime::LocalRuntime).
    ///
    /// # Errors
    /// None so far.
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        let handle = self.builder.spawn_local(future)?;
        Ok(self.set.insert(handle))
    }

    /// Spawns a task on the given set; see [`JoinSet::spawn_local_on`].
    ///
    /// # Errors
    /// None so far.
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        let handle = self.builder.spawn_local_on(future, local_set)?;
        Ok(self.set.insert(handle))
    }
}

impl<T> fmt::Debug for Builder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("join_set::Builder")
            .field("join_set", &self.set)
            .field("builder", &self.builder)
            .finish()
    }
}
