//! The seeds of the fuzz targets for media, and every input that ever broke a promise, through their checks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(unreachable_pub, reason = "the fuzz targets need it public")]

#[path = "../../../fuzz/src/codec_checks.rs"]
mod codec_checks;
#[path = "../../../fuzz/src/dtls_checks.rs"]
mod dtls_checks;
#[path = "../../../fuzz/src/input.rs"]
mod input;
#[path = "../../../fuzz/src/jitter_checks.rs"]
mod jitter_checks;
#[path = "../../../fuzz/src/relay_checks.rs"]
mod relay_checks;
#[path = "../../../fuzz/src/rtp_checks.rs"]
mod rtp_checks;
#[path = "../../../fuzz/src/session_checks.rs"]
mod session_checks;
#[path = "../../../fuzz/src/srtp_checks.rs"]
mod srtp_checks;

use std::fs;
use std::path::Path;

/// Runs `check` on every file of a folder.
fn try_seeds(folder: &str, check: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut seeds = 0;
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let path = entry.unwrap().path();
        // Shown only if the check fails.
        println!("{}", path.display());
        check(&fs::read(path).unwrap());
        seeds += 1;
    }
    assert!(seeds > 0);
}

#[test]
fn what_fuzzing_checks_of_secured_media_holds_for_every_seed() {
    try_seeds("fuzz/seeds/srtp", srtp_checks::packets);
    try_seeds("fuzz/seeds/srtp_round_trip", srtp_checks::round_trip);
    try_seeds("fuzz/seeds/crypto", srtp_checks::attributes);
    try_seeds("fuzz/seeds/dtls", dtls_checks::datagrams);
    try_seeds("fuzz/seeds/dtls_handshake", dtls_checks::handshake);
}

#[test]
fn what_fuzzing_checks_of_packets_holds_for_every_seed() {
    try_seeds("fuzz/seeds/rtp", rtp_checks::packet);
    try_seeds("fuzz/seeds/rtcp", rtp_checks::report);
    try_seeds("fuzz/seeds/events", rtp_checks::events);
    try_seeds("fuzz/seeds/digits", rtp_checks::digits);
    try_seeds("fuzz/seeds/jitter", jitter_checks::operations);
}

#[test]
fn what_fuzzing_checks_of_sound_holds_for_every_seed() {
    try_seeds("fuzz/seeds/decoders", codec_checks::decoders);
    try_seeds("fuzz/seeds/encoders", codec_checks::encoders);
    try_seeds("fuzz/seeds/rates", codec_checks::rates);
}

#[test]
fn what_fuzzing_checks_of_whole_sessions_holds_for_every_seed() {
    try_seeds("fuzz/seeds/session", session_checks::operations);
    try_seeds("tests/data/sdp-samples", session_checks::agreement);
}

#[test]
fn what_fuzzing_checks_of_the_relay_holds_for_every_seed() {
    try_seeds("fuzz/seeds/relay", relay_checks::operations);
}

proptest::proptest! {
    #[test]
    fn any_course_of_datagrams_and_time_at_the_relay_is_survived(
        head in proptest::array::uniform3(0_u8..2),
        course in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600),
    ) {
        relay_checks::operations(&[&head[..], &course].concat());
    }
}
