//! See `yamanote/tests/fuzz/targets/reading.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yamanote_fuzz::run("reading", data));
