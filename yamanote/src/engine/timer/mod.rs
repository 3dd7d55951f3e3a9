//! Timers: what wakes a task at a time.
//!
//! Most timers are timeouts that never fire, so a timer costs nothing until it must:
//!
//! 1. A [`Timer`] is made: it notes the runtime it belongs to.
//! 2. It is polled before its deadline: its [`Entry`](entry) is linked into the [`wheel`] of the worker that
//!    polls it, in constant time, under that worker's own lock ([`Timers`]). Parking looks at the own wheel only.
//! 3. It is dropped: it is unlinked in constant time. Or it is moved back, which changes one word; the
//!    wheel finds out when it comes to the old tick.
//! 4. Its tick has come: the worker turns its driver, the wheel gives the entry out and its waker runs.
//!
//! [`Clock`] is the only place that reads time.

mod clock;
mod entry;
mod freeze;
mod tick;
#[allow(clippy::module_inception)]
mod timer;
mod timers;
mod wheel;

pub(crate) use clock::Clock;
pub(crate) use timer::{Timer, now};
pub(crate) use timers::Timers;
