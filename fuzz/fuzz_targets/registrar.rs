#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::registrar_checks::operations(data));
