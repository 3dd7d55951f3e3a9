//! Sockets, pipes and descriptors, on both flavours of runtime.

#![cfg(not(loom))]

mod support;

#[cfg(unix)]
mod async_fd;
mod cancel;
mod connect;
mod ends;
mod fairness;
mod lookup;
mod panics;
#[cfg(unix)]
mod pipe;
mod proxy;
mod shared;
mod shutdown;
mod stress;
mod tcp;
mod udp;
mod udp_batch;
#[cfg(unix)]
mod unix;
