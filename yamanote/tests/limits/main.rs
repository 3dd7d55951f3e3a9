//! Large numbers, and the ends of what a process can stand: a million tasks and timers, ten thousand connections, many
//! runtimes and workers, an overflowing stack, no memory, a fork.

mod ends;
mod many;
mod support;
mod workers;

#[cfg(unix)]
mod connections;
#[cfg(unix)]
mod fork;
