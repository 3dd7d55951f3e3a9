//! Moving bytes from one descriptor to another by way of a pipe, without a look at them: `splice`.
//!
//! A pipe is two descriptors, which are dear, so there are few: a direction of a connection has one only while it has
//! something to move, and takes it from a pool that all share.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::sys::poll::PollHandle;

/// What a pipe is asked to hold. A slot of it holds a page at the most, and from a network card often no more than a packet.
const SIZE: libc::c_int = 256 * 1024;

/// A pipe that holds less is not worth its system calls. Users beyond their share of memory get such.
const MIN_SIZE: libc::c_int = 64 * 1024;

/// Pipes at the most. The system gives a user 64 MiB for pipes by default: so it is half of that.
const MAX_PIPES: usize = 128;

/// Pipes at the most where descriptors are few: both ends of all of them are a sixteenth of the limit.
const LIMIT_SHARE: usize = 32;

/// Pipes kept for the next who needs one. Arbitrary.
const MAX_IDLE: usize = 16;

static IDLE: Mutex<Vec<Pipe>> = Mutex::new(Vec::new());
static PIPES: AtomicUsize = AtomicUsize::new(0);

/// A pipe, and how many bytes are in it.
#[derive(Debug)]
pub(crate) struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
    held: usize,
}

fn most() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer leads to a limit to be written.
        let failed = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0;
        let limit = if failed { 0 } else { usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX) };
        (limit / LIMIT_SHARE).min(MAX_PIPES)
    })
}

impl Pipe {
    /// An empty pipe, if there is one to be had.
    pub(crate) fn take() -> Option<Pipe> {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.or_else(Pipe::new)
    }

    fn new() -> Option<Pipe> {
        // Relaxed: a limit, nothing else hangs on it.
        if PIPES.fetch_add(1, Ordering::Relaxed) >= most() {
            PIPES.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let mut ends: [RawFd; 2] = [-1; 2];
        // In blocking mode: no call waits for the pipe, since it is known what is in it.
        // SAFETY: the pointer leads to two descriptors to be written.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
            PIPES.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        // SAFETY: both were just made, and are nobody else's.
        let [reader, writer] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
        let pipe = Pipe { reader, writer, held: 0 };
        // SAFETY: takes and returns integers. If it cannot be made larger, it stays as it was.
        let size = unsafe {
            libc::fcntl(pipe.writer.as_raw_fd(), libc::F_SETPIPE_SZ, SIZE);
            libc::fcntl(pipe.writer.as_raw_fd(), libc::F_GETPIPE_SZ)
        };
        (size >= MIN_SIZE).then_some(pipe)
    }

    /// Leaves the pipe to the next; closes it if there is something in it.
    pub(crate) fn give_back(self) {
        if self.held > 0 {
            return;
        }
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(self);
        }
    }

    /// The bytes in it.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Takes what `from` has, and tells how much: 0 at its end. `WouldBlock` is about `from`, since there is room
    /// in the pipe.
    pub(crate) fn fill(&mut self, from: PollHandle) -> io::Result<usize> {
        assert_eq!(
            self.held, 0,
            "whether the pipe or the source has to be waited for, nobody could tell"
        );
        let n = splice(from.raw(), self.writer.as_raw_fd(), SIZE as usize)?;
        self.held = n;
        Ok(n)
    }

    /// Gives `to` as much as it takes, and tells how much. `WouldBlock` is about `to`, if the pipe holds something.
    pub(crate) fn drain(&mut self, to: PollHandle) -> io::Result<usize> {
        let n = splice(self.reader.as_raw_fd(), to.raw(), self.held)?;
        self.held -= n;
        Ok(n)
    }

    /// Takes bytes out for who has to write them in another way.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = buf.len().min(self.held);
        // SAFETY: the buffer has room for that many bytes.
        let n = unsafe { libc::read(self.reader.as_raw_fd(), buf.as_mut_ptr().cast(), len) };
        let n = usize::try_from(n).map_err(|_| io::Error::last_os_error())?;
        self.held -= n;
        Ok(n)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Relaxed: as where it is counted up.
        PIPES.fetch_sub(1, Ordering::Relaxed);
    }
}

fn splice(from: RawFd, to: RawFd, len: usize) -> io::Result<usize> {
    let flags = libc::SPLICE_F_MOVE | libc::SPLICE_F_NONBLOCK;
    // SAFETY: takes integers; no offsets are given.
    let n = unsafe { libc::splice(from, ptr::null_mut(), to, ptr::null_mut(), len, flags) };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// Whether a write to a closed connection is an error and not the end of the process: unlike `send`, `splice` cannot
/// be told to spare us the signal.
pub(crate) fn is_harmless() -> bool {
    // SAFETY: an action is integers and a pointer, for which zero is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: no new action is given; the pointer leads to one to be written.
    let failed = unsafe { libc::sigaction(libc::SIGPIPE, ptr::null(), &raw mut action) } != 0;
    !failed && action.sa_sigaction != libc::SIG_DFL
}

/// Whether the system cannot do it for these descriptors, or does not let us: nothing was moved then.
pub(crate) fn is_refusal(error: &io::Error) -> bool {
    let known = [libc::EINVAL, libc::ENOSYS, libc::EOPNOTSUPP, libc::EPERM, libc::EACCES, libc::ENOMEM];
    error.raw_os_error().is_some_and(|number| known.contains(&number))
}
