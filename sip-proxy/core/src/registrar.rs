//! The registrar: what one authenticated REGISTER does to the bindings of its address-of-record (RFC 3261, section 10.3).
//!
//! [`process`] first decides about the whole request and only then changes the table, so that a request that fails changes nothing
//! (section 10.3, step 7). A request without Contact is a query.
//!
//! Not here: who may register what (`authentication.rs`), and when bindings expire (`proxy.rs`).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::{Aor, Contact, Contacts, Destination, Flow, Host, Request, Response, Transport};

use crate::binding::{Binding, BindingChange, Bindings, contact_key};
use crate::effect::Account;

/// What the registrar grants.
#[derive(Clone, Debug)]
pub struct RegistrarPolicy {
    /// Shortest expiry that is granted; a shorter one is answered 423.
    pub min_expires: Duration,
    /// What a contact gets that asks for nothing.
    pub default_expires: Duration,
    /// Longest expiry that is granted.
    pub max_expires: Duration,
    /// Bindings of one address-of-record; more are answered 403.
    pub max_bindings: usize,
}

impl Default for RegistrarPolicy {
    fn default() -> Self {
        Self {
            min_expires: Duration::from_secs(60),
            default_expires: Duration::from_secs(3_600),
            max_expires: Duration::from_secs(7_200),
            max_bindings: 10,
        }
    }
}

/// Why a REGISTER changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// A contact cannot be read, or `*` stands beside something else.
    Malformed,
    /// An older request overtook a newer one (step 7).
    OutOfOrder,
    /// An expiry below what is granted (step 7).
    TooBrief,
    /// More devices than the policy allows.
    TooMany,
}

/// The answer to a REGISTER that `account` has proven, and what it changed.
pub(crate) fn process(
    request: &Request,
    account: &Account,
    flow: Flow,
    policy: &RegistrarPolicy,
    bindings: &mut Bindings,
    now: Instant,
) -> (Response, Vec<BindingChange>) {
    match decide(request, account, flow, policy, bindings, now) {
        Ok(changes) => {
            apply(&changes, bindings);
            (granted(request, &account.aor, bindings, now), changes)
        }
        Err(refusal) => (refused(request, refusal, policy), Vec::new()),
    }
}

/// The answer to another copy of a REGISTER whose first copy was proven: what the first was told, as long as it would still change
/// nothing. `None` if it would.
pub(crate) fn repeat(
    request: &Request,
    account: &Account,
    bindings: &Bindings,
    now: Instant,
) -> Option<Response> {
    let aor = &account.aor;
    let call_id = request.call_id().ok()?;
    let cseq = request.cseq().ok()?.number;
    let expires = request.expires().ok()?;
    let changes_nothing = match request.contacts().ok()? {
        Contacts::Star => bindings.of(aor).next().is_none(),
        Contacts::List(contacts) => contacts.iter().all(|contact| {
            let key = contact_key(contact);
            let known = bindings.of(aor).find(|binding| binding.key() == key);
            match contact.expires().or(expires) {
                Some(0) => known.is_none(),
                _ => known.is_some_and(|known| known.call_id == call_id && known.cseq == cseq),
            }
        }),
    };
    changes_nothing.then(|| granted(request, aor, bindings, now))
}

fn decide(
    request: &Request,
    account: &Account,
    flow: Flow,
    policy: &RegistrarPolicy,
    bindings: &Bindings,
    now: Instant,
) -> Result<Vec<BindingChange>, Refusal> {
    let aor = &account.aor;
    let expires = request.expires().map_err(|_| Refusal::Malformed)?;
    let call_id = request
        .call_id()
        .map_err(|_| Refusal::Malformed)?
        .to_owned();
    let cseq = request.cseq().map_err(|_| Refusal::Malformed)?.number;
    let overtaken = |binding: &Binding| binding.call_id == call_id && binding.cseq >= cseq;
    let contacts = match request.contacts().map_err(|_| Refusal::Malformed)? {
        Contacts::Star if expires == Some(0) => {
            if bindings.of(aor).any(overtaken) {
                return Err(Refusal::OutOfOrder);
            }
            return Ok(bindings.of(aor).map(removal).collect());
        }
        Contacts::Star => return Err(Refusal::Malformed),
        Contacts::List(contacts) => contacts,
    };
    let mut changes = Vec::new();
    let mut count = bindings.of(aor).count();
    for contact in contacts {
        let key = contact_key(&contact);
        let known = bindings
            .of(aor)
            .find(|binding| binding.key() == key || same_uri(binding, &contact));
        if known.is_some_and(overtaken) {
            return Err(Refusal::OutOfOrder);
        }
        let wanted = contact.expires().or(expires);
        let granted = wanted.map_or(policy.default_expires, |secs| {
            Duration::from_secs(secs.into())
        });
        if granted.is_zero() {
            changes.extend(known.map(removal));
            continue;
        }
        if granted < policy.min_expires {
            return Err(Refusal::TooBrief);
        }
        match known {
            None => count += 1,
            Some(known) if known.key() != key => changes.push(removal(known)),
            Some(_) => {}
        }
        if count > policy.max_bindings {
            return Err(Refusal::TooMany);
        }
        changes.push(BindingChange::Upserted(Box::new(Binding {
            aor: aor.clone(),
            owner: account.owner,
            reached_by: reached_by(&contact, flow),
            contact: without_expires(contact),
            call_id: call_id.clone(),
            cseq,
            expires_at: now + granted.min(policy.max_expires),
            user_agent: request.header("User-Agent").map(str::to_owned),
        })));
    }
    Ok(changes)
}

/// Two contacts without instance-id are the same if their URIs are (section 19.1.4).
fn same_uri(binding: &Binding, contact: &Contact) -> bool {
    binding.instance().is_none()
        && contact.instance().is_none()
        && binding.contact.uri().is_equivalent(contact.uri())
}

/// The flow the REGISTER came on, which a NAT keeps open. A device that asks for another port of the very host it registers from is
/// behind no NAT and knows better; over a stream and with outbound (RFC 5626) it is always the flow.
fn reached_by(contact: &Contact, flow: Flow) -> Destination {
    let uri = contact.uri();
    let same_host = uri.host().and_then(Host::ip) == Some(flow.peer.ip());
    let datagram = flow.transport == Transport::Udp
        && uri
            .transport()
            .is_none_or(|transport| transport == Transport::Udp);
    if !same_host || !datagram || matches!(contact.reg_id(), Ok(Some(_))) {
        return Destination::Flow(flow);
    }
    let peer = SocketAddr::new(flow.peer.ip(), uri.port().unwrap_or(5060));
    if peer == flow.peer {
        Destination::Flow(flow)
    } else {
        Destination::Address {
            transport: Transport::Udp,
            peer,
            domain: None,
        }
    }
}

fn removal(binding: &Binding) -> BindingChange {
    BindingChange::Removed {
        aor: binding.aor.clone(),
        key: binding.key(),
    }
}

fn without_expires(mut contact: Contact) -> Contact {
    contact.address.params.remove("expires");
    contact
}

fn apply(changes: &[BindingChange], bindings: &mut Bindings) {
    for change in changes {
        match change {
            BindingChange::Upserted(binding) => bindings.upsert((**binding).clone()),
            BindingChange::Removed { aor, key } => {
                bindings.remove(aor, key);
            }
        }
    }
}

/// 200 with every binding the address-of-record has now (step 8).
fn granted(request: &Request, aor: &Aor, bindings: &Bindings, now: Instant) -> Response {
    let mut response = request.response(200, None);
    for binding in bindings.of(aor) {
        let left = binding.expires_at.saturating_duration_since(now).as_secs();
        response.push_header("Contact", format!("{};expires={left}", binding.contact));
    }
    response
}

fn refused(request: &Request, refusal: Refusal, policy: &RegistrarPolicy) -> Response {
    match refusal {
        Refusal::Malformed => request.response(400, None),
        Refusal::OutOfOrder => request.response(500, None),
        Refusal::TooMany => request.response(403, None),
        Refusal::TooBrief => {
            let mut response = request.response(423, None);
            response.push_header("Min-Expires", policy.min_expires.as_secs().to_string());
            response
        }
    }
}
