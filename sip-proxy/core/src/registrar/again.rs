//! The commonest REGISTER: a device says again what it said, on the flow on which it said it.
//!
//! Then nothing changes but dates and Call-ID, and the Contact that was read once need not be read again: it is the same text. Whatever
//! is not exactly that, or may be refused, is [`decide`](super::decide)d as a whole.
//!
//! Invariant: what is done here to the table and told is what `decide` would do and what would be told.

use sip::{Destination, Flow, Request};

use super::{Knows, RegistrarPolicy};
use crate::record::{MAX_BYTES, cut_user_agent};
use crate::shelved::{Dates, Placed};

/// What a REGISTER with a single Contact says that nothing but a comparison has to be done for.
#[derive(Debug)]
pub(crate) struct Again<'a> {
    /// As it stands in the request.
    contact: &'a str,
    pub(crate) call_id: &'a str,
    cseq: u32,
    expires: Option<u32>,
    user_agent: &'a str,
    flow: Flow,
    knows: Knows,
    /// Nobody is between the device and us who says so.
    is_direct: bool,
    now_secs: u32,
}

impl<'a> Again<'a> {
    /// `None` if more is to be read than the comparison needs.
    pub(crate) fn read(request: &'a Request, flow: Flow, now_secs: u32) -> Option<Self> {
        let mut contacts = request.headers_named("Contact");
        let contact = contacts.next()?;
        let is_more = contacts.next().is_some()
            || request.header("Require").is_some()
            || request.header("Path").is_some();
        if is_more {
            return None;
        }
        let knows = Knows::of(request).ok()?;
        Some(Self {
            contact,
            call_id: request.call_id().ok()?,
            cseq: request.cseq().ok()?.number,
            expires: request.expires().ok()?,
            user_agent: cut_user_agent(request.header("User-Agent").unwrap_or_default()),
            flow,
            knows,
            is_direct: !knows.outbound || request.count_vias().ok()? == 1,
            now_secs,
        })
    }

    /// The dates of `bound` after this REGISTER; `None` if it is about another contact, says more, or may be refused.
    pub(crate) fn dates(&self, bound: &Placed<'_, '_>, policy: &RegistrarPolicy) -> Option<Dates> {
        let is_same_flow = match bound.is_outbound() {
            true => self.knows.outbound && self.is_direct,
            false => !self.knows.outbound || !may_have_reg_id(bound.contact),
        };
        let is_same = is_same_flow
            && bound.reached_by == Destination::Flow(self.flow)
            && bound.user_agent == self.user_agent.as_bytes();
        if !is_same {
            return None;
        }
        let own_expires = self.expires_beside(bound.contact)?;
        let is_overtaken = bound.cseq().is_some_and(|cseq| cseq >= self.cseq);
        let asked = policy.asked(own_expires.or(self.expires));
        let is_small = bound.contact.len() + self.call_id.len() < MAX_BYTES / 2;
        let is_granted =
            !asked.is_zero() && asked >= policy.min_expires && bound.count <= policy.max_bindings;
        (is_granted && is_small && !is_overtaken).then(|| Dates {
            expires: policy.end(asked, self.now_secs),
            updated: self.now_secs,
            cseq: self.cseq,
        })
    }

    /// What the contact's own `expires` says, if there is one and the rest is this text; `None` if it is not.
    fn expires_beside(&self, bound: &str) -> Option<Option<u32>> {
        if self.contact == bound {
            return Some(None);
        }
        // Behind the URI, so that it is no parameter of that.
        let uri_end = bound.strip_prefix('<')?.find('>')? + 2;
        let params = self.contact.get(uri_end..)?;
        let at = uri_end + params.find(EXPIRES)?;
        let (before, rest) = self.contact.split_at(at);
        let value = &rest[EXPIRES.len()..];
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        let (value, behind) = value.split_at(digits);
        let is_whole = behind.is_empty() || behind.starts_with(';');
        // What begins within quotes ends within them.
        let is_unquoted = !behind.contains('"') || !before[uri_end..].contains('"');
        let is_rest = bound.strip_prefix(before) == Some(behind);
        match is_whole && is_unquoted && is_rest {
            true => value.parse().ok().map(Some),
            false => None,
        }
    }
}

const EXPIRES: &str = ";expires=";
const REG_ID: &str = "reg-id";

fn may_have_reg_id(contact: &str) -> bool {
    let mut parts = contact.as_bytes().windows(REG_ID.len());
    parts.any(|part| part.eq_ignore_ascii_case(REG_ID.as_bytes()))
}
