#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::srtp_checks::round_trip(data));
