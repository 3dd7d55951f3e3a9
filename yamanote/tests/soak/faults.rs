//! What breaks meanwhile: no descriptor is left, no thread can be started.

use std::io;
use std::os::raw::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
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
    let codes = [libc::EMFILE, libc::ENFILE, libc::EAGAIN];
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
    if rate > 0 && ATTEMPTS.fetch_add(1, SeqCst) % rate == 0 {
        note();
        return libc::EAGAIN;
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
                match dice.below(3) {
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
