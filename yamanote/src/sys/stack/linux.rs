//! The registers and the stack of another thread, copied by itself in a signal handler.
//!
//! A thread that is blocked, or computes, tells nobody where it is. Sent a signal, it runs a handler, which may do
//! next to nothing: the thread may have been interrupted anywhere, with any lock held, that of the allocator or of the
//! dynamic linker too. So the handler does not look at the stack. It keeps the registers, has the kernel copy the
//! stack's innermost part into memory made for that in advance, and is done. Nothing in it waits or allocates, so it
//! cannot hang, whatever it interrupts. What calls there are is found out of the copy ([`unwind`](super::unwind)),
//! later, on a thread that may take locks.
//!
//! The copy begins a little before the stack's end where functions may keep things there: one that is about to return has
//! taken its registers back, and is still described as if they lay where they did.
//!
//! The kernel copies (`process_vm_readv`, on this very process), and not the handler, because it stops where the
//! stack's memory ends: nobody need know where that is, also not on stacks that a program makes itself.
//!
//! # Protocol
//!
//! There is one [`Request`] in the process, and it is never freed, since a signal may come at any time later. Its state
//! goes round: `IDLE`, `WANTED` (by whoever has the turn), `TAKING` (by the handler on the wanted thread), `TAKEN`,
//! `IDLE`. A thread that does not answer in time (it may have blocked the signal) is not waited for: `WANTED` becomes
//! `IDLE` again, and a signal that comes later finds nothing to do.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::registers;

/// How much of a stack is kept: the calls from a worker's loop to where a task blocks take some KiB, in a program that is
/// not optimised some ten.
const DEPTH: usize = 256 * 1024;

/// How the copy is divided: what the kernel copies in one go it copies whole or not at all.
const PIECE: usize = 4096;
const PIECES: usize = 16;

/// How long a thread may take to answer. It is at its next return from the kernel if it is not kept from that.
const PATIENCE: Duration = Duration::from_millis(50);

const IDLE: u32 = 0;
const WANTED: u32 = 1;
const TAKING: u32 = 2;
const TAKEN: u32 = 3;

/// What was seen of a thread.
pub(crate) struct Sample {
    pub(super) registers: [usize; registers::COUNT],
    /// The stack from the stack pointer on, and what lies before it that a signal leaves alone.
    pub(super) stack: Box<[u8]>,
    /// The address that it begins at.
    pub(super) start: usize,
}

impl Sample {
    /// The calls that were under way.
    pub(crate) fn calls(&self) -> super::Calls {
        super::unwind::calls(self)
    }
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sample").field("stack", &self.stack.len()).finish_non_exhaustive()
    }
}

struct Answer {
    registers: [usize; registers::COUNT],
    /// Where the copy begins.
    start: usize,
    /// How much of the stack was copied.
    length: usize,
    stack: [MaybeUninit<u8>; DEPTH],
}

struct Request {
    state: AtomicU32,
    /// Who is meant.
    thread: AtomicU32,
    answer: UnsafeCell<Answer>,
}

// SAFETY: the answer belongs to the handler that turned `WANTED` to `TAKING`, until that sets `TAKEN`; then to whoever
// has the turn.
unsafe impl Sync for Request {}

/// Its memory costs nothing until it is written.
static REQUEST: Request = Request {
    state: AtomicU32::new(IDLE),
    thread: AtomicU32::new(0),
    answer: UnsafeCell::new(Answer {
        registers: [0; registers::COUNT],
        start: 0,
        length: 0,
        stack: [MaybeUninit::uninit(); DEPTH],
    }),
};

/// Whoever asks has it locked. The signal, once there was occasion to choose one; `None` in it: there is none left.
static TURN: Mutex<Option<Option<c_int>>> = Mutex::new(None);

/// What the system calls the current thread.
pub(crate) fn thread_id() -> u32 {
    // SAFETY: a call without arguments that cannot fail.
    let id = unsafe { libc::syscall(libc::SYS_gettid) };
    id as u32
}

/// Has the thread, which the system calls so, copy its stack. `None`: it did not answer, or may not.
pub(crate) fn sample(thread: u32) -> Option<Sample> {
    let mut turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let signal = (*turn.get_or_insert_with(install))?;
    // Acquire pairs with the handler's Release: one that was given up may have finished since.
    if !matches!(REQUEST.state.load(Ordering::Acquire), IDLE | TAKEN) {
        return None;
    }
    REQUEST.thread.store(thread, Ordering::Relaxed);
    // Release pairs with the handler's Acquire: it sees whom this is about.
    REQUEST.state.store(WANTED, Ordering::Release);
    // SAFETY: numbers only. The process is named too, so that no thread of another one is meant.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal) } == 0;
    if !sent || !wait() {
        return None;
    }
    // SAFETY: the state is `TAKEN` and we have the turn.
    let answer = unsafe { &*REQUEST.answer.get() };
    // SAFETY: the kernel wrote that much of it.
    let stack = unsafe { std::slice::from_raw_parts(answer.stack.as_ptr().cast::<u8>(), answer.length) };
    let sample = Sample { registers: answer.registers, stack: stack.into(), start: answer.start };
    REQUEST.state.store(IDLE, Ordering::Relaxed);
    Some(sample)
}

/// Waits for the answer, but not for long.
fn wait() -> bool {
    let start = Instant::now();
    let mut pause = Duration::from_micros(20);
    loop {
        // Acquire pairs with the handler's Release.
        match REQUEST.state.load(Ordering::Acquire) {
            TAKEN => return true,
            WANTED if start.elapsed() > PATIENCE => {
                // Relaxed: nothing was written. If the handler has just begun, it gets a moment more.
                let taken_back =
                    REQUEST.state.compare_exchange(WANTED, IDLE, Ordering::Relaxed, Ordering::Relaxed);
                if taken_back.is_ok() {
                    return false;
                }
            }
            // Stopped in the middle of it. Nobody asks until it has finished.
            TAKING if start.elapsed() > 2 * PATIENCE => return false,
            _ => {}
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(1));
    }
}

/// Installs the handler, for the life of the process, for a real-time signal that nobody uses.
fn install() -> Option<c_int> {
    let free = |signal: &c_int| {
        // SAFETY: zeroes are a valid value, and the call only fills it in.
        unsafe {
            let mut now: libc::sigaction = mem::zeroed();
            libc::sigaction(*signal, ptr::null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_DFL
        }
    };
    // From above: who wants one for himself begins from below.
    let signal = (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev().find(free)?;
    // SAFETY: zeroes are a valid value; the handler does only what a handler may.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = on_signal as *const () as usize;
        // What it interrupts goes on where the kernel can do that, and a stack of its own is used if there is one.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigfillset(&raw mut action.sa_mask);
        (libc::sigaction(signal, &raw const action, ptr::null_mut()) == 0).then_some(signal)
    }
}

/// Runs on the thread that is looked at, anywhere in the middle of what it does.
extern "C" fn on_signal(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // What is interrupted may be about to look at it.
    let error = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    // Relaxed: ordered by the exchange. A request for another thread is another's.
    let state = &REQUEST.state;
    if state.load(Ordering::Acquire) == WANTED
        && REQUEST.thread.load(Ordering::Relaxed) == thread_id()
        // Acquire pairs with the Release in `sample`, Release below with the Acquire in `wait`.
        && state.compare_exchange(WANTED, TAKING, Ordering::Acquire, Ordering::Relaxed).is_ok()
    {
        // SAFETY: `TAKING` is ours: nobody else touches the answer. The kernel gives the handler a context.
        unsafe {
            let answer = &mut *REQUEST.answer.get();
            answer.registers = registers::read(&*context.cast::<libc::ucontext_t>());
            let end = answer.registers[registers::SP];
            answer.start = end.saturating_sub(registers::RED_ZONE);
            answer.length = copy(answer.start, &mut answer.stack);
            if answer.length == 0 {
                // What comes before the stack's end may not be there.
                answer.start = end;
                answer.length = copy(end, &mut answer.stack);
            }
        }
        state.store(TAKEN, Ordering::Release);
    }
    // SAFETY: the thread's own variable.
    unsafe { *libc::__errno_location() = error };
}

/// Copies what there is from the address on, and tells how much there was.
fn copy(from: usize, into: &mut [MaybeUninit<u8>; DEPTH]) -> usize {
    let mut copied = 0;
    while copied < DEPTH {
        let start = from + copied;
        // To the next border first.
        let first = PIECE - start % PIECE;
        let mut length = 0;
        let mut pieces = [const { libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 } }; PIECES];
        for piece in &mut pieces {
            let wanted = if length == 0 { first } else { PIECE };
            piece.iov_base = ptr::with_exposed_provenance_mut(start + length);
            piece.iov_len = wanted.min(DEPTH - copied - length);
            length += piece.iov_len;
        }
        let into = libc::iovec { iov_base: into[copied..].as_mut_ptr().cast(), iov_len: length };
        // SAFETY: the kernel writes no more than there is room for, and looks itself whether what it reads is there.
        let read = unsafe {
            libc::syscall(
                libc::SYS_process_vm_readv,
                libc::getpid(),
                &raw const into,
                1_usize,
                pieces.as_ptr(),
                PIECES,
                0_usize,
            )
        };
        let Ok(read) = usize::try_from(read) else { break };
        copied += read;
        if read < length {
            break;
        }
    }
    copied
}
