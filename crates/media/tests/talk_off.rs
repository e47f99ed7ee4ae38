//! Recorded or synthetic speech from `var/speech`, where it was made, is not taken for digits.

use std::path::Path;

use hound::WavReader;
use media::dtmf::ToneReceiver;

#[test]
fn speech_is_no_digit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../var/speech");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in files.map(|entry| entry.path()) {
        if path.extension().is_none_or(|extension| extension != "wav") {
            continue;
        }
        let mut reader = WavReader::open(&path).unwrap();
        let spec = reader.spec();
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        let mut digits = Vec::new();
        let mut receiver = ToneReceiver::new(spec.sample_rate);
        // Over and over, shifted against the blocks.
        for start in 0..20 {
            receiver.process(&samples[start * 37..], &mut digits);
        }
        assert!(digits.is_empty(), "{}: {}", path.display(), digits.len());
    }
}
