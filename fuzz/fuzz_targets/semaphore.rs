//! See `yamanote/tests/fuzz/targets/semaphore.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yamanote_fuzz::run("semaphore", data));
