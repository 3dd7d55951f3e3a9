//! Hashing: where the standard library takes its keys from the system, they come from the seed.

pub use ::std::hash::*;

/// Builds hashers with a key of the simulation's.
#[derive(Clone, Debug)]
pub struct RandomState(u64);

impl RandomState {
    /// With a fresh key.
    #[must_use]
    #[allow(
        clippy::new_without_default,
        reason = "as the standard library's, which is not made by default here"
    )]
    pub fn new() -> RandomState {
        let key = crate::world::with(|world| world.chooser.next());
        RandomState(key.unwrap_or_else(|| ::std::hash::RandomState::new().hash_one(0)))
    }
}

impl Default for RandomState {
    fn default() -> RandomState {
        RandomState::new()
    }
}

impl BuildHasher for RandomState {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}
