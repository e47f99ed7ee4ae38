//! Who is called, and how each of the callee's devices is dialled.
//!
//! The callee's INVITE is built anew from what is known, never copied (RFC 7092): who calls is the proven account, not what From says, and
//! no header field passes that is not named here.
//!
//! Not here: what happens between the legs (`bridge.rs`).

use std::sync::Arc;

use sdp::SessionDescription;
use sip::{Aor, Destination, Endpoint, NameAddr, Request, Transport, Uri};
use ua::Dial;

use crate::binding::{Binding, Bindings};
use crate::effect::Account;

/// A proven caller and whom they may call.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) caller: Arc<Account>,
    pub(crate) target: Aor,
}

/// Whom an INVITE of `caller` is for, or the status that refuses it.
///
/// A number without a domain of ours, dialled at the proxy's own address or as `tel:`, is one of the caller's own domain.
pub(crate) fn target(invite: &Request, caller: &Account, endpoint: &Endpoint) -> Result<Aor, u16> {
    if invite.max_forwards().map_err(|_| 400_u16)? == Some(0) {
        return Err(483);
    }
    if let Some(number) = invite.uri.telephone_number() {
        let digits: String = number.chars().filter(|c| !"-.()".contains(*c)).collect();
        return Aor::parse(&format!("sip:{digits}@{}", caller.aor.host())).ok_or(404);
    }
    if !invite.uri.is_sip() {
        return Err(416);
    }
    let target = Aor::from_uri(&invite.uri).ok_or(404_u16)?;
    let is_ours = [Transport::Udp, Transport::Tcp]
        .iter()
        .filter_map(|transport| endpoint.advertised(*transport))
        .any(|ours| Some(&ours.host) == invite.uri.host());
    if is_ours {
        return Aor::parse(&format!("sip:{}@{}", target.user(), caller.aor.host())).ok_or(404);
    }
    Ok(target)
}

/// One INVITE for each device of the callee that can be reached.
pub(crate) fn dials(
    admitted: &Admitted,
    invite: &Request,
    offer: Option<&SessionDescription>,
    bindings: &Bindings,
    endpoint: &Endpoint,
) -> Vec<Dial> {
    let forwards = invite
        .max_forwards()
        .ok()
        .flatten()
        .unwrap_or(70)
        .saturating_sub(1);
    bindings
        .of(&admitted.target)
        .filter_map(|binding| dial(admitted, binding, forwards, offer, endpoint))
        .collect()
}

fn dial(
    admitted: &Admitted,
    binding: &Binding,
    forwards: u8,
    offer: Option<&SessionDescription>,
    endpoint: &Endpoint,
) -> Option<Dial> {
    let mut request_uri = binding.contact.uri().clone();
    request_uri.clear_headers();
    let from = NameAddr::new(admitted.caller.aor.to_uri());
    Some(Dial {
        request_uri,
        from: match &admitted.caller.display_name {
            Some(name) => from.with_display_name(name),
            None => from,
        },
        to: NameAddr::new(admitted.target.to_uri()),
        contact: contact(&binding.reached_by, endpoint)?,
        route: Vec::new(),
        destination: binding.reached_by,
        offer: offer.cloned(),
        credentials: None,
        headers: vec![("Max-Forwards".to_owned(), forwards.to_string())],
    })
}

/// Where the device reaches the proxy during the call.
fn contact(destination: &Destination, endpoint: &Endpoint) -> Option<Uri> {
    let transport = destination.transport();
    let mut uri = Uri::sip(None, endpoint.advertised(transport)?.clone());
    if transport != Transport::Udp {
        uri.set_param("transport", &transport.to_string().to_lowercase());
    }
    Some(uri)
}
