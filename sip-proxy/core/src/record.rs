//! One binding as bytes in the clear: on its way through the registrar, between shards and on disk.
//!
//! ```text
//!   0 length │ 2 flags │ 3 kind │ 4 expires │ 8 updated │ 12 CSeq │ 16 reg-id │ 20 q │ 22 lengths of contact, Call-ID, path, user agent
//!   30 place and length of the URI │ 34 of the instance-id │ 38 generation of a connection │ addresses │ the texts, one after the other
//! ```
//!
//! Numbers are
//! little-endian. Places are counted from the first text. URI and instance-id are not stored twice: they lie within the contact.
//!
//! Invariant: every accessor is total. Bytes that came from a disk may be wrong and then read as empty or zero, never as a panic.
//!
//! Not here: which bindings an address-of-record has (`bound.rs`), and how they lie in memory (`shelved.rs`).

use std::net::{IpAddr, SocketAddr};

use sip::{Destination, Flow, Transport};

const FIXED: usize = 38;

/// Bytes of one binding at most: a push endpoint of a kilobyte and a long Path fit.
const MAX_BYTES: usize = 8_000;

/// What a device calls itself is cut there.
const MAX_USER_AGENT: usize = 128;

const OUTBOUND: u8 = 1;

const TRANSPORT: u8 = 0b111;
const IS_FLOW: u8 = 1 << 3;
const PEER_IS_V6: u8 = 1 << 4;
const LOCAL_IS_V6: u8 = 1 << 5;

pub(crate) const TRANSPORTS: [Transport; 5] = [
    Transport::Udp,
    Transport::Tcp,
    Transport::Tls,
    Transport::Ws,
    Transport::Wss,
];

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
        let user_agent = cut(self.user_agent, MAX_USER_AGENT);
        let mut texts = [self.contact, self.call_id, self.path, user_agent].concat();
        let (uri_at, instance_at) = (
            place(&mut texts, self.uri),
            place(&mut texts, self.instance),
        );
        let (transport, peer, local) = match self.reached_by {
            Destination::Flow(flow) => (flow.transport, flow.peer, Some(flow)),
            Destination::Address {
                transport, peer, ..
            } => (transport, peer, None),
        };
        let mut kind = TRANSPORTS.iter().position(|own| *own == transport)?;
        kind |= usize::from(local.is_some()) * usize::from(IS_FLOW);
        kind |= usize::from(peer.is_ipv6()) * usize::from(PEER_IS_V6);
        kind |=
            usize::from(local.is_some_and(|flow| flow.local.is_ipv6())) * usize::from(LOCAL_IS_V6);
        let flags = u8::from(self.is_outbound) * OUTBOUND;

        let mut bytes = Vec::with_capacity(FIXED + 46 + texts.len());
        bytes.extend([0, 0, flags, u8::try_from(kind).ok()?]);
        for number in [self.expires, self.updated, self.cseq, self.reg_id] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.q_thousandths.to_le_bytes());
        for length in [
            self.contact.len(),
            self.call_id.len(),
            self.path.len(),
            user_agent.len(),
            uri_at,
            self.uri.len(),
            instance_at,
            self.instance.len(),
        ] {
            bytes.extend(u16::try_from(length).ok()?.to_le_bytes());
        }
        if let Some(flow) = local {
            if transport.is_reliable() {
                bytes.extend(flow.generation.to_le_bytes());
            }
            push_address(&mut bytes, flow.local);
        }
        push_address(&mut bytes, peer);
        bytes.extend(texts.as_bytes());
        if bytes.len() > MAX_BYTES {
            return None;
        }
        let length = u16::try_from(bytes.len()).ok()?.to_le_bytes();
        bytes[..2].copy_from_slice(&length);
        Some(bytes.into())
    }
}

/// Where `part` stands in `texts`; it is added where it does not, as one that is escaped in the contact.
fn place(texts: &mut String, part: &str) -> usize {
    texts.find(part).unwrap_or_else(|| {
        texts.push_str(part);
        texts.len() - part.len()
    })
}

fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn push_address(bytes: &mut Vec<u8>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => bytes.extend(ip.octets()),
        IpAddr::V6(ip) => bytes.extend(ip.octets()),
    }
    bytes.extend(address.port().to_le_bytes());
}

/// A packed binding, read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BindingRef<'a>(&'a [u8]);

impl<'a> BindingRef<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The first binding of `bytes` and what follows it; `None` at the end or where no whole binding is.
    pub(crate) fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let length = usize::from(u16::from_le_bytes(array(bytes, 0)?));
        let (own, rest) = bytes.split_at_checked(length)?;
        (length >= FIXED).then_some((Self(own), rest))
    }

    /// Whether what was read from a disk can be used.
    pub(crate) fn is_sound(self) -> bool {
        let texts = self.texts();
        !self.contact().is_empty()
            && !self.uri().is_empty()
            && !self.call_id().is_empty()
            && std::str::from_utf8(texts).is_ok()
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn expires(self) -> u32 {
        self.u32(4)
    }

    /// When it was made or refreshed.
    pub(crate) fn updated(self) -> u32 {
        self.u32(8)
    }

    pub(crate) fn cseq(self) -> u32 {
        self.u32(12)
    }

    /// Zero for none.
    pub(crate) fn reg_id(self) -> u32 {
        self.u32(16)
    }

    /// The preference in thousandths.
    pub(crate) fn q_thousandths(self) -> u16 {
        self.u16(20)
    }

    /// Whether it is a flow of RFC 5626.
    pub(crate) fn is_outbound(self) -> bool {
        self.0.get(2).is_some_and(|flags| flags & OUTBOUND != 0)
    }

    /// The Contact value as the device sent it, without `expires`.
    pub(crate) fn contact(self) -> &'a str {
        self.text(0, self.length(22))
    }

    pub(crate) fn call_id(self) -> &'a str {
        self.text(self.length(22), self.length(24))
    }

    /// The Path values with commas between them.
    pub(crate) fn path(self) -> &'a str {
        self.text(self.length(22) + self.length(24), self.length(26))
    }

    pub(crate) fn user_agent(self) -> &'a str {
        let before = self.length(22) + self.length(24) + self.length(26);
        self.text(before, self.length(28))
    }

    /// The URI of the contact.
    pub(crate) fn uri(self) -> &'a str {
        self.text(self.length(30), self.length(32))
    }

    /// Empty for none.
    pub(crate) fn instance(self) -> &'a str {
        self.text(self.length(34), self.length(36))
    }

    /// Generation of the connection it is reached by, if it is.
    pub(crate) fn generation(self) -> Option<u64> {
        self.is_stream()
            .then(|| array(self.0, FIXED).map(u64::from_le_bytes))
            .flatten()
    }

    /// Where requests to the device go.
    pub(crate) fn reached_by(self) -> Option<Destination> {
        let transport = self.transport();
        let peer = self.peer()?;
        if self.kind() & IS_FLOW == 0 {
            return Some(Destination::Address {
                transport,
                peer,
                domain: None,
            });
        }
        Some(Destination::Flow(Flow {
            transport,
            local: self.address(self.local_at(), LOCAL_IS_V6)?,
            peer,
            generation: self.generation().unwrap_or(0),
        }))
    }

    /// Transport, and what kinds of addresses there are.
    pub(crate) fn kind(self) -> u8 {
        self.0.get(3).copied().unwrap_or(0)
    }

    /// Whether it is reached by a connection, whose generation it has.
    pub(crate) fn is_stream(self) -> bool {
        self.kind() & IS_FLOW != 0 && self.transport().is_reliable()
    }

    /// Our own address of the flow as it lies here; empty if there is none.
    pub(crate) fn local_bytes(self) -> &'a [u8] {
        if self.kind() & IS_FLOW == 0 {
            return &[];
        }
        self.0
            .get(self.local_at()..self.peer_at())
            .unwrap_or_default()
    }

    /// The device's address as it lies here.
    pub(crate) fn peer_bytes(self) -> &'a [u8] {
        let at = self.peer_at();
        self.0.get(at..at + self.peer_len()).unwrap_or_default()
    }

    /// How many bytes the device's address takes.
    pub(crate) fn peer_len(self) -> usize {
        address_len(self.kind() & PEER_IS_V6)
    }

    /// The device's address, or its proxy's.
    pub(crate) fn peer(self) -> Option<SocketAddr> {
        self.address(self.peer_at(), PEER_IS_V6)
    }

    /// Place and length of the URI and of the instance-id.
    pub(crate) fn places(self) -> [[u16; 2]; 2] {
        [[self.u16(30), self.u16(32)], [self.u16(34), self.u16(36)]]
    }

    /// The text behind all others, of which URI or instance-id is a part if they are none of the contact.
    pub(crate) fn more(self) -> &'a [u8] {
        let before: usize = [22, 24, 26, 28].map(|at| self.length(at)).iter().sum();
        self.texts().get(before..).unwrap_or_default()
    }

    fn transport(self) -> Transport {
        let index = usize::from(self.kind() & TRANSPORT);
        TRANSPORTS.get(index).copied().unwrap_or(Transport::Udp)
    }

    fn local_at(self) -> usize {
        FIXED + if self.is_stream() { 8 } else { 0 }
    }

    fn peer_at(self) -> usize {
        if self.kind() & IS_FLOW == 0 {
            return FIXED;
        }
        self.local_at() + address_len(self.kind() & LOCAL_IS_V6)
    }

    fn address(self, at: usize, family: u8) -> Option<SocketAddr> {
        let (ip, length): (IpAddr, _) = if self.kind() & family == 0 {
            (array::<4>(self.0, at)?.into(), 4)
        } else {
            (array::<16>(self.0, at)?.into(), 16)
        };
        let port = u16::from_le_bytes(array(self.0, at + length)?);
        Some(SocketAddr::new(ip, port))
    }

    fn texts(self) -> &'a [u8] {
        let at = self.peer_at() + self.peer_len();
        self.0.get(at..).unwrap_or_default()
    }

    fn text(self, at: usize, length: usize) -> &'a str {
        let bytes = self.texts().get(at..at + length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn length(self, at: usize) -> usize {
        usize::from(self.u16(at))
    }

    fn u16(self, at: usize) -> u16 {
        array(self.0, at).map_or(0, u16::from_le_bytes)
    }

    fn u32(self, at: usize) -> u32 {
        array(self.0, at).map_or(0, u32::from_le_bytes)
    }
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

fn address_len(is_v6: u8) -> usize {
    if is_v6 == 0 { 6 } else { 18 }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(reached_by: Destination) -> NewBinding<'static> {
        NewBinding {
            contact: "\"A\" <sip:a@h;pn-prid=00:fc&x%2Fy>;+sip.instance=\"<urn:uuid:1>\"",
            uri: "sip:a@h;pn-prid=00:fc&x%2Fy",
            instance: "urn:uuid:1",
            reg_id: 7,
            is_outbound: true,
            q_thousandths: 500,
            call_id: "4711@phone",
            cseq: u32::MAX,
            path: "<sip:edge;lr>, <sip:next;lr>",
            user_agent: "Desk phone",
            reached_by,
            updated: 1_800_000_000,
            expires: 1_800_000_600,
        }
    }

    fn destinations() -> Vec<Destination> {
        let flow = |transport, local: &str, peer: &str, generation| {
            Destination::Flow(Flow {
                transport,
                local: local.parse().unwrap(),
                peer: peer.parse().unwrap(),
                generation,
            })
        };
        vec![
            flow(Transport::Udp, "192.0.2.5:5060", "198.51.100.7:4711", 0),
            flow(Transport::Wss, "[::1]:443", "[2001:db8::1]:40000", u64::MAX),
            flow(Transport::Tcp, "192.0.2.5:5060", "198.51.100.7:4711", 3),
            Destination::Address {
                transport: Transport::Udp,
                peer: "198.51.100.7:5062".parse().unwrap(),
                domain: None,
            },
        ]
    }

    #[test]
    fn a_packed_binding_says_what_went_in() {
        for reached_by in destinations() {
            let new = sample(reached_by);
            let bytes = new.pack().unwrap();
            let (read, rest) = BindingRef::split(&bytes).unwrap();
            assert!(rest.is_empty() && read.is_sound());
            assert_eq!(read.reached_by(), Some(reached_by));
            assert_eq!(
                (read.contact(), read.uri(), read.instance()),
                (new.contact, new.uri, new.instance)
            );
            assert_eq!(
                (read.call_id(), read.path(), read.user_agent()),
                (new.call_id, new.path, new.user_agent)
            );
            assert_eq!(
                (read.cseq(), read.reg_id(), read.q_thousandths()),
                (u32::MAX, 7, 500)
            );
            assert_eq!((read.updated(), read.expires()), (new.updated, new.expires));
            assert!(read.is_outbound());
        }
    }

    #[test]
    fn an_instance_that_is_escaped_in_the_contact_is_kept_beside_it() {
        let new = NewBinding {
            instance: "urn:x:\"q\"",
            ..sample(destinations()[0])
        };
        let bytes = new.pack().unwrap();
        assert_eq!(BindingRef::new(&bytes).instance(), "urn:x:\"q\"");
        assert_eq!(BindingRef::new(&bytes).contact(), new.contact);
    }

    #[test]
    fn no_bytes_at_all_can_make_an_accessor_panic() {
        let good = sample(destinations()[1]).pack().unwrap();
        for cut in 0..good.len() {
            for flip in [0_u8, 0xff] {
                let mut bytes = good[..cut].to_vec();
                for at in [3, 22, 30, 34] {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= flip;
                    }
                }
                let read = BindingRef::new(&bytes);
                let _ = (read.reached_by(), read.instance(), read.uri(), read.path());
                let _ = (read.is_sound(), BindingRef::split(&bytes));
            }
        }
    }

    #[test]
    fn a_binding_that_is_too_large_is_not_packed() {
        let long = "x".repeat(MAX_BYTES);
        let new = NewBinding {
            path: &long,
            ..sample(destinations()[0])
        };
        assert_eq!(new.pack(), None);
    }
}
