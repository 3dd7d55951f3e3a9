//! What is made once: by one thread, while no other may run.

use crate::simulation::undisturbed;

/// See the standard library's.
#[derive(Debug, Default)]
pub struct OnceLock<T>(::std::sync::OnceLock<T>);

impl<T> OnceLock<T> {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        OnceLock(::std::sync::OnceLock::new())
    }

    /// See the standard library's.
    pub fn get(&self) -> Option<&T> {
        crate::world::point("once");
        self.0.get()
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If it was set before.
    pub fn set(&self, value: T) -> Result<(), T> {
        crate::world::point("once");
        self.0.set(value)
    }

    /// See the standard library's. No other thread runs while `f` does.
    pub fn get_or_init(&self, f: impl FnOnce() -> T) -> &T {
        crate::world::point("once");
        undisturbed(|| self.0.get_or_init(f))
    }

    /// See the standard library's.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.0.get_mut()
    }

    /// See the standard library's.
    pub fn into_inner(self) -> Option<T> {
        self.0.into_inner()
    }
}

/// See the standard library's.
#[derive(Debug)]
pub struct LazyLock<T>(OnceLock<T>, fn() -> T);

impl<T> LazyLock<T> {
    /// Made when it is first looked at.
    #[must_use]
    pub const fn new(make: fn() -> T) -> Self {
        LazyLock(OnceLock::new(), make)
    }
}

impl<T> std::ops::Deref for LazyLock<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get_or_init(self.1)
    }
}

/// See the standard library's.
#[derive(Debug)]
pub struct Once(OnceLock<()>);

impl Once {
    /// Not run yet.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "as the standard library's")]
    pub const fn new() -> Once {
        Once(OnceLock::new())
    }

    /// See the standard library's.
    pub fn call_once(&self, f: impl FnOnce()) {
        self.0.get_or_init(f);
    }
}
