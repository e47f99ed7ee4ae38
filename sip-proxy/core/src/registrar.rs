//! The registrar: what one authenticated REGISTER does to the bindings of its address-of-record (RFC 3261, section 10.3).
//!
//! [`decide`] looks at the whole request and says what would change, without changing it, so that a request that fails changes nothing
//! (section 10.3, step 7); [`granted`] is the answer once it has changed. A request without Contact is a query.
//!
//! | extension | what is done |
//! |---|---|
//! | Path (RFC 3327) | kept with the binding and given back; 420 if the device does not say that it knows it |
//! | outbound (RFC 5626) | a binding for each instance-id and reg-id; 439 if the first hop does not know it |
//! | GRUU (RFC 5627) | a public and a temporary one for every contact with instance-id |
//! | push (RFC 8599) | `pn-*` kept byte for byte, and shown to no other device |
//!
//! Not here: who may register what (`authentication.rs`), and when it is written and answered (`commit.rs`).

mod again;
mod answer;

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use sip::{Aor, Contact, Contacts, Destination, Flow, HeaderError, Host, Request, Transport, Uri};

pub(crate) use again::Again;
pub(crate) use answer::{Telling, granted, refused};

use crate::binding::Bindings;
use crate::bound::{Edit, Record};
use crate::record::{BindingRef, NewBinding};

/// Extensions that a REGISTER may require.
pub(crate) const EXTENSIONS: [&str; 3] = ["path", "outbound", "gruu"];

/// Room for the brackets of a contact and what stands behind them.
const USUAL_PARAMS: usize = 128;

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

impl RegistrarPolicy {
    /// What a contact gets that asks for so many seconds, before that is found too brief or too long.
    fn asked(&self, wanted: Option<u32>) -> Duration {
        wanted.map_or(self.default_expires, |secs| {
            Duration::from_secs(secs.into())
        })
    }

    /// So long that it is granted, as the second at which it ends.
    fn end(&self, asked: Duration, now_secs: u32) -> u32 {
        let granted = asked.min(self.max_expires).as_secs();
        now_secs.saturating_add(u32::try_from(granted).unwrap_or(u32::MAX))
    }
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A contact cannot be read or is too large, or `*` stands beside something else.
    Malformed,
    /// An older request overtook a newer one (step 7).
    OutOfOrder,
    /// An expiry below what is granted (step 7).
    TooBrief,
    /// More devices than the policy allows.
    TooMany,
    /// Required, or done on the way, and not known to us or to the device.
    Unsupported(String),
    /// The device wants a flow kept open by somebody who does not know how (RFC 5626, section 11.6).
    FirstHop,
}

impl From<HeaderError> for Refusal {
    fn from(_: HeaderError) -> Self {
        Self::Malformed
    }
}

/// What a REGISTER would change.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Nothing for a query.
    pub(crate) edits: Vec<Edit>,
    /// What is bound now.
    pub(crate) before: Record,
}

/// What every contact of a request has in common.
struct Frame<'a> {
    aor: &'a Aor,
    flow: Flow,
    call_id: &'a str,
    cseq: u32,
    expires: Option<u32>,
    path: String,
    user_agent: &'a str,
    knows_outbound: bool,
    now_secs: u32,
}

/// What `request` would change of the bindings of `aor`.
///
/// # Errors
///
/// See [`Refusal`].
pub(crate) fn decide(
    request: &Request,
    aor: &Aor,
    flow: Flow,
    policy: &RegistrarPolicy,
    bindings: &Bindings,
    now_secs: u32,
) -> Result<Plan, Refusal> {
    let unknown = request
        .require()?
        .into_iter()
        .filter(|tag| !EXTENSIONS.iter().any(|own| own.eq_ignore_ascii_case(tag)));
    let unknown: Vec<_> = unknown.collect();
    if !unknown.is_empty() {
        return Err(Refusal::Unsupported(unknown.join(", ")));
    }
    let knows = Knows::of(request)?;
    let frame = Frame {
        aor,
        flow,
        call_id: request.call_id()?,
        cseq: request.cseq()?.number,
        expires: request.expires()?,
        path: path(request, knows)?,
        user_agent: request.header("User-Agent").unwrap_or_default(),
        knows_outbound: knows.outbound,
        now_secs,
    };
    let contacts = match request.contacts()? {
        Contacts::Star if frame.expires == Some(0) => return frame.remove_all(bindings),
        Contacts::Star => return Err(Refusal::Malformed),
        Contacts::List(contacts) => contacts,
    };
    frame.check_flows(request, &contacts)?;
    frame.plan(contacts, policy, bindings)
}

impl Frame<'_> {
    fn remove_all(&self, bindings: &Bindings) -> Result<Plan, Refusal> {
        let mut edits = Vec::new();
        let before = bindings.of(self.aor);
        for binding in before.iter() {
            if self.is_overtaken(binding) {
                return Err(Refusal::OutOfOrder);
            }
            edits.push(Edit::Remove(binding.bytes().into()));
        }
        Ok(Plan { edits, before })
    }

    /// RFC 5626, section 6: one flow at most is made by a request, and whoever is between the device and us must keep it.
    fn check_flows(&self, request: &Request, contacts: &[Contact]) -> Result<(), Refusal> {
        let mut flows = 0;
        for contact in contacts {
            let ends = contact.expires().or(self.expires) == Some(0);
            if self.is_flow(contact)? && !ends {
                flows += 1;
            }
        }
        if flows > 1 {
            return Err(Refusal::Malformed);
        }
        if flows == 0 || request.count_vias()? <= 1 {
            return Ok(());
        }
        let paths = request.paths()?;
        match paths.last() {
            Some(first_hop) if first_hop.uri.has_param("ob") => Ok(()),
            _ => Err(Refusal::FirstHop),
        }
    }

    fn is_flow(&self, contact: &Contact) -> Result<bool, Refusal> {
        let has_id = contact.reg_id()?.is_some() && contact.instance().is_some();
        Ok(self.knows_outbound && has_id)
    }

    fn plan(
        &self,
        contacts: Vec<Contact>,
        policy: &RegistrarPolicy,
        bindings: &Bindings,
    ) -> Result<Plan, Refusal> {
        let mut edits: Vec<Edit> = Vec::new();
        let before = bindings.of(self.aor);
        let mut count = before.iter().count();
        for contact in contacts {
            let asked = policy.asked(contact.expires().or(self.expires));
            let is_outbound = self.is_flow(&contact)?;
            let new = self.pack(contact, policy.end(asked, self.now_secs), is_outbound)?;
            let new_ref = BindingRef::new(&new);
            let known = before
                .iter()
                .find(|known| known.is_same(new_ref) || is_same_uri(*known, new_ref));
            if known.is_some_and(|known| self.is_overtaken(known)) {
                return Err(Refusal::OutOfOrder);
            }
            // Of two that are the same device the last one counts.
            let all = edits.len();
            edits.retain(|edit| !is_of(edit, new_ref));
            if known.is_none() {
                count -= all - edits.len();
            }
            if asked.is_zero() {
                edits.extend(known.map(|known| Edit::Remove(known.bytes().into())));
                continue;
            }
            if asked < policy.min_expires {
                return Err(Refusal::TooBrief);
            }
            match known {
                None => count += 1,
                Some(known) if !known.is_same(new_ref) => {
                    edits.push(Edit::Remove(known.bytes().into()));
                }
                Some(_) => {}
            }
            if count > policy.max_bindings {
                return Err(Refusal::TooMany);
            }
            edits.push(Edit::Put(new));
        }
        Ok(Plan { edits, before })
    }

    fn pack(
        &self,
        mut contact: Contact,
        expires: u32,
        is_outbound: bool,
    ) -> Result<Box<[u8]>, Refusal> {
        for ours in ["expires", "pub-gruu", "temp-gruu"] {
            contact.address.params.remove(ours);
        }
        let mut text = String::with_capacity(contact.uri().as_str().len() + USUAL_PARAMS);
        // Writing to memory does not fail.
        let _ = write!(text, "{contact}");
        let instance = contact.instance();
        let new = NewBinding {
            contact: &text,
            uri: contact.uri().as_str(),
            instance: instance.as_deref().unwrap_or_default(),
            reg_id: if is_outbound {
                contact.reg_id()?.unwrap_or(0)
            } else {
                0
            },
            is_outbound,
            q_thousandths: contact.q()?.unwrap_or(1_000),
            call_id: self.call_id,
            cseq: self.cseq,
            path: &self.path,
            user_agent: self.user_agent,
            reached_by: reached_by(&contact, is_outbound || !self.path.is_empty(), self.flow),
            updated: self.now_secs,
            expires,
        };
        new.pack().ok_or(Refusal::Malformed)
    }

    fn is_overtaken(&self, binding: BindingRef<'_>) -> bool {
        binding.call_id() == self.call_id && binding.cseq() >= self.cseq
    }
}

/// Whether an edit puts or removes the device of this binding.
fn is_of(edit: &Edit, new: BindingRef<'_>) -> bool {
    edit.binding().is_same(new) || is_same_uri(edit.binding(), new)
}

/// Two contacts without instance-id are the same if their URIs are (section 19.1.4).
fn is_same_uri(known: BindingRef<'_>, new: BindingRef<'_>) -> bool {
    let uri = |binding: BindingRef<'_>| binding.uri().parse::<Uri>().ok();
    known.instance().is_empty()
        && new.instance().is_empty()
        && uri(known).is_some_and(|known| uri(new).is_some_and(|new| known.is_equivalent(&new)))
}

/// The flow the REGISTER came on, which a NAT keeps open. A device that asks for another port of the very host it registers from is
/// behind no NAT and knows better; over a stream, with outbound (RFC 5626) and behind other proxies it is always the flow.
fn reached_by(contact: &Contact, must_be_flow: bool, flow: Flow) -> Destination {
    let uri = contact.uri();
    let same_host = uri.host().and_then(Host::ip) == Some(flow.peer.ip());
    let datagram = flow.transport == Transport::Udp
        && uri
            .transport()
            .is_none_or(|transport| transport == Transport::Udp);
    if !same_host || !datagram || must_be_flow {
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

/// The Path that the proxies on the way have made. One that the device does not know of may be somebody's who wants to listen.
fn path(request: &Request, knows: Knows) -> Result<String, Refusal> {
    if request.header("Path").is_none() || request.paths()?.is_empty() {
        return Ok(String::new());
    }
    if !knows.path {
        return Err(Refusal::Unsupported("path".to_owned()));
    }
    Ok(request.headers_named("Path").collect::<Vec<_>>().join(", "))
}

/// Which extensions of ours a device says that it knows.
#[derive(Clone, Copy, Debug, Default)]
struct Knows {
    path: bool,
    outbound: bool,
    gruu: bool,
}

impl Knows {
    fn of(request: &Request) -> Result<Self, HeaderError> {
        let supported = request.supported()?;
        let knows = |extension: &str| {
            supported
                .iter()
                .any(|tag| tag.eq_ignore_ascii_case(extension))
        };
        Ok(Self {
            path: knows("path"),
            outbound: knows("outbound"),
            gruu: knows("gruu"),
        })
    }
}

/// Whether another copy of a REGISTER that was proven would change nothing, so that it can be told what the first was told.
pub(crate) fn is_done(request: &Request, aor: &Aor, bindings: &Bindings) -> bool {
    let done = || {
        let call_id = request.call_id().ok()?;
        let cseq = request.cseq().ok()?.number;
        let expires = request.expires().ok()?;
        let Contacts::List(contacts) = request.contacts().ok()? else {
            return Some(bindings.of(aor).iter().next().is_none());
        };
        let bound = bindings.of(aor);
        let is_bound = |contact: &Contact| {
            let instance = contact.instance().unwrap_or_default();
            bound.iter().any(|known| {
                let is_it = known.uri() == contact.uri().as_str() && known.instance() == instance;
                is_it && known.call_id() == call_id && known.cseq() == cseq
            })
        };
        let is_repeated = |contact: &Contact, later: &[Contact]| {
            let is_it = |other: &Contact| match contact.instance() {
                Some(instance) => other.instance() == Some(instance),
                None => other.instance().is_none() && other.uri().is_equivalent(contact.uri()),
            };
            later.iter().any(is_it)
        };
        Some(contacts.iter().enumerate().all(|(at, contact)| {
            let ends = contact.expires().or(expires) == Some(0);
            ends != is_bound(contact) || is_repeated(contact, &contacts[at + 1..])
        }))
    };
    done().unwrap_or(false)
}

#[cfg(test)]
mod tests;
