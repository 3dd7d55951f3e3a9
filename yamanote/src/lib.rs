//! An asynchronous runtime for reliable network applications, with tokio's API.
//!
//! What a program needs to do many things at once without a thread for each: a scheduler that runs tasks on a few
//! threads, and sockets, timers, files, processes, signals, channels and locks that give the thread away while they
//! wait. Names, signatures and behaviour are those of tokio 1.54.1. A program written for it moves over by two lines in its
//! `Cargo.toml`, with all the crates that it stands on, or uses this crate directly.
//!
//! # A server
//!
//! ```
//! use yamanote::io::{AsyncReadExt, AsyncWriteExt};
//! use yamanote::net::{TcpListener, TcpStream};
//!
//! async fn serve(listener: TcpListener) -> std::io::Result<()> {
//!     loop {
//!         let (mut socket, _) = listener.accept().await?;
//!         // A task for each connection: it costs its own state and a few words.
//!         yamanote::spawn(async move {
//!             let mut buf = [0; 1024];
//!             while let Ok(n @ 1..) = socket.read(&mut buf).await {
//!                 if socket.write_all(&buf[..n]).await.is_err() {
//!                     break;
//!                 }
//!             }
//!         });
//!     }
//! }
//!
//! #[yamanote::main]
//! async fn main() -> std::io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let addr = listener.local_addr()?;
//!     yamanote::spawn(serve(listener));
//!
//!     let mut client = TcpStream::connect(addr).await?;
//!     client.write_all(b"hello").await?;
//!     let mut echo = [0; 5];
//!     client.read_exact(&mut echo).await?;
//!     assert_eq!(&echo, b"hello");
//!     Ok(())
//! }
//! ```
//!
//! # What is where
//!
//! | module | |
//! |---|---|
//! | `task` | spawning tasks and waiting for them, work that blocks, sets of tasks, what is local to a task |
//! | `runtime` | the scheduler, how to configure it, and how to look inside |
//! | `sync` | channels, locks, semaphores, notifications; they work on any executor |
//! | `time` | sleeping, intervals, timeouts, and a clock that tests can stop |
//! | `net` | TCP, UDP, Unix sockets, pipes |
//! | [`io`] | the traits for reading and writing, and what is built on them |
//! | `fs`, `process`, `signal` | files, child processes, signals |
//!
//! And the macros: `#[main]` and `#[test]` run an `async fn`; `select!` waits for the first of several, `join!` and
//! `try_join!` for all; [`pin!`] pins, `task_local!` declares what each task has its own of.
//!
//! # Features
//!
//! None is on by itself; `full` is all of the first group.
//!
//! | feature | brings |
//! |---|---|
//! | `rt`, `rt-multi-thread` | tasks and a runtime with one thread; with several |
//! | `macros` | `#[main]`, `#[test]`, `select!`, `join!`, `try_join!` |
//! | `sync`, `time`, `net`, `fs`, `process`, `signal` | the module of that name |
//! | `io-util`, `io-std` | extension traits and helpers of `io`; the standard streams |
//! | `parking_lot`, `schedule-latency` | nothing: accepted, since tokio has them |
//! | | |
//! | `test-util` | a clock that tests stop and move by hand: `time::pause` |
//! | `tracing` | spans and events for tokio-console and others |
//! | `taskdump` | where tasks wait, where a stuck worker is: `Handle::dump`, `Builder::stall_backtrace` |
//! | `io-uring` | files through io_uring, on Linux, where it is asked for |
//!
//! # Work that blocks
//!
//! Code that computes for long or calls what blocks keeps its worker from other tasks. Hand it to
//! `task::spawn_blocking`. Where that was forgotten, a runtime with several workers notices and lets others go
//! on; `Builder::on_stall` tells which task it was.
#![cfg_attr(not(all(feature = "full", feature = "test-util")), allow(dead_code, unused_imports))]
// Pages speak of what other features bring. All links are checked where all features are on.
#![cfg_attr(
    not(all(feature = "full", feature = "test-util", feature = "taskdump")),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg_attr(loom, allow(dead_code, unused_imports))]
#![cfg_attr(docsrs, feature(doc_cfg))]

// In a simulation (`cargo xtask sim`) threads, locks, atomics and time are simulated ones; see `sim`.
#[cfg(all(test, yamanote_sim))]
#[macro_use]
extern crate yamanote_sim as std;

#[doc(hidden)]
pub mod macros;

mod engine;
mod loom;
#[cfg(all(test, yamanote_sim))]
mod sim;
mod sys;
mod util;

#[cfg(feature = "fs")]
pub mod fs;
pub mod io;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "rt")]
pub mod runtime;
// Files, sockets and timers stand on it.
#[cfg(feature = "process")]
pub mod process;
#[cfg(not(feature = "rt"))]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod runtime;
#[cfg(feature = "signal")]
pub mod signal;
// Children that end are told by a signal where there is no better way.
#[cfg(all(unix, feature = "process", not(feature = "signal")))]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod signal;
pub mod stream;
#[cfg(feature = "sync")]
pub mod sync;
// Other modules stand on it.
#[cfg(not(feature = "sync"))]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod sync;
#[cfg(feature = "rt")]
pub mod task;
#[cfg(not(feature = "rt"))]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod task;
#[cfg(feature = "time")]
pub mod time;

#[cfg(feature = "rt")]
pub use task::spawn;

#[cfg(all(feature = "macros", feature = "rt"))]
mod entry_points {
    #[cfg(feature = "rt-multi-thread")]
    pub use yamanote_macros::{main, test};
    #[cfg(not(feature = "rt-multi-thread"))]
    pub use yamanote_macros::{main_rt as main, test_rt as test};
}
#[cfg(all(feature = "macros", feature = "rt"))]
pub use entry_points::{main, test};
#[cfg(all(feature = "macros", not(feature = "rt")))]
pub use yamanote_macros::{main_fail as main, test_fail as test};

/// What the facade re-exports under other names.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod facade {
    #[cfg(not(feature = "rt"))]
    pub use yamanote_macros::{main_fail as tokio_main, test_fail as tokio_test};
    #[cfg(all(feature = "rt", feature = "rt-multi-thread"))]
    pub use yamanote_macros::{tokio_main, tokio_test};
    #[cfg(all(feature = "rt", not(feature = "rt-multi-thread")))]
    pub use yamanote_macros::{tokio_main_rt as tokio_main, tokio_test_rt as tokio_test};
}
