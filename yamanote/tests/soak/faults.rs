//! What breaks meanwhile: no descriptor is left, no thread can be started, system calls are interrupted, the clock on the wall
//! jumps, and the whole process stands still for a while, after which everything is late at once.

use std::io;
use std::os::raw::{c_int, c_void};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::dice::Dice;
use crate::ledger;

/// Of this many attempts to start a thread one fails; 0: none.
static THREADS_FAIL: AtomicUsize = AtomicUsize::new(0);
static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);
static FAULTS: AtomicU64 = AtomicU64::new(0);

/// How often something was made to fail, or the descriptors ran short.
pub fn count() -> u64 {
    FAULTS.load(SeqCst)
}

pub fn note() {
    FAULTS.fetch_add(1, SeqCst);
}

/// Errors that are our own doing.
pub fn is_planned(error: &io::Error) -> bool {
    let codes = [libc::EMFILE, libc::ENFILE, libc::EAGAIN, libc::ENOMEM];
    let ours = error.raw_os_error().is_some_and(|code| codes.contains(&code));
    if ours {
        note();
    }
    ours
}

/// Stands before the C library's, which it calls unless the attempt is to fail.
///
/// # Safety
/// As the C library's.
#[cfg(not(sanitized))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> c_int {
    type Create = unsafe extern "C" fn(
        *mut libc::pthread_t,
        *const libc::pthread_attr_t,
        extern "C" fn(*mut c_void) -> *mut c_void,
        *mut c_void,
    ) -> c_int;
    static NEXT: OnceLock<Create> = OnceLock::new();
    let rate = THREADS_FAIL.load(SeqCst);
    if rate > 0 {
        let attempt = ATTEMPTS.fetch_add(1, SeqCst);
        if attempt % rate == 0 {
            note();
            // Too many threads; no memory for a stack.
            return if attempt % 2 == 0 { libc::EAGAIN } else { libc::ENOMEM };
        }
    }
    let next = NEXT.get_or_init(|| {
        // SAFETY: the name is a C string, and the handle is one the function knows.
        let symbol = unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr()) };
        assert!(!symbol.is_null());
        // SAFETY: the C library's function has this type.
        unsafe { std::mem::transmute::<*mut c_void, Create>(symbol) }
    });
    // SAFETY: what we were called with.
    unsafe { next(thread, attributes, start, argument) }
}

/// By how many seconds the clock on the wall is wrong.
static WRONG_BY: AtomicI64 = AtomicI64::new(0);

/// Stands before the C library's, which it calls; the time of day is as far off as asked for.
///
/// # Safety
/// As the C library's.
#[cfg(not(sanitized))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    type GetTime = unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> c_int;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mut next = NEXT.load(SeqCst);
    if next == 0 {
        // SAFETY: the name is a C string, and the handle is one the function knows.
        let symbol = unsafe { libc::dlsym(libc::RTLD_NEXT, c"clock_gettime".as_ptr()) };
        next = symbol.expose_provenance();
        assert!(next != 0);
        NEXT.store(next, SeqCst);
    }
    // SAFETY: the C library's function has this type.
    let next = unsafe {
        std::mem::transmute::<*const c_void, GetTime>(std::ptr::with_exposed_provenance(next))
    };
    // SAFETY: what we were called with.
    let result = unsafe { next(clock, time) };
    if clock == libc::CLOCK_REALTIME && result == 0 {
        // SAFETY: the call has just written there.
        unsafe { (*time).tv_sec += WRONG_BY.load(SeqCst) as libc::time_t };
    }
    result
}

/// Interrupts whatever system call a thread is in, of some threads some times.
fn interrupt(dice: &mut Dice) {
    extern "C" fn nothing(_: c_int) {}
    static HANDLER: OnceLock<()> = OnceLock::new();
    HANDLER.get_or_init(|| {
        // SAFETY: zero is a value of all its fields.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = (nothing as extern "C" fn(c_int)) as usize;
        // SAFETY: the handler does nothing. Calls are not started again by the system: no flag says so.
        assert_eq!(unsafe { libc::sigaction(libc::SIGURG, &action, std::ptr::null_mut()) }, 0);
    });
    for _ in 0..5 {
        let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return };
        for thread in threads.flatten() {
            let id: Option<libc::pid_t> = thread.file_name().to_str().and_then(|id| id.parse().ok());
            if let (Some(id), true) = (id, dice.one_in(2)) {
                note();
                // SAFETY: touches no memory; the thread may be gone.
                unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, libc::SIGURG) };
            }
        }
        std::thread::sleep(dice.micros(1_000));
    }
}

/// Stops the process for a moment, as a machine does that is suspended or out of memory.
fn stand_still(dice: &mut Dice) {
    note();
    let script = format!("kill -STOP $PPID; sleep 0.0{}; kill -CONT $PPID", 1 + dice.below(9));
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Short of descriptors it is not.
    drop(shell.status());
}

fn limit_descriptors(soft: Option<libc::rlim_t>) -> libc::rlim_t {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer leads to a value of that type.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
    let before = limit.rlim_cur;
    limit.rlim_cur = soft.unwrap_or(limit.rlim_max).min(limit.rlim_max);
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    before
}

/// Breaks things now and then, until dropped.
pub struct Saboteur {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Saboteur {
    pub fn start(mut dice: Dice) -> Saboteur {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !seen.load(SeqCst) {
                std::thread::sleep(dice.micros(40_000));
                match dice.below(6) {
                    0 => {
                        note();
                        let few = ledger::descriptors() as u64 + dice.below(4);
                        let before = limit_descriptors(Some(few as libc::rlim_t));
                        std::thread::sleep(dice.micros(4_000));
                        limit_descriptors(Some(before));
                    }
                    1 => {
                        THREADS_FAIL.store(1 + dice.below(3) as usize, SeqCst);
                        std::thread::sleep(dice.micros(8_000));
                        THREADS_FAIL.store(0, SeqCst);
                    }
                    2 => interrupt(&mut dice),
                    3 => {
                        note();
                        // Years to either side.
                        WRONG_BY.store(dice.below(200_000_000) as i64 - 100_000_000, SeqCst);
                        std::thread::sleep(dice.micros(8_000));
                        WRONG_BY.store(0, SeqCst);
                    }
                    4 if dice.one_in(4) => stand_still(&mut dice),
                    _ => {}
                }
            }
        });
        Saboteur { stop, thread: Some(thread) }
    }
}

impl Drop for Saboteur {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        std::thread::sleep(Duration::ZERO);
    }
}
