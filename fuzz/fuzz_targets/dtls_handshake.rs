#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::dtls_checks::handshake(data));
