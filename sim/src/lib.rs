//! The standard library for a crate that is to be simulated.
//!
//! A crate that says
//!
//! ```text
//! #[macro_use]
//! extern crate yamanote_sim as std;
//! ```
//!
//! finds everything of `std` here, except that threads, thread-locals, locks, condition variables, atomics and time
//! are those of a [`simulation`]: all threads are coroutines on one real thread, time is a number, and whenever a
//! thread touches an atomic, a lock or the clock, a generator that is seeded decides whether it goes on, another one
//! runs, or the whole thread is held up for a while. So the code under test is the production code to the last byte, and what one seed
//! does it does again.
//!
//! What comes from the operating system can take part if it comes at once and in the same order each time, as what is
//! written to a pipe or to one end of a pair of sockets does: [`wait_for`](simulation::wait_for) waits for it in simulated time.
//!
//! What a simulation does not show: memory orderings (each operation is sequentially consistent; loom explores those),
//! and whatever does not pass through here: reference counts, files, connections over a network.
//!
//! Outside of a simulation the types work on one thread.

pub use ::std::*;

pub mod collections;
pub mod hash;
pub mod hint;
pub mod simulation;
pub mod sync;
#[macro_use]
pub mod thread;
pub mod time;

mod chooser;
mod world;
