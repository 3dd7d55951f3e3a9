//! The one source of randomness: a small xorshift generator, seedable so that a run can be replayed.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A non-zero seed that differs from call to call and from process to process.
pub(crate) fn fresh_seed() -> u64 {
    // `RandomState` is keyed by the operating system once a process and counts up from there.
    RandomState::new().build_hasher().finish() | 1
}

/// Marsaglia's xorshift64*: the next state, and 32 well-mixed bits. `state` must not be 0.
#[inline]
pub(crate) fn step(mut state: u64) -> (u64, u32) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    (state, (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32)
}

/// Maps 32 random bits to `0..n` without a division (Lemire's multiply-shift).
#[inline]
pub(crate) fn scale(value: u32, n: u32) -> u32 {
    ((u64::from(value) * u64::from(n)) >> 32) as u32
}
