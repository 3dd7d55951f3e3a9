//! Threads: coroutines on the real thread of the simulation.

#[macro_use]
pub(crate) mod local;

use std::cell::Cell;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

// Scopes are real: for tests that are compiled along, and not simulated.
pub use ::std::thread::{Result, panicking, scope};
pub use local::{AccessError, LocalKey};

use crate::world;

/// See the standard library's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadId(usize);

/// See the standard library's. Outside of a simulation it stands for no thread in particular.
#[derive(Clone)]
pub struct Thread(Option<Rc<world::Thread>>);

// SAFETY: all simulated threads are on one real thread.
unsafe impl Send for Thread {}
// SAFETY: as above.
unsafe impl Sync for Thread {}

impl Thread {
    /// See the standard library's.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        ThreadId(self.0.as_ref().map_or(usize::MAX, |thread| thread.number))
    }

    /// See the standard library's.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.as_ref()?.name.as_deref()
    }

    fn key(&self) -> usize {
        self.0.as_ref().map_or(0, |thread| std::ptr::from_ref(&thread.token).addr())
    }

    /// See the standard library's.
    pub fn unpark(&self) {
        world::point("unpark");
        if let Some(thread) = &self.0 {
            thread.token.set(true);
            world::with(|world| world.notify_one(self.key()));
        }
    }
}

impl std::fmt::Debug for Thread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Thread").field("id", &self.id()).field("name", &self.name()).finish()
    }
}

/// See the standard library's.
#[must_use]
pub fn current() -> Thread {
    Thread(world::with(world::World::running_rc).flatten())
}

fn park_until(until: Option<Duration>) {
    world::point("park");
    let me = current();
    let thread = me.0.as_ref().expect("nobody would unpark it");
    if !thread.token.get() {
        world::with(|world| {
            if world.chooser.is_spurious() {
                return world.relax(0);
            }
            let until = until.map(|until| {
                world.now.get().saturating_add(u64::try_from(until.as_nanos()).unwrap_or(u64::MAX))
            });
            world.block("park", me.key(), until);
        });
    }
    thread.token.set(false);
}

/// See the standard library's.
pub fn park() {
    park_until(None);
}

/// See the standard library's.
pub fn park_timeout(timeout: Duration) {
    park_until(Some(timeout));
}

/// See the standard library's.
pub fn sleep(duration: Duration) {
    let slept = world::with(|world| {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let nowhere = Cell::new(0_u8);
        let key = std::ptr::from_ref(&nowhere).addr();
        world.block("sleep", key, Some(world.now.get().saturating_add(ns)));
    });
    if slept.is_none() {
        ::std::thread::sleep(duration);
    }
}

/// See the standard library's.
pub fn yield_now() {
    world::with(|world| world.relax(100));
}

/// As many as a machine has that is neither the smallest nor a large one.
///
/// # Errors
/// Never.
pub fn available_parallelism() -> io::Result<NonZeroUsize> {
    Ok(NonZeroUsize::MIN.saturating_add(3))
}

/// See the standard library's.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// With default settings.
    #[must_use]
    pub fn new() -> Builder {
        Builder::default()
    }

    /// See the standard library's.
    #[must_use]
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Of no effect: all stacks are the same.
    #[must_use]
    pub fn stack_size(self, _: usize) -> Builder {
        self
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// Where the scenario wants threads to fail.
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        world::point("spawn");
        let result = Rc::new(Cell::new(None));
        let ours = Rc::clone(&result);
        let body = move || ours.set(Some(catch_unwind(AssertUnwindSafe(f))));
        let thread = world::with(|world| {
            if world.refuses_thread() {
                return Err(io::Error::from(io::ErrorKind::WouldBlock));
            }
            Ok(world.spawn(self.name, Box::new(body)))
        });
        let thread = thread.expect("threads are started in a simulation")?;
        world::point("spawned");
        Ok(JoinHandle { thread: Thread(Some(thread)), result })
    }
}

/// See the standard library's.
///
/// # Panics
/// If no thread can be started.
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}

/// See the standard library's.
pub struct JoinHandle<T> {
    thread: Thread,
    result: Rc<Cell<Option<Result<T>>>>,
}

// SAFETY: all simulated threads are on one real thread.
unsafe impl<T> Send for JoinHandle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// See the standard library's.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    fn world_thread(&self) -> &Rc<world::Thread> {
        self.thread.0.as_ref().expect("a thread of a simulation")
    }

    /// See the standard library's.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        world::point("is_finished");
        self.world_thread().is_done()
    }

    /// See the standard library's.
    ///
    /// # Errors
    /// If the thread panicked.
    pub fn join(self) -> Result<T> {
        world::point("join");
        let thread = self.world_thread();
        while !thread.is_done() {
            world::with(|world| world.block("join", Rc::as_ptr(thread).addr(), None));
        }
        self.result.take().expect("a thread that has ended has a result")
    }
}

impl<T> std::fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinHandle").field("thread", &self.thread).finish_non_exhaustive()
    }
}
