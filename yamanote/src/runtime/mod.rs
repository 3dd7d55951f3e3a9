//! The runtime: what runs tasks, timers and input/output.
//!
//! An asynchronous program needs somebody to poll its futures, to wait for the operating system's events
//! on their behalf, and to run what has to block somewhere else. A [`Runtime`] is all three: a scheduler,
//! an event and timer driver for each of its workers, and a pool of threads for blocking work. Most programs
//! let [`#[yamanote::main]`](crate::main) make it; a [`Builder`] makes one to measure.
//!
//! # Flavours
//!
//! * The **multi-threaded** scheduler ([`Builder::new_multi_thread`]) has a number of workers, one thread each.
//!   A worker has its own queue and timers, shares a poller with a few neighbours, and takes work from the others when it runs
//!   out of its own. Tasks have to be [`Send`].
//! * The **single-threaded** scheduler ([`Builder::new_current_thread`]) runs tasks on the thread that calls
//!   [`Runtime::block_on`], while it does.
//! * A [`LocalRuntime`] is a single-threaded runtime that also takes tasks that are not `Send`.
//!
//! # Examples
//!
//! ```
//! use yamanote::runtime::Builder;
//!
//! # fn main() -> std::io::Result<()> {
//! let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
//! let answer = runtime.block_on(async {
//!     yamanote::spawn(async { 6 * 7 }).await.unwrap()
//! });
//! assert_eq!(answer, 42);
//! # Ok(())
//! # }
//! ```
//!
//! # Fairness
//!
//! Tasks that are ready are run in the order in which they became so, with two deliberate exceptions: the
//! task that was woken last by the running task may run next (a few times in a row at most), and
//! what arrives from other threads is looked at every [few polls](Builder::global_queue_interval). The
//! event driver is looked at every [few polls](Builder::event_interval) too, however busy the worker is.

mod builder;
mod config;
#[cfg(feature = "taskdump")]
pub mod dump;
mod futurelock;
mod handle;
mod histogram;
mod id;
mod local;
mod metrics;
mod recording;
#[allow(clippy::module_inception)]
mod runtime;
mod stall;
mod task_info;
mod task_meta;

pub use builder::Builder;
pub use config::{FileIo, RngSeed, RuntimeFlavor, UnhandledPanic};
#[cfg(feature = "taskdump")]
pub use dump::Dump;
pub use futurelock::FuturelockReport;
pub use handle::{EnterGuard, Handle, TryCurrentError};
pub(crate) use histogram::Histogram;
pub use histogram::{
    HistogramConfiguration, HistogramScale, InvalidHistogramConfiguration, LogHistogram,
    LogHistogramBuilder,
};
pub use id::Id;
pub use local::{LocalOptions, LocalRuntime};
pub use metrics::RuntimeMetrics;
pub use recording::{FlightRecorder, Recording};
pub use runtime::Runtime;
pub use stall::StallReport;
pub use task_info::{TaskInfo, TaskKind, TaskState, WokenBy};
pub use task_meta::TaskMeta;

pub(crate) use handle::THREAD_LOCAL_DESTROYED_ERROR;
pub(crate) use runtime::{Running, Threads};

/// The index of the runtime worker that the calling thread is, if it is one. A thread that stands in for a stuck worker
/// has that worker's.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "multi_thread", worker_threads = 2)]
/// # async fn main() {
/// let index = yamanote::spawn(async { yamanote::runtime::worker_index() }).await.unwrap();
/// assert!(index.unwrap() < 2);
/// # }
/// ```
pub fn worker_index() -> Option<usize> {
    crate::engine::context::with_any_worker(|worker| worker.has_core().then_some(worker.driver))
        .flatten()
}

/// Whether an error says that an operation failed because its runtime is shutting down.
///
/// # Examples
/// ```
/// let other = std::io::Error::other("something else");
/// assert!(!yamanote::runtime::is_rt_shutdown_err(&other));
/// ```
pub fn is_rt_shutdown_err(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<RuntimeShutdown>())
}

/// What an operation's error carries when the runtime went away under it.
#[derive(Debug)]
pub(crate) struct RuntimeShutdown;

impl std::fmt::Display for RuntimeShutdown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("A Tokio 1.x context was found, but it is being shutdown.")
    }
}

impl std::error::Error for RuntimeShutdown {}

/// The error of an operation whose runtime shuts down.
pub(crate) fn shutdown_error() -> std::io::Error {
    std::io::Error::other(RuntimeShutdown)
}
