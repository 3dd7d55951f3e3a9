//! What the tests share.

use std::future::{Future, poll_fn};
use std::path::PathBuf;
use std::task::Poll;

use tempfile::TempDir;
use yamanote::runtime::{Builder, FileIo, Runtime};

pub fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn multi() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The ways in which files are used. Where there is no ring, the last is the pool once more.
pub const WAYS: [FileIo; 3] = [FileIo::Cached, FileIo::Pool, FileIo::Ring];

/// Directories to test in: the usual place for temporary files, and a file system of each other kind there is.
pub fn places() -> Vec<TempDir> {
    let mut places = vec![tempfile::tempdir().unwrap()];
    for place in [env!("CARGO_TARGET_TMPDIR"), "/dev/shm"] {
        places.extend(tempfile::tempdir_in(place));
    }
    places
}

/// Runs a test on both flavours and in all ways, each time in an empty directory.
pub fn on_both<F: Future>(test: impl Fn(TempDir) -> F) {
    for way in WAYS {
        for place in places() {
            Builder::new_current_thread()
                .enable_all()
                .file_io(way)
                .build()
                .unwrap()
                .block_on(test(place));
        }
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().file_io(way).build().unwrap();
        runtime.block_on(test(tempfile::tempdir().unwrap()));
    }
}

/// A file with these contents in a directory of its own.
pub fn file(contents: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, contents).unwrap();
    (dir, path)
}

/// Bytes that tell where they belong.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i / 4).wrapping_mul(2_654_435_761).to_le_bytes()[i as usize % 4]).collect()
}

/// Polls a future once; what it gave if it was ready, and drops it.
pub async fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
