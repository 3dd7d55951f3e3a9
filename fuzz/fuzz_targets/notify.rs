//! See `yamanote/tests/fuzz/targets/notify.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yamanote_fuzz::run("notify", data));
