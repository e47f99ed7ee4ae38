#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::sdp_checks::description(data));
