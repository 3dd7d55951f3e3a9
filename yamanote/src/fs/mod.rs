//! Asynchronous file system operations.
//!
//! The operating systems offer little that would let a thread wait for files as it waits for sockets, so what
//! may wait for a disk runs on the runtime's blocking pool; the calling task is suspended meanwhile and its
//! worker goes on with others. Each function here is one such job, so many small operations are better
//! bundled: in one [`spawn_blocking`](crate::task::spawn_blocking), by [`read()`] and [`write()`], or by a
//! [`BufReader`](crate::io::BufReader) and [`BufWriter`](crate::io::BufWriter) around a [`File`].
//!
//! On 64-bit Linux with glibc, what is in memory needs no waiting, and the worker asks for it itself: [`metadata()`],
//! [`symlink_metadata`], [`try_exists`], [`canonicalize`], the metadata of directories' entries, opening a file that is neither to be
//! made nor emptied, [`read()`], [`read_to_string`] and the reads of an open [`File`], of regular files on local file systems, up to
//! 256 KiB at a time. The kernel refuses whatever it would have to wait for; that, and all that makes, changes or writes files, is
//! the pool's.
//!
//! With the feature `io-uring`, the kernel's io_uring does what it does no later than the pool: what was not in memory of small and
//! of open files, looking up, renaming, linking, making directories, removing. A runtime can have it open, make, empty and
//! sync files as well. Writing, and what io_uring has not, is the pool's all the same; so are reads of files whose position
//! others may share (clones, and files that were opened elsewhere): the kernel would not have them take turns.
//!
//! All ways give the same results and errors. [`Builder::file_io`](crate::runtime::Builder::file_io) chooses among them.
//!
//! An operation whose future is dropped goes on to its end all the same; in a ring only if it changes something.
//!
//! # Examples
//! ```
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("notes.txt");
//! use yamanote::fs;
//!
//! fs::write(&path, "remember").await?;
//! assert_eq!(fs::read_to_string(&path).await?, "remember");
//! # Ok(())
//! # }
//! ```

mod buffer;
mod cached;
mod dir_builder;
mod file;
mod file_times;
mod functions;
mod open_options;
mod read_dir;
#[cfg_attr(feature = "io-uring", path = "ring_on.rs")]
#[cfg_attr(not(feature = "io-uring"), path = "ring_off.rs")]
mod ring;

pub use dir_builder::DirBuilder;
pub use file::File;
pub use file_times::FileTimes;
pub use functions::*;
pub use open_options::OpenOptions;
pub use read_dir::{DirEntry, ReadDir, read_dir};

use std::io;

use crate::engine::blocking::spawn_blocking;

/// Runs a blocking file operation on the pool.
pub(crate) async fn asyncify<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> io::Result<T> + Send + 'static,
    T: Send + 'static,
{
    match spawn_blocking(f).await {
        Ok(result) => result,
        // A panic is passed on; a cancelled job means that the runtime shuts down.
        Err(error) => match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(_) => Err(io::Error::other("background task failed")),
        },
    }
}
