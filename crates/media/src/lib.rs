//! The media path of one call, without sockets, clocks or sound cards.
//!
//! ```text
//!  capture ─► level ─► resample ─► encode ─► copies, RTP header ─► protect ─► datagram
//!                 send.rs            codec/      rtp/               srtp/
//!
//!  datagram ─► open ─► latch ─► RTP checks ─► jitter buffer ─► decode/conceal ─► resample ─► stretch ─► play
//!              srtp/  rtp/latch  rtp/source     jitter/            codec/             receive/
//! ```
//!
//! [`Session`] owns both pipelines and RTCP for one call and is all that an owner needs: give it
//! datagrams and captured frames with the time they came, ask it for frames to play and datagrams
//! to send. Sockets, tasks and files are in `media-io`, sound cards in the softphone.
//!
//! Every block of sound at the border is 10 ms, mono, 480 samples at 48 kHz ([`Frame`]). Codecs
//! that run at another rate resample inside.
//!
//! Time is an argument everywhere (`now`), randomness comes from the seed in [`SessionConfig`]:
//! same seed and input, same output.

pub mod codec;
mod comfort;
pub mod dtmf;
pub mod frame;
pub mod jitter;
pub mod level;
pub mod mix;
mod parameters;
pub mod process;
mod protection;
pub mod quality;
mod receive;
pub mod relay;
pub mod resample;
pub mod rtcp;
pub mod rtp;
mod send;
mod send_rate;
mod session;
pub mod srtp;
pub mod stats;
pub mod tone;

pub use codec::{Codec, CodecError, OpusConfig};
pub use dtmf::Digit;
pub use frame::{FRAME_DURATION, FRAME_SAMPLES, Frame, SAMPLE_RATE_HZ, SILENCE};
pub use jitter::JitterConfig;
pub use parameters::{EventFormat, MediaParameters, ParametersError, ReceiveFormat, SendFormat};
pub use protection::{Secured, SecurityFailure};
pub use quality::{CallQuality, Quality};
pub use receive::{Counters, ReceivePipeline};
pub use sdp::{Direction, KeyExchange, MediaSecurity};
pub use send::{Microphone, SendPipeline};
pub use session::{DigitError, Session, SessionConfig, SessionEvent, Transmit};
pub use stats::MediaStats;

/// Some moment for tests to count from.
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "an instant cannot be made otherwise; tests only look at differences"
)]
pub(crate) fn any_instant() -> std::time::Instant {
    std::time::Instant::now()
}
