//! Round trips judged by ear: the tone that went in must come out.

use proptest::prelude::*;

use super::opus::MAX_DEEP_SAMPLES;
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

/// The packet right after a gap of so many samples.
fn adjacent(gap_samples: usize, payload: &[u8]) -> Option<Next<'_>> {
    Some(Next {
        gap_samples,
        payload,
    })
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
            concealed.push(decoder.conceal(960, adjacent(960, &packets[n + 1]), &mut heard));
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
                decoder.conceal(960, adjacent(960, packet), &mut heard),
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

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum DeepRedundancy {
    Sent,
    None,
}

/// Packets that are lost, and the first of two in their midst in which the voice pauses.
const BURST: std::ops::Range<usize> = 60..65;
const PAUSE: usize = 62;

/// So many packets of a voice of 125 Hz that pauses for some of them.
pub(crate) fn voice(packets: usize, pauses: impl Fn(usize) -> bool) -> Vec<i16> {
    let mut voice = vec![0_i16; packets * 960];
    let mut partial = vec![0_i16; voice.len()];
    for hz in [125.0, 250.0, 375.0, 500.0, 625.0, 750.0, 1_250.0, 2_500.0] {
        Tone::new(hz, 48_000, 0.09).fill(&mut partial);
        for (sum, sample) in voice.iter_mut().zip(&partial) {
            *sum += sample;
        }
    }
    for (_, packet) in voice
        .chunks_exact_mut(960)
        .enumerate()
        .filter(|&(n, _)| pauses(n))
    {
        packet.fill(0);
    }
    voice
}

fn pausing_voice() -> Vec<i16> {
    voice(80, |n| n == PAUSE || n == PAUSE + 1)
}

/// What another phone makes of it that sends deep redundancy of 100 ms, or none.
pub(crate) fn packets_of(voice: &[i16], deep_redundancy: DeepRedundancy) -> Vec<Vec<u8>> {
    use opusic_c::{Application, Bitrate, Channels, SampleRate};
    let mut encoder =
        opusic_c::Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Voip).unwrap();
    encoder.set_bitrate(Bitrate::Value(48_000)).unwrap();
    if deep_redundancy == DeepRedundancy::Sent {
        encoder.set_packet_loss(20).unwrap();
        encoder.set_dred_duration(10).unwrap();
    }
    let mut out = [0; MAX_PAYLOAD_BYTES];
    let blocks = voice.chunks_exact(960);
    blocks
        .map(|block| {
            let block: Vec<_> = block.iter().map(|sample| sample.cast_unsigned()).collect();
            let len = encoder.encode_to_slice(&block, &mut out).unwrap();
            out[..len].to_vec()
        })
        .collect()
}

/// What is heard in place of the burst, and how: each packet is asked for by itself.
fn hear_burst(packets: &[Vec<u8>], decoder: &mut dyn Decoder) -> (Vec<i16>, Vec<Concealed>) {
    let mut heard = Vec::new();
    for packet in &packets[..BURST.start] {
        decoder.decode(packet, &mut heard).unwrap();
    }
    heard.clear();
    let how = BURST
        .map(|n| {
            let next = adjacent((BURST.end - n) * 960, &packets[BURST.end]);
            decoder.conceal(960, next, &mut heard)
        })
        .collect();
    (heard, how)
}

/// How loud the second half of each packet is: an encoder and a decoder are late by less than the first.
fn levels(samples: &[i16]) -> Vec<f32> {
    let packets = samples.chunks_exact(960);
    packets
        .map(|packet| crate::level::level_dbfs(&packet[480..]))
        .collect()
}

#[test]
fn opus_recovers_a_burst_of_five_from_the_deep_redundancy_of_the_packet_after_it() {
    let voice = pausing_voice();
    let packets = packets_of(&voice, DeepRedundancy::Sent);
    assert!(
        packets[20..]
            .iter()
            .all(|packet| Codec::Opus.mends(packet) == DEEP_MENDS)
    );
    let mut decoder = Codec::Opus.decoder().unwrap();
    let (heard, how) = hear_burst(&packets, decoder.as_mut());
    assert_eq!((heard.len(), how), (5 * 960, vec![Concealed::Recovered; 5]));
    let (said, heard) = (levels(&voice[BURST.start * 960..]), levels(&heard));
    let [first, second] = [PAUSE, PAUSE + 1].map(|n| n - BURST.start);
    for (n, (said, heard)) in said.iter().zip(&heard).enumerate() {
        let is_as_loud = (said - heard).abs() < 4.0;
        let is_softer = *heard < said.max(-60.0) + 30.0;
        assert!(
            match n {
                // Deep redundancy tells of 40 ms at a time: when the pause begins within them hangs on the processor.
                n if n == first => true,
                n if n == second => is_softer,
                _ => is_as_loud,
            },
            "{n}: {heard} dB in place of {said} dB"
        );
    }
    let beside = heard[first - 1].min(heard[second + 1]);
    assert!(heard[first].max(heard[second]) < beside - 10.0, "{heard:?}");
    let mut after = Vec::new();
    decoder.decode(&packets[BURST.end], &mut after).unwrap();
    assert_eq!(after.len(), 960);
}

#[test]
fn without_deep_redundancy_a_burst_is_invented_up_to_its_last_packet() {
    let voice = pausing_voice();
    let packets = packets_of(&voice, DeepRedundancy::None);
    let mut decoder = Codec::Opus.decoder().unwrap();
    let (heard, how) = hear_burst(&packets, decoder.as_mut());
    assert_eq!(how, [Concealed::Invented; 5]);
    let heard = levels(&heard);
    assert!(
        heard[3] < heard[2] + 3.0,
        "nobody could know that the voice comes back: {heard:?}"
    );
}

#[test]
fn what_was_decoded_ahead_is_dropped_when_a_packet_of_the_gap_comes_after_all() {
    let packets = packets_of(&pausing_voice(), DeepRedundancy::Sent);
    let mut heard = Vec::new();
    let mut decoder = Codec::Opus.decoder().unwrap();
    decoder.decode(&packets[59], &mut heard).unwrap();
    let gap = adjacent(5 * 960, &packets[65]);
    assert_eq!(decoder.conceal(960, gap, &mut heard), Concealed::Recovered);
    decoder.decode(&packets[61], &mut heard).unwrap();
    let plain = packets_of(&pausing_voice(), DeepRedundancy::None);
    let gap = adjacent(3 * 960, &plain[65]);
    assert_eq!(decoder.conceal(960, gap, &mut heard), Concealed::Invented);
    let gap = adjacent(2 * 960, &packets[65]);
    assert_eq!(decoder.conceal(960, gap, &mut heard), Concealed::Recovered);
    assert_eq!(decoder.conceal(960, None, &mut heard), Concealed::Invented);
    let gap = adjacent(960, &plain[65]);
    assert_eq!(decoder.conceal(960, gap, &mut heard), Concealed::Invented);
    let gap = adjacent(MAX_DEEP_SAMPLES + 120, &packets[65]);
    assert_eq!(decoder.conceal(960, gap, &mut heard), Concealed::Invented);
    assert_eq!(heard.len(), 8 * 960);
}

#[test]
fn a_packet_beyond_the_one_that_is_missing_does_not_say_where_the_sound_leads() {
    for codec in [Codec::Pcma, Codec::G722] {
        let packets = encode(codec, &OpusConfig::default(), 440.0, 4);
        let samples = codec.packet_samples();
        let hear = |next: Option<Next<'_>>| {
            let mut decoder = codec.decoder().unwrap();
            let mut heard = Vec::new();
            decoder.decode(&packets[0], &mut heard).unwrap();
            decoder.conceal(samples, next, &mut heard);
            heard
        };
        let unknown = hear(None);
        assert!(hear(adjacent(samples, &packets[2])) != unknown);
        assert!(hear(adjacent(2 * samples, &packets[3])) == unknown);
    }
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
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn broken_deep_redundancy_of_any_gap_is_survived(
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..8),
        gap in 1_usize..30_000,
    ) {
        let [mut packet] = packets_of(&pausing_voice()[..30 * 960], DeepRedundancy::Sent)
            .split_off(29)
            .try_into()
            .unwrap();
        // What is before the padding stays, so that it is looked at.
        let len = packet.len();
        for (at, byte) in changes {
            packet[len - 1 - at % (len / 4)] = byte;
        }
        let mut decoder = Codec::Opus.decoder().unwrap();
        let mut heard = Vec::new();
        for _ in 0..3 {
            let how = decoder.conceal(960, adjacent(gap, &packet), &mut heard);
            prop_assert!(gap > MAX_DEEP_SAMPLES || how == Concealed::Recovered);
        }
        prop_assert_eq!(heard.len(), 3 * 960);
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
                decoder.conceal(concealed, adjacent(concealed, payload), &mut heard);
                prop_assert_eq!(heard.len(), before + concealed);
                if decoder.decode(payload, &mut heard).is_ok() {
                    let ticks = codec.duration_ticks(payload).unwrap();
                    prop_assert_eq!(heard.len(), before + concealed + codec.samples_of_ticks(ticks));
                }
            }
        }
    }
}
