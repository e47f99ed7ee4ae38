use super::*;
use crate::codec::{Codec, OpusConfig};
use crate::dtmf::DIGITS;
use crate::frame::sample_from_f32;

const RATES_HZ: [u32; 3] = [8_000, 16_000, 48_000];

/// Numbers that look random and are the same every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap()
    }

    /// Nearly Gaussian, of variance 1.
    fn gauss(&mut self) -> f32 {
        let sum: f32 = (0..12)
            .map(|_| f32::from(u16::try_from(self.next() >> 15).unwrap()) / 65_536.0)
            .sum();
        sum - 6.0
    }
}

fn heard(samples: &[i16], sample_rate_hz: u32) -> String {
    let mut receiver = ToneReceiver::new(sample_rate_hz);
    let mut digits = Vec::new();
    for block in samples.chunks(333) {
        receiver.process(block, &mut digits);
    }
    digits.into_iter().map(Digit::as_char).collect()
}

fn sent(digits: &str, sample_rate_hz: u32) -> Vec<i16> {
    let mut sender = ToneSender::new(sample_rate_hz);
    let mut waiting = digits.chars();
    let mut samples = Vec::new();
    loop {
        if sender.is_idle() {
            let Some(label) = waiting.next() else {
                return samples;
            };
            sender.push(Digit::from_char(label).unwrap()).unwrap();
        }
        let mut block = vec![0; usize::try_from(sample_rate_hz / 100).unwrap()];
        sender.fill(&mut block);
        samples.extend(block);
    }
}

/// Two sines of these frequencies in Hz and amplitudes (1.0 is full scale), then silence.
fn pair(low: (f64, f32), high: (f64, f32), tone_ms: usize, pause_ms: usize) -> Vec<i16> {
    let mut samples = vec![0_i16; 8 * tone_ms];
    for (frequency_hz, amplitude) in [low, high] {
        let mut sine = vec![0; samples.len()];
        crate::tone::Tone::new(frequency_hz, 8_000, amplitude).fill(&mut sine);
        for (sample, value) in samples.iter_mut().zip(sine) {
            *sample += value;
        }
    }
    samples.resize(8 * (tone_ms + pause_ms), 0);
    samples
}

fn random_digits(count: usize) -> String {
    let mut random = Noise(7);
    (0..count)
        .map(|_| DIGITS[usize::try_from(random.next() % 16).unwrap()])
        .collect()
}

#[test]
fn every_digit_is_heard_at_every_rate() {
    let all: String = DIGITS.iter().collect();
    for rate_hz in RATES_HZ {
        assert_eq!(heard(&sent(&all, rate_hz), rate_hz), all, "{rate_hz} Hz");
    }
}

#[test]
fn the_same_digit_twice_is_two_digits() {
    assert_eq!(heard(&sent("5500##", 8_000), 8_000), "5500##");
}

#[test]
fn a_thousand_random_digits_are_exact_in_noise_15_db_below_them() {
    let digits = random_digits(1_000);
    for rate_hz in RATES_HZ {
        let mut random = Noise(u64::from(rate_hz));
        let mut samples = sent(&digits, rate_hz);
        // Amplitudes of 0.247 and 0.311 have a mean square of 0.0789; 15 dB less is 0.0025.
        for sample in &mut samples {
            let noise = random.gauss() * 0.05 * 32_768.0;
            *sample = sample_from_f32(f32::from(*sample) + noise);
        }
        assert!(heard(&samples, rate_hz) == digits, "{rate_hz} Hz");
    }
}

#[test]
fn digits_pass_every_codec() {
    let digits = random_digits(100);
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
        let rate_hz = codec.sample_rate_hz();
        let mut encoder = codec.encoder(&OpusConfig::default()).unwrap();
        let mut decoder = codec.decoder().unwrap();
        let mut decoded = Vec::new();
        for block in sent(&digits, rate_hz).chunks_exact(codec.packet_samples()) {
            let mut payload = [0; 1_500];
            let len = encoder.encode(block, &mut payload).unwrap();
            decoder.decode(&payload[..len], &mut decoded).unwrap();
        }
        assert!(heard(&decoded, rate_hz) == digits, "{codec:?}");
    }
}

#[test]
fn forty_ms_with_forty_ms_between_are_enough_wherever_they_begin() {
    for shift in 0..80 {
        let mut samples = vec![0; shift];
        for _ in 0..3 {
            samples.extend(pair((852.0, 0.1), (1_477.0, 0.1), 40, 40));
        }
        assert_eq!(heard(&samples, 8_000), "999", "shift {shift}");
    }
}

#[test]
fn twenty_three_ms_are_too_short_wherever_they_begin() {
    for shift in 0..80 {
        let mut samples = vec![0; shift];
        samples.extend(pair((852.0, 0.1), (1_477.0, 0.1), 23, 100));
        assert_eq!(heard(&samples, 8_000), "", "shift {shift}");
    }
}

#[test]
fn a_break_of_ten_ms_does_not_part_a_digit() {
    for shift in 0..80 {
        let mut samples = vec![0; shift];
        samples.extend(pair((770.0, 0.1), (1_336.0, 0.1), 100, 100));
        samples[shift + 400..shift + 480].fill(0);
        assert_eq!(heard(&samples, 8_000), "5", "shift {shift}");
    }
}

#[test]
fn frequencies_within_a_percent_and_a_half_are_taken_and_beyond_three_and_a_half_are_not() {
    for digit in DIGITS {
        let (low, high) = frequencies_hz(Digit::from_char(digit).unwrap());
        for (off, taken) in [(0.015, true), (0.035, false)] {
            for (low_off, high_off) in [(off, off), (-off, -off), (off, -off), (-off, off)] {
                let low = (low * (1.0 + low_off), 0.1);
                let high = (high * (1.0 + high_off), 0.1);
                let expected = if taken {
                    digit.to_string()
                } else {
                    String::new()
                };
                assert_eq!(
                    heard(&pair(low, high, 60, 60), 8_000),
                    expected,
                    "{digit} {low_off} {high_off}"
                );
            }
        }
    }
}

#[test]
fn twist_is_taken_within_limits_and_refused_beyond() {
    let heard_with = |low, high| heard(&pair((697.0, low), (1_209.0, high), 60, 60), 8_000);
    assert_eq!(heard_with(0.25, 0.1), "1", "low 8 dB stronger");
    assert_eq!(heard_with(0.1, 0.158), "1", "high 4 dB stronger");
    assert_eq!(heard_with(0.32, 0.1), "", "low 10 dB stronger");
    assert_eq!(heard_with(0.1, 0.22), "", "high 7 dB stronger");
}

#[test]
fn a_chime_of_the_right_frequencies_that_dies_away_is_no_digit() {
    let mut samples = pair((852.0, 0.45), (1_336.0, 0.45), 100, 100);
    let mut loudness = 1.0_f32;
    for sample in &mut samples {
        *sample = sample_from_f32(f32::from(*sample) * loudness);
        // 5 dB in 10 ms.
        loudness *= 10.0_f32.powf(-5.0 / 20.0 / 80.0);
    }
    assert_eq!(heard(&samples, 8_000), "");
}

#[test]
fn levels_from_full_scale_down_to_thirty_dbm0_are_taken_and_hum_is_not() {
    for amplitude in [0.49, 0.1, 0.022] {
        let samples = pair((941.0, amplitude), (1_336.0, amplitude), 60, 60);
        assert_eq!(heard(&samples, 8_000), "0", "{amplitude}");
    }
    let samples = pair((941.0, 0.004), (1_336.0, 0.004), 60, 60);
    assert_eq!(heard(&samples, 8_000), "");
    for other in [(941.0, 0.0), (1_336.0, 0.0), (770.0, 0.2)] {
        let samples = pair((941.0, 0.2), other, 60, 60);
        assert_eq!(heard(&samples, 8_000), "", "one sine or two of one group");
    }
}

/// Something like speech: a buzz of a pitch that glides, through three resonances
/// that move, in syllables.
fn babble(seconds: u32, sample_rate_hz: u32, random: &mut Noise) -> Vec<i16> {
    let rate = f64::from(sample_rate_hz);
    let mut samples = Vec::new();
    let mut phase = 0.0_f64;
    let mut states = [(0.0_f64, 0.0_f64); 3];
    let wanted = usize::try_from(seconds * sample_rate_hz).unwrap();
    while samples.len() < wanted {
        let pick = |random: &mut Noise, from: f64, to: f64| {
            from + (to - from) * f64::from(random.next() % 10_000) / 10_000.0
        };
        let len = pick(random, 0.06, 0.35) * rate;
        let pitch = [pick(random, 80.0, 300.0), pick(random, 80.0, 300.0)];
        let formants = [(250.0, 950.0), (850.0, 2_300.0), (1_800.0, 3_400.0)]
            .map(|(from, to)| [pick(random, from, to), pick(random, from, to)]);
        let mut at = 0.0;
        while at < len {
            let place = at / len;
            let glide = |ends: [f64; 2]| ends[0] + (ends[1] - ends[0]) * place;
            phase += glide(pitch) / rate;
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase %= 1.0;
            let excitation = pulse + f64::from(random.gauss()) * 0.005;
            let mut sum = 0.0;
            for (state, formant) in states.iter_mut().zip(formants) {
                let radius = (-std::f64::consts::PI * 60.0 / rate).exp();
                let turn = 2.0 * radius * (std::f64::consts::TAU * glide(formant) / rate).cos();
                let value = excitation + turn * state.0 - radius * radius * state.1;
                *state = (value, state.0);
                sum += value;
            }
            let syllable = (std::f64::consts::PI * place).sin();
            #[expect(clippy::cast_possible_truncation, reason = "sound needs no more")]
            samples.push(sample_from_f32((sum * syllable * 2_500.0) as f32));
            at += 1.0;
        }
    }
    samples
}

#[test]
fn ten_minutes_of_babble_is_no_digit() {
    let mut random = Noise(99);
    let samples = babble(600, 8_000, &mut random);
    assert!(crate::level::level_dbfs(&samples) > -30.0, "loud enough");
    assert_eq!(heard(&samples, 8_000), "");
    let samples = babble(20, 48_000, &mut random);
    assert_eq!(heard(&samples, 48_000), "");
}

#[test]
fn the_sender_leaves_speech_alone_while_it_is_idle_and_its_queue_is_bounded() {
    let mut sender = ToneSender::new(8_000);
    let mut speech = [77; 160];
    sender.fill(&mut speech);
    assert_eq!(speech, [77; 160]);
    let digit = Digit::from_char('1').unwrap();
    for _ in 0..crate::dtmf::MAX_QUEUED_DIGITS {
        sender.push(digit).unwrap();
    }
    assert_eq!(sender.push(digit), Err(crate::dtmf::QueueFull));
    sender.clear();
    assert!(sender.is_idle());
    sender.push(digit).unwrap();
    let mut sound = vec![77; 1_700];
    sender.fill(&mut sound);
    assert_eq!(sound[1_600..], [77; 100], "after 200 ms speech goes on");
    assert_eq!(sound[800..1_600], [0; 800], "a pause is silent");
}
