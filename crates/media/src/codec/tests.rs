//! Round trips judged by ear: the tone that went in must come out.

use proptest::prelude::*;

use super::*;
use crate::tone::{Tone, share_at};

const SECOND_FRAMES: usize = 50;

fn encode(codec: Codec, config: &OpusConfig, frequency_hz: f64, frames: usize) -> Vec<Vec<u8>> {
    let mut encoder = codec.encoder(config).unwrap();
    encode_with(encoder.as_mut(), codec, frequency_hz, frames)
}

fn encode_with(
    encoder: &mut dyn Encoder,
    codec: Codec,
    frequency_hz: f64,
    frames: usize,
) -> Vec<Vec<u8>> {
    let mut tone = Tone::new(frequency_hz, codec.sample_rate_hz(), 0.4);
    let mut samples = vec![0; codec.packet_samples()];
    let mut out = [0; MAX_PAYLOAD_BYTES];
    (0..frames)
        .map(|_| {
            tone.fill(&mut samples);
            let len = encoder.encode(&samples, &mut out).unwrap();
            out[..len].to_vec()
        })
        .collect()
}

#[test]
fn formats_of_a_description_name_our_codecs_whatever_their_case_and_number() {
    let format = |name: &str, clock_rate, channels| PayloadFormat {
        number: 111,
        name: name.to_owned(),
        clock_rate,
        channels,
        parameters: String::new(),
    };
    assert_eq!(Codec::of(&format("OPUS", 48_000, 2)), Some(Codec::Opus));
    assert_eq!(Codec::of(&format("pcmu", 8_000, 1)), Some(Codec::Pcmu));
    assert_eq!(Codec::of(&format("PCMA", 8_000, 1)), Some(Codec::Pcma));
    // As `sdp` agrees on it: what was agreed can be carried out.
    assert_eq!(Codec::of(&format("opus", 48_000, 1)), Some(Codec::Opus));
    assert_eq!(Codec::of(&format("opus", 8_000, 2)), None);
    assert_eq!(Codec::of(&format("PCMA", 8_000, 2)), None);
    assert_eq!(Codec::of(&format("PCMA", 16_000, 1)), None);
    assert_eq!(Codec::of(&format("G729", 8_000, 1)), None);
}

#[test]
fn a_tone_survives_every_codec() {
    for codec in Codec::ALL {
        let packets = encode(codec, &OpusConfig::default(), 440.0, SECOND_FRAMES);
        let mut decoder = codec.decoder().unwrap();
        let mut heard = Vec::new();
        for packet in &packets {
            assert_eq!(codec.duration_ticks(packet), Some(2 * codec.frame_ticks()));
            decoder.decode(packet, &mut heard).unwrap();
        }
        assert_eq!(heard.len(), SECOND_FRAMES * codec.packet_samples());
        let share = share_at(&heard[heard.len() / 2..], 440.0, codec.sample_rate_hz());
        assert!(
            share > 0.99,
            "{codec:?}: {share} of the energy is at 440 Hz"
        );
    }
}

/// ITU-T G.711 gives about 38 dB for a sine over most of its range.
#[test]
fn g711_keeps_noise_35_db_below_the_tone() {
    for codec in [Codec::Pcmu, Codec::Pcma] {
        let mut tone = Tone::new(1_004.0, 8_000, 0.3);
        let mut sent = vec![0; 8_000];
        tone.fill(&mut sent);
        let mut bytes = vec![0; 8_000];
        codec
            .encoder(&OpusConfig::default())
            .unwrap()
            .encode(&sent, &mut bytes)
            .unwrap();
        let mut heard = Vec::new();
        let mut decoder = codec.decoder().unwrap();
        for packet in bytes.chunks(160) {
            decoder.decode(packet, &mut heard).unwrap();
        }
        let energy =
            |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
        let signal = energy(&mut sent.iter().map(|&sample| f64::from(sample)));
        let noise = energy(
            &mut sent
                .iter()
                .zip(&heard)
                .map(|(&a, &b)| f64::from(a) - f64::from(b)),
        );
        let ratio_db = 10.0 * (signal / noise).log10();
        assert!(ratio_db > 35.0, "{codec:?}: {ratio_db} dB");
    }
}

#[test]
fn opus_recovers_a_lost_packet_from_the_next_once_the_peer_reports_loss() {
    let mut encoder = Codec::Opus.encoder(&OpusConfig::default()).unwrap();
    encoder.set_expected_loss(20);
    let packets = encode_with(encoder.as_mut(), Codec::Opus, 300.0, SECOND_FRAMES);
    let mut decoder = Codec::Opus.decoder().unwrap();
    let mut heard = Vec::new();
    let mut concealed = Vec::new();
    for (n, packet) in packets.iter().enumerate() {
        if n % 5 == 4 && n + 1 < packets.len() {
            concealed.push(decoder.conceal(960, Some(&packets[n + 1]), &mut heard));
        } else {
            decoder.decode(packet, &mut heard).unwrap();
        }
    }
    let recovered = concealed
        .iter()
        .filter(|&&how| how == Concealed::Recovered)
        .count();
    // The library adds copies only to frames that it takes for voice, and a steady tone is a doubtful voice.
    assert!(
        recovered >= 4,
        "{recovered} of {} were recovered",
        concealed.len()
    );
    assert_eq!(heard.len(), SECOND_FRAMES * 960);
    let share = share_at(&heard[24_000..], 300.0, 48_000);
    assert!(
        share > 0.7,
        "{share}: recovered copies are coarser and slip a little in phase"
    );
}

#[test]
fn opus_spends_nothing_on_redundancy_on_a_clean_network_or_when_told_not_to() {
    let off = OpusConfig {
        fec: Fec::Off,
        ..OpusConfig::default()
    };
    for (config, loss) in [(OpusConfig::default(), 0), (off, 20)] {
        let mut encoder = Codec::Opus.encoder(&config).unwrap();
        encoder.set_expected_loss(loss);
        let packets = encode_with(encoder.as_mut(), Codec::Opus, 300.0, SECOND_FRAMES);
        let mut decoder = Codec::Opus.decoder().unwrap();
        let mut heard = Vec::new();
        for packet in &packets {
            assert_eq!(
                decoder.conceal(960, Some(packet), &mut heard),
                Concealed::Invented
            );
            decoder.decode(packet, &mut heard).unwrap();
        }
    }
}

#[test]
fn opus_with_dtx_sends_next_to_nothing_in_silence() {
    let config = OpusConfig {
        dtx: Dtx::On,
        ..OpusConfig::default()
    };
    let mut encoder = Codec::Opus.encoder(&config).unwrap();
    let mut out = [0; MAX_PAYLOAD_BYTES];
    let sent = (0..100)
        .filter(|_| encoder.encode(&[0; 960], &mut out).unwrap() > 0)
        .count();
    assert!(sent < 30, "{sent} of 100 silent frames were sent");
}

#[test]
fn blocks_of_a_wrong_length_and_empty_payloads_are_refused() {
    let mut out = [0; MAX_PAYLOAD_BYTES];
    let mut encoder = Codec::Opus.encoder(&OpusConfig::default()).unwrap();
    let unencodable = CodecError::Unencodable {
        codec: Codec::Opus,
        samples: 100,
    };
    assert_eq!(encoder.encode(&[0; 100], &mut out), Err(unencodable));
    for codec in Codec::ALL {
        let mut heard = Vec::new();
        let undecodable = CodecError::Undecodable {
            codec,
            len_bytes: 0,
        };
        assert_eq!(
            codec.decoder().unwrap().decode(&[], &mut heard),
            Err(undecodable)
        );
        assert_eq!(heard, [0_i16; 0]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_payload_panics_a_decoder(payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..6)) {
        for codec in Codec::ALL {
            let mut decoder = codec.decoder().unwrap();
            let mut heard = Vec::new();
            for payload in &payloads {
                let before = heard.len();
                let concealed = codec.packet_samples();
                decoder.conceal(concealed, Some(payload), &mut heard);
                prop_assert_eq!(heard.len(), before + concealed);
                if decoder.decode(payload, &mut heard).is_ok() {
                    let ticks = codec.duration_ticks(payload).unwrap();
                    prop_assert_eq!(heard.len(), before + concealed + codec.samples_of_ticks(ticks));
                }
            }
        }
    }
}
