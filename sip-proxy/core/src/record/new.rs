//! What a new binding consists of, and how it becomes bytes.

use std::net::{IpAddr, SocketAddr};

use sip::Destination;

use super::{BindingRef, FIXED, Kind, OUTBOUND};

/// Bytes of one binding at most: a push endpoint of a kilobyte and a long Path fit.
pub(crate) const MAX_BYTES: usize = 8_000;

/// What a device calls itself is cut there.
const MAX_USER_AGENT: usize = 128;

/// Everything a new binding consists of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewBinding<'a> {
    /// The Contact value without `expires`.
    pub(crate) contact: &'a str,
    /// The URI in it.
    pub(crate) uri: &'a str,
    /// The instance-id in it, empty for none.
    pub(crate) instance: &'a str,
    /// Zero for none.
    pub(crate) reg_id: u32,
    /// Whether reg-id and instance-id mean a flow of RFC 5626.
    pub(crate) is_outbound: bool,
    pub(crate) q_thousandths: u16,
    pub(crate) call_id: &'a str,
    pub(crate) cseq: u32,
    /// The Path values, one after the other with commas.
    pub(crate) path: &'a str,
    pub(crate) user_agent: &'a str,
    pub(crate) reached_by: Destination,
    pub(crate) updated: u32,
    pub(crate) expires: u32,
}

impl NewBinding<'_> {
    /// The packed bytes; `None` if it is too large to be kept.
    pub(crate) fn pack(&self) -> Option<Box<[u8]>> {
        let user_agent = cut_user_agent(self.user_agent);
        let texts = [self.contact, self.call_id, self.path, user_agent];
        let texts_len: usize = texts.iter().map(|text| text.len()).sum();
        let mut more = String::new();
        let mut place = |part: &str| {
            place(self.contact, part).unwrap_or_else(|| {
                more.push_str(part);
                texts_len + more.len() - part.len()
            })
        };
        let (uri_at, instance_at) = (place(self.uri), place(self.instance));
        let kind = Kind::of(self.reached_by)?;
        let flags = u8::from(self.is_outbound) * OUTBOUND;

        let len = FIXED + kind.addresses_len() + texts_len + more.len();
        if len > MAX_BYTES {
            return None;
        }
        let mut bytes = Vec::with_capacity(len);
        bytes.extend_from_slice(&u16::try_from(len).ok()?.to_le_bytes());
        bytes.extend_from_slice(&[flags, kind.0]);
        for number in [self.expires, self.updated, self.cseq, self.reg_id] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.q_thousandths.to_le_bytes());
        let places = [uri_at, self.uri.len(), instance_at, self.instance.len()];
        for length in texts.map(str::len).into_iter().chain(places) {
            bytes.extend_from_slice(&u16::try_from(length).ok()?.to_le_bytes());
        }
        if let Destination::Flow(flow) = self.reached_by {
            if kind.is_stream() {
                bytes.extend_from_slice(&flow.generation.to_le_bytes());
            }
            push_address(&mut bytes, flow.local);
        }
        push_address(&mut bytes, self.reached_by.peer());
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(more.as_bytes());
        Some(bytes.into())
    }
}

/// Where `part` stands in a contact, which nearly always begins with its URI; `None` if it is escaped there.
fn place(contact: &str, part: &str) -> Option<usize> {
    match contact.strip_prefix('<') {
        _ if part.is_empty() => Some(0),
        Some(rest) if rest.starts_with(part) => Some(1),
        _ => contact.find(part),
    }
}

/// As much as is kept of what a device calls itself.
pub(crate) fn cut_user_agent(text: &str) -> &str {
    let mut end = text.len().min(MAX_USER_AGENT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn push_address(bytes: &mut Vec<u8>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => bytes.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => bytes.extend_from_slice(&ip.octets()),
    }
    bytes.extend_from_slice(&address.port().to_le_bytes());
}

/// The same binding, reached another way.
pub(crate) fn repack(binding: BindingRef<'_>, reached_by: Destination) -> Option<Box<[u8]>> {
    NewBinding {
        contact: binding.contact(),
        uri: binding.uri(),
        instance: binding.instance(),
        reg_id: binding.reg_id(),
        is_outbound: binding.is_outbound(),
        q_thousandths: binding.q_thousandths(),
        call_id: binding.call_id(),
        cseq: binding.cseq(),
        path: binding.path(),
        user_agent: binding.user_agent(),
        reached_by,
        updated: binding.updated(),
        expires: binding.expires(),
    }
    .pack()
}
