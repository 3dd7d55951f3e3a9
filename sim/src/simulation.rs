//! Running something in a world of its own.

use std::fmt;
use std::time::Duration;

use crate::world;

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// A run that has not ended by then never will.
    pub max_steps: u64,
    /// One thread in so many cannot be started; 0 is none.
    pub refuse_thread_one_in: u32,
    /// Print what happens.
    pub verbose: bool,
}

/// Called when nothing can happen any more before time passes (by how much; `None`: it will not). An error fails
/// the run.
pub type Quiet = Box<dyn Fn(Option<u64>) -> Result<(), String>>;

/// What a run did.
#[derive(Clone, Debug)]
pub struct Report {
    /// Two runs that did the same have the same.
    pub trace: u64,
    /// How often a thread could have been interrupted.
    pub steps: u64,
    /// How often another thread ran.
    pub switches: u64,
    /// How much time passed.
    pub elapsed: Duration,
    /// What went wrong.
    pub failure: Option<Failure>,
}

/// What went wrong in a run.
#[derive(Clone, Debug)]
pub struct Failure {
    /// In a sentence.
    pub why: String,
    /// The threads that had not ended, and what they waited for.
    pub threads: Vec<String>,
    /// The last notes.
    pub log: Vec<String>,
    /// How the run was scheduled.
    pub plan: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.why)?;
        writeln!(f, "  {}", self.plan)?;
        self.threads.iter().try_for_each(|thread| writeln!(f, "  thread {thread}"))?;
        self.log.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Runs `main` in a world of its own, until all threads that it starts have ended.
pub fn run(settings: Settings, quiet: Quiet, main: impl FnOnce() + 'static) -> Report {
    let ended = world::run(settings, quiet, Box::new(main));
    Report {
        trace: ended.hash,
        steps: ended.steps,
        switches: ended.switches,
        elapsed: Duration::from_nanos(ended.elapsed_ns),
        failure: ended.failure,
    }
}

/// A number below `n`, by chance.
pub fn below(n: u64) -> u64 {
    world::with(|world| world.chooser.below(n)).expect("outside of a simulation")
}

/// Whether all threads that may run do so about as often in this run.
pub fn is_even() -> bool {
    world::with(|world| world.chooser.is_even()) == Some(true)
}

/// The longest time for which chance may hold a thread up; 0 if it does not.
pub fn longest_delay() -> Duration {
    Duration::from_nanos(world::with(|world| world.chooser.longest_delay_ns()).unwrap_or(0))
}

/// Puts something into the trace.
pub fn note(text: &str) {
    world::with(|world| world.note(text));
}

/// Whether this code runs in a simulation.
pub fn is_running() -> bool {
    world::epoch() != 0
}

/// The run has failed.
pub fn fail(why: &str) {
    world::with(|world| world.fail(why));
}

/// Nanoseconds since the run began.
pub fn now() -> u64 {
    world::with(|world| world.now.get() - world::BEGINNING).expect("outside of a simulation")
}

/// The running thread waits for something from outside of the simulation: until `look` finds it, at most for `timeout`
/// (for ever without one), or for no reason. Whether it was found. What `look` asks has to depend on nothing but what
/// this simulation did before, and it may touch nothing that is simulated.
pub fn wait_for(what: &'static str, timeout: Option<Duration>, look: &mut dyn FnMut() -> bool) -> bool {
    world::point(what);
    if look() {
        return true;
    }
    let waited = world::with(|world| {
        if timeout == Some(Duration::ZERO) {
            return false;
        }
        if world.chooser.is_spurious() {
            world.relax(0);
            return false;
        }
        let until = timeout.map(|timeout| {
            world.now.get().saturating_add(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX))
        });
        world.watch(what, until, look)
    });
    waited.expect("outside of a simulation")
}

/// Runs `f` with no other thread in between.
pub fn undisturbed<R>(f: impl FnOnce() -> R) -> R {
    struct Release;

    impl Drop for Release {
        fn drop(&mut self) {
            world::with(world::World::release);
        }
    }

    world::with(world::World::hold);
    let _release = Release;
    f()
}
