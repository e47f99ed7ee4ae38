//! One media line with everything below it (RFC 8866 section 5.14), and what we can do ourselves.

use std::net::{IpAddr, SocketAddr};

/// Reserved, because with the marker they look like RTCP (RFC 3551 section 6).
const RTCP_NUMBERS: std::ops::RangeInclusive<u8> = 72..=76;

use crate::offer_answer::VOIP_METRICS;
use crate::{
    Attribute, Attributes, Bandwidth, Connection, Direction, KeyLine, LocalIce, LocalSecurity,
    PayloadFormat,
};

/// A media description: `m=` and the lines that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaDescription {
    /// `audio`, `video`, `application`, `image`, …
    pub media: String,
    /// Transport port; 0 means rejected or removed.
    pub port: u16,
    /// How many ports, when `port/count` is written.
    pub port_count: Option<u16>,
    /// `RTP/AVP`, `RTP/SAVP`, `UDP/TLS/RTP/SAVPF`, …
    pub protocol: String,
    /// Format tokens as written; for RTP decimal payload numbers, preferred first.
    pub formats: Vec<String>,
    /// `i=`.
    pub information: Option<String>,
    /// `c=`; more than one only for multicast.
    pub connections: Vec<Connection>,
    /// `b=`.
    pub bandwidth: Vec<Bandwidth>,
    /// `k=`: obsolete, kept as it is.
    pub key: Option<KeyLine>,
    /// `a=`.
    pub attributes: Attributes,
}

impl MediaDescription {
    /// The first connection line of this media, if it has one of its own.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        self.connections.first()
    }

    /// The direction written at this media, or `None` if the session level decides.
    #[must_use]
    pub fn own_direction(&self) -> Option<Direction> {
        self.attributes
            .iter()
            .find_map(|attribute| Direction::from_attribute(&attribute.name))
    }

    /// The payload formats, preferred first. A dynamic number without a readable `a=rtpmap`, a token that is no payload
    /// number or one of RTCP's, and a number that came before are left out.
    #[must_use]
    pub fn payload_formats(&self) -> Vec<PayloadFormat> {
        let mut seen = [false; 128];
        self.formats
            .iter()
            .filter_map(|token| token.parse::<u8>().ok())
            .filter(|number| *number < 128 && !RTCP_NUMBERS.contains(number))
            .filter(|number| !std::mem::replace(&mut seen[usize::from(*number)], true))
            .filter_map(|number| self.payload_format(number))
            .collect()
    }

    /// The format of one payload number: by `a=rtpmap`, else by the static table.
    #[must_use]
    pub fn payload_format(&self, number: u8) -> Option<PayloadFormat> {
        let mut format = self
            .attributes
            .values("rtpmap")
            .filter_map(PayloadFormat::from_rtpmap)
            .find(|format| format.number == number)
            .or_else(|| PayloadFormat::static_format(number))?;
        let parameters = self.attributes.values("fmtp").find_map(|value| {
            let (of, parameters) = value.trim().split_once(' ')?;
            (of.parse() == Ok(number)).then_some(parameters.trim())
        });
        if let Some(parameters) = parameters {
            parameters.clone_into(&mut format.parameters);
        }
        Some(format)
    }

    /// The packet time that the writer wants to receive, in milliseconds.
    #[must_use]
    pub fn ptime(&self) -> Option<u16> {
        self.attributes
            .value("ptime")?
            .trim()
            .parse()
            .ok()
            .filter(|&ms| ms > 0)
    }

    /// The longest packet that the writer accepts, in milliseconds.
    #[must_use]
    pub fn maxptime(&self) -> Option<u16> {
        self.attributes
            .value("maxptime")?
            .trim()
            .parse()
            .ok()
            .filter(|&ms| ms > 0)
    }

    /// Where the writer wants RTCP when it said so (RFC 3605): port and, perhaps, address.
    #[must_use]
    pub fn rtcp(&self) -> Option<(u16, Option<IpAddr>)> {
        let mut words = self.attributes.value("rtcp")?.split_ascii_whitespace();
        let port = words.next()?.parse().ok()?;
        Some((port, words.nth(2).and_then(|address| address.parse().ok())))
    }

    /// RTP and RTCP share a port, if the other side wants it too (RFC 5761 section 5.1.1).
    #[must_use]
    pub fn has_rtcp_mux(&self) -> bool {
        self.attributes.contains("rtcp-mux")
    }

    /// This media line, refused: port 0, formats kept because the grammar wants one
    /// (RFC 3264 section 6).
    #[must_use]
    pub fn rejected(&self) -> Self {
        Self {
            media: self.media.clone(),
            port: 0,
            port_count: None,
            protocol: self.protocol.clone(),
            formats: self.formats.clone(),
            information: None,
            connections: Vec::new(),
            bandwidth: Vec::new(),
            key: None,
            attributes: Attributes::default(),
        }
    }
}

/// What we can do in a session: one audio stream over RTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMedia {
    /// Where we receive.
    pub address: IpAddr,
    /// RTP port; RTCP is the next one.
    pub port: u16,
    /// Preferred first, with the numbers by which we want to receive; `telephone-event` among
    /// them.
    pub formats: Vec<PayloadFormat>,
    /// What we want to do; `SendOnly` puts the other side on hold.
    pub direction: Direction,
    /// Packet time that we want to receive, in milliseconds.
    pub ptime: Option<u16>,
    /// How it may be secured.
    pub security: LocalSecurity,
    /// How it may find its way; `address` and `port` are one of the candidates then.
    pub ice: Option<LocalIce>,
}

impl LocalMedia {
    /// Both ways, the usual formats, packets of 20 ms, not secured.
    #[must_use]
    pub fn audio(receive: SocketAddr) -> Self {
        Self {
            address: receive.ip(),
            port: receive.port(),
            formats: PayloadFormat::usual_audio(),
            direction: Direction::SendRecv,
            ptime: Some(20),
            security: LocalSecurity::default(),
            ice: None,
        }
    }

    /// The media line that says so, listing `formats`.
    pub(crate) fn describe(
        &self,
        protocol: &str,
        formats: &[PayloadFormat],
        direction: Direction,
    ) -> MediaDescription {
        let mut attributes = Attributes::default();
        for format in formats {
            attributes.push(Attribute::with_value(
                "rtpmap",
                format!("{} {format}", format.number),
            ));
            if !format.parameters.is_empty() {
                let value = format!("{} {}", format.number, format.parameters);
                attributes.push(Attribute::with_value("fmtp", value));
            }
        }
        if let Some(ptime) = self.ptime {
            attributes.push(Attribute::with_value("ptime", ptime.to_string()));
        }
        // Each side says for itself what it wants to be told (RFC 3611 section 5.2).
        attributes.push(Attribute::with_value("rtcp-xr", VOIP_METRICS));
        attributes.push(Attribute::flag(direction.as_str()));
        MediaDescription {
            media: "audio".to_owned(),
            port: self.port,
            port_count: None,
            protocol: protocol.to_owned(),
            formats: formats
                .iter()
                .map(|format| format.number.to_string())
                .collect(),
            information: None,
            connections: Vec::new(),
            bandwidth: Vec::new(),
            key: None,
            attributes,
        }
    }
}
