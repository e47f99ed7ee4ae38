//! Opus (RFC 6716, RFC 7587): mono at 48 kHz, 20 ms per packet, through `libopus`.
//!
//! In-band FEC costs quality on a clean network, so it is switched on by the loss that the peer
//! reports, not by configuration alone. The decoder's complexity, which would bring the neural
//! concealment of `libopus`, cannot be set through this binding: `docs/decisions/0003-media-crates.md`.

use opus::{Application, Bitrate, Channels, Decoder, Encoder};

use super::{Codec, CodecError, Concealed};

const SAMPLE_RATE_HZ: u32 = 48_000;
/// Longest packet, 120 ms.
const MAX_SAMPLES: usize = 5_760;
/// An encoder's answer of up to so many bytes means that nothing needs to be sent (DTX).
const DTX_BYTES: usize = 2;
/// From this expected loss on FEC is worth its bits.
const FEC_FROM_PERCENT: u8 = 2;
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
            bitrate: 32_000,
            complexity: 9,
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
        let bitrate = config.bitrate.clamp(6_000, 128_000);
        inner.set_bitrate(Bitrate::Bits(bitrate.cast_signed()))?;
        inner.set_complexity(i32::from(config.complexity.min(10)))?;
        inner.set_dtx(config.dtx == Dtx::On)?;
        Ok(Self {
            inner,
            fec: config.fec,
        })
    }
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
}

pub(super) struct OpusDecoder {
    inner: Decoder,
}

impl OpusDecoder {
    pub(super) fn new() -> Result<Self, CodecError> {
        let inner = Decoder::new(SAMPLE_RATE_HZ, Channels::Mono)
            .map_err(|_| CodecError::Setup { codec: Codec::Opus })?;
        Ok(Self { inner })
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
        let start = out.len();
        out.resize(start + MAX_SAMPLES, 0);
        let decoded = self.inner.decode(payload, &mut out[start..], false);
        out.truncate(start + decoded.as_ref().copied().unwrap_or(0));
        decoded.map(|_| ()).map_err(|_| undecodable)
    }

    fn conceal(&mut self, samples: usize, next: Option<&[u8]>, out: &mut Vec<i16>) -> Concealed {
        // The library conceals in units of 2.5 ms and at most 120 ms.
        let whole = samples.clamp(120, MAX_SAMPLES) / 120 * 120;
        let start = out.len();
        out.resize(start + whole, 0);
        let recovered = next.is_some_and(|next| {
            has_redundancy(next)
                && self
                    .inner
                    .decode(next, &mut out[start..], true)
                    .is_ok_and(|len| len == whole)
        });
        if !recovered && self.inner.decode(&[], &mut out[start..], false).is_err() {
            out[start..].fill(0);
        }
        out.resize(start + samples, 0);
        if recovered {
            Concealed::Recovered
        } else {
            Concealed::Invented
        }
    }
}

/// Whether the first frame of a packet carries a copy of the one before (the LBRR flag, RFC 6716
/// section 4.2.3). Without it decoding for FEC is concealment under another name.
///
/// Read for the packets that a phone meets: one SILK or hybrid frame of 10 or 20 ms, mono.
fn has_redundancy(payload: &[u8]) -> bool {
    let [toc, first, ..] = payload else {
        return false;
    };
    let config = toc >> 3;
    let uses_silk = config < 16;
    let is_single_frame = toc & 0x03 == 0;
    let is_mono = toc & 0x04 == 0;
    // The voice activity flag of the one SILK frame is the first bit, the redundancy flag the next.
    let is_short = config >= 12 || config % 4 < 2;
    uses_silk && is_single_frame && is_mono && is_short && first & 0x40 != 0
}
