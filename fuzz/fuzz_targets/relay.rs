#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::relay_checks::operations(data));
