//! What offer and answer decided about one audio stream, in the terms of this crate.

use std::net::SocketAddr;

use sdp::{Direction, MediaSecurity, Negotiated, PayloadFormat};

use crate::codec::Codec;
use crate::rtp::{self, Block, RtpPacket};

/// How to send and what to expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaParameters {
    /// Where the peer announced to receive RTP. Unspecified or port 0: nowhere now.
    pub remote_rtp: SocketAddr,
    /// Where the peer announced to receive RTCP.
    pub remote_rtcp: SocketAddr,
    /// The format that we send.
    pub send: SendFormat,
    /// The peer takes packets that carry earlier ones once more (RFC 2198), by this number.
    pub send_redundancy: Option<u8>,
    /// The audio formats that may come in, by our numbers.
    pub receive: Vec<ReceiveFormat>,
    /// Our number for packets that carry earlier ones once more.
    pub receive_redundancy: Option<u8>,
    /// What we do.
    pub direction: Direction,
    /// How we send digits; `None`: the peer takes none as events.
    pub send_event: Option<EventFormat>,
    /// How digits may come in.
    pub receive_events: Vec<EventFormat>,
    /// RTCP travels on the port of RTP (RFC 5761).
    pub rtcp_mux: bool,
    /// The peer wants to be told how it is heard (RFC 3611 section 4.7).
    pub voip_metrics: bool,
    /// How both are protected.
    pub security: MediaSecurity,
}

/// The audio format that we send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendFormat {
    /// The peer's number for it.
    pub payload_type: u8,
    /// What it is.
    pub codec: Codec,
    /// The peer makes use of Opus in-band FEC (RFC 7587 section 6.1).
    pub peer_uses_fec: bool,
    /// The most that the peer wants to receive, in bits per second.
    pub max_bitrate: Option<u32>,
}

/// An audio format that may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveFormat {
    /// Our number for it.
    pub payload_type: u8,
    /// What it is.
    pub codec: Codec,
}

/// A telephone-event format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFormat {
    /// Number of the side that receives it.
    pub payload_type: u8,
    /// Clock in which its durations count, in Hz.
    pub clock_rate_hz: u32,
}

/// Why a negotiated stream cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// We said in a description that we speak a codec that we do not.
    #[error("none of the negotiated formats is a codec of ours")]
    NoKnownCodec,
}

impl MediaParameters {
    /// Reads the result of an offer and its answer. Formats that are unknown here are left out.
    ///
    /// # Errors
    ///
    /// [`ParametersError::NoKnownCodec`] if no format is left to send.
    pub fn from_negotiated(negotiated: &Negotiated) -> Result<Self, ParametersError> {
        let send = negotiated
            .send
            .iter()
            .find_map(SendFormat::of)
            .ok_or(ParametersError::NoKnownCodec)?;
        let receive: Vec<_> = negotiated
            .receive
            .iter()
            .filter_map(ReceiveFormat::of)
            .collect();
        Ok(Self {
            remote_rtp: negotiated.remote,
            remote_rtcp: negotiated.remote_rtcp,
            send_redundancy: redundancy(&negotiated.send, send.payload_type),
            send,
            receive_redundancy: receive
                .iter()
                .find_map(|format| redundancy(&negotiated.receive, format.payload_type)),
            receive,
            direction: negotiated.direction,
            send_event: negotiated.telephone_event.as_ref().map(EventFormat::of),
            receive_events: negotiated
                .receive_telephone_events
                .iter()
                .map(EventFormat::of)
                .collect(),
            rtcp_mux: negotiated.rtcp_mux,
            voip_metrics: negotiated.voip_metrics,
            security: negotiated.security.clone(),
        })
    }

    /// The codec that a payload type means when it comes in.
    #[must_use]
    pub fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        self.receive
            .iter()
            .find(|format| format.payload_type == payload_type)
            .map(|format| format.codec)
    }

    /// The packets that a packet carries, oldest first; the last is its own. `None` if it is malformed.
    #[must_use]
    pub fn blocks<'a>(&self, packet: &RtpPacket<'a>) -> Option<Vec<Block<'a>>> {
        if self.receive_redundancy == Some(packet.payload_type) {
            return rtp::blocks(packet.payload);
        }
        Some(vec![Block {
            payload_type: packet.payload_type,
            offset_ticks: 0,
            payload: packet.payload,
        }])
    }

    /// Whether a payload type that comes in is an event.
    #[must_use]
    pub fn is_event(&self, payload_type: u8) -> bool {
        self.receive_events
            .iter()
            .any(|format| format.payload_type == payload_type)
    }
}

/// The number of the redundancy format that carries this audio format.
fn redundancy(formats: &[PayloadFormat], payload_type: u8) -> Option<u8> {
    formats
        .iter()
        .find(|format| format.redundancy_of() == Some(payload_type))
        .map(|format| format.number)
}

impl SendFormat {
    fn of(format: &PayloadFormat) -> Option<Self> {
        Some(Self {
            payload_type: format.number,
            codec: Codec::of(format)?,
            peer_uses_fec: format.parameter("useinbandfec") == Some("1"),
            max_bitrate: format
                .parameter("maxaveragebitrate")
                .and_then(|value| value.parse().ok()),
        })
    }
}

impl ReceiveFormat {
    fn of(format: &PayloadFormat) -> Option<Self> {
        Some(Self {
            payload_type: format.number,
            codec: Codec::of(format)?,
        })
    }
}

impl EventFormat {
    fn of(format: &PayloadFormat) -> Self {
        Self {
            payload_type: format.number,
            clock_rate_hz: format.clock_rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(send: Vec<PayloadFormat>) -> Negotiated {
        Negotiated {
            remote: "192.0.2.1:4000".parse().unwrap(),
            remote_rtcp: "192.0.2.1:4001".parse().unwrap(),
            receive: send.clone(),
            send,
            telephone_event: Some(PayloadFormat::telephone_event(101, 48_000)),
            receive_telephone_events: vec![PayloadFormat::telephone_event(102, 8_000)],
            direction: Direction::SendRecv,
            ptime: None,
            rtcp_mux: false,
            voip_metrics: false,
            security: MediaSecurity::Plain,
            ice: sdp::MediaIce::Off,
        }
    }

    fn gsm() -> PayloadFormat {
        PayloadFormat::static_format(3).unwrap()
    }

    #[test]
    fn the_first_codec_that_we_speak_is_sent_and_all_of_ours_are_understood() {
        let formats = vec![
            gsm(),
            PayloadFormat::opus(111),
            PayloadFormat::red(63, &PayloadFormat::opus(111)),
            PayloadFormat::pcma(),
        ];
        let parameters = MediaParameters::from_negotiated(&negotiated(formats)).unwrap();
        assert_eq!(
            (parameters.send.payload_type, parameters.send.codec),
            (111, Codec::Opus)
        );
        assert!(parameters.send.peer_uses_fec);
        assert_eq!(parameters.codec_of(111), Some(Codec::Opus));
        assert_eq!(parameters.codec_of(8), Some(Codec::Pcma));
        assert_eq!(parameters.codec_of(3), None);
        assert_eq!(
            (parameters.send_redundancy, parameters.receive_redundancy),
            (Some(63), Some(63))
        );
        assert_eq!(
            parameters.send_event,
            Some(EventFormat {
                payload_type: 101,
                clock_rate_hz: 48_000
            })
        );
        assert!(parameters.is_event(102));
        assert!(!parameters.is_event(101));
    }

    #[test]
    fn limits_of_the_peer_are_read() {
        let mut opus = PayloadFormat::opus(96);
        opus.parameters = "maxaveragebitrate=20000;useinbandfec=0".to_owned();
        let parameters = MediaParameters::from_negotiated(&negotiated(vec![opus])).unwrap();
        assert_eq!(parameters.send.max_bitrate, Some(20_000));
        assert!(!parameters.send.peer_uses_fec);
    }

    /// What a peer wants of stereo changes nothing: mono may always be sent (RFC 7587 section 3.4).
    #[test]
    fn opus_is_sent_alike_to_whoever_wants_stereo_and_however_it_is_written() {
        let usual = SendFormat::of(&PayloadFormat::opus(96));
        for (channels, of_stereo) in [
            (2, "stereo=1;sprop-stereo=1"),
            (2, "stereo=-1;sprop-stereo=x"),
            (1, "stereo=0"),
            (1, ""),
        ] {
            let opus = PayloadFormat {
                channels,
                parameters: format!("{of_stereo};useinbandfec=1"),
                ..PayloadFormat::opus(96)
            };
            assert_eq!(SendFormat::of(&opus), usual, "{channels} {of_stereo}");
            let parameters = MediaParameters::from_negotiated(&negotiated(vec![opus]));
            assert_eq!(parameters.unwrap().codec_of(96), Some(Codec::Opus));
        }
    }

    #[test]
    fn without_a_known_codec_there_is_no_session() {
        let result = MediaParameters::from_negotiated(&negotiated(vec![gsm()]));
        assert_eq!(result, Err(ParametersError::NoKnownCodec));
    }
}
