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
    let response = default_response(&request, &tag);
    if let Err(error) = endpoint.respond(transaction, response, now) {
        debug!(%error, "response not sent");
    }
}

fn default_response(request: &Request, tag: &str) -> Response {
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
        Method::Ext(_) => return with(501, "Allow", CALL_METHODS),
        method if *method != Method::OPTIONS => return with(405, "Allow", CALL_METHODS),
        _ => {}
    }
    match request.require() {
        Err(_) => refuse(400),
        Ok(required) if !required.is_empty() => with(420, "Unsupported", &required.join(", ")),
        Ok(_) => {
            let mut response = with(200, "Allow", CALL_METHODS);
            response.push_header("Accept", sdp::CONTENT_TYPE);
            response.push_header("Supported", CALL_OPTIONS);
            response
        }
    }
}
