//! G.711, both laws (RFC 3551 section 4.5.14): one byte per sample at 8 kHz.

use audio_codec::pcma::{PcmaDecoder, PcmaEncoder};
use audio_codec::pcmu::{PcmuDecoder, PcmuEncoder};

use super::conceal::Concealer;
use super::{Codec, CodecError, Concealed, Decoder, Encoder, Next};

/// Coder for one of the two laws.
pub(super) struct G711Encoder {
    codec: Codec,
    inner: Box<dyn audio_codec::Encoder>,
}

impl G711Encoder {
    pub(super) fn new(codec: Codec) -> Self {
        let inner: Box<dyn audio_codec::Encoder> = match codec {
            Codec::Pcma => Box::new(PcmaEncoder::new()),
            _ => Box::new(PcmuEncoder::new()),
        };
        Self { codec, inner }
    }
}

impl Encoder for G711Encoder {
    fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        let unencodable = CodecError::Unencodable {
            codec: self.codec,
            samples: samples.len(),
        };
        self.inner
            .encode_into(samples, out)
            .map_err(|_| unencodable)
    }

    fn set_expected_loss(&mut self, _percent: u8) {
        // The format has no room for redundancy.
    }
}

/// Decoder for one of the two laws, with concealment of our own: the format has none.
pub(super) struct G711Decoder {
    codec: Codec,
    inner: Box<dyn audio_codec::Decoder>,
    concealer: Concealer,
}

impl G711Decoder {
    pub(super) fn new(codec: Codec) -> Self {
        let inner: Box<dyn audio_codec::Decoder> = match codec {
            Codec::Pcma => Box::new(PcmaDecoder::new()),
            _ => Box::new(PcmuDecoder::new()),
        };
        Self {
            codec,
            inner,
            concealer: Concealer::new(codec.sample_rate_hz()),
        }
    }
}

impl Decoder for G711Decoder {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError> {
        let undecodable = CodecError::Undecodable {
            codec: self.codec,
            len_bytes: payload.len(),
        };
        self.codec.duration_ticks(payload).ok_or(undecodable)?;
        let start = out.len();
        out.resize(start + payload.len(), 0);
        if self.inner.decode_into(payload, &mut out[start..]).is_err() {
            out.truncate(start);
            return Err(undecodable);
        }
        self.concealer.heard(&mut out[start..]);
        Ok(())
    }

    fn conceal(&mut self, samples: usize, next: Option<Next<'_>>, out: &mut Vec<i16>) -> Concealed {
        // Each byte stands for itself, so what comes after the gap can be looked at beforehand.
        let after = next.and_then(|next| next.within(samples)).and_then(|next| {
            let mut after = vec![0; next.len()];
            let decoded = self.inner.decode_into(next, &mut after);
            decoded.is_ok().then_some(after)
        });
        let start = out.len();
        out.resize(start + samples, 0);
        self.concealer.invent(&mut out[start..], after.as_deref());
        Concealed::Invented
    }
}
