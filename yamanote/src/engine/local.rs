//! The scheduler behind `LocalSet`: tasks that stay on the thread that made the set.
//!
//! A set is no runtime: it is driven as part of some other future, which polls it. One poll is
//! [`LocalShared::begin`] (leave the waker, take what came from other threads), then whatever is to run
//! beside the tasks, then [`LocalShared::run_some`].
//!
//! # Who may touch what
//! * `local`: the thread that made the set (the *owner*), for a few instructions that call nothing foreign.
//! * `remote`: everybody, under its lock. A wake-up on another thread queues the task there.
//! * `live`: the owner; its lock is there because the live set is shared with runtimes that need it.
//!
//! # No wake-up is lost
//! While the set is being polled (`serving`) a wake-up on the owner's thread only queues: the poll ends with a
//! look at the queue, and with a wake-up of the set's own waker if something is left. Any other wake-up
//! takes the waker that `begin` left and wakes it. A remote one does so only if it found the remote queue empty:
//! otherwise the one that did not has woken, and the poll that follows takes the whole queue. `begin` looks into the
//! remote queue in the same critical section in which it leaves the waker, so a task is either taken there
//! or its waking side finds the waker.

use std::cell::RefCell;
use std::future::Future;
use std::sync::{Arc, OnceLock, Weak};
use std::task::Waker;

use crate::engine::observe::recorder::Cause;
use crate::engine::observe::tasks;
use crate::engine::queue::{Chain, Raw};
use crate::engine::shared::Shared;
use crate::engine::task::live::LiveSet;
use crate::engine::task::{self, JoinHandle, Origin, Schedule, TaskRef};
use crate::engine::{budget, context, instrument};
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::Mutex;
use crate::loom::thread_tag::{self, Tag};
use crate::runtime::{TaskKind, UnhandledPanic};

type Runnable = task::Runnable<Arc<LocalShared>>;

/// Tasks run in one poll of the set. Upstream's number: enough that the surrounding poll costs little, few enough that
/// what runs beside the set is not kept waiting.
const TASKS_PER_POLL: usize = 61;

pub(crate) struct LocalShared {
    pub(crate) id: crate::runtime::Id,
    pub(crate) unhandled_panic: UnhandledPanic,
    owner: Tag,
    live: LiveSet<Arc<LocalShared>>,
    /// The runtime that lists this set's tasks: the first that lists its own and in which the set is used.
    lister: OnceLock<Weak<Shared>>,
    local: UnsafeCell<Local>,
    remote: Mutex<Remote>,
}

struct Local {
    queue: Chain,
    /// Tasks that have not ended.
    alive: usize,
    /// A poll is under way that will look at the queue before it ends.
    serving: bool,
    /// The set is gone: what is woken now is dropped.
    closed: bool,
    /// A task panicked, and the set is to stop at that.
    panicked: bool,
}

impl Local {
    /// Queues a task if a poll is under way that will come to it.
    fn serve(&mut self, task: Raw) -> bool {
        let serves = self.serving && !self.closed;
        if serves {
            self.queue.push(task);
        }
        serves
    }
}

struct Remote {
    queue: Chain,
    /// Of the future that polls the set; gone when it was woken since.
    waker: Option<Waker>,
    closed: bool,
}

// SAFETY: `local` and `live` are only touched on the owner's thread, which `schedule` checks and the other methods'
// callers owe; `remote` is behind a lock. By the time another thread can drop the last reference the set is
// closed, and both are empty.
unsafe impl Send for LocalShared {}
// SAFETY: as above.
unsafe impl Sync for LocalShared {}

impl LocalShared {
    pub(crate) fn new() -> LocalShared {
        LocalShared {
            id: crate::runtime::Id::next(),
            unhandled_panic: UnhandledPanic::Ignore,
            owner: thread_tag::current(),
            live: LiveSet::new(1),
            lister: OnceLock::new(),
            local: UnsafeCell::new(Local {
                queue: Chain::default(),
                alive: 0,
                serving: false,
                closed: false,
                panicked: false,
            }),
            remote: Mutex::new(Remote { queue: Chain::default(), waker: None, closed: false }),
        }
    }

    /// # Safety
    /// Only on the owner's thread. `f` must not call back into the set.
    unsafe fn local<R>(&self, f: impl FnOnce(&mut Local) -> R) -> R {
        debug_assert!(self.owner == thread_tag::current());
        // SAFETY: one thread, and no reference lives longer than the call, which does not nest.
        self.local.with_mut(|local| f(unsafe { &mut *local }))
    }

    /// Makes a task of the set.
    ///
    /// # Safety
    /// Only on the owner's thread.
    pub(crate) unsafe fn spawn<F>(
        self: &Arc<Self>,
        future: F,
        origin: Origin<'_>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let (future, span) = instrument::task("local", &origin, future);
        let (runnable, join) =
            task::new_task(future, Arc::clone(self), origin.id, origin.location, span);
        // SAFETY: the owner's thread, by contract.
        unsafe { self.local(|local| local.alive += 1) };
        if let Some(runtime) = self.find_lister() {
            runtime.observer.tasks.insert(&origin, TaskKind::Local);
        }
        self.schedule_here(runnable.into_raw());
        join
    }

    /// The runtime that lists the set's tasks. On the owner's thread the present one becomes that, if it lists any.
    #[inline]
    fn find_lister(&self) -> Option<Arc<Shared>> {
        if !tasks::is_wanted() {
            return None;
        }
        if self.lister.get().is_none() {
            let lists = |shared: &Arc<Shared>| shared.observer.tasks.keeps_all();
            let here = context::with_handle(|handle| {
                lists(&handle.shared).then(|| Arc::downgrade(&handle.shared))
            });
            if let Ok(Some(runtime)) = here {
                let _ = self.lister.set(runtime);
            }
        }
        self.lister()
    }

    fn lister(&self) -> Option<Arc<Shared>> {
        if !tasks::is_wanted() {
            return None;
        }
        self.lister.get()?.upgrade()
    }

    /// Begins a poll: leaves the waker and takes what other threads have woken.
    ///
    /// # Safety
    /// Only on the owner's thread.
    pub(crate) unsafe fn begin(&self, waker: &Waker) -> Serving<'_> {
        if !self.take_remote(|present| present.as_ref().is_some_and(|w| w.will_wake(waker))) {
            // Cloned and dropped outside the lock: both are foreign code.
            let mut waker = Some(waker.clone());
            self.take_remote(|present| {
                std::mem::swap(present, &mut waker);
                true
            });
        }
        // SAFETY: the owner's thread, by contract.
        let before = unsafe { self.local(|local| std::mem::replace(&mut local.serving, true)) };
        Serving { set: self, before }
    }

    /// Moves the remote queue behind the local one, with a look at the waker in the same critical section.
    fn take_remote(&self, waker: impl FnOnce(&mut Option<Waker>) -> bool) -> bool {
        let (chain, result) = {
            let mut remote = self.remote.lock();
            (std::mem::take(&mut remote.queue), waker(&mut remote.waker))
        };
        // SAFETY: called by `begin` only, so on the owner's thread.
        unsafe { self.local(|local| local.queue.append(chain)) };
        result
    }

    /// Runs queued tasks, within reason. `true`: some are left, and the set wants to be polled again.
    ///
    /// # Panics
    /// If a task panicked and the set is to stop at that.
    ///
    /// # Safety
    /// Only on the owner's thread, while being served.
    pub(crate) unsafe fn run_some(&self) -> bool {
        let lister = self.find_lister();
        for _ in 0..TASKS_PER_POLL {
            // SAFETY: the owner's thread, by contract.
            let (task, panicked) = unsafe { self.local(|local| (local.queue.pop(), local.panicked)) };
            if panicked {
                if let Some(task) = task {
                    cancel(task);
                }
                panic!(
                    "a spawned task panicked and the LocalSet is configured to shutdown on unhandled panic"
                );
            }
            let Some(task) = task else { return false };
            // SAFETY: the queue carries reference units that `Runnable::into_raw` gave.
            let task = unsafe { Runnable::from_raw(task) };
            match &lister {
                None => budget::with_budget(|| task.run()),
                Some(runtime) => {
                    let (tasks, meta) = (&runtime.observer.tasks, task.meta());
                    let poll = tasks.note_local_poll(meta.id(), meta.spawned_at());
                    budget::with_budget(|| task.run());
                    tasks.note_polled(meta.id(), poll);
                }
            }
        }
        true
    }

    /// Whether all tasks have ended.
    ///
    /// # Safety
    /// Only on the owner's thread.
    pub(crate) unsafe fn is_empty(&self) -> bool {
        // SAFETY: the owner's thread, by contract.
        unsafe { self.local(|local| local.alive == 0) }
    }

    /// Cancels all tasks, and those to come.
    ///
    /// # Safety
    /// Only on the owner's thread.
    pub(crate) unsafe fn close(&self) {
        // Those that were suspended; what they wake from their drops is queued.
        self.live.close_and_shutdown_all(0);
        let (chain, waker) = {
            let mut remote = self.remote.lock();
            remote.closed = true;
            (std::mem::take(&mut remote.queue), remote.waker.take())
        };
        drop(waker);
        // SAFETY: the owner's thread, by contract.
        unsafe {
            self.local(|local| {
                local.closed = true;
                local.queue.append(chain);
            });
            // Those that were never polled, and references to those that are gone. One by one: a future's drop may
            // come back here, and finds the set closed.
            while let Some(task) = self.local(|local| local.queue.pop()) {
                cancel(task);
            }
        }
    }

    /// Wakes whoever polls the set.
    fn wake(&self) {
        let waker = self.remote.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn schedule_here(&self, task: Raw) {
        // SAFETY: `spawn`'s caller says, or `schedule` found, that this is the owner's thread.
        let (refused, wake) = unsafe {
            self.local(|local| {
                if local.closed {
                    return (true, false);
                }
                local.queue.push(task);
                (false, !local.serving)
            })
        };
        if refused {
            cancel(task);
        } else if wake {
            self.wake();
        }
    }

    fn schedule_remote(&self, task: Raw) {
        let waker = {
            let mut remote = self.remote.lock();
            if remote.closed {
                drop(remote);
                // Only a suspended task has a waker, and closing has ended those, on their own thread: what is left is
                // a reference.
                // SAFETY: the unit that `schedule` was given.
                return drop(unsafe { Runnable::from_raw(task) });
            }
            let first = remote.queue.is_empty();
            remote.queue.push(task);
            if first { remote.waker.take() } else { None }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Only on the owner's thread.
fn cancel(task: Raw) {
    // SAFETY: the queues carry reference units that `Runnable::into_raw` gave, each once.
    unsafe { Runnable::from_raw(task) }.shutdown();
}

impl Schedule for Arc<LocalShared> {
    unsafe fn schedule(this: *const Self, task: Runnable) {
        // SAFETY: good until the task is queued.
        let set = unsafe { &*this };
        if let Some(runtime) = set.lister() {
            let cause = crate::task::try_id().map(Cause::Task);
            let cause = cause.or_else(|| context::with_any_worker(|worker| worker.cause().cause()));
            runtime.observer.tasks.note_woken(task.meta().id(), cause.unwrap_or(Cause::Outside));
        }
        let task = task.into_raw();
        let here = set.owner == thread_tag::current();
        // SAFETY: only used on the owner's thread. Nothing follows the push.
        if here && unsafe { set.local(|local| local.serve(task)) } {
            return;
        }
        // From here on the set must outlive the push, after which the task may be run or dropped.
        let set = Arc::clone(set);
        if here {
            set.schedule_here(task);
        } else {
            set.schedule_remote(task);
        }
    }

    fn bind(&self, task: TaskRef<Self>) -> Result<(), TaskRef<Self>> {
        self.live.bind(task, 0)
    }

    fn release(&self, task: &TaskRef<Self>) -> bool {
        // SAFETY: a task ends where it is polled or where the set is closed, both on the owner's thread.
        unsafe { self.local(|local| local.alive -= 1) };
        if let Some(runtime) = self.lister() {
            runtime.observer.note_ended(task.header().id());
        }
        self.live.remove(task)
    }

    fn unhandled_panic(&self) {
        match self.unhandled_panic {
            // SAFETY: a task of the set panicked, so this is the thread it runs on.
            UnhandledPanic::ShutdownRuntime => unsafe {
                self.local(|local| local.panicked = true);
                self.close();
            },
            UnhandledPanic::Ignore => {}
        }
    }
}

/// A poll of the set is under way, until dropped.
pub(crate) struct Serving<'a> {
    set: &'a LocalShared,
    /// Polls may nest, when one future polls the set twice or a task of the set polls it.
    before: bool,
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `begin` on the owner's thread, and not `Send` since `LocalSet`'s futures are not.
        unsafe { self.set.local(|local| local.serving = self.before) };
    }
}

thread_local! {
    /// The set that `spawn_local` spawns on.
    static CURRENT: RefCell<Option<Arc<LocalShared>>> = const { RefCell::new(None) };
}

/// Makes a set the current one until dropped.
pub(crate) struct EnterGuard {
    previous: Option<Arc<LocalShared>>,
    _not_send: std::marker::PhantomData<*const ()>,
}

/// Makes `set` the one that `spawn_local` spawns on.
///
/// While the thread's own data is being destroyed this does nothing.
pub(crate) fn enter(set: &Arc<LocalShared>) -> EnterGuard {
    let previous =
        CURRENT.try_with(|current| current.borrow_mut().replace(Arc::clone(set))).unwrap_or_default();
    EnterGuard { previous, _not_send: std::marker::PhantomData }
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        let previous = self.previous.take();
        // Dropped with the cell free again.
        drop(CURRENT.try_with(|current| std::mem::replace(&mut *current.borrow_mut(), previous)));
    }
}

/// The set that `spawn_local` spawns on.
fn current() -> Option<Arc<LocalShared>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Spawns on the current set or else on the current `LocalRuntime`.
///
/// # Panics
/// If there is neither; if the runtime belongs to another thread.
#[track_caller]
pub(crate) fn spawn<F>(future: F, origin: Origin<'_>) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    if let Some(set) = current() {
        // SAFETY: a set is entered on its owner's thread only, since `LocalSet` does not leave it.
        return unsafe { set.spawn(future, origin) };
    }
    let shared = context::with_handle(|handle| Arc::clone(&handle.shared));
    let owner = shared.as_ref().ok().and_then(|shared| shared.config.local_to);
    let (Ok(shared), Some(owner)) = (shared, owner) else {
        panic!("`spawn_local` called from outside of a `task::LocalSet` or `runtime::LocalRuntime`");
    };
    assert!(
        owner == std::thread::current().id(),
        "Local tasks can only be spawned on a LocalRuntime from the thread the runtime was created on"
    );
    // SAFETY: a `LocalRuntime` is driven and dropped on its thread, which is this one.
    unsafe { crate::engine::spawn::spawn_unchecked(shared, future, origin) }
}

#[cfg(all(test, loom))]
mod models {
    use std::pin::{Pin, pin};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::task::{Context, Poll, Wake};

    use super::*;
    use crate::loom::sync::atomic::{AtomicBool, Ordering};
    use crate::loom::thread;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    /// Pending until the flag is set; shows its waker to whoever sets it.
    struct Flag {
        set: crate::loom::sync::Arc<AtomicBool>,
        waker: Arc<std::sync::Mutex<Option<Waker>>>,
    }

    impl Future for Flag {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            *self.waker.lock().unwrap() = Some(cx.waker().clone());
            // Relaxed on purpose: the wake-up orders it.
            if self.set.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
        }
    }

    /// Polls the set once, as `LocalSet`'s future does; whether it wants to be polled again at once.
    fn poll_set(set: &LocalShared, waker: &Waker) -> bool {
        // SAFETY: the models call it on the thread that made the set.
        unsafe {
            let _serving = set.begin(waker);
            set.run_some()
        }
    }

    /// A task woken by another thread is run, or the set's waker is woken so that it will be.
    #[test]
    fn a_remote_wake_reaches_the_set() {
        crate::loom::model(|| {
            let shared = Arc::new(LocalShared::new());
            let set = crate::loom::sync::Arc::new(AtomicBool::new(false));
            let slot = Arc::new(std::sync::Mutex::new(None));
            let flag = Flag { set: set.clone(), waker: Arc::clone(&slot) };
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(Arc::clone(&woken));
            // SAFETY: on the thread that made the set.
            let join = unsafe { shared.spawn(flag, Origin::here()) };
            assert!(!poll_set(&shared, &waker));
            let seen = woken.0.load(SeqCst);
            let remote = slot.lock().unwrap().take().unwrap();
            let wakes = thread::spawn(move || {
                set.store(true, Ordering::Relaxed);
                remote.wake();
            });
            let early = poll_set(&shared, &waker);
            wakes.join().unwrap();
            if !join.is_finished() {
                assert!(early || woken.0.load(SeqCst) > seen, "nobody would poll the set");
                poll_set(&shared, &waker);
            }
            assert!(join.is_finished());
            // SAFETY: on the thread that made the set.
            unsafe { shared.close() };
            drop(join);
            drop(slot.lock().unwrap().take());
        });
    }

    /// The set is closed while another thread wakes its task: the task's reference is dropped, not queued.
    #[test]
    fn a_remote_wake_against_the_close() {
        crate::loom::model(|| {
            let shared = Arc::new(LocalShared::new());
            let set = crate::loom::sync::Arc::new(AtomicBool::new(false));
            let slot = Arc::new(std::sync::Mutex::new(None));
            let flag = Flag { set: set.clone(), waker: Arc::clone(&slot) };
            // SAFETY: on the thread that made the set.
            let mut join = unsafe { shared.spawn(flag, Origin::here()) };
            poll_set(&shared, Waker::noop());
            let remote = slot.lock().unwrap().take().unwrap();
            let wakes = thread::spawn(move || remote.wake());
            // SAFETY: on the thread that made the set.
            unsafe { shared.close() };
            wakes.join().unwrap();
            let output = pin!(&mut join).poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(output, Poll::Ready(Err(error)) if error.is_cancelled()));
            drop(join);
            drop(slot.lock().unwrap().take());
            assert_eq!(Arc::strong_count(&shared), 1, "a task was leaked");
        });
    }
}
