//! A queue from many tasks to one.
//!
//! There are two kinds. A [`channel`] has a bound: a sender waits when it is full, so that a slow receiver
//! slows its senders down (back-pressure). An [`unbounded_channel`] takes everything at once, and grows as
//! long as memory lasts; it suits senders that cannot wait and are few or bounded otherwise.
//!
//! Values arrive in the order in which they were sent, as far as there is one: those of one sender, or of
//! senders that know of each other.
//!
//! # When it ends
//! When all senders are dropped, the receiver gets what was sent before, and then `None`. When the receiver
//! is dropped, sending fails and what was not received is dropped. To end from the receiver's side without
//! losing anything, [`close`](Receiver::close) it and receive until `None`.
//!
//! A [`WeakSender`] does not count: it keeps the channel's memory, not the channel open.
//!
//! # Into and out of code that is not asynchronous
//! An unbounded sender never waits, so it works anywhere. The `blocking_…` methods wait on a thread of
//! their own; they panic in asynchronous code. Nothing here needs a runtime.
//!
//! # Memory
//! Values are kept in blocks of 32, which are reused or freed as the receiver gets on. An empty channel
//! holds one or two blocks whatever its bound, so a large bound costs nothing, but large values make large
//! blocks: box them.

mod block;
mod bounded;
mod chan;
mod list;
mod permit;
#[cfg(feature = "time")]
mod send_timeout;
mod unbounded;

pub mod error;

pub use bounded::{Receiver, Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use unbounded::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
