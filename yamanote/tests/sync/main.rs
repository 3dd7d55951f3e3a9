//! Locks, cells, notifications and channels.

#![cfg(not(loom))]

mod auto_traits;
mod cells;
mod drops;
mod locks;
mod panics;
mod stress;
mod support;
