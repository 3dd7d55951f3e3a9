//! See `yamanote/tests/fuzz/targets/read_buf.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yamanote_fuzz::run("read_buf", data));
