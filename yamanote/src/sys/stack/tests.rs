//! Threads that stand still where it is hard to tell who called.

use std::arch::global_asm;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use super::{Calls, sample, thread_id};

/// Tells that it is there, waits until let go, and returns.
type Waits = unsafe extern "C" fn(&AtomicU32);

const HERE: u32 = 1;
const GO: u32 = 2;

// A function whose caller's frame is found by a register that it has saved; what it calls saves that too.
global_asm!(
    ".macro yamanote_test_caller name, callee",
    "\\name:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "call \\callee",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
    ".endm",
    ".macro yamanote_test_wait",
    "mov dword ptr [rdi], 1",
    "2: pause",
    "cmp dword ptr [rdi], 2",
    "jne 2b",
    ".endm",
    // About to return: what it saved lies beyond the stack's end, and is still described there.
    "yamanote_test_epilogue_callee:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "xor ebp, ebp",
    "pop rbp",
    ".cfi_def_cfa_offset 8",
    "yamanote_test_wait",
    "ret",
    ".cfi_endproc",
    // At its first instructions: it has saved nothing yet.
    "yamanote_test_prologue_callee:",
    ".cfi_startproc",
    "yamanote_test_wait",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "pop rbp",
    ".cfi_def_cfa_offset 8",
    "ret",
    ".cfi_endproc",
    // The frame is told by an expression, rsp + 8 + 16, and so is where rbp is, the frame - 16 (saved at rsp + 8).
    "yamanote_test_expression_callee:",
    ".cfi_startproc",
    "push rbp",
    "push rbp",
    ".cfi_escape 0x0f, 0x02, 0x77, 0x18",
    ".cfi_escape 0x10, 0x06, 0x02, 0x40, 0x1c",
    "xor ebp, ebp",
    "yamanote_test_wait",
    "pop rbp",
    "pop rbp",
    "ret",
    ".cfi_endproc",
    // Nothing is told of it.
    "yamanote_test_unknown_callee:",
    "push rbp",
    "yamanote_test_wait",
    "pop rbp",
    "ret",
    "yamanote_test_caller yamanote_test_epilogue, yamanote_test_epilogue_callee",
    "yamanote_test_caller yamanote_test_prologue, yamanote_test_prologue_callee",
    "yamanote_test_caller yamanote_test_expression, yamanote_test_expression_callee",
    "yamanote_test_caller yamanote_test_unknown, yamanote_test_unknown_callee",
);

unsafe extern "C" {
    fn yamanote_test_epilogue(state: &AtomicU32);
    fn yamanote_test_prologue(state: &AtomicU32);
    fn yamanote_test_expression(state: &AtomicU32);
    fn yamanote_test_unknown(state: &AtomicU32);
}

/// The calls of a thread that stands in there, and the names of the functions.
fn calls_in(function: Waits) -> (Calls, Vec<String>) {
    let state = &AtomicU32::new(0);
    let (tell, told) = std::sync::mpsc::channel();
    let calls = std::thread::scope(|scope| {
        scope.spawn(move || {
            tell.send(thread_id()).unwrap();
            // SAFETY: they use what they are given as they should.
            unsafe { function(state) };
        });
        let thread = told.recv().unwrap();
        while state.load(SeqCst) != HERE {
            std::thread::yield_now();
        }
        // On a machine that is busy it may not answer in time.
        let sample = std::iter::from_fn(|| Some(sample(thread))).flatten().next().unwrap();
        state.store(GO, SeqCst);
        sample.calls()
    });
    let mut names = Vec::new();
    for &address in &calls.addresses {
        backtrace::resolve(std::ptr::with_exposed_provenance_mut(address), |symbol| {
            names.extend(symbol.name().map(|name| name.to_string()));
        });
    }
    (calls, names)
}

fn assert_goes_back(function: Waits) {
    let (calls, names) = calls_in(function);
    assert!(calls.is_whole, "{names:#?}");
    assert!(names.iter().any(|name| name.contains("calls_in")), "{names:#?}");
}

#[test]
fn in_an_epilogue() {
    assert_goes_back(yamanote_test_epilogue);
}

#[test]
fn in_a_prologue() {
    assert_goes_back(yamanote_test_prologue);
}

#[test]
fn where_frames_are_told_by_expressions() {
    assert_goes_back(yamanote_test_expression);
}

#[test]
fn where_nothing_is_told() {
    let (calls, _) = calls_in(yamanote_test_unknown);
    assert!(!calls.is_whole);
    assert_eq!(calls.addresses.len(), 1, "where it is, at least");
}
