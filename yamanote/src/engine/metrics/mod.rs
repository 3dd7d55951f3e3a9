//! What the engine counts. Written by one thread each where that is possible, so that counting is a plain
//! store; read by anybody at any time.

pub(crate) mod worker;

pub(crate) use worker::WorkerStats;
