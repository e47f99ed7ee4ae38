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
pub(crate) const MAX_BYTES: usize = 8_000;

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
        let user_agent = cut_user_agent(self.user_agent);
        let mut texts = [self.contact, self.call_id, self.path, user_agent].concat();
        let (uri_at, instance_at) = (
            place(&mut texts, self.uri),
            place(&mut texts, self.instance),
        );
        let kind = Kind::of(self.reached_by)?;
        let flags = u8::from(self.is_outbound) * OUTBOUND;

        let mut bytes = Vec::with_capacity(FIXED + 46 + texts.len());
        bytes.extend([0, 0, flags, kind.0]);
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
        if let Destination::Flow(flow) = self.reached_by {
            if kind.is_stream() {
                bytes.extend(flow.generation.to_le_bytes());
            }
            push_address(&mut bytes, flow.local);
        }
        push_address(&mut bytes, self.reached_by.peer());
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
        IpAddr::V4(ip) => bytes.extend(ip.octets()),
        IpAddr::V6(ip) => bytes.extend(ip.octets()),
    }
    bytes.extend(address.port().to_le_bytes());
}

/// Transport, and what kinds of addresses there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(pub(crate) u8);

impl Kind {
    /// `None` for a transport without a number.
    pub(crate) fn of(reached_by: Destination) -> Option<Self> {
        let (transport, peer, local) = match reached_by {
            Destination::Flow(flow) => (flow.transport, flow.peer, Some(flow.local)),
            Destination::Address {
                transport, peer, ..
            } => (transport, peer, None),
        };
        let index = TRANSPORTS.iter().position(|own| *own == transport)?;
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(local.is_some(), IS_FLOW)
            | flag(peer.is_ipv6(), PEER_IS_V6)
            | flag(local.is_some_and(|local| local.is_ipv6()), LOCAL_IS_V6);
        Some(Self(u8::try_from(index).ok()? | flags))
    }

    /// What the addresses of this kind, as they lie in a binding, say together.
    pub(crate) fn reached_by(
        self,
        local: &[u8],
        peer: &[u8],
        generation: u64,
    ) -> Option<Destination> {
        let (transport, peer) = (self.transport(), address(peer)?);
        Some(match self.is_flow() {
            true => Destination::Flow(Flow {
                transport,
                local: address(local)?,
                peer,
                generation,
            }),
            false => Destination::Address {
                transport,
                peer,
                domain: None,
            },
        })
    }

    /// Whether it is reached by a connection, whose generation it has.
    pub(crate) fn is_stream(self) -> bool {
        self.is_flow() && self.transport().is_reliable()
    }

    /// How many bytes the device's address takes.
    pub(crate) fn peer_len(self) -> usize {
        address_len(self.0 & PEER_IS_V6)
    }

    /// How many our own address takes, which only a flow has.
    fn local_len(self) -> usize {
        match self.is_flow() {
            true => address_len(self.0 & LOCAL_IS_V6),
            false => 0,
        }
    }

    fn is_flow(self) -> bool {
        self.0 & IS_FLOW != 0
    }

    fn transport(self) -> Transport {
        let index = usize::from(self.0 & TRANSPORT);
        TRANSPORTS.get(index).copied().unwrap_or(Transport::Udp)
    }
}

/// An address as it lies in a binding.
pub(crate) fn address(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk()?;
    let ip: IpAddr = match ip.len() {
        4 => array::<4>(ip, 0)?.into(),
        _ => array::<16>(ip, 0)?.into(),
    };
    Some(SocketAddr::new(ip, u16::from_le_bytes(*port)))
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
        let is_stream = self.kind().is_stream();
        is_stream
            .then(|| array(self.0, FIXED).map(u64::from_le_bytes))
            .flatten()
    }

    /// Where requests to the device go.
    pub(crate) fn reached_by(self) -> Option<Destination> {
        self.kind().reached_by(
            self.local_bytes(),
            self.peer_bytes(),
            self.generation().unwrap_or(0),
        )
    }

    /// Transport, and what kinds of addresses there are.
    pub(crate) fn kind(self) -> Kind {
        Kind(self.0.get(3).copied().unwrap_or(0))
    }

    /// Our own address of the flow as it lies here; empty if there is none.
    pub(crate) fn local_bytes(self) -> &'a [u8] {
        let at = self.local_at();
        self.0
            .get(at..at + self.kind().local_len())
            .unwrap_or_default()
    }

    /// The device's address as it lies here.
    pub(crate) fn peer_bytes(self) -> &'a [u8] {
        let at = self.peer_at();
        self.0
            .get(at..at + self.kind().peer_len())
            .unwrap_or_default()
    }

    /// The device's address, or its proxy's.
    pub(crate) fn peer(self) -> Option<SocketAddr> {
        address(self.peer_bytes())
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

    fn local_at(self) -> usize {
        FIXED + if self.kind().is_stream() { 8 } else { 0 }
    }

    fn peer_at(self) -> usize {
        self.local_at() + self.kind().local_len()
    }

    fn texts(self) -> &'a [u8] {
        let at = self.peer_at() + self.kind().peer_len();
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
mod tests;
