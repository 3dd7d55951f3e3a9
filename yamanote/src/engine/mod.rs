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
//! `block_on`, `local` (tasks that stay on a thread), `blocking` (threads for work that blocks), `monitor`
//! (rescues what waits behind a stuck worker), `spares` and `seat` (who stands in for it), `spin` (look a
//! moment longer before blocking), `pace` (how often a busy worker looks away from its queue), `shutdown`,
//! `trace` (where futures wait), `instrument` (what is told to tracing's subscribers), `hooks`, `metrics`, `limits`.

pub(crate) mod block_on;
pub(crate) mod budget;
pub(crate) mod context;
pub(crate) mod instrument;
pub(crate) mod io;

pub(crate) mod attachments;
pub(crate) mod block_in_place;
pub(crate) mod blocking;
pub(crate) mod core_slot;
pub(crate) mod driver;
pub(crate) mod hooks;
pub(crate) mod idle;
pub(crate) mod latency;
pub(crate) mod lent;
pub(crate) mod limits;
pub(crate) mod local;
pub(crate) mod metrics;
pub(crate) mod monitor;
pub(crate) mod observe;
pub(crate) mod pace;
pub(crate) mod parker;
pub(crate) mod queue;
pub(crate) mod schedule;
pub(crate) mod search;
pub(crate) mod seat;
pub(crate) mod shared;
pub(crate) mod shutdown;
pub(crate) mod spares;
pub(crate) mod spawn;
pub(crate) mod spin;
pub(crate) mod task;
pub(crate) mod timer;
pub(crate) mod trace;
pub(crate) mod worker;

/// The cooperative budget of a task is spent: it is woken at once, and runs again behind its peers.
#[cold]
pub(crate) fn defer(waker: &std::task::Waker) {
    if budget::note_refused() {
        context::with_any_worker(|worker| worker.shared.forced_yields.add_shared(1));
    }
    // Woken while it runs, a task is queued behind its peers and behind a turn of the driver.
    instrument::yielded(waker);
}
