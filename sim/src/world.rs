//! The threads of a simulation, who of them runs, and what time it is.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::chooser::{Choice, Chooser};
use crate::simulation::{Failure, Quiet, Settings};
use crate::thread::local::Locals;

/// A thread's stack. Unoptimised frames are large; what is not touched costs nothing.
const STACK: usize = 1 << 20;

/// When a simulation begins, so that there is a time before it.
pub(crate) const BEGINNING: u64 = 1_000_000_000_000;

/// Lines that are kept to be shown when a run fails.
const LOG: usize = 60;

std::thread_local! {
    static WORLD: Cell<*const World> = const { Cell::new(ptr::null()) };
    /// The number of this simulation.
    static EPOCH: Cell<u32> = const { Cell::new(0) };
    static OUTSIDE: Locals = const { Locals::new() };
}

/// Counts simulations, so that what is left in statics is known to be from another; held while one runs, since they
/// share the statics.
static SIMULATIONS: std::sync::Mutex<u32> = std::sync::Mutex::new(0);

/// Runs `f` on the simulation that this code runs in.
pub(crate) fn with<R>(f: impl FnOnce(&World) -> R) -> Option<R> {
    let world = WORLD.with(Cell::get);
    // SAFETY: `run` sets it for as long as the world lives, on this real thread only.
    unsafe { world.as_ref() }.map(f)
}

/// The number of the simulation that this code runs in; 0 outside.
pub(crate) fn epoch() -> u32 {
    if WORLD.with(Cell::get).is_null() { 0 } else { EPOCH.with(Cell::get) }
}

/// Another thread may run here.
pub(crate) fn point(what: &'static str) {
    with(|world| world.point(what));
}

/// Runs `f` on the thread-locals of the simulated thread that runs, or of the real one.
pub(crate) fn with_locals<R>(f: impl FnOnce(&Locals) -> R) -> R {
    let world = WORLD.with(Cell::get);
    // SAFETY: as in `with`.
    match unsafe { world.as_ref() }.and_then(World::running) {
        Some(thread) => f(&thread.locals),
        None => OUTSIDE.with(f),
    }
}

/// Looks whether something outside of the simulation has come, and takes it if so.
type Look = dyn FnMut() -> bool;

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    /// Until the key is notified, or time comes.
    Blocked {
        what: &'static str,
        key: usize,
        until: Option<u64>,
    },
    /// Held up by nothing but chance.
    Delayed {
        until: u64,
    },
    Done,
}

pub(crate) struct Thread {
    pub(crate) number: usize,
    pub(crate) name: Option<String>,
    state: Cell<State>,
    /// Whether the last wait was ended by a notification.
    notified: Cell<bool>,
    /// What ends its wait besides; on its stack, where it is left alone until the wait is over.
    look: Cell<Option<*mut Look>>,
    /// Of `park` and `unpark`.
    pub(crate) token: Cell<bool>,
    rank: Cell<u64>,
    yielder: Cell<*const Yielder<(), ()>>,
    coroutine: RefCell<Option<Coroutine<(), (), (), DefaultStack>>>,
    locals: Locals,
}

impl Thread {
    pub(crate) fn is_done(&self) -> bool {
        self.state.get() == State::Done
    }
}

pub(crate) struct World {
    threads: RefCell<Vec<Rc<Thread>>>,
    running: RefCell<Option<Rc<Thread>>>,
    pub(crate) now: Cell<u64>,
    pub(crate) chooser: Chooser,
    steps: Cell<u64>,
    switches: Cell<u64>,
    hash: Cell<u64>,
    /// No other thread may run while it is above 0.
    held: Cell<u32>,
    failure: RefCell<Option<String>>,
    log: RefCell<VecDeque<String>>,
    settings: Settings,
    quiet: Quiet,
}

/// What became of a run.
pub(crate) struct Ended {
    pub(crate) hash: u64,
    pub(crate) steps: u64,
    pub(crate) switches: u64,
    pub(crate) elapsed_ns: u64,
    pub(crate) failure: Option<Failure>,
}

/// Runs `main`, and what it starts, to the end of all threads.
pub(crate) fn run(settings: Settings, quiet: Quiet, main: Box<dyn FnOnce()>) -> Ended {
    assert!(WORLD.with(Cell::get).is_null(), "a simulation inside a simulation");
    let world = World {
        threads: RefCell::new(Vec::new()),
        running: RefCell::new(None),
        now: Cell::new(BEGINNING),
        chooser: Chooser::new(settings.seed),
        steps: Cell::new(0),
        switches: Cell::new(0),
        hash: Cell::new(0xCBF2_9CE4_8422_2325),
        held: Cell::new(0),
        failure: RefCell::new(None),
        log: RefCell::new(VecDeque::new()),
        settings,
        quiet,
    };
    let mut simulations = SIMULATIONS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    *simulations += 1;
    EPOCH.with(|epoch| epoch.set(*simulations));
    WORLD.with(|current| current.set(&world));
    world.spawn(
        Some("main".into()),
        Box::new(|| {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(main)) {
                with(|world| world.fail(&format!("the scenario panicked: {}", message(&*payload))));
            }
        }),
    );
    world.schedule();
    WORLD.with(|current| current.set(ptr::null()));
    world.finish()
}

/// What a panic said.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("something that is no text")
}

impl World {
    pub(crate) fn running(&self) -> Option<&Thread> {
        let running = self.running.borrow();
        // SAFETY: threads live as long as the world, in `threads`.
        running.as_ref().map(|thread| unsafe { &*Rc::as_ptr(thread) })
    }

    pub(crate) fn running_rc(&self) -> Option<Rc<Thread>> {
        self.running.borrow().clone()
    }

    /// Whether a thread that is to be started cannot be.
    pub(crate) fn refuses_thread(&self) -> bool {
        let one_in = u64::from(self.settings.refuse_thread_one_in);
        one_in != 0 && self.chooser.below(one_in) == 0
    }

    pub(crate) fn spawn(&self, name: Option<String>, body: Box<dyn FnOnce()>) -> Rc<Thread> {
        let stack = DefaultStack::new(STACK).expect("no memory for a stack");
        let number = self.threads.borrow().len();
        let coroutine = Coroutine::with_stack(stack, move |yielder, ()| {
            let thread = with(|world| {
                let thread = Rc::clone(&world.threads.borrow()[number]);
                thread.yielder.set(yielder);
                thread
            });
            let thread = thread.expect("a coroutine outside of its world");
            body();
            thread.locals.destroy();
        });
        let thread = Rc::new(Thread {
            number,
            name,
            state: Cell::new(State::Ready),
            notified: Cell::new(false),
            look: Cell::new(None),
            token: Cell::new(false),
            rank: Cell::new(self.chooser.next()),
            yielder: Cell::new(ptr::null()),
            coroutine: RefCell::new(Some(coroutine)),
            locals: Locals::new(),
        });
        self.threads.borrow_mut().push(Rc::clone(&thread));
        self.trace("spawn", number as u64);
        thread
    }

    /// Whether the running thread may be suspended here.
    fn may_switch(&self) -> bool {
        // The standard library counts panics by real thread: another would seem to panic too.
        self.held.get() == 0 && !std::thread::panicking()
    }

    pub(crate) fn hold(&self) {
        self.held.set(self.held.get() + 1);
    }

    pub(crate) fn release(&self) {
        self.held.set(self.held.get() - 1);
    }

    fn point(&self, what: &'static str) {
        if self.running().is_none() || !self.may_switch() {
            return;
        }
        self.step(what);
        match self.chooser.at_point() {
            Choice::GoOn => {}
            Choice::Switch => self.let_others(),
            Choice::Delay(ns) => {
                self.trace("delay", ns);
                self.suspend(State::Delayed { until: self.now.get() + ns });
            }
        }
    }

    fn step(&self, what: &'static str) {
        self.steps.set(self.steps.get() + 1);
        self.now.set(self.now.get() + self.chooser.step_ns());
        self.mix(what.as_ptr().addr() as u64 ^ what.len() as u64);
        if self.steps.get() == self.settings.max_steps {
            self.fail(&format!("no end after {} steps", self.settings.max_steps));
            self.suspend(State::Ready);
        }
    }

    /// The running thread looks for something in a loop: the others have to run.
    pub(crate) fn relax(&self, ns: u64) {
        let Some(thread) = self.running() else { return };
        if !self.may_switch() {
            return;
        }
        self.step("relax");
        self.now.set(self.now.get() + ns);
        // Behind all others.
        thread.rank.set(0);
        self.suspend(State::Ready);
    }

    fn let_others(&self) {
        let thread = self.running().expect("a point in a thread");
        thread.rank.set(self.chooser.next());
        if self.chooser.reshuffles() {
            self.threads.borrow().iter().for_each(|thread| thread.rank.set(self.chooser.next()));
        }
        self.suspend(State::Ready);
    }

    /// Blocks the running thread until `key` is notified or time comes. Whether it was notified.
    pub(crate) fn block(&self, what: &'static str, key: usize, until: Option<u64>) -> bool {
        let Some(thread) = self.running() else { panic!("{what} would block for ever") };
        assert!(self.held.get() == 0, "{what} would block while no other thread may run");
        self.step(what);
        thread.notified.set(false);
        self.suspend(State::Blocked { what, key, until });
        thread.notified.get()
    }

    /// Blocks the running thread until `look` finds something, or time comes. Whether it did.
    pub(crate) fn watch(
        &self,
        what: &'static str,
        until: Option<u64>,
        look: &mut (dyn FnMut() -> bool + '_),
    ) -> bool {
        let Some(thread) = self.running() else { panic!("{what} would block for ever") };
        // SAFETY: lifetimes only. It is taken out below, before the borrow ends.
        let look = unsafe { std::mem::transmute::<*mut (dyn FnMut() -> bool + '_), *mut Look>(look) };
        thread.look.set(Some(look));
        let found = self.block(what, look.addr(), until);
        thread.look.set(None);
        found
    }

    /// Lets go on whoever waits for something from outside that has come; after a while, where chance wants it.
    fn look_outside(&self) {
        for thread in self.threads.borrow().iter() {
            let State::Blocked { .. } = thread.state.get() else { continue };
            let Some(look) = thread.look.get() else { continue };
            // SAFETY: `watch` put it there, whose frame waits for the state to change and uses it for nothing
            // meanwhile. What looks starts no threads and wakes none.
            if unsafe { (*look)() } {
                self.notify(thread);
                if let Choice::Delay(ns) = self.chooser.at_point() {
                    thread.state.set(State::Delayed { until: self.now.get() + ns });
                }
            }
        }
    }

    fn suspend(&self, state: State) {
        let thread = self.running().expect("a point in a thread");
        thread.state.set(state);
        // SAFETY: set by the coroutine that runs now, whose frame it lives in.
        unsafe { &*thread.yielder.get() }.suspend(());
    }

    fn blocked_on(&self, key: usize) -> Vec<Rc<Thread>> {
        let threads = self.threads.borrow();
        let waits = |state| matches!(state, State::Blocked { key: its, .. } if its == key);
        threads.iter().filter(|thread| waits(thread.state.get())).cloned().collect()
    }

    fn notify(&self, thread: &Thread) {
        thread.notified.set(true);
        thread.state.set(State::Ready);
    }

    pub(crate) fn notify_one(&self, key: usize) {
        let waiting = self.blocked_on(key);
        if !waiting.is_empty() {
            self.notify(&waiting[self.chooser.below(waiting.len() as u64) as usize]);
        }
    }

    pub(crate) fn notify_all(&self, key: usize) {
        self.blocked_on(key).iter().for_each(|thread| self.notify(thread));
    }

    fn mix(&self, value: u64) {
        let hash = (self.hash.get() ^ value).wrapping_mul(0x0000_0100_0000_01B3);
        self.hash.set(hash ^ hash >> 29);
    }

    /// Something happened that belongs to the trace.
    pub(crate) fn trace(&self, what: &str, value: u64) {
        self.mix(value);
        what.bytes().for_each(|byte| self.mix(u64::from(byte)));
        if self.settings.verbose || what == "note" {
            let who = self.running().map_or_else(|| "-".into(), describe);
            self.keep(format!("{:>12} ns  {who}: {what} {value}", self.now.get() - BEGINNING));
        }
    }

    pub(crate) fn note(&self, text: &str) {
        text.bytes().for_each(|byte| self.mix(u64::from(byte)));
        let who = self.running().map_or_else(|| "-".into(), describe);
        self.keep(format!("{:>12} ns  {who}: {text}", self.now.get() - BEGINNING));
    }

    fn keep(&self, line: String) {
        if self.settings.verbose {
            eprintln!("{line}");
            return;
        }
        let mut log = self.log.borrow_mut();
        if log.len() == LOG {
            log.pop_front();
        }
        log.push_back(line);
    }

    pub(crate) fn fail(&self, why: &str) {
        let mut failure = self.failure.borrow_mut();
        if failure.is_none() {
            *failure = Some(why.to_owned());
        }
    }

    fn schedule(&self) {
        while self.failure.borrow().is_none() {
            let Some(thread) = self.choose() else { return };
            self.switches.set(self.switches.get() + 1);
            self.mix(thread.number as u64);
            *self.running.borrow_mut() = Some(Rc::clone(&thread));
            // Taken out, since the thread may start others.
            let mut coroutine = thread.coroutine.borrow_mut().take().expect("a thread that is not done");
            match coroutine.resume(()) {
                CoroutineResult::Yield(()) => *thread.coroutine.borrow_mut() = Some(coroutine),
                CoroutineResult::Return(()) => {
                    thread.state.set(State::Done);
                    self.notify_all(Rc::as_ptr(&thread).addr());
                }
            }
            *self.running.borrow_mut() = None;
        }
    }

    /// Who runs next. `None`: nobody will, ever.
    fn choose(&self) -> Option<Rc<Thread>> {
        loop {
            self.look_outside();
            let threads = self.threads.borrow();
            let now = self.now.get();
            let mut ready = Vec::new();
            let (mut next, mut only_blocked) = (u64::MAX, true);
            for thread in threads.iter() {
                match thread.state.get() {
                    State::Ready => ready.push(thread),
                    State::Blocked { until: Some(until), .. } | State::Delayed { until }
                        if until <= now =>
                    {
                        thread.state.set(State::Ready);
                        ready.push(thread);
                    }
                    State::Blocked { until: Some(until), .. } => next = next.min(until),
                    State::Delayed { until } => {
                        only_blocked = false;
                        next = next.min(until);
                    }
                    State::Blocked { until: None, .. } | State::Done => {}
                }
            }
            if !ready.is_empty() {
                let chosen = if self.chooser.is_ranked() {
                    ready.iter().enumerate().max_by_key(|(_, thread)| thread.rank.get()).map(|(i, _)| i)
                } else {
                    None
                };
                let chosen = chosen.unwrap_or_else(|| self.chooser.below(ready.len() as u64) as usize);
                return Some(Rc::clone(ready[chosen]));
            }
            let all_done = threads.iter().all(|thread| thread.is_done());
            drop(threads);
            if all_done {
                return None;
            }
            let until = (next != u64::MAX).then_some(next);
            if only_blocked {
                // Nothing happens any more but by time.
                if let Err(why) = (self.quiet)(until.map(|until| until - now)) {
                    self.fail(&why);
                    return None;
                }
            }
            match until {
                Some(until) => self.now.set(until),
                None => {
                    self.fail("all threads wait for each other");
                    return None;
                }
            }
        }
    }

    fn finish(self) -> Ended {
        let failure = self.failure.take().map(|why| {
            let threads = self.threads.borrow();
            let threads = threads.iter().filter(|thread| !thread.is_done());
            let threads =
                threads.map(|thread| format!("{}: {:?}", describe(thread), thread.state.get()));
            Failure {
                why,
                threads: threads.collect(),
                log: self.log.borrow().iter().cloned().collect(),
                plan: self.chooser.describe(),
            }
        });
        if failure.is_some() {
            // What their stacks hold cannot be dropped in peace.
            for thread in self.threads.borrow().iter() {
                std::mem::forget(Rc::clone(thread));
            }
        }
        Ended {
            hash: self.hash.get(),
            steps: self.steps.get(),
            switches: self.switches.get(),
            elapsed_ns: self.now.get() - BEGINNING,
            failure,
        }
    }
}

fn describe(thread: &Thread) -> String {
    format!("{} {}", thread.number, thread.name.as_deref().unwrap_or("?"))
}
