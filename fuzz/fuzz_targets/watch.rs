//! See `yamanote/tests/fuzz/targets/watch.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yamanote_fuzz::run("watch", data));
