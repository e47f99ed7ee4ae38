//! Offer and answer (RFC 3264): from two descriptions to one agreed audio stream.
//! What changes over the life of a dialog is in `exchange.rs`.
//!
//! Hold is a direction: offer `SendOnly` to hold, `SendRecv` to resume (section 8.4). The older
//! way, `c=IN IP4 0.0.0.0`, is understood as "do not send to me".

use std::net::{IpAddr, SocketAddr};

use crate::ice;
use crate::security::{self, Accepted};
use crate::{
    AnswerError, Attribute, Direction, DirectionParts, DtlsRole, LocalMedia, MediaDescription,
    MediaIce, MediaSecurity, Origin, PayloadFormat, SessionDescription, Time,
};

/// Media lines looked at for an audio stream; later ones are refused unread.
const MAX_MEDIA_CONSIDERED: usize = 8;

/// Packet time when nobody says otherwise (RFC 3551 section 4.2), in milliseconds.
const USUAL_PTIME_MS: u16 = 20;

/// The report block of RFC 3611 section 4.7, as descriptions name it.
pub(crate) const VOIP_METRICS: &str = "voip-metrics";

/// What both sides agreed on: all that a media session needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Where the peer wants RTP. Unspecified (`0.0.0.0`) while it holds us in the old way.
    pub remote: SocketAddr,
    /// Where the peer wants RTCP.
    pub remote_rtcp: SocketAddr,
    /// Audio formats that we may send, with the peer's numbers, preferred first; never empty. After them
    /// redundancy (RFC 2198) for some of them.
    pub send: Vec<PayloadFormat>,
    /// Audio formats that we must understand, with our numbers, in the same order.
    pub receive: Vec<PayloadFormat>,
    /// The event format that we may send: at the clock rate of the first audio format if agreed,
    /// else at another. `None`: the peer takes no events.
    pub telephone_event: Option<PayloadFormat>,
    /// The event formats that may come in, with our numbers.
    pub receive_telephone_events: Vec<PayloadFormat>,
    /// What we do.
    pub direction: Direction,
    /// Packet time that the peer wants to receive, in milliseconds.
    pub ptime: Option<u16>,
    /// RTP and RTCP share a port on both sides.
    pub rtcp_mux: bool,
    /// The peer wants to be told how it is heard (`voip-metrics` of RFC 3611 section 5.1).
    pub voip_metrics: bool,
    /// How both are protected.
    pub security: MediaSecurity,
    /// How they find their way.
    pub ice: MediaIce,
}

impl Negotiated {
    fn carried(self, rtcp_mux: bool, security: MediaSecurity, ice: MediaIce) -> Self {
        let remote_rtcp = if rtcp_mux {
            self.remote
        } else {
            self.remote_rtcp
        };
        Self {
            remote_rtcp,
            rtcp_mux,
            security,
            ice,
            ..self
        }
    }
}

/// An offer of what we can do: one audio line.
#[must_use]
pub fn offer(local: &LocalMedia, origin: &Origin) -> SessionDescription {
    let mut media = local.describe("RTP/AVP", &local.formats, local.direction);
    security::offer(&local.security, &mut media);
    if let Some(ice) = &local.ice {
        ice::write(ice, &mut media);
    }
    describe(local, origin, vec![media])
}

/// Answers an offer with what both have, in the offerer's order and with its numbers.
///
/// # Errors
///
/// [`AnswerError`] if there is no audio for us in it; refuse with
/// [`reply_status`](AnswerError::reply_status).
pub fn answer(
    offer: &SessionDescription,
    local: &LocalMedia,
    origin: &Origin,
) -> Result<(SessionDescription, Negotiated), AnswerError> {
    answer_as(offer, local, origin, None)
}

/// `role` is our part in the DTLS handshake that there was already.
pub(crate) fn answer_as(
    offer: &SessionDescription,
    local: &LocalMedia,
    origin: &Origin,
    role: Option<DtlsRole>,
) -> Result<(SessionDescription, Negotiated), AnswerError> {
    let (index, accepted) = acceptable_media(offer, local, role)?;
    let chosen = &offer.media[index];
    let common: Vec<_> = chosen
        .payload_formats()
        .into_iter()
        .filter_map(|theirs| {
            let ours = local
                .formats
                .iter()
                .find(|ours| ours.is_same_encoding(&theirs))?;
            Some((ours.answering(&theirs), theirs))
        })
        .collect();
    let common = without_idle_redundancy(common);
    let remote_direction = remote_direction(offer, chosen);
    let direction = local.direction.intersect(remote_direction.reversed());
    let answered: Vec<_> = common.iter().map(|(ours, _)| ours.clone()).collect();
    let negotiated = agree(offer, chosen, &common, direction)?.carried(
        chosen.has_rtcp_mux(),
        accepted.security.clone(),
        ice::accept(offer, chosen, local.ice.as_ref()),
    );

    let media = offer
        .media
        .iter()
        .enumerate()
        .map(|(at, line)| {
            if at == index {
                let mut media = local.describe(&line.protocol, &answered, direction);
                if negotiated.rtcp_mux {
                    media.attributes.push(Attribute::flag("rtcp-mux"));
                }
                accepted.write(&mut media);
                ice::write_answer(&negotiated.ice, local.ice.as_ref(), &mut media);
                media
            } else {
                line.rejected()
            }
        })
        .collect();
    Ok((describe(local, origin, media), negotiated))
}

/// Reads the answer to an offer of ours.
///
/// # Errors
///
/// [`AnswerError`] if the answer accepts nothing that we offered: the session cannot be.
pub fn negotiate(
    offer_sent: &SessionDescription,
    answer_received: &SessionDescription,
) -> Result<Negotiated, AnswerError> {
    let index = offered_audio(offer_sent).ok_or(AnswerError::NoOffer)?;
    let offered = &offer_sent.media[index];
    let chosen = answer_received
        .media
        .get(index)
        .ok_or(AnswerError::NoAudio)?;
    if chosen.port == 0 || !chosen.media.eq_ignore_ascii_case("audio") {
        return Err(AnswerError::NoAudio);
    }
    let ours = offered.payload_formats();
    let common: Vec<_> = chosen
        .payload_formats()
        .into_iter()
        .filter_map(|theirs| {
            let ours = ours.iter().find(|ours| ours.is_same_encoding(&theirs))?;
            Some((ours.clone(), theirs))
        })
        .collect();
    let common = without_idle_redundancy(common);
    let wanted = offered.own_direction().unwrap_or_default();
    let direction = wanted.intersect(remote_direction(answer_received, chosen).reversed());
    let security = security::conclude(offered, answer_received, chosen)?;
    let rtcp_mux = offered.has_rtcp_mux() && chosen.has_rtcp_mux();
    let ice = ice::conclude(offered, answer_received, chosen);
    Ok(agree(answer_received, chosen, &common, direction)?.carried(rtcp_mux, security, ice))
}

fn describe(
    local: &LocalMedia,
    origin: &Origin,
    media: Vec<MediaDescription>,
) -> SessionDescription {
    let mut attributes = crate::Attributes::default();
    if media
        .iter()
        .any(|line| line.attributes.contains("ice-ufrag"))
    {
        attributes.push(ice::options());
    }
    SessionDescription {
        origin: origin.clone(),
        session_name: "-".to_owned(),
        information: None,
        uri: None,
        emails: Vec::new(),
        phones: Vec::new(),
        connection: Some(local.address.into()),
        bandwidth: Vec::new(),
        times: vec![Time::always()],
        zones: None,
        key: None,
        attributes,
        media,
    }
}

/// The first audio line with a format of ours that would be secured; else the first that may be plain.
fn acceptable_media(
    offer: &SessionDescription,
    local: &LocalMedia,
    role: Option<DtlsRole>,
) -> Result<(usize, Accepted), AnswerError> {
    let mut error = AnswerError::NoAudio;
    let mut plain = None;
    let lines = offer.media.iter().enumerate().take(MAX_MEDIA_CONSIDERED);
    for (index, media) in lines.filter(|(_, media)| is_usable_audio(media)) {
        let refusal = if has_common_audio(media, local) {
            match security::accept(offer, media, &local.security, role) {
                Ok(accepted) if accepted.security == MediaSecurity::Plain => {
                    plain = plain.or(Some((index, accepted)));
                    continue;
                }
                Ok(accepted) => return Ok((index, accepted)),
                Err(error) => error,
            }
        } else {
            AnswerError::NoCommonFormat
        };
        if error == AnswerError::NoAudio {
            error = refusal;
        }
    }
    plain.ok_or(error)
}

fn has_common_audio(media: &MediaDescription, local: &LocalMedia) -> bool {
    media.payload_formats().iter().any(|theirs| {
        let is_known = |ours: &PayloadFormat| ours.is_same_encoding(theirs);
        is_audio(theirs) && local.formats.iter().any(is_known)
    })
}

fn is_usable_audio(media: &MediaDescription) -> bool {
    media.media.eq_ignore_ascii_case("audio") && media.port != 0 && media.is_rtp()
}

/// Something one can talk in.
fn is_audio(format: &PayloadFormat) -> bool {
    !format.is_telephone_event() && !format.is_comfort_noise() && !format.is_redundancy()
}

/// Leaves redundancy out whose audio format was not agreed on.
fn without_idle_redundancy(
    mut common: Vec<(PayloadFormat, PayloadFormat)>,
) -> Vec<(PayloadFormat, PayloadFormat)> {
    let agreed: Vec<_> = common
        .iter()
        .filter(|(ours, _)| is_audio(ours))
        .map(|(ours, theirs)| (ours.number, theirs.number))
        .collect();
    common.retain(|(ours, theirs)| {
        let carried = ours.redundancy_of().zip(theirs.redundancy_of());
        !ours.is_redundancy() || carried.is_some_and(|carried| agreed.contains(&carried))
    });
    common
}

/// Where in a description of ours the audio line is.
pub(crate) fn offered_audio(ours: &SessionDescription) -> Option<usize> {
    ours.media.iter().position(is_usable_audio)
}

/// The peer's direction: of the media, else of the session, else both ways; and never receiving
/// at an unspecified address.
fn remote_direction(session: &SessionDescription, media: &MediaDescription) -> Direction {
    let written = session.direction_of(media);
    let holds = session
        .address_of(media)
        .is_some_and(|address| address.is_unspecified());
    Direction::of(DirectionParts {
        sends: written.sends(),
        receives: written.receives() && !holds,
    })
}

/// Joins pairs of (ours, theirs) into what was agreed.
fn agree(
    session: &SessionDescription,
    media: &MediaDescription,
    common: &[(PayloadFormat, PayloadFormat)],
    direction: Direction,
) -> Result<Negotiated, AnswerError> {
    let (events, audio): (Vec<_>, Vec<_>) = common
        .iter()
        .cloned()
        .partition(|(ours, _)| ours.is_telephone_event());
    let (redundancy, audio): (Vec<_>, Vec<_>) = audio
        .into_iter()
        .partition(|(ours, _)| ours.is_redundancy());
    let first = audio
        .iter()
        .map(|(_, theirs)| theirs.clone())
        .find(is_audio)
        .ok_or(AnswerError::NoCommonFormat)?;
    let spoken = audio.into_iter().filter(|(ours, _)| is_audio(ours));
    let (receive, send): (Vec<_>, Vec<_>) = spoken.chain(redundancy).unzip();
    let telephone_event = events
        .iter()
        .map(|(_, theirs)| theirs)
        .find(|event| event.clock_rate == first.clock_rate)
        .or(events.first().map(|(_, theirs)| theirs))
        .cloned();

    let address = session.address_of(media).ok_or(AnswerError::NoAddress)?;
    let (rtcp_port, rtcp_address) = media
        .rtcp()
        .unwrap_or((media.port.checked_add(1).unwrap_or(media.port), None));
    Ok(Negotiated {
        remote: SocketAddr::new(address, media.port),
        remote_rtcp: SocketAddr::new(rtcp_address.unwrap_or(address), rtcp_port),
        send,
        receive,
        telephone_event,
        receive_telephone_events: events.into_iter().map(|(ours, _)| ours).collect(),
        direction,
        ptime: match (media.ptime(), media.maxptime()) {
            (Some(wanted), Some(longest)) => Some(wanted.min(longest)),
            (wanted, longest) => wanted.or(longest.filter(|&ms| ms < USUAL_PTIME_MS)),
        },
        rtcp_mux: false,
        voip_metrics: session.wants_voip_metrics(media),
        security: MediaSecurity::Plain,
        ice: MediaIce::Off,
    })
}

impl SessionDescription {
    /// The direction of one of its media lines: its own, else the session's, else both ways.
    #[must_use]
    pub fn direction_of(&self, media: &MediaDescription) -> Direction {
        let of_session = || {
            self.attributes
                .iter()
                .find_map(|line| Direction::from_attribute(&line.name))
        };
        media
            .own_direction()
            .or_else(of_session)
            .unwrap_or_default()
    }

    /// The writer wants reports with VoIP metrics about one of its media lines: as that says, else as the session does
    /// (RFC 3611 section 5.1).
    #[must_use]
    pub fn wants_voip_metrics(&self, media: &MediaDescription) -> bool {
        let of_media = media.attributes.value("rtcp-xr");
        let wanted = of_media.or_else(|| self.attributes.value("rtcp-xr"));
        wanted.is_some_and(|formats| {
            formats
                .split_ascii_whitespace()
                .any(|format| format == VOIP_METRICS)
        })
    }

    /// The IP address of one of its media lines: its own, else the session's.
    #[must_use]
    pub fn address_of(&self, media: &MediaDescription) -> Option<IpAddr> {
        media.connection().or(self.connection.as_ref())?.ip()
    }
}
