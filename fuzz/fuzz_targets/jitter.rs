#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::jitter_checks::operations(data));
