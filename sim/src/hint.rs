//! Hints: a thread that spins lets the others run.

pub use ::std::hint::*;

/// Time passes, and others run.
pub fn spin_loop() {
    crate::world::with(|world| world.relax(200));
}
