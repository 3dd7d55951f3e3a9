//! Collections: what is hashed is hashed with keys from the seed, so that its order is the same in each run.

use std::collections::{HashMap as RealMap, HashSet as RealSet};
use std::hash::Hash;
use std::ops::{Deref, DerefMut};

pub use ::std::collections::*;

use crate::hash::RandomState;

/// See the standard library's.
#[derive(Clone, Debug)]
pub struct HashMap<K, V, S = RandomState>(RealMap<K, V, S>);

/// See the standard library's.
#[derive(Clone, Debug)]
pub struct HashSet<T>(RealSet<T, RandomState>);

impl<K, V> HashMap<K, V> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        HashMap(RealMap::with_hasher(RandomState::new()))
    }
}

impl<K, V, S> HashMap<K, V, S> {
    /// An empty one, hashed as its user says.
    #[must_use]
    pub const fn with_hasher(hasher: S) -> Self {
        HashMap(RealMap::with_hasher(hasher))
    }
}

impl<T> HashSet<T> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        HashSet(RealSet::with_hasher(RandomState::new()))
    }
}

impl<K, V> Default for HashMap<K, V> {
    fn default() -> Self {
        HashMap::new()
    }
}

impl<T> Default for HashSet<T> {
    fn default() -> Self {
        HashSet::new()
    }
}

impl<K, V, S> Deref for HashMap<K, V, S> {
    type Target = RealMap<K, V, S>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K, V, S> DerefMut for HashMap<K, V, S> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<T> Deref for HashSet<T> {
    type Target = RealSet<T, RandomState>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for HashSet<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<K: Eq + Hash, V> FromIterator<(K, V)> for HashMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        let mut map = HashMap::new();
        map.extend(items);
        map
    }
}

impl<T: Eq + Hash> FromIterator<T> for HashSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut set = HashSet::new();
        set.extend(items);
        set
    }
}

impl<K, V> IntoIterator for HashMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::collections::hash_map::IntoIter<K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a HashMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = std::collections::hash_map::Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, K, V> IntoIterator for &'a mut HashMap<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = std::collections::hash_map::IterMut<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}

impl<T> IntoIterator for HashSet<T> {
    type Item = T;
    type IntoIter = std::collections::hash_set::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a HashSet<T> {
    type Item = &'a T;
    type IntoIter = std::collections::hash_set::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
