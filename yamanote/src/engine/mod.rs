//! The engine: one scheduler for every flavour, read in the order in which a task meets it.
//!
//! ```text
//! spawn ──► schedule ──► poll ──► park ──► event ──► wake ──┐
//!              ▲                                            │
//!              └────────────────────────────────────────────┘
//! ```
//!
//! * **spawn**: `spawn` makes the task cell (`task`) and binds it to the set of live tasks.
//! * **schedule**: `schedule` decides where a runnable task goes: a worker's own ring or LIFO slot, or
//!   somebody's inbox (`queue`).
//! * **poll**: `worker` takes the next task, `search` looks elsewhere, `budget` bounds a poll.
//! * **park**: `idle` keeps who sleeps and whom to notify, `parker` is the only place that blocks.
//! * **event**: `driver` is what a worker blocks in: its poller (`io`) and its timers (`timer`).
//! * **wake**: a waker leads back to `schedule`.
//!
//! Around the flow: `shared` (what a runtime's workers share), `context` (what a thread knows),
//! `block_on`, `blocking` (threads for work that blocks), `monitor` (rescues what waits behind a stuck
//! worker), `shutdown`, `hooks`, `metrics`, `limits`.

pub(crate) mod block_on;
pub(crate) mod budget;
pub(crate) mod context;
pub(crate) mod io;

#[cfg(feature = "rt")]
pub(crate) mod attachments;
#[cfg(feature = "rt")]
pub(crate) mod block_in_place;
#[cfg(feature = "rt")]
pub(crate) mod blocking;
#[cfg(feature = "rt")]
pub(crate) mod core_slot;
#[cfg(feature = "rt")]
pub(crate) mod driver;
#[cfg(feature = "rt")]
pub(crate) mod hooks;
#[cfg(feature = "rt")]
pub(crate) mod idle;
#[cfg(feature = "rt")]
pub(crate) mod limits;
#[cfg(feature = "rt")]
pub(crate) mod metrics;
#[cfg(feature = "rt")]
pub(crate) mod monitor;
#[cfg(feature = "rt")]
pub(crate) mod parker;
#[cfg(feature = "rt")]
pub(crate) mod queue;
#[cfg(feature = "rt")]
pub(crate) mod schedule;
#[cfg(feature = "rt")]
pub(crate) mod search;
#[cfg(feature = "rt")]
pub(crate) mod shared;
#[cfg(feature = "rt")]
pub(crate) mod shutdown;
#[cfg(feature = "rt")]
pub(crate) mod spawn;
#[cfg(feature = "rt")]
pub(crate) mod task;
#[cfg(feature = "rt")]
pub(crate) mod timer;
#[cfg(feature = "rt")]
pub(crate) mod worker;

/// The cooperative budget of a task is spent: it is woken at once, and runs again behind its peers.
#[cold]
pub(crate) fn defer(waker: &std::task::Waker) {
    #[cfg(feature = "rt")]
    context::with_any_worker(|worker| worker.shared.forced_yields.add_shared(1));
    // Woken while it runs, a task is queued behind its peers and behind a turn of the driver.
    waker.wake_by_ref();
}
