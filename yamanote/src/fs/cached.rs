//! What a worker does itself, because it need not wait: looking at files whose metadata is in memory, and reading
//! those whose contents are.
//!
//! The calls are [`sys::cached`](crate::sys::cached)'s; here is what keeps them in bounds. Every one takes a unit of
//! the task's cooperative budget, and one more for each [`UNIT`] bytes, so a task that reads a large file lets others run as
//! often as one that reads a socket. What takes longer than a job's way to the pool and back goes there anyway.

use std::fs::{File, Metadata};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::engine::shared::Shared;
use crate::engine::{budget, context};
use crate::runtime::FileIo;
use crate::sys::cached;
use crate::sys::fs::OpenHow;
use crate::task::coop;

/// The most bytes that a worker copies at once: some 30 µs of its time, where the pool's part is no more than ten.
pub(crate) const MAX_READ: usize = 256 * 1024;

/// Bytes that cost a unit of budget. A poll has 128: it may copy 2 MiB, which takes some 0.2 ms.
const UNIT: usize = 16 * 1024;

/// Whether the runtime wants it so. Without a runtime, or with one that is shut down, it is for the pool to complain.
pub(crate) fn is_enabled() -> bool {
    let wanted = |shared: &Shared| shared.config.file_io == FileIo::Cached && !shared.is_shutdown();
    context::with_handle(|handle| wanted(&handle.shared)).unwrap_or(false)
}

/// Whether a worker may ask for what is in memory of an open file; found out when it matters.
#[derive(Default)]
pub(crate) struct Way(AtomicU8);

impl Way {
    const UNKNOWN: u8 = 0;
    const CACHED: u8 = 1;
    const POOL: u8 = 2;

    pub(crate) fn is_cached(&self, file: &File) -> bool {
        if !is_enabled() {
            return false;
        }
        // Relaxed, all: whoever does not see it finds out once more.
        match self.0.load(Ordering::Relaxed) {
            Way::UNKNOWN => {
                let way = if cached::suits(file) { Way::CACHED } else { Way::POOL };
                self.0.store(way, Ordering::Relaxed);
                way == Way::CACHED
            }
            way => way == Way::CACHED,
        }
    }

    pub(crate) fn leave_to_pool(&self) {
        self.0.store(Way::POOL, Ordering::Relaxed);
    }
}

/// Whether an open file may be read elsewhere at the same time, at the same position. The pool's reads, and the worker's
/// own, take turns there, each where the one before has ended; those of a ring do not.
pub(crate) struct Position(AtomicU8);

impl Position {
    const OWN: u8 = 0;
    const UNKNOWN: u8 = 1;
    const SHARED: u8 = 2;
    /// There is none: a pipe, for instance.
    const NONE: u8 = 3;

    /// Of a file that was opened here.
    pub(crate) fn own() -> Position {
        Position(AtomicU8::new(Position::OWN))
    }

    /// Of one that comes from elsewhere.
    pub(crate) fn unknown() -> Position {
        Position(AtomicU8::new(Position::UNKNOWN))
    }

    /// Its descriptor is seen, and may be duplicated.
    pub(crate) fn share(&self) {
        // Relaxed, all: of operations at the same time nobody can say which is the first.
        let own = self.0.load(Ordering::Relaxed) == Position::OWN;
        if own {
            self.0.store(Position::UNKNOWN, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_shared(&self, mut file: &File) -> bool {
        let mut found = self.0.load(Ordering::Relaxed);
        if found == Position::UNKNOWN {
            // The standard library fails where there is none.
            found = if file.stream_position().is_ok() { Position::SHARED } else { Position::NONE };
            self.0.store(found, Ordering::Relaxed);
        }
        found == Position::SHARED
    }
}

/// Takes the bytes' units.
pub(crate) fn charge(bytes: usize) {
    for _ in 0..bytes / UNIT {
        if budget::take().is_none() {
            break;
        }
    }
}

/// As [`is_enabled`]; if so, waits for a unit of budget.
async fn may_try() -> bool {
    if !is_enabled() {
        return false;
    }
    std::future::poll_fn(coop::poll_proceed).await.made_progress();
    true
}

pub(crate) async fn metadata(path: &Path, follow: bool) -> Option<io::Result<Metadata>> {
    if may_try().await { cached::metadata(path, follow) } else { None }
}

pub(crate) async fn canonicalize(path: &Path) -> Option<io::Result<PathBuf>> {
    if may_try().await { cached::canonicalize(path) } else { None }
}

pub(crate) async fn open(path: &Path, how: &OpenHow) -> Option<io::Result<File>> {
    if may_try().await { cached::open(path, how) } else { None }
}

pub(crate) async fn read(path: &Path) -> Option<io::Result<Vec<u8>>> {
    if !may_try().await {
        return None;
    }
    let result = cached::read_whole(path, MAX_READ);
    if let Some(Ok(bytes)) = &result {
        charge(bytes.len());
    }
    result
}
