//! Data that belongs to a task.
//!
//! The value lives in the future that [`LocalKey::scope`] makes. While that is polled (or dropped) it is
//! swapped into a thread-local, where [`LocalKey::with`] finds it.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomPinned;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use pin_project_lite::pin_project;

/// A key to a value that each task has for itself, made by [`task_local!`](crate::task_local).
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// yamanote::task_local! {
///     static NUMBER: u32;
/// }
///
/// NUMBER.scope(1, async {
///     assert_eq!(NUMBER.get(), 1);
///     NUMBER.sync_scope(2, || assert_eq!(NUMBER.get(), 2));
///     assert_eq!(NUMBER.get(), 1);
/// }).await;
/// # }
/// ```
pub struct LocalKey<T: 'static> {
    value: &'static thread::LocalKey<RefCell<Option<T>>>,
}

/// Why a value could not be swapped in.
enum ScopeError {
    Borrowed,
    Destroyed,
}

impl ScopeError {
    #[track_caller]
    fn panic(&self) -> ! {
        match self {
            ScopeError::Borrowed => {
                panic!("cannot enter a task-local scope while the task-local storage is borrowed")
            }
            ScopeError::Destroyed => panic!(
                "cannot enter a task-local scope during or after destruction of the underlying thread-local"
            ),
        }
    }
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn __new(value: &'static thread::LocalKey<RefCell<Option<T>>>) -> Self {
        LocalKey { value }
    }

    /// A future that has `value` under this key while `f` is polled, and while it is dropped.
    ///
    /// When the future is done the value is dropped with it, or can be
    /// [taken](TaskLocalFuture::take_value). A future that is spawned does not inherit values; give it a scope.
    ///
    /// # Panics
    /// The future panics if it is polled while a [`with`](LocalKey::with) of the same key is under way.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// yamanote::task_local! {
    ///     static NAME: &'static str;
    /// }
    ///
    /// let outer = NAME.scope("outer", async {
    ///     NAME.scope("inner", async { assert_eq!(NAME.get(), "inner") }).await;
    ///     NAME.get()
    /// });
    /// assert_eq!(outer.await, "outer");
    /// # }
    /// ```
    pub fn scope<F: Future>(&'static self, value: T, f: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture { key: self, slot: Some(value), future: Some(f), _pinned: PhantomPinned }
    }

    /// Runs `f` with `value` under this key.
    ///
    /// # Panics
    /// If a [`with`](LocalKey::with) of the same key is under way, or the thread is ending.
    ///
    /// # Examples
    /// ```
    /// yamanote::task_local! {
    ///     static NAME: &'static str;
    /// }
    ///
    /// let length = NAME.sync_scope("name", || NAME.with(|name| name.len()));
    /// assert_eq!(length, 4);
    /// ```
    #[track_caller]
    pub fn sync_scope<F, R>(&'static self, value: T, f: F) -> R
    where
        F: FnOnce() -> R,
    {
        let mut value = Some(value);
        match self.swapped(&mut value, f) {
            Ok(result) => result,
            Err(error) => error.panic(),
        }
    }

    /// Runs `f` with `slot`'s value swapped in, and swaps it out again, also after a panic.
    fn swapped<R>(&'static self, slot: &mut Option<T>, f: impl FnOnce() -> R) -> Result<R, ScopeError> {
        struct SwapBack<'a, T: 'static> {
            key: &'static LocalKey<T>,
            slot: &'a mut Option<T>,
        }

        impl<T: 'static> Drop for SwapBack<'_, T> {
            fn drop(&mut self) {
                // The thread-local was there a moment ago, and nobody borrows it across this.
                let _ = self.key.value.try_with(|value| mem::swap(self.slot, &mut *value.borrow_mut()));
            }
        }

        self.value
            .try_with(|value| match value.try_borrow_mut() {
                Ok(mut value) => {
                    mem::swap(slot, &mut *value);
                    Ok(())
                }
                Err(_) => Err(ScopeError::Borrowed),
            })
            .unwrap_or(Err(ScopeError::Destroyed))?;
        let _back = SwapBack { key: self, slot };
        Ok(f())
    }

    /// Runs `f` on the value.
    ///
    /// # Panics
    /// Outside a scope.
    ///
    /// # Examples
    /// ```
    /// yamanote::task_local! {
    ///     static NAME: String;
    /// }
    ///
    /// NAME.sync_scope("name".to_owned(), || {
    ///     NAME.with(|name| assert_eq!(name, "name")); // by reference, without a clone
    /// });
    /// ```
    #[track_caller]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        match self.try_with(f) {
            Ok(result) => result,
            Err(_) => panic!("cannot access a task-local storage value without setting it first"),
        }
    }

    /// Runs `f` on the value, if there is one.
    ///
    /// # Errors
    /// Outside a scope.
    ///
    /// # Examples
    /// ```
    /// yamanote::task_local! {
    ///     static NAME: String;
    /// }
    ///
    /// assert!(NAME.try_with(|name| name.len()).is_err()); // outside of any scope
    /// let length = NAME.sync_scope("name".to_owned(), || NAME.try_with(|name| name.len()));
    /// assert_eq!(length, Ok(4));
    /// ```
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        // `f` goes through an option, lest it be dropped under the borrow when there is no value.
        let mut f = Some(f);
        let result = self.value.try_with(|value| {
            let value = value.borrow();
            value.as_ref().map(|value| f.take().map(|f| f(value)))
        });
        match result {
            Ok(Some(Some(result))) => Ok(result),
            _ => Err(AccessError(())),
        }
    }
}

impl<T: Clone + 'static> LocalKey<T> {
    /// A clone of the value.
    ///
    /// # Panics
    /// Outside a scope.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// yamanote::task_local! {
    ///     static NUMBER: u32;
    /// }
    ///
    /// NUMBER.scope(1, async { assert_eq!(NUMBER.get(), 1) }).await;
    /// # }
    /// ```
    #[track_caller]
    pub fn get(&'static self) -> T {
        self.with(T::clone)
    }

    /// A clone of the value, if there is one.
    ///
    /// # Errors
    /// Outside a scope.
    ///
    /// # Examples
    /// ```
    /// yamanote::task_local! {
    ///     static NUMBER: u32;
    /// }
    ///
    /// assert!(NUMBER.try_get().is_err()); // outside of any scope
    /// assert_eq!(NUMBER.sync_scope(1, || NUMBER.try_get()), Ok(1));
    /// ```
    pub fn try_get(&'static self) -> Result<T, AccessError> {
        self.try_with(T::clone)
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("LocalKey { .. }")
    }
}

pin_project! {
    /// A future with a value of its own under a key: from [`LocalKey::scope`].
    pub struct TaskLocalFuture<T, F>
    where
        T: 'static,
    {
        key: &'static LocalKey<T>,
        slot: Option<T>,
        // `None` when it is done: its drop belongs into the scope too.
        #[pin]
        future: Option<F>,
        #[pin]
        _pinned: PhantomPinned,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let mut future = this.future;
            if future.is_some() {
                let result = this.key.swapped(this.slot, || future.as_mut().set(None));
                if result.is_err() {
                    // No scope to be had any more; dropped without.
                    future.set(None);
                }
            }
        }
    }
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    /// Takes the value out; `None` if that has happened. The future then runs without one.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// yamanote::task_local! {
    ///     static KEY: u32;
    /// }
    ///
    /// let mut future = Box::pin(KEY.scope(5, async { KEY.get() + 1 }));
    /// assert_eq!(future.as_mut().await, 6);
    /// assert_eq!(future.as_mut().take_value(), Some(5));
    /// # }
    /// ```
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().slot.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut future = this.future;
        let result = this.key.swapped(this.slot, || {
            let poll = future.as_mut().as_pin_mut()?.poll(cx);
            if poll.is_ready() {
                future.set(None);
            }
            Some(poll)
        });
        match result {
            Ok(Some(poll)) => poll,
            Ok(None) => panic!("`TaskLocalFuture` polled after completion"),
            Err(error) => error.panic(),
        }
    }
}

impl<T: fmt::Debug + 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocalFuture").field("value", &self.slot).finish_non_exhaustive()
    }
}

/// There is no value: the code does not run in the key's scope.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct AccessError(());

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessError").finish()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task-local value not set")
    }
}

impl Error for AccessError {}
