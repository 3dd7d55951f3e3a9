//! System calls that fail at random.
//!
//! The functions below have the names of the C library's and are found before them by everything that is
//! linked into this program. They make the system calls themselves. Only non-blocking sockets and pipes
//! meet faults, and only while [`inject`]'s guard lives.
//!
//! # What the kernel owes
//! Readiness comes as edges: who was told "not now", or got less than there was, may wait for the next
//! event, and the kernel owes one. So after each such lie the descriptor is armed again (`EPOLL_CTL_MOD`),
//! which reports it once more if it is ready. That happens *before* the caller has its answer: the event
//! may overtake it, as a real one may.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

use libc::{c_int, c_void, epoll_event, iovec, msghdr, size_t, sockaddr, socklen_t, ssize_t};

/// How many of a thousand calls fail, and how.
#[derive(Clone, Copy, Default)]
pub struct Rates {
    pub eintr: u64,
    pub eagain: u64,
    /// Less than asked for, on streams.
    pub short: u64,
    /// On sockets that send.
    pub enobufs: u64,
    /// On `accept`.
    pub emfile: u64,
    /// Of what not every descriptor can do.
    pub refusal: u64,
}

static ON: AtomicBool = AtomicBool::new(false);
static RATES: Mutex<Rates> =
    Mutex::new(Rates { eintr: 0, eagain: 0, short: 0, enobufs: 0, emfile: 0, refusal: 0 });
static DRAWN: AtomicU64 = AtomicU64::new(0);
static CALLS: AtomicU64 = AtomicU64::new(0);
static MOVES: AtomicU64 = AtomicU64::new(0);
static WAITS: AtomicU64 = AtomicU64::new(0);
static INJECTED: AtomicU64 = AtomicU64::new(0);
/// One test at a time.
static TURN: Mutex<()> = Mutex::new(());
/// What watches each descriptor.
static WATCHED: Mutex<Option<HashMap<c_int, Watch>>> = Mutex::new(None);

/// An epoll instance, and what it was told of the descriptor: events and data.
type Watch = (c_int, u32, u64);

pub struct Faults {
    _turn: MutexGuard<'static, ()>,
}

/// From now on calls fail, until the guard is dropped.
pub fn inject(seed: u64, rates: Rates) -> Faults {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    *RATES.lock().unwrap() = rates;
    DRAWN.store(seed << 32, SeqCst);
    for count in [&CALLS, &MOVES, &WAITS, &INJECTED] {
        count.store(0, SeqCst);
    }
    ON.store(true, SeqCst);
    Faults { _turn: turn }
}

impl Faults {
    pub fn injected(&self) -> u64 {
        INJECTED.load(SeqCst)
    }
}

/// Calls on sockets and pipes, and waits for events, since [`inject`].
pub fn calls() -> u64 {
    CALLS.load(SeqCst) + WAITS.load(SeqCst)
}

/// Calls that moved bytes unseen.
pub fn moves() -> u64 {
    MOVES.load(SeqCst)
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("calls", &CALLS)
            .field("moves", &MOVES)
            .field("waits", &WAITS)
            .field("injected", &INJECTED)
            .finish()
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        ON.store(false, SeqCst);
    }
}

/// The next of the seed's numbers (SplitMix64).
fn draw() -> u64 {
    let mut z = DRAWN.fetch_add(1, SeqCst).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[derive(Clone, Copy, PartialEq)]
enum Call {
    Receive,
    Send,
    Accept,
    MoveIn,
    MoveOut,
}

enum Fault {
    None,
    Error(c_int),
    /// At most so many bytes.
    Short(usize),
}

fn stat_type(fd: c_int) -> libc::mode_t {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: there is room for the answer, and zeroes are a valid one.
    unsafe {
        libc::fstat(fd, stat.as_mut_ptr());
        stat.assume_init().st_mode & libc::S_IFMT
    }
}

/// Whether bytes flow through it without borders.
fn is_stream(fd: c_int, kind: libc::mode_t) -> bool {
    if kind == libc::S_IFIFO {
        return true;
    }
    let mut value: c_int = 0;
    let mut len = size_of::<c_int>() as socklen_t;
    // SAFETY: `value` has room for `len` bytes.
    unsafe {
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_TYPE, (&raw mut value).cast(), &mut len);
    }
    value == libc::SOCK_STREAM
}

/// What is to become of a call that asks for `len` bytes.
fn fault(call: Call, fd: c_int, len: usize) -> Fault {
    if !ON.load(SeqCst) || fd < 3 {
        return Fault::None;
    }
    let kind = stat_type(fd);
    // SAFETY: the call touches no memory.
    let is_nonblocking = unsafe { libc::fcntl(fd, libc::F_GETFL) } & libc::O_NONBLOCK != 0;
    if !is_nonblocking || (kind != libc::S_IFSOCK && kind != libc::S_IFIFO) {
        return Fault::None;
    }
    CALLS.fetch_add(1, SeqCst);
    let rates = *RATES.lock().unwrap();
    let mut left = draw() % 1000;
    let mut hit = |rate: u64| {
        let is_hit = left < rate;
        left = left.wrapping_sub(rate);
        is_hit
    };
    let fault = if hit(rates.eintr) {
        Fault::Error(libc::EINTR)
    } else if hit(rates.eagain) {
        arm(fd);
        Fault::Error(libc::EAGAIN)
    } else if call == Call::Accept && hit(rates.emfile) {
        Fault::Error(libc::EMFILE)
    } else if matches!(call, Call::MoveIn | Call::MoveOut) && hit(rates.refusal) {
        Fault::Error(libc::EINVAL)
    } else if call == Call::Send && kind == libc::S_IFSOCK && hit(rates.enobufs) {
        Fault::Error(libc::ENOBUFS)
    } else if call != Call::Accept && len > 1 && hit(rates.short) && is_stream(fd, kind) {
        Fault::Short(1 + draw() as usize % (len - 1))
    } else {
        return Fault::None;
    };
    INJECTED.fetch_add(1, SeqCst);
    fault
}

/// Has the readiness of `fd` reported once more.
fn arm(fd: c_int) {
    let watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&(epoll, events, data)) = watched.as_ref().and_then(|watched| watched.get(&fd)) {
        let mut event = epoll_event { events, u64: data };
        // SAFETY: the event is valid. That the descriptor may no longer be watched is an error of no
        // consequence.
        unsafe { libc::syscall(libc::SYS_epoll_ctl, epoll, libc::EPOLL_CTL_MOD, fd, &raw mut event) };
    }
}

fn fail(errno: c_int) -> ssize_t {
    // SAFETY: the address is the thread's own `errno`.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// Runs a call that transfers `len` bytes, with `system` told how many it may.
fn transfer(call: Call, fd: c_int, len: usize, system: impl FnOnce(usize) -> ssize_t) -> ssize_t {
    match fault(call, fd, len) {
        Fault::None => system(len),
        Fault::Error(errno) => fail(errno),
        Fault::Short(len) => {
            let n = system(len);
            if n > 0 {
                arm(fd);
            }
            n
        }
    }
}

/// The first of the pieces that are not empty, cut off after `len` bytes.
///
/// # Safety
/// There are `count` pieces.
unsafe fn cut(pieces: *const iovec, count: usize, len: usize) -> iovec {
    // SAFETY: by contract.
    let pieces = unsafe { std::slice::from_raw_parts(pieces, count) };
    let first = pieces.iter().find(|piece| piece.iov_len > 0).expect("more than one byte");
    iovec { iov_base: first.iov_base, iov_len: first.iov_len.min(len) }
}

/// # Safety
/// There are `count` pieces.
unsafe fn total(pieces: *const iovec, count: usize) -> usize {
    if count == 0 {
        return 0;
    }
    // SAFETY: by contract.
    unsafe { std::slice::from_raw_parts(pieces, count) }.iter().map(|piece| piece.iov_len).sum()
}

/// # Safety
/// As for the system call `number` (`readv` or `writev`).
unsafe fn vectored(
    call: Call,
    number: libc::c_long,
    fd: c_int,
    pieces: *const iovec,
    count: c_int,
) -> ssize_t {
    // SAFETY: by contract.
    let len = unsafe { total(pieces, count as usize) };
    // SAFETY: by contract; the piece lies within one of the caller's.
    transfer(call, fd, len, |allowed| unsafe {
        if allowed == len {
            libc::syscall(number, fd, pieces, count) as ssize_t
        } else {
            let piece = cut(pieces, count as usize, allowed);
            libc::syscall(number, fd, &raw const piece, 1) as ssize_t
        }
    })
}

/// # Safety
/// As for the system call `number` (`recvmsg` or `sendmsg`).
unsafe fn message(
    call: Call,
    number: libc::c_long,
    fd: c_int,
    message: *mut msghdr,
    flags: c_int,
) -> ssize_t {
    // SAFETY: by contract, here and below; the header is given back as it was but for what the kernel
    // has written.
    unsafe {
        let (pieces, count) = ((*message).msg_iov, (*message).msg_iovlen);
        let len = total(pieces, count as _);
        transfer(call, fd, len, |allowed| {
            let mut piece;
            if allowed != len {
                piece = cut(pieces, count as _, allowed);
                (*message).msg_iov = &raw mut piece;
                (*message).msg_iovlen = 1;
            }
            let n = libc::syscall(number, fd, message, flags) as ssize_t;
            (*message).msg_iov = pieces;
            (*message).msg_iovlen = count;
            n
        })
    }
}

// SAFETY, of all that follow: the names and signatures are the C library's, each does what the library's
// does, on the arguments its caller vouches for, or reports an error that it may report.

#[unsafe(no_mangle)]
unsafe extern "C" fn read(fd: c_int, buf: *mut c_void, len: size_t) -> ssize_t {
    // SAFETY: as above.
    transfer(Call::Receive, fd, len, |len| unsafe {
        libc::syscall(libc::SYS_read, fd, buf, len) as ssize_t
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, buf: *const c_void, len: size_t) -> ssize_t {
    // SAFETY: as above.
    transfer(Call::Send, fd, len, |len| unsafe {
        libc::syscall(libc::SYS_write, fd, buf, len) as ssize_t
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn readv(fd: c_int, pieces: *const iovec, count: c_int) -> ssize_t {
    // SAFETY: as above.
    unsafe { vectored(Call::Receive, libc::SYS_readv, fd, pieces, count) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn writev(fd: c_int, pieces: *const iovec, count: c_int) -> ssize_t {
    // SAFETY: as above.
    unsafe { vectored(Call::Send, libc::SYS_writev, fd, pieces, count) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn splice(
    from: c_int,
    from_offset: *mut libc::loff_t,
    to: c_int,
    to_offset: *mut libc::loff_t,
    len: size_t,
    flags: libc::c_uint,
) -> ssize_t {
    // The socket is what fails; a pipe has room, or bytes, or is at fault for not having them.
    let (call, fd) = match stat_type(from) {
        libc::S_IFSOCK => (Call::MoveIn, from),
        _ => (Call::MoveOut, to),
    };
    if ON.load(SeqCst) {
        MOVES.fetch_add(1, SeqCst);
    }
    // SAFETY: as above.
    transfer(call, fd, len, |len| unsafe {
        libc::syscall(libc::SYS_splice, from, from_offset, to, to_offset, len, flags) as ssize_t
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn recv(fd: c_int, buf: *mut c_void, len: size_t, flags: c_int) -> ssize_t {
    // SAFETY: as above; a null address asks for none.
    unsafe { recvfrom(fd, buf, len, flags, std::ptr::null_mut(), std::ptr::null_mut()) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn recvfrom(
    fd: c_int,
    buf: *mut c_void,
    len: size_t,
    flags: c_int,
    addr: *mut sockaddr,
    addr_len: *mut socklen_t,
) -> ssize_t {
    // SAFETY: as above.
    transfer(Call::Receive, fd, len, |len| unsafe {
        libc::syscall(libc::SYS_recvfrom, fd, buf, len, flags, addr, addr_len) as ssize_t
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn send(fd: c_int, buf: *const c_void, len: size_t, flags: c_int) -> ssize_t {
    // SAFETY: as above; a null address is none.
    unsafe { sendto(fd, buf, len, flags, std::ptr::null(), 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sendto(
    fd: c_int,
    buf: *const c_void,
    len: size_t,
    flags: c_int,
    addr: *const sockaddr,
    addr_len: socklen_t,
) -> ssize_t {
    // SAFETY: as above.
    transfer(Call::Send, fd, len, |len| unsafe {
        libc::syscall(libc::SYS_sendto, fd, buf, len, flags, addr, addr_len) as ssize_t
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn recvmsg(fd: c_int, header: *mut msghdr, flags: c_int) -> ssize_t {
    // SAFETY: as above.
    unsafe { message(Call::Receive, libc::SYS_recvmsg, fd, header, flags) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sendmsg(fd: c_int, header: *const msghdr, flags: c_int) -> ssize_t {
    // SAFETY: as above; a copy is changed.
    unsafe {
        let mut header = *header;
        message(Call::Send, libc::SYS_sendmsg, fd, &mut header, flags)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn accept4(
    fd: c_int,
    addr: *mut sockaddr,
    addr_len: *mut socklen_t,
    flags: c_int,
) -> c_int {
    if let Fault::Error(errno) = fault(Call::Accept, fd, 0) {
        return fail(errno) as c_int;
    }
    // SAFETY: as above.
    unsafe { libc::syscall(libc::SYS_accept4, fd, addr, addr_len, flags) as c_int }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_ctl(epoll: c_int, op: c_int, fd: c_int, event: *mut epoll_event) -> c_int {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: as above.
    let result = unsafe { libc::syscall(libc::SYS_epoll_ctl, epoll, op, fd, event) as c_int };
    if result == 0 {
        let watched = watched.get_or_insert_default();
        if op == libc::EPOLL_CTL_DEL {
            watched.remove(&fd);
        } else {
            // SAFETY: the call has read it.
            let event = unsafe { *event };
            watched.insert(fd, (epoll, event.events, event.u64));
        }
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_wait(
    epoll: c_int,
    events: *mut epoll_event,
    max: c_int,
    timeout: c_int,
) -> c_int {
    if ON.load(SeqCst) {
        WAITS.fetch_add(1, SeqCst);
        let rate = RATES.lock().unwrap().eintr;
        if draw() % 1000 < rate {
            INJECTED.fetch_add(1, SeqCst);
            return fail(libc::EINTR) as c_int;
        }
    }
    // SAFETY: as above; without a mask of signals the call is `epoll_wait`.
    unsafe {
        let none = std::ptr::null::<c_void>();
        libc::syscall(libc::SYS_epoll_pwait, epoll, events, max, timeout, none, 8_usize) as c_int
    }
}
