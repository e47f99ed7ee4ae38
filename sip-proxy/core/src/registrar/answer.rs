//! What a REGISTER is answered: every binding that there is now (RFC 3261, section 10.3, step 8), or why nothing was changed.

use sip::{Aor, Contact, Request, Response, Status, push_decimal};

use super::{Knows, Refusal, RegistrarPolicy};
use crate::bound::Shown;
use crate::gruu::Gruus;

/// Whose bindings are told, and what is needed for telling.
pub(crate) struct Telling<'a> {
    pub(crate) aor: &'a Aor,
    /// Where they lie, if there are any.
    pub(crate) slot: Option<u32>,
    pub(crate) gruus: &'a mut Gruus,
    pub(crate) now_secs: u32,
}

/// 200 with every binding the address-of-record has now (step 8).
pub(crate) fn granted<'a>(
    request: &Request,
    tag: &str,
    bound: impl Iterator<Item = Shown<'a>>,
    telling: Telling<'_>,
) -> Response {
    let Telling {
        aor,
        slot,
        gruus,
        now_secs,
    } = telling;
    let mut response = request.response(200, Some(tag));
    let knows = Knows::of(request).unwrap_or_default();
    let call_id = request.call_id().unwrap_or_default();
    let mut is_outbound = false;
    for binding in bound {
        let is_own = binding.call_id == call_id;
        is_outbound |= is_own && binding.is_outbound;
        response.push_header_with("Contact", |line| {
            write_contact(binding, is_own, line);
            if let Some(slot) = slot.filter(|_| knows.gruu) {
                gruus.write_params(aor, slot, binding, line);
            }
            line.push_str(";expires=");
            push_decimal(binding.expires.saturating_sub(now_secs).into(), line);
        });
    }
    if knows.path {
        for path in request.headers_named("Path") {
            response.push_header("Path", path);
        }
    }
    if is_outbound && knows.outbound {
        response.push_header("Require", "outbound");
    }
    response
}

/// A contact for one device of the address-of-record: its own as it sent it, another's without what its push service told it
/// (RFC 8599, section 4.1).
fn write_contact(binding: Shown<'_>, is_own: bool, out: &mut String) {
    let is_secret = !is_own && binding.uri.contains("pn-");
    let Some(mut contact) = is_secret.then(|| Contact::parse(binding.contact)).flatten() else {
        out.push_str(binding.contact);
        return;
    };
    for secret in ["pn-provider", "pn-prid", "pn-param", "pn-purr"] {
        contact.address.uri.remove_param(secret);
    }
    out.push_str(&contact.to_string());
}

/// The answer to a REGISTER that changes nothing.
pub(crate) fn refused(
    request: &Request,
    tag: &str,
    refusal: &Refusal,
    policy: &RegistrarPolicy,
) -> Response {
    let bare = |status: u16| request.response(status, Some(tag));
    match refusal {
        Refusal::Malformed => bare(400),
        Refusal::OutOfOrder => bare(500),
        Refusal::TooMany => bare(403),
        Refusal::FirstHop => request.response(
            Status::with_phrase(439, "First Hop Lacks Outbound Support"),
            Some(tag),
        ),
        Refusal::Unsupported(tags) => {
            let mut response = bare(420);
            response.push_header("Unsupported", tags.as_str());
            response
        }
        Refusal::TooBrief => {
            let mut response = bare(423);
            response.push_header("Min-Expires", policy.min_expires.as_secs().to_string());
            response
        }
    }
}
