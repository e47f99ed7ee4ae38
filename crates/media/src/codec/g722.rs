//! G.722 at 64 kbit/s (RFC 3551 section 4.5.2): two samples at 16 kHz in a byte, though its RTP clock counts
//! 8,000 in a second.

use audio_codec::g722::{G722Decoder as Inner, G722Encoder as InnerEncoder};
use audio_codec::{Decoder as _, Encoder as _};

use super::conceal::Concealer;
use super::{Codec, CodecError, Concealed, Decoder, Encoder, Next};

pub(super) struct G722Encoder {
    inner: InnerEncoder,
}

impl G722Encoder {
    pub(super) fn new() -> Self {
        Self {
            inner: InnerEncoder::new(),
        }
    }
}

impl Encoder for G722Encoder {
    fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        let unencodable = CodecError::Unencodable {
            codec: Codec::G722,
            samples: samples.len(),
        };
        if !samples.len().is_multiple_of(2) || out.len() < samples.len() / 2 {
            return Err(unencodable);
        }
        self.inner
            .encode_into(samples, out)
            .map_err(|_| unencodable)
    }

    fn set_expected_loss(&mut self, _percent: u8) {
        // The format has no room for redundancy.
    }
}

/// Decoder with concealment of our own: the format has none.
pub(super) struct G722Decoder {
    inner: Inner,
    concealer: Concealer,
    /// A payload that was looked at before its turn, and its sound: what is decoded leaves a trace in the
    /// decoder, so nothing is decoded twice.
    ahead: Option<(Vec<u8>, Vec<i16>)>,
}

impl G722Decoder {
    pub(super) fn new() -> Self {
        Self {
            inner: Inner::new(),
            concealer: Concealer::new(Codec::G722.sample_rate_hz()),
            ahead: None,
        }
    }

    fn run(&mut self, payload: &[u8]) -> Option<Vec<i16>> {
        let mut samples = vec![0; 2 * payload.len()];
        self.inner.decode_into(payload, &mut samples).ok()?;
        Some(samples)
    }
}

impl Decoder for G722Decoder {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError> {
        let undecodable = CodecError::Undecodable {
            codec: Codec::G722,
            len_bytes: payload.len(),
        };
        Codec::G722.duration_ticks(payload).ok_or(undecodable)?;
        let mut samples = match self.ahead.take() {
            Some((known, samples)) if known == payload => samples,
            _ => self.run(payload).ok_or(undecodable)?,
        };
        self.concealer.heard(&mut samples);
        out.append(&mut samples);
        Ok(())
    }

    fn conceal(&mut self, samples: usize, next: Option<Next<'_>>, out: &mut Vec<i16>) -> Concealed {
        self.ahead = next
            .and_then(|next| next.within(samples))
            .and_then(|next| Some((next.to_vec(), self.run(next)?)));
        let after = self.ahead.as_ref().map(|(_, samples)| samples.as_slice());
        let start = out.len();
        out.resize(start + samples, 0);
        self.concealer.invent(&mut out[start..], after);
        Concealed::Invented
    }
}
