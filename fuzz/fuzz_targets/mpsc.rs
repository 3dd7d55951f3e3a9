//! See `yamanote/tests/fuzz/targets/mpsc.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yamanote_fuzz::run("mpsc", data));
