//! Payload formats: what a number in a media line means (RFC 3551, RFC 8866 section 6.6).

use std::fmt;

/// One payload format of a media line, with the number that one side gave it.
///
/// Numbers belong to a direction: each side says by which number it wants to *receive* a format,
/// so the same codec may have two numbers in one call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PayloadFormat {
    /// RTP payload type, 0–127.
    pub number: u8,
    /// Encoding name as written, compared without case.
    pub name: String,
    /// RTP clock in Hz. G.722 says 8000 although it samples at 16000 (RFC 3551 section 4.5.2).
    pub clock_rate: u32,
    /// Audio channels; 1 when not written.
    pub channels: u8,
    /// What `a=fmtp` says after the number; empty when nothing.
    pub parameters: String,
}

impl PayloadFormat {
    /// Opus, always `opus/48000/2` on the wire (RFC 7587), with in-band FEC announced.
    #[must_use]
    pub fn opus(number: u8) -> Self {
        Self {
            number,
            name: "opus".to_owned(),
            clock_rate: 48_000,
            channels: 2,
            parameters: "useinbandfec=1".to_owned(),
        }
    }

    /// G.711 µ-law, number 0.
    #[must_use]
    pub fn pcmu() -> Self {
        Self::static_format(0).expect("0 is in the table")
    }

    /// G.711 A-law, number 8.
    #[must_use]
    pub fn pcma() -> Self {
        Self::static_format(8).expect("8 is in the table")
    }

    /// G.722, number 9.
    #[must_use]
    pub fn g722() -> Self {
        Self::static_format(9).expect("9 is in the table")
    }

    /// Packets of `audio` that carry earlier ones once more (RFC 2198).
    #[must_use]
    pub fn red(number: u8, audio: &Self) -> Self {
        Self {
            number,
            name: "red".to_owned(),
            clock_rate: audio.clock_rate,
            channels: audio.channels,
            parameters: format!("{0}/{0}", audio.number),
        }
    }

    /// This carries packets of another format once more (RFC 2198).
    #[must_use]
    pub fn is_redundancy(&self) -> bool {
        self.name.eq_ignore_ascii_case("red")
    }

    /// This format in an answer to `theirs`: with their numbers, which redundancy also names in its parameters.
    #[must_use]
    pub fn answering(&self, theirs: &Self) -> Self {
        let ours = self.numbered(theirs.number);
        if !self.is_redundancy() {
            return ours;
        }
        Self {
            parameters: theirs.parameters.clone(),
            ..ours
        }
    }

    /// The number of the audio format that this one carries once more; `None` if it is no redundancy, or one
    /// of several formats.
    #[must_use]
    pub fn redundancy_of(&self) -> Option<u8> {
        if !self.is_redundancy() {
            return None;
        }
        let mut numbers = self
            .parameters
            .split('/')
            .map(|number| number.trim().parse());
        let first = numbers.next()?.ok()?;
        numbers.all(|number| number == Ok(first)).then_some(first)
    }

    /// DTMF digits as events 0–15 (RFC 4733) at the clock rate of the audio beside it.
    #[must_use]
    pub fn telephone_event(number: u8, clock_rate: u32) -> Self {
        Self {
            number,
            name: "telephone-event".to_owned(),
            clock_rate,
            channels: 1,
            parameters: "0-15".to_owned(),
        }
    }

    /// What a phone offers: Opus, µ-law, A-law, and events at both clock rates, because some
    /// peers offer only 8000 next to Opus and others want 48000.
    #[must_use]
    pub fn usual_audio() -> Vec<Self> {
        vec![
            Self::opus(96),
            Self::pcmu(),
            Self::pcma(),
            Self::telephone_event(101, 48_000),
            Self::telephone_event(102, 8_000),
        ]
    }

    /// The format that a number means without an `a=rtpmap` (RFC 3551 table 4 and 5).
    #[must_use]
    pub fn static_format(number: u8) -> Option<Self> {
        let (name, clock_rate, channels) = match number {
            0 => ("PCMU", 8_000, 1),
            3 => ("GSM", 8_000, 1),
            4 => ("G723", 8_000, 1),
            5 => ("DVI4", 8_000, 1),
            6 => ("DVI4", 16_000, 1),
            7 => ("LPC", 8_000, 1),
            8 => ("PCMA", 8_000, 1),
            9 => ("G722", 8_000, 1),
            10 => ("L16", 44_100, 2),
            11 => ("L16", 44_100, 1),
            12 => ("QCELP", 8_000, 1),
            13 => ("CN", 8_000, 1),
            14 => ("MPA", 90_000, 1),
            15 => ("G728", 8_000, 1),
            16 => ("DVI4", 11_025, 1),
            17 => ("DVI4", 22_050, 1),
            18 => ("G729", 8_000, 1),
            25 => ("CelB", 90_000, 1),
            26 => ("JPEG", 90_000, 1),
            28 => ("nv", 90_000, 1),
            31 => ("H261", 90_000, 1),
            32 => ("MPV", 90_000, 1),
            33 => ("MP2T", 90_000, 1),
            34 => ("H263", 90_000, 1),
            _ => return None,
        };
        Some(Self {
            number,
            name: name.to_owned(),
            clock_rate,
            channels,
            parameters: String::new(),
        })
    }

    /// Reads the value of an `a=rtpmap` attribute: `97 opus/48000/2`.
    #[must_use]
    pub fn from_rtpmap(value: &str) -> Option<Self> {
        let (number, encoding) = value.trim().split_once(' ')?;
        let number = number.parse().ok().filter(|&number| number < 128)?;
        let mut parts = encoding.trim().splitn(3, '/');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let clock_rate = parts.next()?.parse().ok().filter(|&rate| rate > 0)?;
        let channels = match parts.next() {
            // Video formats may put other encoding parameters here: not channels.
            Some(channels) => channels.parse().unwrap_or(1),
            None => 1,
        };
        Some(Self {
            number,
            name: name.to_owned(),
            clock_rate,
            channels,
            parameters: String::new(),
        })
    }

    /// Both name the same encoding, whatever number and parameters they carry.
    #[must_use]
    pub fn is_same_encoding(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name)
            && self.clock_rate == other.clock_rate
            // RFC 7587 fixes /2; peers that leave it out still mean Opus.
            && (self.channels == other.channels || self.name.eq_ignore_ascii_case("opus"))
    }

    /// This is DTMF, not audio.
    #[must_use]
    pub fn is_telephone_event(&self) -> bool {
        self.name.eq_ignore_ascii_case("telephone-event")
    }

    /// This is comfort noise (RFC 3389): never the codec of a stream.
    #[must_use]
    pub fn is_comfort_noise(&self) -> bool {
        self.name.eq_ignore_ascii_case("CN")
    }

    /// The value of one `a=fmtp` parameter, `useinbandfec` in `useinbandfec=1;usedtx=0`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.split(';').find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The same format under another number.
    #[must_use]
    pub fn numbered(&self, number: u8) -> Self {
        Self {
            number,
            ..self.clone()
        }
    }
}

/// As `a=rtpmap` writes it after the number: `opus/48000/2`.
impl fmt::Display for PayloadFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.clock_rate)?;
        if self.channels > 1 {
            write!(f, "/{}", self.channels)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtpmap_is_read_with_and_without_channels() {
        let opus = PayloadFormat::from_rtpmap("97 opus/48000/2").unwrap();
        assert_eq!(
            (opus.number, opus.clock_rate, opus.channels),
            (97, 48_000, 2)
        );
        let pcmu = PayloadFormat::from_rtpmap("0 PCMU/8000").unwrap();
        assert_eq!((pcmu.number, pcmu.channels), (0, 1));
    }

    #[test]
    fn malformed_rtpmap_is_no_format() {
        for value in [
            "",
            "97",
            "97 opus",
            "128 opus/48000/2",
            "x opus/48000",
            "97 /8000",
            "97 opus/0",
        ] {
            assert_eq!(PayloadFormat::from_rtpmap(value), None, "{value:?}");
        }
    }

    #[test]
    fn opus_without_channels_is_still_opus() {
        let written = PayloadFormat::from_rtpmap("111 OPUS/48000").unwrap();
        assert!(written.is_same_encoding(&PayloadFormat::opus(96)));
    }

    #[test]
    fn events_at_another_clock_rate_are_another_encoding() {
        let slow = PayloadFormat::telephone_event(101, 8_000);
        assert!(!slow.is_same_encoding(&PayloadFormat::telephone_event(101, 48_000)));
    }

    #[test]
    fn parameters_are_found_by_name_without_case() {
        let format = PayloadFormat {
            parameters: "maxplaybackrate=16000; UseInbandFec=1".to_owned(),
            ..PayloadFormat::opus(96)
        };
        assert_eq!(format.parameter("useinbandfec"), Some("1"));
        assert_eq!(format.parameter("usedtx"), None);
    }
}
