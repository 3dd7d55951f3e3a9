//! A ring of Linux's io_uring, and what is asked of files through one.
//!
//! A [`Request`] owns all that the kernel reads and writes on its behalf: paths, buffers, and a share of the file. The
//! memory lies where a move of the request does not move it, so it is enough to keep the request until its completion came.
//!
//! Two sides use a [`Queue`], each at a time by one thread: [`Submit`] and [`Complete`] are the rights to do so, made once with
//! the queue. Whoever keeps them decides how they are shared.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use io_uring::types::Fd;
use io_uring::{EnterFlags, IoUring, Probe, opcode, squeue};

use crate::sys::fs::OpenHow;

/// The result of an operation that was called off before it began.
pub(crate) const CALLED_OFF: i32 = -libc::ECANCELED;

/// Entries that can be handed to the kernel at once. Arbitrary: more are handed over in several calls.
const ENTRIES: u32 = 128;
/// Completions that find room. When there are more, the kernel keeps them until there is.
const COMPLETIONS: u32 = 1024;

/// The kernel transfers no more at once, whatever it is asked for.
const MAX_TRANSFER: usize = 0x7fff_f000;

/// The most bytes that a worker copies when it hands over: as `fs::cached` has it.
const MAX_AT_ONCE: usize = 256 * 1024;

/// Threads of the kernel's that may block for a worker's operations: as many as the blocking pool has by default. The kernel
/// has a few for each processor, which would not do for files that wait for each other, such as pipes.
const KERNEL_THREADS: u32 = 512;

/// What all requests together need.
const OPERATIONS: [u8; 9] = [
    opcode::OpenAt::CODE,
    opcode::Read::CODE,
    opcode::Fsync::CODE,
    opcode::RenameAt::CODE,
    opcode::UnlinkAt::CODE,
    opcode::MkDirAt::CODE,
    opcode::SymlinkAt::CODE,
    opcode::LinkAt::CODE,
    opcode::AsyncCancel::CODE,
];

pub(crate) struct Queue(IoUring);

/// The right to submit.
pub(crate) struct Submit(());
/// The right to take completions.
pub(crate) struct Complete(());

/// Why nothing was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The kernel is short of something: later.
    Busy,
    /// It will never do.
    Never,
}

impl Queue {
    /// `None` if the kernel, or who guards it, gives none, or not all that is needed.
    pub(crate) fn new() -> Option<(Queue, Submit, Complete)> {
        /// Old kernels and sandboxes answer the same every time. Relaxed: only spares the question.
        static REFUSED: AtomicBool = AtomicBool::new(false);

        if REFUSED.load(Ordering::Relaxed) {
            return None;
        }
        match Queue::make() {
            Ok(queue) => Some((queue, Submit(()), Complete(()))),
            Err(error) => {
                let passes = matches!(
                    error.raw_os_error(),
                    Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::EAGAIN | libc::EINTR)
                );
                if !passes {
                    REFUSED.store(true, Ordering::Relaxed);
                }
                None
            }
        }
    }

    fn make() -> io::Result<Queue> {
        let mut ring: IoUring =
            IoUring::builder().setup_clamp().setup_cqsize(COMPLETIONS).build(ENTRIES)?;
        let params = ring.params();
        // Native workers came with Linux 5.12: they act in the name of the thread that submits.
        if !params.is_feature_nodrop() || !params.is_feature_native_workers() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        if !OPERATIONS.iter().all(|&code| probe.is_supported(code)) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        ring.submitter().register_iowq_max_workers(&mut [KERNEL_THREADS, 0])?;
        // That there is a ring does not mean that it may be entered.
        // SAFETY: the operation refers to no memory.
        unsafe { ring.submission().push(&opcode::Nop::new().build()) }.map_err(io::Error::other)?;
        ring.submit_and_wait(1)?;
        let result = ring.completion().next().map(|entry| entry.result());
        if result == Some(0) { Ok(Queue(ring)) } else { Err(io::ErrorKind::Unsupported.into()) }
    }

    /// How many more entries fit.
    pub(crate) fn room(&self, _: &mut Submit) -> usize {
        // SAFETY: who has the right is alone.
        let queue = unsafe { self.0.submission_shared() };
        queue.capacity() - queue.len()
    }

    /// Adds an entry to those that the next [`enter`](Self::enter) hands over; there must be room.
    ///
    /// # Safety
    /// What `entry` was made from stays until the kernel has told of its completion.
    pub(crate) unsafe fn push(&self, _: &mut Submit, entry: &Entry) {
        // SAFETY: who has the right is alone.
        let mut queue = unsafe { self.0.submission_shared() };
        // SAFETY: the caller's promise.
        let pushed = unsafe { queue.push(&entry.0) };
        debug_assert!(pushed.is_ok(), "there was room");
    }

    /// Hands over what was pushed. Tells how many entries the kernel has taken, in order.
    pub(crate) fn enter(&self, _: &mut Submit) -> Result<usize, Refusal> {
        loop {
            let error = match self.0.submit() {
                Ok(n) => return Ok(n),
                Err(error) => error,
            };
            match error.raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN | libc::EBUSY | libc::ENOMEM) => return Err(Refusal::Busy),
                _ => return Err(Refusal::Never),
            }
        }
    }

    /// Takes the completions that are there: whose, and with what result.
    pub(crate) fn reap(&self, _: &mut Complete, mut each: impl FnMut(u64, i32)) {
        loop {
            // SAFETY: who has the right is alone.
            for entry in unsafe { self.0.completion_shared() } {
                each(entry.user_data(), entry.result());
            }
            // Dropped, it would write what belongs to who submits.
            // SAFETY: only looks at a flag that the kernel sets.
            let flags = ManuallyDrop::new(unsafe { self.0.submission_shared() });
            if !flags.cq_overflow() {
                return;
            }
            // SAFETY: submits nothing, waits for nothing, and takes no argument: moves what found no room.
            let moved = unsafe {
                self.0.submitter().enter::<libc::sigset_t>(0, 0, EnterFlags::GETEVENTS.bits(), None)
            };
            if moved.is_err() {
                return;
            }
        }
    }

    /// Waits, for a while, until a completion is there.
    pub(crate) fn wait(&self, timeout: Duration) {
        let mut fd = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one descriptor, which is open.
        unsafe { libc::poll(&raw mut fd, 1, timeout.as_millis() as libc::c_int) };
    }
}

impl AsRawFd for Queue {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.0.as_raw_fd()
    }
}

/// What the kernel is told.
pub(crate) struct Entry(squeue::Entry);

impl Entry {
    /// That nobody waits any more for what was submitted under `name`.
    pub(crate) fn cancel(name: u64, own_name: u64) -> Entry {
        Entry(opcode::AsyncCancel::new(name).build().user_data(own_name))
    }
}

/// Something to be done with files, and what it takes.
pub(crate) struct Request(Kind);

enum Kind {
    Open {
        path: CString,
        flags: i32,
        mode: u32,
    },
    /// Into the free room of `bytes`, up to `max`.
    Read {
        file: Arc<File>,
        bytes: Vec<u8>,
        max: usize,
    },
    Sync {
        file: Arc<File>,
        data_only: bool,
    },
    Rename {
        from: CString,
        to: CString,
    },
    Remove {
        path: CString,
        directory: bool,
    },
    MakeDirectory {
        path: CString,
        mode: u32,
    },
    Link {
        original: CString,
        link: CString,
    },
    Symlink {
        original: CString,
        link: CString,
    },
}

/// What came of a request.
pub(crate) enum Answer {
    File(io::Result<File>),
    /// So many bytes, now counted, were read into the buffer.
    Read(Vec<u8>, io::Result<usize>),
    Done(io::Result<()>),
}

fn c_path(path: &Path) -> Option<CString> {
    // An inner null byte is an error, which the ordinary call tells.
    CString::new(path.as_os_str().as_bytes()).ok()
}

const HERE: Fd = Fd(libc::AT_FDCWD);
/// At the file's position, which moves.
const AT_POSITION: u64 = u64::MAX;

impl Request {
    /// As `OpenOptions::open`. `None` if the options or the path are wrong, which the ordinary call explains.
    pub(crate) fn open(path: &Path, how: &OpenHow) -> Option<Request> {
        let flags = how.flags()? | libc::O_CLOEXEC;
        Some(Request(Kind::Open { path: c_path(path)?, flags, mode: how.mode }))
    }

    /// Opens nothing, only finds what is there: a file to be asked for its metadata.
    pub(crate) fn look(path: &Path, follow: bool) -> Option<Request> {
        let flags = libc::O_PATH | libc::O_CLOEXEC | if follow { 0 } else { libc::O_NOFOLLOW };
        Some(Request(Kind::Open { path: c_path(path)?, flags, mode: 0 }))
    }

    /// Reads up to `max` bytes, behind those that `bytes` has.
    pub(crate) fn read(file: Arc<File>, mut bytes: Vec<u8>, max: usize) -> Result<Request, Vec<u8>> {
        let max = max.min(MAX_TRANSFER);
        if bytes.try_reserve(max).is_err() {
            return Err(bytes);
        }
        Ok(Request(Kind::Read { file, bytes, max }))
    }

    pub(crate) fn sync(file: Arc<File>, data_only: bool) -> Option<Request> {
        Some(Request(Kind::Sync { file, data_only }))
    }

    pub(crate) fn rename(from: &Path, to: &Path) -> Option<Request> {
        Some(Request(Kind::Rename { from: c_path(from)?, to: c_path(to)? }))
    }

    pub(crate) fn remove(path: &Path, directory: bool) -> Option<Request> {
        Some(Request(Kind::Remove { path: c_path(path)?, directory }))
    }

    pub(crate) fn make_directory(path: &Path, mode: u32) -> Option<Request> {
        Some(Request(Kind::MakeDirectory { path: c_path(path)?, mode }))
    }

    pub(crate) fn link(original: &Path, link: &Path) -> Option<Request> {
        Some(Request(Kind::Link { original: c_path(original)?, link: c_path(link)? }))
    }

    pub(crate) fn symlink(original: &Path, link: &Path) -> Option<Request> {
        Some(Request(Kind::Symlink { original: c_path(original)?, link: c_path(link)? }))
    }

    /// What the kernel is to be told. It refers to memory of the request's, which is to be kept, moved perhaps, but
    /// not touched until the completion came.
    pub(crate) fn entry(&mut self, name: u64) -> Entry {
        let entry = match &mut self.0 {
            Kind::Open { path, flags, mode } => {
                let entry = opcode::OpenAt::new(HERE, path.as_ptr()).flags(*flags).mode(*mode).build();
                // What the kernel tries at once, it opens in non-blocking mode: a named pipe would not wait for its other
                // side. On a thread of the kernel's own it is opened as it is meant to be.
                let at_once = *flags & libc::O_PATH != 0;
                if at_once { entry } else { entry.flags(squeue::Flags::ASYNC) }
            }
            Kind::Read { file, bytes, max } => {
                let free = &mut bytes.spare_capacity_mut()[..*max];
                let fd = Fd(file.as_raw_fd());
                let entry = opcode::Read::new(fd, free.as_mut_ptr().cast(), *max as u32);
                let entry = entry.offset(AT_POSITION).build();
                // What is in memory is copied when it is handed over, by the worker that does so.
                let at_once = *max <= MAX_AT_ONCE;
                if at_once { entry } else { entry.flags(squeue::Flags::ASYNC) }
            }
            Kind::Sync { file, data_only } => {
                let flags = match data_only {
                    true => io_uring::types::FsyncFlags::DATASYNC,
                    false => io_uring::types::FsyncFlags::empty(),
                };
                opcode::Fsync::new(Fd(file.as_raw_fd())).flags(flags).build()
            }
            Kind::Rename { from, to } => {
                opcode::RenameAt::new(HERE, from.as_ptr(), HERE, to.as_ptr()).build()
            }
            Kind::Remove { path, directory } => {
                let flags = if *directory { libc::AT_REMOVEDIR } else { 0 };
                opcode::UnlinkAt::new(HERE, path.as_ptr()).flags(flags).build()
            }
            Kind::MakeDirectory { path, mode } => {
                opcode::MkDirAt::new(HERE, path.as_ptr()).mode(*mode).build()
            }
            Kind::Link { original, link } => {
                opcode::LinkAt::new(HERE, original.as_ptr(), HERE, link.as_ptr()).build()
            }
            Kind::Symlink { original, link } => {
                opcode::SymlinkAt::new(HERE, original.as_ptr(), link.as_ptr()).build()
            }
        };
        Entry(entry.user_data(name))
    }

    /// Whether it is to be called off when nobody waits for it any more: what changes nothing, and may wait for ever.
    pub(crate) fn is_idle_wish(&self) -> bool {
        match self.0 {
            Kind::Open { flags, .. } => flags & (libc::O_CREAT | libc::O_TRUNC) == 0,
            Kind::Read { .. } => true,
            _ => false,
        }
    }

    /// What came of it; the request back if that is no answer: it was called off before it began, or the ring cannot
    /// do it. The ordinary call then finds the answer.
    ///
    /// # Safety
    /// The kernel has told of the request's completion, with this result.
    pub(crate) unsafe fn answer(self, result: i32) -> Result<Answer, Request> {
        if is_doubtful(result) {
            return Err(self);
        }
        let count = || match result {
            0.. => Ok(result as usize),
            _ => Err(io::Error::from_raw_os_error(-result)),
        };
        Ok(match self.0 {
            // SAFETY: the kernel has opened it for this request, which is used up.
            Kind::Open { .. } => Answer::File(count().map(|_| unsafe { File::from_raw_fd(result) })),
            Kind::Read { file, mut bytes, max } => {
                drop(file);
                let n = count();
                if let Ok(n) = n {
                    assert!(n <= max, "the kernel reads no more than it was asked for");
                    // SAFETY: so many bytes were written behind those that were there.
                    unsafe { bytes.set_len(bytes.len() + n) };
                }
                Answer::Read(bytes, n)
            }
            _ => Answer::Done(count().map(drop)),
        })
    }

    /// Does by ordinary calls, which may block, what nobody waits for: what changes something. Nor is anybody told what comes
    /// of it.
    pub(crate) fn perform(self) {
        let path = |path: &CString| PathBuf::from(OsStr::from_bytes(path.as_bytes()));
        let _ = match &self.0 {
            Kind::Open { path, flags, mode } => {
                // SAFETY: a path that ends with a null byte.
                let fd = unsafe { libc::open(path.as_ptr(), *flags, *mode) };
                // SAFETY: just opened, and nobody else's.
                drop((fd >= 0).then(|| unsafe { File::from_raw_fd(fd) }));
                Ok(())
            }
            Kind::Read { .. } => Ok(()),
            Kind::Sync { file, data_only: true } => file.sync_data(),
            Kind::Sync { file, data_only: false } => file.sync_all(),
            Kind::Rename { from, to } => std::fs::rename(path(from), path(to)),
            Kind::Remove { path: at, directory: true } => std::fs::remove_dir(path(at)),
            Kind::Remove { path: at, directory: false } => std::fs::remove_file(path(at)),
            Kind::MakeDirectory { path: at, mode } => {
                std::fs::DirBuilder::new().mode(*mode).create(path(at))
            }
            Kind::Link { original, link } => std::fs::hard_link(path(original), path(link)),
            Kind::Symlink { original, link } => std::os::unix::fs::symlink(path(original), path(link)),
        };
    }

    /// The buffer of a read that was refused.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        match self.0 {
            Kind::Read { bytes, .. } => bytes,
            _ => Vec::new(),
        }
    }
}

/// Results that say more about the ring, or the thread that submitted, than about the file. An error that is one, the
/// ordinary call meets as well.
fn is_doubtful(result: i32) -> bool {
    matches!(
        -result,
        // Called off, or interrupted: the thread that submitted it ended, for instance (EFAULT then, sometimes).
        libc::ECANCELED | libc::EINTR | libc::EFAULT
            // Would have to wait, or wants memory.
            | libc::EAGAIN | libc::ENOMEM
            // Not this operation on this file, or not for us.
            | libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS | libc::EPERM
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More completions than there is room for, and none of them lost.
    #[test]
    fn what_finds_no_room_is_kept_by_the_kernel() {
        let Some((queue, mut submit, mut complete)) = Queue::new() else { return };
        let total = 3 * u64::from(COMPLETIONS);
        let mut requests = Vec::new();
        for name in 0..total {
            while queue.room(&mut submit) == 0 {
                queue.enter(&mut submit).unwrap();
            }
            let mut request = Request::look(Path::new("/nowhere/at/all"), true).unwrap();
            let entry = request.entry(name);
            requests.push(request);
            // SAFETY: the request is kept to the end.
            unsafe { queue.push(&mut submit, &entry) };
        }
        queue.enter(&mut submit).unwrap();
        let mut seen = std::collections::HashSet::new();
        while seen.len() < requests.len() {
            queue.wait(Duration::from_secs(1));
            queue.reap(&mut complete, |name, result| {
                assert_eq!(result, -libc::ENOENT);
                assert!(seen.insert(name), "twice");
            });
        }
        drop(requests);
    }

    #[test]
    fn a_doubtful_result_is_no_answer() {
        let request = || Request::look(Path::new("/"), true).unwrap();
        // SAFETY: no such operation was submitted, nor do these results stand for a descriptor.
        let answers = unsafe { (request().answer(CALLED_OFF), request().answer(-libc::ENOENT)) };
        assert!(answers.0.is_err());
        assert!(
            matches!(answers.1, Ok(Answer::File(Err(error))) if error.kind() == io::ErrorKind::NotFound)
        );
    }
}
