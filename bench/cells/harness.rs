//! How a cell is measured: batches grow until one lasts long enough, then batches fill the budget.

use std::future::Future;
use std::time::{Duration, Instant};

use rt::runtime::{Builder, Runtime};

/// Which scheduler a cell runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flavour {
    CurrentThread,
    /// Multi-thread with this many workers.
    Workers(usize),
}

pub const CT: Flavour = Flavour::CurrentThread;
pub const W1: Flavour = Flavour::Workers(1);
pub const W2: Flavour = Flavour::Workers(2);

impl Flavour {
    pub fn name(self) -> &'static str {
        match self {
            Flavour::CurrentThread => "ct",
            Flavour::Workers(1) => "mt1",
            Flavour::Workers(_) => "mt2",
        }
    }

    pub fn build(self) -> Runtime {
        let mut builder = match self {
            Flavour::CurrentThread => Builder::new_current_thread(),
            Flavour::Workers(_) => Builder::new_multi_thread(),
        };
        if let Flavour::Workers(n) = self {
            builder.worker_threads(n);
        }
        builder.enable_all().build().expect("the runtime builds")
    }
}

#[derive(Clone, Copy)]
pub struct Cell {
    /// `group/name`.
    pub name: &'static str,
    pub flavours: &'static [Flavour],
    pub run: fn(&Context) -> Vec<Metric>,
}

pub struct Metric {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
}

pub struct Context {
    pub flavour: Flavour,
    pub budget: Duration,
    /// Not to be timed: one batch of this many operations, whose allocations are counted.
    pub counted: Option<u64>,
}

impl Context {
    pub fn runtime(&self) -> Runtime {
        self.flavour.build()
    }

    /// Measures a batch given as a future that runs as a spawned task; `batch(n)` resolves to the number
    /// of operations it did, about `n`.
    pub fn tasks<F>(&self, mut batch: impl FnMut(u64) -> F) -> Sample
    where
        F: Future<Output = u64> + Send + 'static,
    {
        let runtime = self.runtime();
        self.batches(|n| on(&runtime, batch(n)))
    }

    /// Measures `batch(n)`, which does about `n` operations and returns how many it did.
    pub fn batches(&self, mut batch: impl FnMut(u64) -> u64) -> Sample {
        if let Some(n) = self.counted {
            let mut did = 0;
            let allocations = crate::memory::allocations_in(|| did = batch(n));
            println!("operations {did}\nallocations {allocations}");
            return Sample { wall_ns: 0.0, cpu_ns: 0.0 };
        }
        // A batch of a tenth of the budget keeps the clock's and the set-up's share small.
        let enough = self.budget / 10;
        let mut n = 1;
        loop {
            let mut time = || {
                let started = Instant::now();
                batch(n);
                started.elapsed()
            };
            let mut took = time();
            if took >= enough {
                // What else the machine did meanwhile must not pass for a batch that is long enough.
                took = took.min(time());
            }
            if took >= enough {
                break;
            }
            let factor = (enough.as_secs_f64() / took.as_secs_f64().max(1e-9)).ceil() as u64;
            n = n.saturating_mul(factor.clamp(2, 16));
        }
        let mut walls = Vec::new();
        let mut operations = 0;
        let cpu = cpu_time();
        let started = Instant::now();
        while walls.len() < 3 || started.elapsed() < self.budget {
            let batch_started = Instant::now();
            let did = batch(n);
            walls.push(batch_started.elapsed().as_secs_f64() * 1e9 / did as f64);
            operations += did;
        }
        let cpu_ns = (cpu_time() - cpu).as_secs_f64() * 1e9 / operations as f64;
        walls.sort_by(f64::total_cmp);
        Sample { wall_ns: walls[walls.len() / 2], cpu_ns }
    }
}

/// Nanoseconds per operation.
pub struct Sample {
    pub wall_ns: f64,
    pub cpu_ns: f64,
}

impl Sample {
    pub fn wall(self) -> Vec<Metric> {
        vec![Metric { name: "wall", value: self.wall_ns, unit: "ns" }]
    }

    pub fn cpu(self) -> Vec<Metric> {
        vec![Metric { name: "cpu", value: self.cpu_ns, unit: "ns" }]
    }

    pub fn both(self) -> Vec<Metric> {
        vec![
            Metric { name: "wall", value: self.wall_ns, unit: "ns" },
            Metric { name: "cpu", value: self.cpu_ns, unit: "ns" },
        ]
    }
}

/// Runs a future as a spawned task, so that on the multi-thread scheduler it runs on a worker.
pub fn on<F>(runtime: &Runtime, future: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    runtime.block_on(async { rt::spawn(future).await.expect("the cell does not panic") })
}

/// What the process has used so far, user and system.
pub fn cpu_time() -> Duration {
    // SAFETY: `rusage` is plain integers, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live, writable `rusage`.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// What this thread has used so far.
pub fn thread_cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live, writable `timespec`.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// A thousand connections are two thousand descriptors.
pub fn raise_file_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live, writable `rlimit`.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0 {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: the pointer is to a live, initialised `rlimit`.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    }
}

/// How often a batch of `n` operations runs a unit that does `per` of them.
pub fn times(n: u64, per: u64) -> u64 {
    n.div_ceil(per)
}
