//! The descriptions printed in the standards: all parse, and writing them gives them back.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::{fs, path::PathBuf};

use sdp::{SdpError, SessionDescription};

/// Two samples are no descriptions: the body `testing=123` of a torture message, and a template
/// with `$R-PUB-1.PORT` in place of the port. With each the line that shows it.
const NOT_SDP: [(&str, usize); 2] = [("rfc4475-14.sdp", 2), ("rfc8839-01.sdp", 10)];

fn refused_line(name: &str) -> Option<usize> {
    NOT_SDP
        .iter()
        .find(|(not_sdp, _)| *not_sdp == name)
        .map(|&(_, line)| line)
}

fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/sdp-samples"
    ));
    let mut samples: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sdp"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    samples.sort();
    samples
}

/// The media lines of a text, as `index.json` lists them.
fn media_lines(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text)
        .lines()
        .filter_map(|line| line.strip_prefix("m="))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_sample_that_is_sdp_parses_with_its_media_lines() {
    let samples = samples();
    assert_eq!(samples.len(), 70);
    for (name, bytes) in samples {
        if let Some(line) = refused_line(&name) {
            assert_eq!(
                SessionDescription::parse(&bytes),
                Err(SdpError::Line { line }),
                "{name}"
            );
            continue;
        }
        let parsed = SessionDescription::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let read: Vec<_> = parsed
            .media
            .iter()
            .map(|media| {
                let count = media
                    .port_count
                    .map(|count| format!("/{count}"))
                    .unwrap_or_default();
                let formats = media.formats.join(" ");
                format!(
                    "{} {}{count} {} {formats}",
                    media.media, media.port, media.protocol
                )
            })
            .collect();
        assert_eq!(read, media_lines(&bytes), "{name}");
    }
}

#[test]
fn samples_survive_reading_and_writing() {
    for (name, bytes) in samples()
        .into_iter()
        .filter(|(name, _)| refused_line(name).is_none())
    {
        let parsed = SessionDescription::parse(&bytes).unwrap();
        let again = SessionDescription::parse(&parsed.to_bytes()).unwrap();
        assert_eq!(parsed, again, "{name}");
        let written = parsed.to_string();
        let (mut expected, mut actual): (Vec<_>, Vec<_>) = (
            std::str::from_utf8(&bytes)
                .unwrap()
                .lines()
                .map(str::trim_end)
                .collect(),
            written.lines().map(str::trim_end).collect(),
        );
        // Two lines that old peers leave out are always written.
        for always in ["s=-", "t=0 0"] {
            if !expected.iter().any(|line| line.starts_with(&always[..2])) {
                expected.push(always);
            }
        }
        // Lines may change places only where the sample does not follow the standard's order.
        expected.sort_unstable();
        actual.sort_unstable();
        assert_eq!(expected, actual, "{name}");
    }
}

#[expect(unreachable_pub, reason = "the fuzz targets need it public")]
#[path = "../../../fuzz/src/sdp_checks.rs"]
mod sdp_checks;

#[test]
fn what_fuzzing_checks_holds_for_the_samples() {
    for (_, bytes) in samples() {
        sdp_checks::description(&bytes);
    }
}
