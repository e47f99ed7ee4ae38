//! What comes out of payloads, and what is done with sound of any rate.

use media::codec::Next;
use media::dtmf::ToneReceiver;
use media::resample::{RATES_HZ, Resampler};
use media::{Codec, OpusConfig};

use crate::input::Input;

/// Samples of the longest gap that is concealed at once, 120 ms at 48 kHz, and some more.
const LONGEST_GAP: usize = 6_000;

/// Payloads of any content and gaps of any length: sound of the length that the payload has, or none. `data`: codec, then payloads
/// and gaps.
pub fn decoders(data: &[u8]) {
    let mut input = Input::new(data);
    let codec = input.one_of(&Codec::ALL);
    let mut decoder = codec.decoder().expect("it could always be set up");
    let mut out = Vec::new();
    while !input.is_empty() {
        out.clear();
        let kind = input.byte();
        if kind & 1 == 0 {
            let payload = input.many_bytes();
            let ticks = codec.duration_ticks(payload);
            match decoder.decode(payload, &mut out) {
                Ok(()) => {
                    let ticks = ticks.expect("what can be decoded has a length");
                    assert_eq!(out.len(), codec.samples_of_ticks(ticks));
                }
                Err(error) => {
                    assert!(out.is_empty() && error.to_string().len() < 64);
                }
            }
        } else {
            let samples = usize::from(input.short()) % LONGEST_GAP;
            let beyond = usize::from(kind >> 2) * 480;
            let next = (kind & 2 != 0).then(|| Next {
                gap_samples: samples + beyond,
                payload: input.many_bytes(),
            });
            decoder.conceal(samples, next, &mut out);
            assert_eq!(out.len(), samples);
        }
    }
}

/// Sound of any content is encoded, and comes back as long as it was. `data`: codec, loss, then blocks of sound.
pub fn encoders(data: &[u8]) {
    let mut input = Input::new(data);
    let codec = input.one_of(&Codec::ALL);
    let config = OpusConfig {
        complexity: input.byte() % 11,
        bitrate: input.word(),
        ..OpusConfig::default()
    };
    let mut encoder = codec.encoder(&config).expect("it could always be set up");
    let mut decoder = codec.decoder().expect("it could always be set up");
    let (mut payload, mut out) = ([0; media::codec::MAX_PAYLOAD_BYTES], Vec::new());
    while !input.is_empty() {
        encoder.set_expected_loss(input.byte());
        let bytes = input.many_bytes();
        let mut block = samples(bytes);
        let _ = encoder.encode(&block, &mut payload);
        block.resize(codec.packet_samples(), 0);
        let len = encoder
            .encode(&block, &mut payload)
            .expect("20 ms can be encoded");
        if len > 0 {
            out.clear();
            decoder
                .decode(&payload[..len], &mut out)
                .expect("our own packets can be decoded");
            assert_eq!(out.len(), block.len());
        }
    }
}

/// Sound of any rate is brought to another, and searched for digits. `data`: both rates, then blocks of sound.
pub fn rates(data: &[u8]) {
    let mut input = Input::new(data);
    // Rates without a common divisor take memory and time in proportion to their sum, not more.
    let rates = [input.word(), input.word()].map(|rate| match rate % 4 {
        0 => rate / 4,
        1 => [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000][rate as usize / 4 % 7],
        _ => rate / 4 % 50_000,
    });
    let converted = Resampler::new(rates[0], rates[1]);
    let Ok(mut resampler) = converted else {
        assert!(rates.iter().any(|rate| !RATES_HZ.contains(rate)));
        return;
    };
    if !rates.iter().all(|rate| RATES_HZ.contains(rate)) {
        assert_eq!(rates[0], rates[1], "there is nothing to convert");
        return;
    }
    let mut receiver = ToneReceiver::new(rates[1]);
    let (mut taken, mut out, mut digits) = (0_u64, Vec::new(), Vec::new());
    while !input.is_empty() {
        let block = samples(input.many_bytes());
        resampler.process(&block, &mut out);
        taken += block.len() as u64;
        receiver.process(&block, &mut digits);
    }
    receiver.process(&out, &mut digits);
    let most = taken * u64::from(rates[1]) / u64::from(rates[0]) + u64::from(rates[1]);
    assert!(out.len() as u64 <= most);
}

fn samples(bytes: &[u8]) -> Vec<i16> {
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| i16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}
