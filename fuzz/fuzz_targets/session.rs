#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::session_checks::operations(data));
