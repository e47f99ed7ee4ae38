//! The answer to requests that nobody else wants (RFC 3261, sections 8.2.1, 11.2 and 12.2.2).

use std::time::Instant;

use sip::{Endpoint, EndpointEvent, Method, Request, Response};
use tracing::debug;

use crate::{CALL_METHODS, CALL_OPTIONS};

/// Answers what is left of an endpoint's events: OPTIONS with what we can do, requests of unknown
/// dialogs with 481, extensions that we lack with 420, methods that we know but do not serve with
/// 405 and others with 501. Events other than requests are dropped.
///
/// An owner that serves further methods answers them before.
pub fn respond_default(event: EndpointEvent, endpoint: &mut Endpoint, now: Instant) {
    respond_unserved(event, &Served::default(), endpoint, now);
}

/// What an owner serves beyond calls, for the answers that say so.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// All methods, as `Allow` lists them.
    pub methods: &'a str,
    /// Event packages, as `Allow-Events` lists them; empty if there are none.
    pub events: &'a str,
}

impl Default for Served<'_> {
    fn default() -> Self {
        Self {
            methods: CALL_METHODS,
            events: "",
        }
    }
}

/// As [`respond_default`], for an owner that serves more than calls.
pub fn respond_unserved(
    event: EndpointEvent,
    served: &Served<'_>,
    endpoint: &mut Endpoint,
    now: Instant,
) {
    let EndpointEvent::Request {
        transaction,
        request,
        ..
    } = event
    else {
        debug!(?event, "nobody's event");
        return;
    };
    let tag = endpoint.ids().tag();
    let response = default_response(&request, served, &tag);
    if let Err(error) = endpoint.respond(transaction, response, now) {
        debug!(%error, "response not sent");
    }
}

fn default_response(request: &Request, served: &Served<'_>, tag: &str) -> Response {
    let refuse = |status: u16| request.response(status, Some(tag));
    let with = |status: u16, name: &str, value: &str| {
        let mut response = refuse(status);
        response.push_header(name, value);
        response
    };
    // ACK and CANCEL never come here; these three live inside dialogs only.
    let only_in_dialog = [Method::BYE, Method::INFO, Method::UPDATE, Method::PRACK];
    if request.to().is_ok_and(|to| to.tag().is_some()) || only_in_dialog.contains(&request.method) {
        return refuse(481);
    }
    match &request.method {
        Method::Ext(_) => return with(501, "Allow", served.methods),
        method if *method != Method::OPTIONS => return with(405, "Allow", served.methods),
        _ => {}
    }
    match request.require() {
        Err(_) => refuse(400),
        Ok(required) if !required.is_empty() => with(420, "Unsupported", &required.join(", ")),
        Ok(_) => {
            let mut response = with(200, "Allow", served.methods);
            response.push_header("Accept", sdp::CONTENT_TYPE);
            response.push_header("Supported", CALL_OPTIONS);
            if !served.events.is_empty() {
                response.push_header("Allow-Events", served.events);
            }
            response
        }
    }
}
