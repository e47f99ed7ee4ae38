//! Speech from `var/speech`, which `scripts/setup` makes, is not taken for digits.

use std::path::{Path, PathBuf};

use hound::WavReader;
use media::dtmf::ToneReceiver;

#[test]
fn speech_is_no_digit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../var/speech");
    let files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; scripts/setup makes it", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wav"))
        .collect();
    assert!(
        files.len() >= 4,
        "scripts/setup makes four recordings: {files:?}"
    );
    for path in files {
        let mut reader = WavReader::open(&path).unwrap();
        let spec = reader.spec();
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert!(
            samples.len() > spec.sample_rate as usize * 5,
            "5 s of speech"
        );
        let mut digits = Vec::new();
        let mut receiver = ToneReceiver::new(spec.sample_rate);
        // Over and over, shifted against the blocks.
        for start in 0..20 {
            receiver.process(&samples[start * 37..], &mut digits);
        }
        assert!(digits.is_empty(), "{}: {}", path.display(), digits.len());
    }
}
