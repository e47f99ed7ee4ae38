//! Session descriptions in SIP bodies, and what a request demands before its body is read
//! (RFC 3261, section 8.2).

use sdp::Described;
use sip::{Fields, HeaderError, Reason, Request, Response};

use super::session_timer::{self, Demand};
use super::{CallKey, CallsConfig, MAX_REASONS, ReliableProgress, reliable};
use crate::CALL_METHODS;

/// A request that passed: what it offers and which timer it wants.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) offer: Option<Described>,
    pub(super) timer: Demand,
    /// The call that the new one is to replace.
    pub(super) replaces: Option<CallKey>,
}

/// Checks a request that may carry an offer. The error is the answer to give.
pub(super) fn admit(
    request: &Request,
    to_tag: &str,
    config: &CallsConfig,
) -> Result<Admitted, Box<Response>> {
    let refuse = |status: u16| Box::new(request.response(status, Some(to_tag)));
    let bad = |_| refuse(400);
    let required = request.require().map_err(bad)?;
    let unknown: Vec<_> = required
        .into_iter()
        .filter(|option| !is_known(option, config))
        .collect();
    if !unknown.is_empty() {
        let mut response = refuse(420);
        response.push_header("Unsupported", unknown.join(", "));
        return Err(response);
    }
    let offer = offer_of(request, &refuse)?;
    let accepts = request.accept().map_err(bad)?;
    if accepts.is_some_and(|list| !list.iter().any(|range| range.accepts("application", "sdp"))) {
        return Err(refuse(406));
    }
    let timer = session_timer::read_request(request, config.session_timers).map_err(bad)?;
    if let Demand::TooSmall { min_se_secs } = timer {
        let mut response = refuse(422);
        response.push_header("Min-SE", min_se_secs.to_string());
        return Err(response);
    }
    Ok(Admitted {
        offer,
        timer,
        replaces: None,
    })
}

fn is_known(option: &str, config: &CallsConfig) -> bool {
    let known = [session_timer::OPTION, "replaces", "norefersub"];
    known.iter().any(|known| option.eq_ignore_ascii_case(known))
        || option.eq_ignore_ascii_case(reliable::OPTION)
            && config.reliable != ReliableProgress::Never
}

/// The offer in a request inside a dialog. The error is the answer to give.
pub(super) fn offer_in(request: &Request) -> Result<Option<Described>, Box<Response>> {
    offer_of(request, &|status| Box::new(request.response(status, None)))
}

/// What a message says about the end of a call, as much as is told.
pub(super) fn reasons_in(message: &Fields) -> Vec<Reason> {
    let mut reasons = message.reasons().unwrap_or_default();
    reasons.truncate(MAX_REASONS);
    reasons
}

fn offer_of(
    request: &Request,
    refuse: &impl Fn(u16) -> Box<Response>,
) -> Result<Option<Described>, Box<Response>> {
    if request.body().is_empty() {
        return Ok(None);
    }
    let encoded = request.header("Content-Encoding").map(str::trim);
    if encoded.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        let mut response = refuse(415);
        response.push_header("Accept-Encoding", "identity");
        return Err(response);
    }
    if !is_description(request).map_err(|_| refuse(400))? {
        let mut response = refuse(415);
        response.push_header("Accept", sdp::CONTENT_TYPE);
        return Err(response);
    }
    let offer = Described::read(request.body());
    offer
        .map(Some)
        .map_err(|error| refuse(error.reply_status()))
}

/// Whether the body is a description. Nearly all say so in the same words, which need no closer reading.
fn is_description(message: &Fields) -> Result<bool, HeaderError> {
    if message.header("Content-Type") == Some(sdp::CONTENT_TYPE) {
        return Ok(true);
    }
    let content_type = message.content_type()?;
    Ok(content_type.is_some_and(|kind| kind.is("application", "sdp")))
}

/// The description in a response or an ACK; `None` if it has none that can be read.
pub(super) fn description_in(message: &Fields) -> Option<Described> {
    if !is_description(message).ok()? {
        return None;
    }
    Described::read(message.body()).ok()
}

/// Puts a description into a message.
pub(super) fn set_description(message: &mut Fields, description: &Described) {
    message.set_body(sdp::CONTENT_TYPE, description.bytes().clone());
}

/// What we understand where provisional responses are not reliable: a re-INVITE has none worth it,
/// and an INVITE without offer would get one that PRACK had to answer.
const PLAIN_OPTIONS: &str = "timer, replaces, norefersub";

/// What every INVITE, re-INVITE, UPDATE and their responses say about us (RFC 3261, table 2).
pub(super) fn push_capabilities(message: &mut Fields, contact: &str) {
    message.push_header("Contact", contact);
    message.push_header("Allow", CALL_METHODS);
    message.push_header("Supported", PLAIN_OPTIONS);
}
