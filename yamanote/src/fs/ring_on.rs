//! What goes through the runtime's ring ([`engine::io::ring`](crate::engine::io::ring)) rather than to the pool.
//!
//! `None`, and what is called refused, is never an answer to the caller's question: the pool has to find it.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::engine::context;
use crate::engine::io::ring::{self, Op};
use crate::engine::shared::Shared;
use crate::fs::cached;
use crate::runtime::FileIo;
use crate::sys::fs::{OpenHow, is_local};
use crate::sys::uring::{Answer, Request};

/// Bytes of a file whose size is not known that are asked for at first. Arbitrary.
const FIRST_READ: usize = 8 * 1024;

/// The most that a single operation reads: as for a [`File`](crate::fs::File).
const MAX_READ: usize = 2 * 1024 * 1024;

/// What is asked for, as far as it matters to which way is the better one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// What the pool would do no sooner. See `docs/measured/files.md`.
    Any,
    /// What the kernel hands to a thread of its own at all events: no better than the pool's.
    Slow,
}

/// Whether the runtime wants it to go through its ring.
fn is_wanted(wish: Wish) -> bool {
    let wanted = |shared: &Arc<Shared>| match shared.config.file_io {
        FileIo::Ring => true,
        // Only a worker sees to it that the ring is turned: on a runtime that nobody drives the pool's jobs end all the same.
        FileIo::Cached => wish == Wish::Any && ring::is_turned_here(shared),
        FileIo::Pool => false,
    };
    context::with_handle(|handle| wanted(&handle.shared)).unwrap_or(false)
}

/// Does what is asked for, if there is a ring for it.
async fn ask(wish: Wish, make: impl FnOnce() -> Option<Request>) -> Option<Answer> {
    if !is_wanted(wish) {
        return None;
    }
    let mut request = Some(make()?);
    let mut op = None;
    let done = std::future::poll_fn(|cx| match (&mut op, request.take()) {
        (None, Some(request)) => match Op::start(request, cx) {
            Ok(started) => {
                op = Some(started);
                Poll::Pending
            }
            Err(request) => Poll::Ready(Err(request)),
        },
        (Some(op), _) => op.poll(cx),
        (None, None) => unreachable!("not polled after it was refused"),
    });
    done.await.ok()
}

async fn ask_for_file(wish: Wish, make: impl FnOnce() -> Option<Request>) -> Option<io::Result<File>> {
    match ask(wish, make).await? {
        Answer::File(result) => Some(result),
        Answer::Read(..) | Answer::Done(_) => None,
    }
}

async fn ask_to_do(wish: Wish, make: impl FnOnce() -> Option<Request>) -> Option<io::Result<()>> {
    match ask(wish, make).await? {
        Answer::Done(result) => Some(result),
        Answer::Read(..) | Answer::File(_) => None,
    }
}

pub(crate) async fn open(path: &Path, how: &OpenHow) -> Option<io::Result<File>> {
    ask_for_file(Wish::Slow, || Request::open(path, how)).await
}

/// What `std::fs::metadata` gives, or `symlink_metadata` if links are not to be followed.
pub(crate) async fn metadata(path: &Path, follow: bool) -> Option<io::Result<Metadata>> {
    let file = match ask_for_file(Wish::Any, || Request::look(path, follow)).await? {
        Ok(file) => file,
        Err(error) => return Some(Err(error)),
    };
    // The rest would have to be asked for over a network, perhaps.
    is_local(&file).then(|| file.metadata())
}

/// Whether the path leads somewhere, as [`Path::try_exists`] tells.
pub(crate) async fn exists(path: &Path) -> Option<io::Result<bool>> {
    match ask_for_file(Wish::Any, || Request::look(path, true)).await? {
        Ok(_) => Some(Ok(true)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Ok(false)),
        Err(error) => Some(Err(error)),
    }
}

/// As [`read`], unless this thread is none that turns the ring of its single-threaded runtime: nobody might.
pub(crate) async fn read_if_turned(path: &Path) -> Option<io::Result<Vec<u8>>> {
    let turned = |shared: &Arc<Shared>| !shared.is_single() || ring::is_turned_here(shared);
    match context::with_handle(|handle| turned(&handle.shared)) {
        Ok(true) => read(path).await,
        _ => None,
    }
}

/// What `std::fs::read` gives.
pub(crate) async fn read(path: &Path) -> Option<io::Result<Vec<u8>>> {
    let opened = match cached::open(path, &OpenHow::READ).await {
        Some(opened) => opened,
        None => open(path, &OpenHow::READ).await?,
    };
    let file = match opened {
        Ok(file) => Arc::new(file),
        Err(error) => return Some(Err(error)),
    };
    let expected = match is_local(&file) {
        true => file.metadata().map_or(0, |metadata| metadata.len()),
        false => 0,
    };
    let expected = usize::try_from(expected).unwrap_or(0);
    if cached::is_enabled() && !(1..=cached::MAX_READ).contains(&expected) {
        // A single job does it sooner.
        return None;
    }
    let mut bytes = Vec::new();
    // One more than it should have, so as to see the end together with the last of it.
    let mut max = if expected == 0 { FIRST_READ } else { expected + 1 };
    loop {
        let (mut begin, mut reading) = (Some(bytes), None);
        let (result, all) = std::future::poll_fn(|cx| {
            if let Some(bytes) = begin.take() {
                match Reading::start(Arc::clone(&file), bytes, max.min(MAX_READ), cx) {
                    Ok(started) => reading = Some(started),
                    Err(_) => return Poll::Ready(None),
                }
                return Poll::Pending;
            }
            reading.as_mut().map_or(Poll::Ready(None), |reading| reading.poll(cx).map(Result::ok))
        })
        .await?;
        bytes = all;
        match result {
            Ok(0) => return Some(Ok(bytes)),
            // All that the file had, and less than was asked for.
            Ok(n) if n == expected && n < max.min(MAX_READ) && bytes.len() == n => {
                return Some(Ok(bytes));
            }
            Ok(_) => max = (bytes.capacity() - bytes.len()).max(FIRST_READ),
            Err(error) => return Some(Err(error)),
        }
    }
}

pub(crate) async fn sync(file: &Arc<File>, data_only: bool) -> Option<io::Result<()>> {
    ask_to_do(Wish::Slow, || Request::sync(Arc::clone(file), data_only)).await
}

pub(crate) async fn rename(from: &Path, to: &Path) -> Option<io::Result<()>> {
    ask_to_do(Wish::Any, || Request::rename(from, to)).await
}

pub(crate) async fn remove_file(path: &Path) -> Option<io::Result<()>> {
    ask_to_do(Wish::Any, || Request::remove(path, false)).await
}

pub(crate) async fn remove_dir(path: &Path) -> Option<io::Result<()>> {
    ask_to_do(Wish::Any, || Request::remove(path, true)).await
}

pub(crate) async fn create_dir(path: &Path, mode: u32) -> Option<io::Result<()>> {
    ask_to_do(Wish::Any, || Request::make_directory(path, mode)).await
}

pub(crate) async fn hard_link(original: &Path, link: &Path) -> Option<io::Result<()>> {
    ask_to_do(Wish::Any, || Request::link(original, link)).await
}

#[cfg(unix)]
pub(crate) async fn symlink(original: &Path, link: &Path) -> Option<io::Result<()>> {
    ask_to_do(Wish::Any, || Request::symlink(original, link)).await
}

/// A read that is under way, at a file's position.
pub(crate) struct Reading {
    op: Op,
    file: Arc<File>,
    max: usize,
}

/// A read that has to be done otherwise: what it takes for that.
pub(crate) struct Refused {
    pub(crate) file: Arc<File>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) max: usize,
}

/// How many bytes were read, behind those that there were, and all of them.
pub(crate) type Done = (io::Result<usize>, Vec<u8>);

impl Reading {
    /// Starts to read up to `max` bytes, behind those that there are, as if it was polled for the first time and is not
    /// ready.
    pub(crate) fn start(
        file: Arc<File>,
        bytes: Vec<u8>,
        max: usize,
        cx: &Context<'_>,
    ) -> Result<Reading, Refused> {
        if !is_wanted(Wish::Any) {
            return Err(Refused { file, bytes, max });
        }
        let request = match Request::read(Arc::clone(&file), bytes, max) {
            Ok(request) => request,
            Err(bytes) => return Err(Refused { file, bytes, max }),
        };
        match Op::start(request, cx) {
            Ok(op) => Ok(Reading { op, file, max }),
            Err(request) => Err(Refused { file, bytes: request.into_buffer(), max }),
        }
    }

    /// # Panics
    /// If it was ready before.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Done, Refused>> {
        let (bytes, max) = match ready!(self.op.poll(cx)) {
            Ok(Answer::Read(bytes, result)) => return Poll::Ready(Ok((result, bytes))),
            Ok(Answer::File(_) | Answer::Done(_)) => (Vec::new(), self.max),
            Err(request) => (request.into_buffer(), self.max),
        };
        Poll::Ready(Err(Refused { file: Arc::clone(&self.file), bytes, max }))
    }
}
