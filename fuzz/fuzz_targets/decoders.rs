#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::codec_checks::decoders(data));
