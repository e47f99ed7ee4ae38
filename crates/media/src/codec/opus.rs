//! Opus (RFC 6716, RFC 7587): mono at 48 kHz, 20 ms per packet, through `libopus`.
//!
//! A peer may send stereo at any time (RFC 7587 section 3.4). Each packet says what it is, and a decoder with one
//! channel gives half the sum of both, without a step where one follows the other. It does not follow
//! inverted phases (RFC 8251 section 10), so that intensity stereo is not cancelled out.
//!
//! In-band FEC costs quality on a clean network, so it is switched on by the loss that the peer
//! reports, not by configuration alone. Two bindings of the same library: `opus` encodes, `opusic-c`
//! decodes because it can switch on the library's neural concealment and read deep redundancy
//! (`docs/decisions/0021-opus-decoder.md`).

use opus::{Application, Bitrate, Channels, Encoder};
use opusic_c::{Decoder, SampleRate};

use super::opus_packet::has_redundancy;
use super::{Codec, CodecError, Concealed};

const SAMPLE_RATE_HZ: u32 = 48_000;
/// Longest packet, 120 ms.
const MAX_SAMPLES: usize = 5_760;
/// An encoder's answer of up to so many bytes means that nothing needs to be sent (DTX).
const DTX_BYTES: usize = 2;
/// From this expected loss on FEC is worth its bits.
const FEC_FROM_PERCENT: u8 = 2;
/// From 5 on the decoder fills gaps with a neural model of speech instead of fading repetition.
const DECODER_COMPLEXITY: u8 = 5;
/// FEC is sized for a loss in this range: below 10 % `libopus` sends no copies at our bit rates.
const EXPECTED_LOSS_PERCENT: std::ops::RangeInclusive<u8> = 10..=30;

/// How to encode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpusConfig {
    /// Target in bits per second.
    pub bitrate: u32,
    /// 0 (cheapest) to 10.
    pub complexity: u8,
    /// In-band FEC once the peer reports loss.
    pub fec: Fec,
    /// Send next to nothing during silence.
    pub dtx: Dtx,
}

/// Whether lost packets may be recovered from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fec {
    /// When the peer can use it and loses packets.
    Adaptive,
    /// Never.
    Off,
}

/// Discontinuous transmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtx {
    /// Silence is not sent.
    On,
    /// Every frame is sent.
    Off,
}

impl Default for OpusConfig {
    fn default() -> Self {
        Self {
            bitrate: 48_000,
            complexity: 6,
            fec: Fec::Adaptive,
            dtx: Dtx::Off,
        }
    }
}

/// Samples per channel that a packet holds at 48 kHz; `None` if it is malformed.
pub(super) fn duration_samples(payload: &[u8]) -> Option<usize> {
    if payload.is_empty() {
        return None;
    }
    opus::packet::get_nb_samples(payload, SAMPLE_RATE_HZ).ok()
}

pub(super) struct OpusEncoder {
    inner: Encoder,
    fec: Fec,
}

impl OpusEncoder {
    pub(super) fn new(config: &OpusConfig) -> Result<Self, CodecError> {
        Self::set_up(config).map_err(|_| CodecError::Setup { codec: Codec::Opus })
    }

    fn set_up(config: &OpusConfig) -> Result<Self, opus::Error> {
        let mut inner = Encoder::new(SAMPLE_RATE_HZ, Channels::Mono, Application::Voip)?;
        inner.set_bitrate(within_bounds(config.bitrate))?;
        inner.set_complexity(i32::from(config.complexity.min(10)))?;
        inner.set_dtx(config.dtx == Dtx::On)?;
        Ok(Self {
            inner,
            fec: config.fec,
        })
    }
}

fn within_bounds(bits_per_second: u32) -> Bitrate {
    Bitrate::Bits(bits_per_second.clamp(6_000, 128_000).cast_signed())
}

impl super::Encoder for OpusEncoder {
    fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        let unencodable = CodecError::Unencodable {
            codec: Codec::Opus,
            samples: samples.len(),
        };
        if samples.len() != Codec::Opus.packet_samples() {
            return Err(unencodable);
        }
        let len = self.inner.encode(samples, out).map_err(|_| unencodable)?;
        Ok(if len > DTX_BYTES { len } else { 0 })
    }

    fn set_expected_loss(&mut self, percent: u8) {
        let wanted = self.fec == Fec::Adaptive && percent >= FEC_FROM_PERCENT;
        let percent = if wanted {
            percent.clamp(*EXPECTED_LOSS_PERCENT.start(), *EXPECTED_LOSS_PERCENT.end())
        } else {
            0
        };
        // Both only fail for values out of range.
        let _ = self.inner.set_inband_fec(wanted);
        let _ = self.inner.set_packet_loss_perc(i32::from(percent));
    }

    fn set_bitrate(&mut self, bits_per_second: u32) {
        // Only fails for values out of range.
        let _ = self.inner.set_bitrate(within_bounds(bits_per_second));
    }
}

pub(super) struct OpusDecoder {
    inner: Decoder,
    /// The library's samples, which its binding takes for unsigned.
    samples: Box<[u16; MAX_SAMPLES]>,
}

impl OpusDecoder {
    pub(super) fn new() -> Result<Self, CodecError> {
        Self::set_up().map_err(|_| CodecError::Setup { codec: Codec::Opus })
    }

    fn set_up() -> Result<Self, opusic_c::ErrorCode> {
        let mut inner = Decoder::new(opusic_c::Channels::Mono, SampleRate::Hz48000)?;
        inner.set_complexity(DECODER_COMPLEXITY)?;
        Ok(Self {
            inner,
            samples: Box::new([0; MAX_SAMPLES]),
        })
    }

    /// Decodes at most `most` samples, which for a lost packet (`payload` empty) are exactly made.
    fn run(&mut self, payload: &[u8], most: usize, fec: bool, out: &mut Vec<i16>) -> Option<usize> {
        let samples = &mut self.samples[..most];
        let len = self.inner.decode_to_slice(payload, samples, fec).ok()?;
        out.extend(samples[..len].iter().map(|sample| sample.cast_signed()));
        Some(len)
    }
}

impl super::Decoder for OpusDecoder {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError> {
        let undecodable = CodecError::Undecodable {
            codec: Codec::Opus,
            len_bytes: payload.len(),
        };
        // An empty payload would mean concealment to the library.
        Codec::Opus.duration_ticks(payload).ok_or(undecodable)?;
        self.run(payload, MAX_SAMPLES, false, out)
            .map(drop)
            .ok_or(undecodable)
    }

    fn conceal(&mut self, samples: usize, next: Option<&[u8]>, out: &mut Vec<i16>) -> Concealed {
        // The library conceals in units of 2.5 ms and at most 120 ms.
        let whole = samples.clamp(120, MAX_SAMPLES) / 120 * 120;
        let start = out.len();
        let copy = next.filter(|next| has_redundancy(next));
        let recovered = copy.is_some_and(|next| {
            // A copy comes whole. Of one that is filled in part already, the end is wanted.
            let len = duration_samples(next).unwrap_or(whole).max(whole);
            let is_decoded = self.run(next, len.min(MAX_SAMPLES), true, out).is_some();
            out.drain(start..start + (out.len() - start).saturating_sub(samples));
            is_decoded
        });
        if !recovered {
            self.run(&[], whole, false, out);
        }
        out.resize(start + samples, 0);
        if recovered {
            Concealed::Recovered
        } else {
            Concealed::Invented
        }
    }
}
