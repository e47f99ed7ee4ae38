#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::file_checks::sound_file(data));
