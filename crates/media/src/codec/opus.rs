//! Opus (RFC 6716, RFC 7587): mono at 48 kHz, 20 ms per packet, through `libopus`.
//!
//! A peer may send stereo at any time (RFC 7587 section 3.4). Each packet says what it is, and a decoder with one
//! channel gives half the sum of both, without a step where one follows the other. It does not follow
//! inverted phases (RFC 8251 section 10), so that intensity stereo is not cancelled out.
//!
//! In-band FEC costs quality on a clean network, so it is switched on by the loss that the peer
//! reports, not by configuration alone. Deep redundancy is read and never sent (`docs/decisions/0034-deep-redundancy.md`).
//! The library's binding takes samples as unsigned words, which are the signed ones bit by bit.

use std::collections::VecDeque;

use opusic_c::dred::Dred;
use opusic_c::{
    Application, Bitrate, Channels, Decoder, Encoder, ErrorCode, InbandFec, SampleRate,
};

use super::opus_extensions::has_deep_redundancy;
use super::opus_packet::has_redundancy;
use super::{Codec, CodecError, Concealed, Next};

/// In a packet of ours.
const PACKET_SAMPLES: usize = 960;
/// Longest packet, 120 ms.
const MAX_SAMPLES: usize = 5_760;
/// What the library conceals is a whole number of these: 2.5 ms.
const UNIT_SAMPLES: usize = 120;
/// Longest gap that is filled from deep redundancy, half a second.
pub(super) const MAX_DEEP_SAMPLES: usize = 24_000;
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
    opusic_c::utils::get_nb_samples(payload, SampleRate::Hz48000).ok()
}

pub(super) struct OpusEncoder {
    inner: Encoder,
    fec: Fec,
    samples: [u16; PACKET_SAMPLES],
}

impl OpusEncoder {
    pub(super) fn new(config: &OpusConfig) -> Result<Self, CodecError> {
        Self::set_up(config).map_err(|_| CodecError::Setup { codec: Codec::Opus })
    }

    fn set_up(config: &OpusConfig) -> Result<Self, ErrorCode> {
        let mut inner = Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Voip)?;
        inner.set_bitrate(within_bounds(config.bitrate))?;
        inner.set_complexity(config.complexity.min(10))?;
        inner.set_dtx(config.dtx == Dtx::On)?;
        Ok(Self {
            inner,
            fec: config.fec,
            samples: [0; PACKET_SAMPLES],
        })
    }
}

fn within_bounds(bits_per_second: u32) -> Bitrate {
    Bitrate::Value(bits_per_second.clamp(6_000, 128_000))
}

impl super::Encoder for OpusEncoder {
    fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        let unencodable = CodecError::Unencodable {
            codec: Codec::Opus,
            samples: samples.len(),
        };
        if samples.len() != PACKET_SAMPLES {
            return Err(unencodable);
        }
        for (to, from) in self.samples.iter_mut().zip(samples) {
            *to = from.cast_unsigned();
        }
        let encoded = self.inner.encode_to_slice(&self.samples, out);
        let len = encoded.map_err(|_| unencodable)?;
        Ok(if len > DTX_BYTES { len } else { 0 })
    }

    fn set_expected_loss(&mut self, percent: u8) {
        let (fec, percent) = if self.fec == Fec::Adaptive && percent >= FEC_FROM_PERCENT {
            let (least, most) = EXPECTED_LOSS_PERCENT.into_inner();
            (InbandFec::Mode1, percent.clamp(least, most))
        } else {
            (InbandFec::Off, 0)
        };
        // Both only fail for values out of range.
        let _ = self.inner.set_inband_fec(fec);
        let _ = self.inner.set_packet_loss(percent);
    }

    fn set_bitrate(&mut self, bits_per_second: u32) {
        // Only fails for values out of range.
        let _ = self.inner.set_bitrate(within_bounds(bits_per_second));
    }
}

pub(super) struct OpusDecoder {
    inner: Inner,
    samples: Box<[u16; MAX_SAMPLES]>,
    /// Sound of a gap that was decoded from the deep redundancy after it and is not asked for yet.
    ahead: VecDeque<i16>,
}

/// The library's decoder. What reads deep redundancy is made when the first packet with it is needed.
enum Inner {
    Plain(Decoder),
    Deep(Box<Dred>),
}

impl Inner {
    fn new() -> Result<Self, ErrorCode> {
        plain_decoder().map(Self::Plain)
    }

    fn decoder(&mut self) -> &mut Decoder {
        match self {
            Self::Plain(decoder) => decoder,
            Self::Deep(deep) => deep.decoder_mut(),
        }
    }

    fn deep(&mut self) -> Result<&mut Dred, ErrorCode> {
        if let Self::Plain(decoder) = self {
            let mut deep = Box::new(Dred::new(plain_decoder()?)?);
            // What the decoder has heard so far stays with it.
            std::mem::swap(deep.decoder_mut(), decoder);
            *self = Self::Deep(deep);
        }
        match self {
            Self::Plain(_) => Err(ErrorCode::InvalidState),
            Self::Deep(deep) => Ok(deep),
        }
    }
}

fn plain_decoder() -> Result<Decoder, ErrorCode> {
    let mut decoder = Decoder::new(Channels::Mono, SampleRate::Hz48000)?;
    decoder.set_complexity(DECODER_COMPLEXITY)?;
    Ok(decoder)
}

impl OpusDecoder {
    pub(super) fn new() -> Result<Self, CodecError> {
        Ok(Self {
            inner: Inner::new().map_err(|_| CodecError::Setup { codec: Codec::Opus })?,
            samples: Box::new([0; MAX_SAMPLES]),
            ahead: VecDeque::new(),
        })
    }

    /// Decodes at most `most` samples, which for a lost packet (`payload` empty) are exactly made.
    fn run(&mut self, payload: &[u8], most: usize, fec: bool, out: &mut Vec<i16>) -> Option<usize> {
        let samples = &mut self.samples[..most];
        let decoder = self.inner.decoder();
        let len = decoder.decode_to_slice(payload, samples, fec).ok()?;
        out.extend(samples[..len].iter().map(|sample| sample.cast_signed()));
        Some(len)
    }

    /// Appends the sound right before `next` from the copy that it carries.
    fn recover(&mut self, samples: usize, next: &[u8], out: &mut Vec<i16>) -> bool {
        let start = out.len();
        // A copy comes whole. Of one that is filled in part already, the end is wanted.
        let least = in_units(samples);
        let len = duration_samples(next).unwrap_or(least).max(least);
        let is_decoded = self.run(next, len.min(MAX_SAMPLES), true, out).is_some();
        out.drain(start..start + (out.len() - start).saturating_sub(samples));
        is_decoded
    }

    /// Appends the next sound of a gap from the deep redundancy after it, all of which is decoded at once: the
    /// binding reads it up to where the packet begins.
    fn take_ahead(&mut self, samples: usize, next: Next<'_>, out: &mut Vec<i16>) -> bool {
        if self.ahead.is_empty() && self.look_ahead(next).is_none() {
            return false;
        }
        let len = samples.min(self.ahead.len());
        out.extend(self.ahead.drain(..len));
        true
    }

    fn look_ahead(&mut self, next: Next<'_>) -> Option<()> {
        let gap = in_units(next.gap_samples);
        if gap > MAX_DEEP_SAMPLES || !has_deep_redundancy(next.payload) {
            return None;
        }
        let mut samples = vec![0; gap];
        let decoded = self
            .inner
            .deep()
            .ok()?
            .decode_to_slice(next.payload, &mut samples);
        let len = decoded.ok()?.min(gap);
        self.ahead
            .extend(samples[..len].iter().map(|sample| sample.cast_signed()));
        Some(())
    }
}

/// The library conceals in units of 2.5 ms.
fn in_units(samples: usize) -> usize {
    samples.max(UNIT_SAMPLES) / UNIT_SAMPLES * UNIT_SAMPLES
}

impl super::Decoder for OpusDecoder {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError> {
        let undecodable = CodecError::Undecodable {
            codec: Codec::Opus,
            len_bytes: payload.len(),
        };
        self.ahead.clear();
        // An empty payload would mean concealment to the library.
        Codec::Opus.duration_ticks(payload).ok_or(undecodable)?;
        self.run(payload, MAX_SAMPLES, false, out)
            .map(drop)
            .ok_or(undecodable)
    }

    fn conceal(&mut self, samples: usize, next: Option<Next<'_>>, out: &mut Vec<i16>) -> Concealed {
        let start = out.len();
        let copy = next
            .and_then(|next| next.within(samples))
            .filter(|payload| has_redundancy(payload));
        let is_recovered = match (copy, next) {
            (Some(payload), _) => {
                self.ahead.clear();
                self.recover(samples, payload, out)
            }
            (None, Some(next)) => self.take_ahead(samples, next, out),
            (None, None) => {
                self.ahead.clear();
                false
            }
        };
        if !is_recovered {
            self.run(&[], in_units(samples).min(MAX_SAMPLES), false, out);
        }
        out.resize(start + samples, 0);
        if is_recovered {
            Concealed::Recovered
        } else {
            Concealed::Invented
        }
    }
}
