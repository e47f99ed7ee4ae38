#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::sip_checks::name_addr(data));
