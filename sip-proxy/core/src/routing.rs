//! Who is called, and how each of the callee's devices is dialled.
//!
//! The callee's INVITE is built anew from what is known, never copied (RFC 7092): who calls is the proven account, not what From says, and
//! no header field passes that is not named here. Calls, transfers and redirections go by the same rules.
//!
//! Not here: what happens between the legs (`bridge/`).

use std::sync::Arc;

use sdp::SessionDescription;
use sip::{Aor, Destination, Endpoint, NameAddr, Request, Transport, Uri};
use ua::Dial;

use crate::binding::{Binding, Bindings};
use crate::effect::Account;

/// What Max-Forwards begins with where nobody has said otherwise (RFC 3261, section 8.1.1.6).
pub(crate) const MAX_FORWARDS: u8 = 70;

/// A proven caller and whom they may call.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) caller: Arc<Account>,
    pub(crate) target: Aor,
}

/// Who somebody is to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) aor: Aor,
    display_name: Option<String>,
}

impl Identity {
    pub(crate) fn of(account: &Account) -> Self {
        Self {
            aor: account.aor.clone(),
            display_name: account.display_name.clone(),
        }
    }

    pub(crate) fn unnamed(aor: Aor) -> Self {
        Self {
            aor,
            display_name: None,
        }
    }

    fn name_addr(&self) -> NameAddr {
        let address = NameAddr::new(self.aor.to_uri());
        match &self.display_name {
            Some(name) => address.with_display_name(name),
            None => address,
        }
    }
}

/// Who is called for whom.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Whom the callee sees as caller.
    pub(crate) caller: Identity,
    /// Who is called.
    pub(crate) target: Aor,
    /// Who has transferred the caller there.
    pub(crate) referrer: Option<Aor>,
    /// What Max-Forwards says.
    pub(crate) forwards: u8,
    /// How many branches may be made at once, where the caller has a limit (RFC 5393).
    pub(crate) breadth: Option<u32>,
}

impl Plan {
    /// The call that an INVITE asks for.
    pub(crate) fn of_invite(admitted: &Admitted, invite: &Request) -> Self {
        let forwards = invite.max_forwards().ok().flatten();
        Self {
            caller: Identity::of(&admitted.caller),
            target: admitted.target.clone(),
            referrer: None,
            forwards: forwards.unwrap_or(MAX_FORWARDS).saturating_sub(1),
            breadth: invite.max_breadth().ok().flatten(),
        }
    }
}

/// Whom an INVITE of `caller` is for, or the status that refuses it.
///
/// A number without a domain of ours, dialled at the proxy's own address or as `tel:`, is one of the caller's own domain.
pub(crate) fn target(invite: &Request, caller: &Account, endpoint: &Endpoint) -> Result<Aor, u16> {
    if invite.max_forwards().map_err(|_| 400_u16)? == Some(0) {
        return Err(483);
    }
    target_of(&invite.uri, &caller.aor, endpoint)
}

/// Whom a URI means that `caller` dials, is referred to or redirects to: the one place for rules on who may be called.
pub(crate) fn target_of(uri: &Uri, caller: &Aor, endpoint: &Endpoint) -> Result<Aor, u16> {
    if let Some(number) = uri.telephone_number() {
        let digits: String = number.chars().filter(|c| !"-.()".contains(*c)).collect();
        return Aor::parse(&format!("sip:{digits}@{}", caller.host())).ok_or(404);
    }
    if !uri.is_sip() {
        return Err(416);
    }
    let target = Aor::from_uri(uri).ok_or(404_u16)?;
    let is_ours = [Transport::Udp, Transport::Tcp]
        .iter()
        .filter_map(|transport| endpoint.advertised(*transport))
        .any(|ours| Some(&ours.host) == uri.host());
    if is_ours {
        return Aor::parse(&format!("sip:{}@{}", target.user(), caller.host())).ok_or(404);
    }
    Ok(target)
}

/// One INVITE for each device of the callee that can be reached: those of the highest q first, those of one q together, as many at once
/// as the caller allows.
pub(crate) fn groups(
    plan: &Plan,
    offer: Option<&SessionDescription>,
    bindings: &Bindings,
    endpoint: &Endpoint,
) -> Vec<Vec<Dial>> {
    let mut ranked: Vec<_> = bindings
        .of(&plan.target)
        .map(|binding| (q(binding), binding))
        .collect();
    // Stable: the older binding of two with the same q comes first.
    ranked.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
    let at_once = plan
        .breadth
        .map_or(usize::MAX, |breadth| breadth as usize)
        .max(1);
    ranked
        .chunk_by(|one, next| one.0 == next.0)
        .flat_map(|group| group.chunks(at_once))
        .map(|group| {
            let share = plan.breadth.map(|breadth| {
                let branches = u32::try_from(group.len()).unwrap_or(u32::MAX);
                (breadth / branches).max(1)
            });
            let dials = group.iter();
            dials
                .filter_map(|(_, binding)| dial(plan, share, binding, offer, endpoint))
                .collect()
        })
        .collect()
}

/// Thousandths; a device that says nothing is as good as the best (RFC 3261, section 20.10).
fn q(binding: &Binding) -> u16 {
    binding.contact.q().ok().flatten().unwrap_or(1_000)
}

fn dial(
    plan: &Plan,
    breadth: Option<u32>,
    binding: &Binding,
    offer: Option<&SessionDescription>,
    endpoint: &Endpoint,
) -> Option<Dial> {
    let mut request_uri = binding.contact.uri().clone();
    request_uri.clear_headers();
    let mut headers = vec![("Max-Forwards".to_owned(), plan.forwards.to_string())];
    if let Some(breadth) = breadth {
        headers.push(("Max-Breadth".to_owned(), breadth.to_string()));
    }
    if let Some(referrer) = &plan.referrer {
        let value = NameAddr::new(referrer.to_uri()).to_string();
        headers.push(("Referred-By".to_owned(), value));
    }
    Some(Dial {
        request_uri,
        from: plan.caller.name_addr(),
        to: NameAddr::new(plan.target.to_uri()),
        contact: contact(&binding.reached_by, endpoint)?,
        route: Vec::new(),
        destination: binding.reached_by,
        offer: offer.cloned(),
        credentials: None,
        headers,
    })
}

/// Where the device reaches the proxy during the call.
pub(crate) fn contact(destination: &Destination, endpoint: &Endpoint) -> Option<Uri> {
    let transport = destination.transport();
    let mut uri = Uri::sip(None, endpoint.advertised(transport)?.clone());
    if transport != Transport::Udp {
        uri.set_param("transport", &transport.to_string().to_lowercase());
    }
    Some(uri)
}
