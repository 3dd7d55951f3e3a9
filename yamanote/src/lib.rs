//! An asynchronous runtime for reliable network applications, with tokio's API.
#![cfg_attr(not(all(feature = "full", feature = "test-util")), allow(dead_code, unused_imports))]
#![cfg_attr(loom, allow(dead_code, unused_imports))]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod macros;

mod engine;
mod loom;
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
