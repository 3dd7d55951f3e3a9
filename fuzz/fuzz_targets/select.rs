//! See `yamanote/tests/fuzz/targets/select.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yamanote_fuzz::run("select", data));
